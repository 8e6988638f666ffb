import itertools
import os
import subprocess
import sys
import time

import pytest

from recsys.bench import (
    clicking,
    comparing,
    dashboard,
    pairs,
    run_scale_bench,
    searching,
    speed,
    train_synthetic,
    visitor,
)
from recsys.errors import ArtifactError, MissingExtraError
from recsys.schema import Dataset
from recsys.settings import Settings


def test_bench_gives_every_figure(toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(speed, "_REPEATS", 2)
    monkeypatch.setattr(speed, "_PROFILES", 10)
    monkeypatch.setattr(speed, "_LARGE", 12)
    monkeypatch.setattr(searching, "_PAIRS", 3)
    monkeypatch.setattr(comparing, "_GRID", 100)
    monkeypatch.setattr(comparing, "_SENTENCES", 50)
    settings = Settings(data_dir=toy_folder.folder.parent, dataset="toy", device="cpu")
    found = speed.run_bench(settings, largest=1682)
    assert list(found) == ["machine", "encode", "whatif", "search", "explain", "compare", "training", "ratios"]
    assert found["machine"]["dataset"] == "toy"
    assert set(found["encode"]) == {"ratio", "texts_per_second", "rival_texts_per_second", "top_10_overlap", "n_texts"}
    assert found["encode"]["n_texts"] == 12
    assert found["encode"]["top_10_overlap"] > 0.9
    assert found["encode"]["ratio"] > 0
    assert list(found["whatif"]) == ["12"]
    for times in (found["whatif"]["12"], found["whatif"]["12"]["compressed"]):
        assert 0 < times["p50_ms"] <= times["p95_ms"]
        assert times["search_ms"] > 0
    assert found["whatif"]["12"]["compressed"]["recall_at_10_profiles"] == 1.0
    assert set(found["ratios"]) == {"encode", "bandwidth", "numpy_over_exact_12", "exact_over_compressed_12"}
    assert found["ratios"]["encode"] == found["encode"]["ratio"]
    assert all(value > 0 for value in found["ratios"].values())
    assert list(found["explain"]) == ["additive", "cosine"]
    for times in found["explain"].values():
        assert list(times) == ["changed_item", "changed_profile", "contrast", "why_not"]
        assert all(0 < value["p50_ms"] <= value["p95_ms"] for value in times.values())
    assert found["training"]["n_users"] == 6
    assert found["training"]["seconds"] > 0
    assert set(found["search"]) == {"bandwidth_fraction", "n_items", "achieved_gb_s", "streaming_gb_s"}


def test_training_is_measured_on_synthetic_likes():
    found = train_synthetic(5_000)
    assert found["interactions"] == 5_000
    assert found["users"] == 50
    assert found["seconds"] > 0
    assert found["peak_mb"] >= found["peak_mb_before_training"] > 0


def test_importing_and_a_change_of_one_item_in_a_hundred_are_measured():
    found = run_scale_bench(Settings(device="cpu"), n_items=300)
    assert found["interactions"] == 6_000
    assert found["import"]["rows"] == 300 + 30 + 6_000
    assert found["import"]["rows_per_second"] > 0
    assert 50 < found["import"]["peak_mb"] < 1_000
    assert found["import_again"]["rows"] == found["import"]["rows"] + 3
    assert found["build_but_encoding"]["texts_encoded"] == 300
    assert found["resume"]["texts_encoded"] == found["resume"]["items_added"] == 3


def test_both_ways_take_turns_and_a_short_one_is_called_more_often():
    order: list[str] = []

    def slow() -> None:
        order.append("slow")
        time.sleep(0.03)

    def quick() -> None:
        order.append("quick")
        time.sleep(0.005)

    found = pairs.time_pairs(quick, slow, repeats=4)
    assert len(found.first) == len(found.second) == 4
    assert 4 < found.ratio < 9
    assert order.count("slow") == 2 + 4
    assert 2 + 4 * 2 <= order.count("quick") <= 2 + 4 * 4
    runs = [name for name, _ in itertools.groupby(order)]
    assert runs == ["quick", "slow", "quick", "slow", "quick", "slow"]


def test_the_parts_of_a_click_add_up():
    moment = visitor.Seen(acted=10.0, sent=10.02, got=10.3, drawn=10.4)
    parts = clicking._parts(moment, {"started": 10.03, "ended": 10.2})
    rounded = {name: round(value, 6) for name, value in parts.items()}
    assert rounded == {"browser": 20, "to_server": 10, "script": 170, "sending": 100, "drawing": 100}
    early = clicking._parts(
        moment, {"started": 10.03, "ended": 10.35}
    )  # the last message came while the script was ending
    assert round(sum(early.values()), 6) == 400


def test_memory_and_processor_time_are_of_a_process_and_all_below_it():
    here = dashboard._memory_mb(os.getpid())
    assert 0 < here["pss"] <= here["rss"]
    before = dashboard.cpu_seconds([os.getpid()])
    while time.thread_time() < 0.1 or dashboard.cpu_seconds([os.getpid()]) < before + 0.05:
        sum(range(10_000))
    held = "held = bytearray(b'x') * (64 << 20); input()"
    with subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE) as child:
        for _ in range(200):
            if (more := dashboard._memory_mb(os.getpid())["pss"]) > here["pss"] + 60:
                break
            time.sleep(0.05)
        assert child.pid in dashboard.tree_of(os.getpid())
        child.communicate(b"\n")
    assert more > here["pss"] + 60


def test_a_dashboard_that_is_not_there_or_ends_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "app.py").write_text("")
    monkeypatch.setattr(dashboard.recsys, "__file__", str(tmp_path / "recsys" / "__init__.py"))
    with (
        pytest.raises(ArtifactError, match="The dashboard did not start: '.*pages.shared.start"),
        dashboard.running(Settings()),
    ):
        pass
    (tmp_path / "app.py").unlink()
    with pytest.raises(ArtifactError, match="not beside the installed package: '.*app.py'. Run this from a checkout"):
        dashboard.root_folder()


def test_a_browser_or_driver_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(visitor, "CHROMIUM", "/nowhere/chromium")
    with pytest.raises(ArtifactError, match="There is no Chromium: '/nowhere/chromium'"), visitor.visiting():
        pass
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(MissingExtraError, match="driver of the browser is missing"), visitor.visiting():
        pass
