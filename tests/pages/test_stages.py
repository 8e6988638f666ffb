"""What the stages of a run took: written only where a file is named, and each moment counted once."""

import json
import time

import pytest

from pages.shared import stages


def test_nothing_is_measured_without_a_file(monkeypatch, tmp_path):
    monkeypatch.delenv(stages.FILE, raising=False)
    monkeypatch.chdir(tmp_path)
    with stages.profiled_run(), stages.stage("form"):
        stages.add_stages({"search": 1.0})
    assert list(tmp_path.iterdir()) == []


def test_a_stage_counts_without_those_inside_and_adds_up(monkeypatch, tmp_path):
    monkeypatch.setenv(stages.FILE, str(tmp_path / "runs"))
    for _ in range(2):
        with stages.profiled_run(), stages.stage("cards"):
            time.sleep(0.02)
            with stages.stage("reasons"):
                time.sleep(0.05)
            stages.add_stages({"search": 5.0})
    first, second = map(json.loads, (tmp_path / "runs").read_text().splitlines())
    for run in (first, second):
        took = 1000 * (run["ended"] - run["started"])
        assert sorted(run["stages"]) == ["cards", "reasons", "search"]
        assert run["stages"]["reasons"] >= 49
        assert run["stages"]["cards"] >= 14
        assert sum(run["stages"].values()) == pytest.approx(took, abs=8)
        assert 0 <= run["cpu_ms"] < took
    assert second["started"] >= first["ended"]


def test_a_run_that_fails_is_not_written(monkeypatch, tmp_path):
    monkeypatch.setenv(stages.FILE, str(tmp_path / "runs"))
    with pytest.raises(ZeroDivisionError), stages.profiled_run():
        _ = 1 / 0
    assert not (tmp_path / "runs").exists()
