"""kill -9 at any moment of a build or a training: what was there stays readable, and the next run ends with the same bytes.

One process imports everything and forks a child for each round, so that a round costs no start-up.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from recsys.artifact import MANIFEST, ArtifactStore
from recsys.building import build, build_state
from recsys.datasets import read_folder, write_folder
from recsys.encoder.protocol import Progress
from recsys.lock import writer_of, writing
from recsys.recommender import Recommender
from recsys.schema import Dataset
from recsys.training import AdditiveConfig, runs, train_and_publish
from recsys.views import embeddings
from tests.toy import ToyEncoder
from tests.training.world import world

ROUNDS = int(os.environ.get("COLDLENS_TEST_KILLS", "20"))
BLOCK = 8
Prints = dict[str, dict[str, str]]
"""For every artifact the SHA-256 of each of its files."""


class SlowEncoder(ToyEncoder):
    """Takes its time, as encoders do."""

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        if bulk:
            time.sleep(0.015)
        return super().encode(texts, bulk=bulk, progress=progress)


def without_tensorboard(name: str) -> None:
    """Whatever is asked for is not installed: torch, which comes with TensorBoard's files, makes every fork slow."""


def build_once(dataset: Dataset) -> None:
    build(dataset, encoder=SlowEncoder(), until="train")


def train_once(dataset: Dataset) -> None:
    """What `recsys train` does."""
    assert dataset.folder is not None
    with writing(dataset.folder, "train"):
        ready = Recommender.from_dataset(dataset, scorer="cosine", encoder=SlowEncoder())
        key, config = ready.embeddings_key, AdditiveConfig()
        train_and_publish(dataset, ready.embeddings, encoder=ready.encoder, embeddings_key=key, config=config)


WORK = {"build": build_once, "train": train_once}


def zygote() -> None:
    """Forks a child for every line of the input, ``work seconds folder``, and kills it after so many seconds (never if 0).

    Answers with its status and the seconds that it took.
    """
    embeddings.BLOCK = BLOCK
    runs.find_spec = without_tensorboard
    build_once(read_folder(Path(sys.argv[1])))  # whatever is imported on the way is imported now
    print("ready", flush=True)
    for line in sys.stdin:
        work, seconds, folder = line.split(maxsplit=2)
        started = time.perf_counter()
        if (pid := os.fork()) == 0:
            _end_with(work, Path(folder.strip()))
        if float(seconds):
            time.sleep(float(seconds))
            os.kill(pid, signal.SIGKILL)  # one that has ended keeps its pid until it is waited for
        print(os.waitpid(pid, 0)[1], time.perf_counter() - started, flush=True)


def _end_with(work: str, folder: Path) -> None:
    status = 1
    try:
        WORK[work](read_folder(folder))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


@dataclass(frozen=True)
class Zygote:
    """The other end of it."""

    process: subprocess.Popen[str]

    def run(self, work: str, folder: Path, *, seconds: float = 0.0) -> tuple[bool, float]:
        """Returns whether the work was killed before its end, and how long it took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(work, seconds, folder, file=self.process.stdin, flush=True)
        status, taken = self.process.stdout.readline().split()
        assert int(status) in (0, signal.SIGKILL)
        return int(status) == signal.SIGKILL, float(taken)


def prints(folder: Path) -> Prints:
    """Opens and so verifies everything that looks like an artifact, and returns what its files hold."""
    store = ArtifactStore(folder / "artifacts")
    found: Prints = {}
    for path in store.root.glob(f"[a-z]*/{MANIFEST}"):
        key = json.loads(path.read_text("utf-8"))["key"]
        opened = store.open(path.parent.name.split("-")[0], key)
        files = sorted(one for one in opened.path.iterdir() if one.name != MANIFEST)
        found[path.parent.name] = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in files}
    return found


def check_part(folder: Path, name: str, whole: Path) -> None:
    """A part of a build holds, for each of its texts, the vector that the whole holds."""
    hashes = [row.tobytes() for row in np.load(whole / "hashes.npy")]
    rows = [hashes.index(row.tobytes()) for row in np.load(folder / "artifacts" / name / "hashes.npy")]
    vectors = np.load(folder / "artifacts" / name / "vectors.npy")
    assert vectors.tobytes() == np.load(whole / "embeddings.npy")[rows].tobytes()


@dataclass(frozen=True)
class Scene:
    """Where a round begins, and where it has to end.

    Attributes:
        start: folder to begin with.
        before: what is there then.
        after: what an undisturbed run leaves.
        whole: folder of the embeddings that it leaves.
        seconds: that it takes.
    """

    start: Path
    before: Prints
    after: Prints
    whole: Path
    seconds: float


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``grown``: built, and then got more items. ``encoded``: its new items as well. ``trained``: everything is there."""
    here = tmp_path_factory.mktemp("killing")
    now = write_folder(world(n_users=30), here / "grown")
    items = now.items.iloc[:20]
    likes = now.interactions[now.interactions["item_id"].isin(items["item_id"])]
    found = {"grown": here / "grown"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "find_spec", without_tensorboard)
        build_once(replace(now, items=items, interactions=likes))
        for name, until in (("encoded", "encode"), ("trained", "train")):
            found[name] = here / name
            shutil.copytree(here / "grown", found[name])
            build(read_folder(found[name]), encoder=SlowEncoder(), until=until)
    return found


@pytest.fixture(scope="module")
def forked(scenes: dict[str, Path]) -> Iterator[Zygote]:
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    warm = scenes["grown"].with_name("warm")
    shutil.copytree(scenes["grown"], warm)
    command = [sys.executable, "-m", "tests.test_killing_build", str(warm)]
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ | one_thread
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Zygote(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0


def scene(forked: Zygote, work: str, start: Path, tmp_path: Path) -> Scene:
    taken = []
    for number in range(5):
        folder = tmp_path / f"undisturbed-{number}"
        shutil.copytree(start, folder)
        taken.append(forked.run(work, folder)[1])
    after = prints(folder)
    wholes = [path.parent for path in (folder / "artifacts").glob("text-*/hashes.npy") if len(np.load(path)) == 60]
    print(f"{work}, {start.name}: {taken}")
    return Scene(start, prints(start), after, wholes[0], min(taken))


@pytest.mark.slow
@pytest.mark.parametrize(("work", "starts"), [("build", ["grown"]), ("train", ["encoded", "trained"])])
def test_killed_at_any_moment(forked: Zygote, scenes: dict[str, Path], tmp_path: Path, work: str, starts: list[str]):
    rng = np.random.default_rng(7)
    planned = [scene(forked, work, scenes[start], tmp_path / start) for start in starts]
    n_killed, resumed_at = 0, set()
    for number in range(ROUNDS):
        now = planned[number % len(planned)]
        folder = tmp_path / f"round-{number}"
        shutil.copytree(now.start, folder)

        was_killed, _ = forked.run(work, folder, seconds=float(rng.uniform(1e-3, now.seconds)))

        n_killed += was_killed
        found = prints(folder)
        assert now.before.items() <= found.items()
        for name in found.keys() - now.after.keys():
            check_part(folder, name, now.whole)
        assert {name: found[name] for name in found.keys() & now.after.keys()}.items() <= now.after.items()
        assert writer_of(folder) is None
        if work == "build":
            state = (build_state(folder) or {}).get("state")
            assert state in ((None, "finished", "interrupted") if was_killed else ("finished",))
        resumed_at.add((len(found), len(list((folder / "artifacts").glob(".draft-*")))))

        assert forked.run(work, folder)[0] is False

        assert prints(folder) == now.after
        assert not list((folder / "artifacts").glob(".*-*"))
        shutil.rmtree(folder)
    print(f"{n_killed} of {ROUNDS} were killed before their end, in {len(resumed_at)} states")
    assert n_killed >= 0.6 * ROUNDS
    assert len(resumed_at) >= (5 if work == "build" else 2)  # different states


if __name__ == "__main__":
    zygote()
