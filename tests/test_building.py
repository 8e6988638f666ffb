"""A build runs its steps in order, keeps what each made, and says how far it is."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recsys.artifact import ArtifactStore
from recsys.building import STEPS, Built, build, build_state
from recsys.building.board import Board
from recsys.building.estimate import Pace, Work, seconds_left, share_of_maps
from recsys.datasets import write_folder
from recsys.encoder import TransformerEncoder
from recsys.encoder.protocol import Progress
from recsys.errors import ArtifactError, ConfigError, DataError
from recsys.lock import read_json, write_json, writing
from recsys.projection import fit_maps
from recsys.recommender import Recommender
from recsys.schema import Dataset
from tests.toy import ToyEncoder


class FailingEncoder(ToyEncoder):
    """Raises what it was given instead of encoding."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        raise self._error


def states(built: Built) -> dict[str, str]:
    return {step.step: step.state for step in built.steps}


def state_of(dataset: Dataset) -> dict[str, object]:
    found = build_state(dataset.folder)
    assert found is not None
    return dict(found)


def test_everything_is_built_once(toy_folder: Dataset):
    first = build(toy_folder, encoder=ToyEncoder())

    assert (first.dataset, first.n_items, first.n_encoded, first.trained, first.mapped) == ("toy", 12, 12, True, True)
    assert states(first) == dict.fromkeys(STEPS, "done")
    kinds = sorted(path.name.split("-")[0] for path in (toy_folder.folder / "artifacts").glob("[a-z]*-*"))
    assert kinds == ["additive", "graph", "map", "map", "people", "people", "text"]

    encoder = ToyEncoder()
    again = build(toy_folder, encoder=encoder)

    assert encoder.encoded[:12] != first.encoder.encoded[:12]  # only profiles, to look for their places
    assert (again.n_encoded, again.reused) == (0, ("encode", "index", "views", "train", "project"))
    assert (again.trained, again.mapped, again.skipped) == (True, True, {})
    assert sum(again.seconds.values()) < 5


@pytest.mark.parametrize(("until", "planned", "is_trained"), [("encode", STEPS[:3], False), ("train", STEPS[:5], True)])
def test_a_build_ends_where_it_was_told_to(toy_folder: Dataset, until: str, planned: tuple[str, ...], is_trained: bool):
    built = build(toy_folder, encoder=ToyEncoder(), until=until)
    assert tuple(built.seconds) == planned
    assert (built.trained, built.mapped) == (is_trained, False)
    assert [step["step"] for step in state_of(toy_folder)["steps"]] == list(planned)


def test_what_is_built_is_what_the_recommender_opens(toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    build(toy_folder, encoder=ToyEncoder(), until="train")
    monkeypatch.setattr("recsys.training.store.train_additive", None)
    encoder = ToyEncoder()
    assert Recommender.from_dataset(toy_folder, encoder=encoder).scorer.name == "additive"
    assert encoder.encoded == []


@pytest.mark.parametrize("n_items", [1, 2, 3])
@pytest.mark.parametrize("has_likes", [True, False])
def test_tiny_catalogs(toy: Dataset, tmp_path: Path, n_items: int, has_likes: bool):
    items = toy.items.iloc[:n_items]
    likes = toy.interactions[toy.interactions["item_id"].isin(items["item_id"])] if has_likes else toy.interactions[:0]
    users = toy.users if has_likes else toy.users.iloc[:0]
    tiny = write_folder(replace(toy, items=items, users=users, interactions=likes), tmp_path / "tiny")

    built = build(tiny, encoder=ToyEncoder())

    assert (built.n_items, built.n_encoded, built.trained, built.mapped) == (n_items, n_items, has_likes, True)
    skipped = {} if has_likes else {"train": "no likes of other users are known"}
    skipped |= {} if n_items > 3 else {"views": "no pictures, sounds or facts are known"}
    assert built.skipped == skipped
    assert state_of(tiny)["state"] == "finished"


def test_changed_items_are_all_that_is_encoded(toy_folder: Dataset):
    build(toy_folder, encoder=ToyEncoder(), until="encode")
    titles = toy_folder.items["title"].where(toy_folder.items["item_id"] != "03", "Story about a student")
    edited = replace(toy_folder, items=toy_folder.items.assign(title=titles))
    assert build(edited, encoder=ToyEncoder(), until="encode").n_encoded == 1

    deleted = build(replace(edited, items=edited.items.iloc[:9]), encoder=ToyEncoder(), until="encode")

    assert (deleted.n_encoded, deleted.reused) == (0, ("encode",))
    assert deleted.steps[2].state == "done"


def test_progress_names_every_step_in_order(toy_folder: Dataset):
    told: list[tuple[str, int, int]] = []
    build(toy_folder, encoder=ToyEncoder(), progress=lambda *report: told.append(report))
    names = list(dict.fromkeys(name for name, _, _ in told))
    assert [name for name in names if name in STEPS] == list(STEPS)
    assert {"2-D map: lay out", "3-D map: lay out", "2-D map: place people"} <= set(names)
    assert all(0 <= done <= total for _, done, total in told)


def test_the_state_of_a_running_build(toy_folder: Dataset):
    assert build_state(toy_folder.folder) is None
    seen = []

    def look(step: str, done: int, total: int) -> None:
        found = state_of(toy_folder)
        seen.append(found["step"])
        assert found["state"] == "running"
        assert (found["pid"], found["error"]) == (os.getpid(), "")
        assert found["left"] is None or 0 <= found["left"] < 60

    build(toy_folder, encoder=ToyEncoder(), until="train", progress=look)

    assert list(dict.fromkeys(seen)) == list(STEPS[:5])
    found = state_of(toy_folder)
    assert (found["state"], found["left"], found["step"]) == ("finished", 0.0, "")
    assert found["started"] <= found["updated"]
    assert {step["state"] for step in found["steps"]} == {"done"}
    assert all(step["seconds"] >= 0 for step in found["steps"])


def test_a_failed_build_says_why(toy_folder: Dataset):
    error = ConfigError("The encoder is broken", "toy", fix="Mend it.")
    with pytest.raises(ConfigError):
        build(toy_folder, encoder=FailingEncoder(error))
    found = state_of(toy_folder)
    assert (found["state"], found["error"]) == ("failed", "The encoder is broken: 'toy'. Mend it.")
    assert [step["state"] for step in found["steps"]] == ["done", "failed", *["waiting"] * 4]

    with pytest.raises(ZeroDivisionError):
        build(toy_folder, encoder=FailingEncoder(ZeroDivisionError()))
    assert state_of(toy_folder)["error"] == "ZeroDivisionError"
    assert build(toy_folder, encoder=ToyEncoder(), until="encode").n_encoded == 12


def test_a_build_that_was_stopped_is_interrupted(toy_folder: Dataset):
    with pytest.raises(KeyboardInterrupt):
        build(toy_folder, encoder=FailingEncoder(KeyboardInterrupt()))
    found = state_of(toy_folder)
    assert (found["state"], found["step"], found["left"]) == ("interrupted", "encode", None)
    assert [step["state"] for step in found["steps"]] == ["done", *["waiting"] * 5]
    for pid, what in ((found["pid"], "train"), (1, "build")):
        write_json(toy_folder.folder / "build.json", {**found, "state": "running", "pid": pid})
        with writing(toy_folder.folder, what):  # somebody else holds the lock
            assert state_of(toy_folder)["state"] == "interrupted"


def test_a_build_that_was_killed_is_interrupted_and_another_may_begin(toy_folder: Dataset):
    code = """
        import sys, time
        from pathlib import Path
        from recsys.building import build
        from recsys.datasets import read_folder
        from tests.toy import ToyEncoder

        class Slow(ToyEncoder):
            def encode(self, texts, **options):
                print("encoding", flush=True)
                time.sleep(60)

        build(read_folder(Path(sys.argv[1])), encoder=Slow())
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(toy_folder.folder)]
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "encoding\n"
        found = state_of(toy_folder)
        assert (found["state"], found["step"], found["pid"]) == ("running", "encode", running.pid)
        with pytest.raises(ArtifactError, match=f"Another process is writing.*build, process {running.pid}"):
            build(toy_folder, encoder=ToyEncoder())
        assert state_of(toy_folder)["pid"] == running.pid
        running.send_signal(signal.SIGKILL)
    assert state_of(toy_folder)["state"] == "interrupted"
    assert build(toy_folder, encoder=ToyEncoder(), until="encode").n_encoded == 12
    assert state_of(toy_folder)["state"] == "finished"


def test_what_cannot_be_built(toy: Dataset, toy_folder: Dataset, tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot end there: 'never'. Choose one of: encode, train, project"):
        build(toy_folder, encoder=ToyEncoder(), until="never")
    with pytest.raises(DataError, match="in memory has no folder"):
        build(toy, encoder=ToyEncoder())
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot be locked for writing"):
        build(replace(toy, folder=tmp_path / "file"), encoder=ToyEncoder())


def test_a_disk_that_fills_up_leaves_the_old_state(toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    build(toy_folder, encoder=ToyEncoder(), until="train")
    store = ArtifactStore(toy_folder.folder / "artifacts")
    before = {path.name for path in store.root.iterdir()}
    edited = replace(toy_folder, items=toy_folder.items.assign(title="Another"))

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("recsys.lock.write_json", full)
        patch.setattr("recsys.building.board.write_json", full)
        patch.setattr("os.fsync", full)
        with pytest.raises(ArtifactError, match="No space left on device"):
            build(edited, encoder=ToyEncoder(), until="train")

    assert {path.name for path in store.root.iterdir()} == before
    assert build(toy_folder, encoder=ToyEncoder(), until="train").reused == ("encode", "index", "views", "train")


def test_the_encoder_comes_from_the_settings(toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TransformerEncoder, "from_folder", lambda folder, **options: ToyEncoder(options["name"]))
    assert build(toy_folder, until="encode").encoder.identity == "all-MiniLM-L6-v2"


def test_both_maps_are_those_of_the_library(toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    seen = []

    def watched(space, people, texts, folder, **options):
        seen.append((space.name, len(people), len(texts)))
        return fit_maps(space, people, texts, folder, **options)

    monkeypatch.setattr("recsys.building.job.fit_maps", watched)
    build(toy_folder, encoder=ToyEncoder())
    assert seen == [("text", 6, 12)]


def test_a_step_is_written_at_most_twice_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written = []
    monkeypatch.setattr("recsys.building.board.write_json", lambda path, value: written.append(dict(value)))
    with Board(tmp_path, ("read", "encode")) as board:
        board.begin("read")
        board.begin("encode")
        for done in range(1000):
            board("encode", done, 1000)
    assert [(value["state"], value["step"]) for value in written] == [
        ("running", ""),
        ("running", "read"),
        ("running", "encode"),
        ("finished", ""),
    ]
    assert read_json(tmp_path / "build.json") is None


# The estimate.

WORK = Work(n_texts=1_000, n_likes=55_375, n_mapped=1_682, n_people=943)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still unless it is set."""
    now = [100.0]
    monkeypatch.setattr("recsys.building.estimate.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_the_guess_is_near_what_the_readme_says():
    found = WORK.seconds()
    assert found["train"] == pytest.approx(3.8, abs=0.5)
    assert Work(0, 0, 0, 0).seconds() == dict.fromkeys(("encode", "views", "train", "project"), 0.0)
    for n_items, seconds in ((1_682, 6), (10_000, 14), (100_000, 120)):
        assert Work(0, 0, n_items, 0).seconds()["project"] == pytest.approx(seconds, rel=0.15)


def test_the_estimate_is_finite_and_decreases(clock: list[float]):
    expected, pace, left = {"encode": 5.0, "train": 4.0, "project": 6.0}, Pace(), []
    for done in range(0, 1001, 50):  # 100 texts a second, faster than guessed
        pace.take("encode", "encode", done, 1000)
        left.append(seconds_left(expected, "encode", pace))
        clock[0] += 0.25
    reports = {"train": [("train", done, 3) for done in (1, 2, 3)]}
    reports["project"] = [(f"{n}-D map: lay out", done, 10) for n in (2, 3) for done in range(11)]
    for step, told in reports.items():
        pace = Pace()
        for report in told:
            left.append(seconds_left(expected, step, pace))
            clock[0] += expected[step] / len(told)
            pace.take(step, *report)
    assert np.isfinite(left).all()
    assert left[0] == 15.0
    assert (np.diff(left) < 1e-9).all()
    assert left[-1] >= 0


def test_what_is_known_is_no_work(clock: list[float]):
    pace = Pace()
    pace.take("encode", "encode", 99_900, 100_000)
    assert seconds_left({"encode": 300.0}, "encode", pace) == pytest.approx(0.3)
    clock[0] += 1.0
    pace.take("encode", "encode", 99_950, 100_000)
    assert (pace.share, seconds_left({"encode": 300.0}, "encode", pace)) == (0.5, pytest.approx(1.0))


def test_a_slow_machine_is_believed(clock: list[float]):
    pace = Pace()
    clock[0] += 10.0
    pace.take("train", "train", 2, 3)
    assert seconds_left({"train": 3.0}, "train", pace) == pytest.approx((1.0 + 10.0) / 3)


def test_the_share_of_the_maps():
    parts = ("find neighbours", "lay out", "measure", "name groups", "place people")
    told = [share_of_maps(f"{n}-D map: {part}", done, 2) for n in (2, 3) for part in parts for done in (0, 1, 2)]
    assert told[0] == 0
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert share_of_maps("something else", 1, 2) == 0
