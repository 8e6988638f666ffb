import _thread
import os
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import psutil
import pytest

from recsys.artifact import ArtifactStore
from recsys.distributed import Team, encode_catalog
from recsys.distributed.worker import TextWorker
from recsys.encoder import open_encoder
from recsys.errors import ConfigError, DataError, MissingExtraError
from recsys.schema import Dataset
from recsys.settings import Settings
from recsys.views.embeddings import build_embeddings
from recsys.views.kept_vectors import HASHES, PART, keys_of, split_hashes, text_hash
from recsys.views.text import item_texts
from tests.distributed.world import catalog, small_bert

N_ITEMS, N_WORDS, N_BLOCKS = 3073, 30, 6


def wait_for(what, seconds: float = 60):
    """Returns the first true answer."""
    ends = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)
    return found


def blocks_done(dataset: Dataset) -> set[str]:
    """Blocks that Ray holds for done."""
    names = (path.name for path in (dataset.folder / "artifacts").glob("encoding-*/checkpoint/*.parquet"))
    return {name for name in names if ".pending" not in name}


def workers_of(pid: int) -> list[psutil.Process]:
    """Processes that encode: Ray names them after their actor."""
    children = psutil.Process(pid).children(recursive=True)
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "TextWorker" in " ".join(child.cmdline())]


def after_a_block(dataset: Dataset, what) -> threading.Thread:
    """Does something as soon as one more block is done."""
    before = blocks_done(dataset)

    def watch() -> None:
        wait_for(lambda: blocks_done(dataset) - before)
        what()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    return watching


def listening_elsewhere() -> list[str]:
    """Addresses other than loopback that a process of the cluster listens on."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    found = [one for process in family for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert found
    return [str(one.laddr) for one in found if "127.0.0.1" not in one.laddr.ip]


@pytest.mark.release
@pytest.mark.filterwarnings("ignore:`use_(push_based_shuffle|polars|arrow_tensor_v2)` is:DeprecationWarning:ray")
def test_a_killed_worker_and_a_stopped_command_cost_no_text_and_no_text_twice(tmp_path, monkeypatch):
    dataset = catalog(tmp_path / "many", n_items=N_ITEMS, n_words=N_WORDS)
    settings = Settings(encoder=small_bert(tmp_path / "bert"), precision="float32")
    team = Team(workers=1)
    killed, elsewhere = [], []

    def kill() -> None:
        """The worker dies, and before Ray has another one the command is stopped."""
        elsewhere.extend(listening_elsewhere())
        (worker,) = workers_of(os.getpid())
        worker.kill()
        killed.append(worker)
        _thread.interrupt_main()

    with team.at_work() as workers:  # one cluster for both runs: starting it is the slow part
        monkeypatch.setattr(Team, "at_work", lambda self: nullcontext(workers))
        after_a_block(dataset, kill)
        was_stopped = False
        try:
            done = encode_catalog(dataset, settings=settings, team=team)
        except KeyboardInterrupt:
            was_stopped = True
            assert 1 <= len(blocks_done(dataset)) < N_BLOCKS
            done = encode_catalog(dataset, settings=settings, team=team)
            assert done.n_repeated == 0  # what was done before was not done again

    # Python drops an interrupt that comes while Ray cleans up; then another worker has ended the job, which counts as well
    assert len(killed) == 1
    assert elsewhere == []
    assert (done.resumed, done.workers, done.n_items, done.n_encoded) == (was_stopped, 1, N_ITEMS, N_ITEMS - 1)
    own = open_encoder(settings.encoder, device="cpu", precision="float32")
    store, texts = ArtifactStore(dataset.folder / "artifacts"), item_texts(dataset)
    parts = [np.load(store.open(PART, key).path / HASHES) for key in keys_of(store, PART, own.identity)]
    kept = [known for part in parts for known in split_hashes(part)]
    assert len(kept) == len(set(kept)) == N_ITEMS - 1
    assert set(kept) == set(map(text_hash, texts))
    built = build_embeddings(dataset, own)
    assert built.n_encoded == 0
    np.testing.assert_allclose(built.vectors, own.encode(texts, bulk=True), atol=1e-5)
    assert not list(store.root.glob("encoding-*"))
    assert not list(Path(tempfile.gettempdir()).glob(f"coldlens-{os.getpid()}-*"))


def test_nothing_to_encode_starts_nothing(toy_folder, tmp_path, monkeypatch):
    settings = Settings(encoder=small_bert(tmp_path / "bert", n_layers=1), precision="float32")
    build_embeddings(toy_folder, open_encoder(settings.encoder, device="cpu", precision="float32"))
    monkeypatch.setattr(Team, "at_work", lambda self: pytest.fail("a cluster was started"))
    done = encode_catalog(toy_folder, settings=settings)
    assert (done.n_items, done.n_encoded, done.workers) == (12, 0, 0)


def test_without_ray_the_extra_is_named(toy_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"'cluster'. Install it: pip install 'coldlens\[cluster\]'"):
        encode_catalog(toy_folder)


def test_a_dataset_in_memory_has_no_folder(toy):
    with pytest.raises(DataError, match="no folder for its vectors: 'toy'. Save it first"):
        encode_catalog(toy)


@pytest.mark.parametrize(("team", "message"), [({"workers": 0}, "a worker: '0'"), ({"gpus_per_worker": -1}, "no GPU")])
def test_a_team_without_workers_is_refused(team, message):
    with pytest.raises(ConfigError, match=message):
        Team(**team)


def test_a_worker_with_another_encoder_refuses(tmp_path):
    encoder = small_bert(tmp_path / "bert", n_layers=1)
    with pytest.raises(ConfigError, match="not the one that was asked for: .*float32'. Give all machines the same"):
        TextWorker(encoder=encoder, device="cpu", precision="float32", identity="another")


class Ray:
    """What a cluster says of itself."""

    def __init__(self, **there: float) -> None:
        self._there = there

    def cluster_resources(self) -> dict[str, float]:
        return self._there


@pytest.mark.parametrize(
    ("team", "there", "expected"),
    [
        (Team("host:1"), {"CPU": 20}, 16),
        (Team("host:1", gpus_per_worker=0.5), {"CPU": 4, "GPU": 8}, 16),
        (Team("host:1", gpus_per_worker=2), {"CPU": 4, "GPU": 3}, 1),
        (Team(), {"CPU": 20}, os.cpu_count()),
    ],
)
def test_there_are_as_many_workers_as_places(team, there, expected):
    assert team._places(Ray(**there)) == expected


@pytest.mark.parametrize("team", [Team("host:1"), Team("host:1", gpus_per_worker=1)])
def test_a_cluster_without_a_place_is_told(team):
    with pytest.raises(ConfigError, match="no place for a worker: '4 CPUs, 0 GPUs'. Workers need"):
        team._places(Ray(CPU=4))


def test_a_cluster_that_does_not_answer_is_told(monkeypatch):
    def nobody(*_, **__) -> None:
        raise ConnectionError("nobody is there")

    monkeypatch.setattr("ray.init", nobody)
    with pytest.raises(ConfigError, match="No Ray cluster answers: 'host:1'. Start one"), Team("host:1").at_work():
        pass
