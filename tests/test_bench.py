import pytest

from recsys.bench import comparing, run_scale_bench, speed, train_synthetic
from recsys.schema import Dataset
from recsys.settings import Settings


def test_bench_gives_every_figure(toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(speed, "_REPEATS", 2)
    monkeypatch.setattr(speed, "_PROFILES", 10)
    monkeypatch.setattr(comparing, "_GRID", 100)
    monkeypatch.setattr(comparing, "_SENTENCES", 50)
    settings = Settings(data_dir=toy_folder.folder.parent, dataset="toy", device="cpu")
    found = speed.run_bench(settings, largest=1682)
    assert list(found) == ["machine", "encode", "whatif", "search", "explain", "compare", "training"]
    assert found["machine"]["dataset"] == "toy"
    assert set(found["encode"]) == {"ratio", "texts_per_second", "rival_texts_per_second", "top_10_overlap", "n_texts"}
    assert found["encode"]["n_texts"] == 12
    assert found["encode"]["top_10_overlap"] > 0.9
    assert found["encode"]["ratio"] > 0
    assert list(found["whatif"]) == ["12"]
    assert 0 < found["whatif"]["12"]["p50_ms"] <= found["whatif"]["12"]["p95_ms"]
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
