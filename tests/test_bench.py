import itertools
import time

import pytest

from recsys.bench import comparing, pairs, run_scale_bench, searching, speed, train_synthetic
from recsys.schema import Dataset
from recsys.settings import Settings


def test_bench_gives_every_figure(toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(speed, "_REPEATS", 2)
    monkeypatch.setattr(speed, "_PROFILES", 10)
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
