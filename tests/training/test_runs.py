"""Every training leaves a record that people and TensorBoard can read."""

import importlib.util
import json
import sys
import types
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from recsys.datasets import write_folder
from recsys.errors import MissingExtraError
from recsys.training import AdditiveConfig, Run, list_runs, record_run, runs, runs_folder, train_and_publish
from tests.toy import ToyEncoder
from tests.training.world import vectors, world

CURVE, STEPS = (0.25, 0.5, 0.375), ("a = 1", "a = 2", "b = 3")


@pytest.fixture
def without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "find_spec", lambda name: None)


def record(folder: Path, **options: Any) -> Run:
    about: dict[str, Any] = {"dataset": "world", "scorer": "additive", "parameters": {"penalty": 15.0, "seed": 0}}
    return record_run(folder, **{**about, "curve": CURVE, "steps": STEPS, "seconds": 1.5, **options})


def test_a_recorded_run_is_listed_as_it_was(tmp_path: Path, without_events: None):
    run = record(tmp_path / "runs")
    assert list_runs(tmp_path / "runs") == [run]
    assert (run.curve, run.steps, run.seconds, run.has_events) == (CURVE, STEPS, 1.5, False)
    assert dict(run.parameters) == {"penalty": 15.0, "seed": 0}
    assert (tmp_path / "runs" / run.name / "run.json").exists()
    assert run.name.endswith("-additive-" + run.name[-6:])


def test_no_runs(tmp_path: Path):
    assert list_runs(tmp_path) == list_runs(tmp_path / "nowhere") == []


def test_newest_first(tmp_path: Path, without_events: None, monkeypatch: pytest.MonkeyPatch):
    for when in ("2026-03-01T10-00-00", "2026-11-01T09-00-00", "2025-12-31T23-59-59"):
        monkeypatch.setattr(runs.time, "strftime", lambda pattern, at, when=when: when)
        record(tmp_path)
    assert [run.name[:10] for run in list_runs(tmp_path)] == ["2026-11-01", "2026-03-01", "2025-12-31"]


def test_two_runs_in_one_second_are_both_kept(tmp_path: Path, without_events: None):
    assert len({record(tmp_path).name for _ in range(3)}) == len(list_runs(tmp_path)) == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"name": "x", "unheard": 1}', "\udcff"])
def test_an_unreadable_run_is_left_out(tmp_path: Path, without_events: None, text: str):
    kept = record(tmp_path)
    broken = tmp_path / "9999-broken"
    broken.mkdir()
    (broken / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "9999-empty").mkdir()
    assert list_runs(tmp_path) == [kept]


def test_tensorboard_reads_the_curve(tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = record(tmp_path)
    assert run.has_events
    assert list_runs(tmp_path)[0].has_events
    events = EventAccumulator(str(tmp_path / run.name))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("selection/nDCG@10")] == list(enumerate(CURVE))
    assert "parameters/text_summary" in events.Tags()["tensors"]


def test_training_records_its_curve_and_its_parameters(tmp_path: Path):
    dataset = write_folder(world(n_users=60), tmp_path / "world")
    training = train_and_publish(
        dataset, vectors(dataset), encoder=ToyEncoder(), embeddings_key="key", config=AdditiveConfig()
    )
    (run,) = list_runs(runs_folder(dataset))
    assert run.curve == tuple(trial.ndcg for trial in training.trials)
    assert len(run.curve) == len(run.steps) > 10
    assert run.steps[0] == f"{training.trials[0].parameter} = {training.trials[0].value:g}"
    assert dict(run.parameters) == asdict(training.config)
    assert (run.dataset, run.scorer, run.seconds) == ("world", "additive", training.seconds)
    if importlib.util.find_spec("tensorboard"):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(runs_folder(dataset) / run.name))
        events.Reload()
        assert [event.value for event in events.Scalars("selection/nDCG@10")] == pytest.approx(run.curve)


def test_an_empty_curve_is_recorded(tmp_path: Path):
    assert list_runs(tmp_path) == []
    run = record(tmp_path, curve=(), steps=())
    assert list_runs(tmp_path) == [run]


def test_without_wandb_it_says_what_to_do_and_records_nothing(tmp_path: Path, without_events: None):
    with pytest.raises(MissingExtraError) as refused:
        record(tmp_path, wandb=True)
    assert str(refused.value) == "Weights & Biases is not installed: 'wandb'. Install it with `pip install wandb`."
    assert list(tmp_path.iterdir()) == []


def test_with_wandb_the_curve_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sent: list[Any] = []

    @contextmanager
    def init(**about: Any):
        sent.append(about)
        yield types.SimpleNamespace(log=sent.append)

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    monkeypatch.setattr(runs, "find_spec", lambda name: object() if name == "wandb" else None)
    run = record(tmp_path, wandb=True)
    assert sent[0] == {
        "project": "coldlens", "name": run.name, "dir": str(tmp_path / run.name), "config": dict(run.parameters),
    }  # fmt: skip
    assert [list(point.values()) for point in sent[1:]] == [[value] for value in CURVE]
    assert json.loads((tmp_path / run.name / "run.json").read_text("utf-8"))["curve"] == list(CURVE)
