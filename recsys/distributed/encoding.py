"""A catalog encoded by a Ray cluster: its texts go out as Parquet, its vectors come back, and the dataset keeps them.

Ray remembers by their hashes which texts are done, block by block, so that a job that was stopped goes on where it was; a
worker that dies is replaced and its batch repeated. The vectors enter the artifacts of the dataset as a build's own blocks
do, so the next ``recsys build`` finds every text known.

The texts of a batch are encoded together, and in low precision the last bits of a vector depend on what it was encoded with:
vectors equal those of a build where batches do, and otherwise within 1e-5 (float32) or 0.02 (bfloat16) in every number.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from recsys.artifact import ArtifactStore
from recsys.distributed.job import EncodingJob
from recsys.distributed.team import Team, import_ray
from recsys.distributed.worker import HASH, TextWorker
from recsys.encoder import Encoder, open_encoder
from recsys.errors import DataError
from recsys.lock import writing
from recsys.schema import Dataset
from recsys.settings import Settings
from recsys.views.embeddings import BLOCK, embeddings_key, publish_part
from recsys.views.kept_vectors import KeptVectors, text_hash
from recsys.views.text import item_texts

Progress = Callable[[str], None]
"""Called with what begins: ``start`` (the cluster), ``encode``, ``keep``."""
JOB = "encode"
"""What the holder of a dataset's lock is said to do while it encodes."""
_BLOCK_BYTES = 2 << 20
"""Ray keeps what is done block by block; with its own 128 MiB a stopped job would lose nearly everything."""
_PART_ROWS = 65_536
_FILES_PER_WORKER = 8


@dataclass(frozen=True)
class Encoded:
    """What a cluster has done.

    Attributes:
        n_items: of the catalog.
        n_encoded: texts that have got a vector, each once; all others were known.
        n_repeated: vectors that were made twice because a worker or the command died, and dropped.
        resumed: whether a stopped job went on.
        workers: processes that encoded; 0 where nothing was missing.
        seconds: by what took them: ``start``, ``encode``, ``keep``.
    """

    n_items: int
    n_encoded: int
    n_repeated: int
    resumed: bool
    workers: int
    seconds: dict[str, float]


def encode_catalog(
    dataset: Dataset,
    *,
    settings: Settings | None = None,
    team: Team | None = None,
    into: Path | None = None,
    progress: Progress | None = None,
) -> Encoded:
    """Encodes all texts of a catalog that its dataset has no vector of, on a cluster.

    Args:
        settings: name the encoder, its device and its precision.
        team: who works; by default a cluster on this machine.
        into: folder on storage that all machines see under this name; by default among the artifacts of the dataset.
        progress: told of each stage as it begins.

    Raises:
        ArtifactError: if another process is writing this dataset, or a folder cannot be written.
        ConfigError: if the encoder or the cluster does not work.
        DataError: for a dataset in memory.
        MissingExtraError: without Ray.
    """
    settings, team, tell = settings or Settings(), team or Team(), progress or (lambda stage: None)
    import_ray(is_alone=team.address is None)
    if dataset.folder is None:
        raise DataError("A dataset in memory has no folder for its vectors", dataset.name, fix="Save it first.")
    with writing(dataset.folder, JOB):
        store = ArtifactStore(dataset.folder / "artifacts")
        name = settings.encoder_for(dataset.info.encoder)
        encoder = open_encoder(name, device=settings.device, precision=settings.precision)
        texts = item_texts(dataset)
        kept = KeptVectors.from_store(store, identity=encoder.identity, dim=encoder.dim)
        missing = {known: text for text in texts if (known := text_hash(text)) not in kept}
        if not missing:
            return Encoded(len(texts), 0, 0, False, 0, {})
        key = embeddings_key(texts, encoder)
        job = EncodingJob((into or store.root).resolve() / f"encoding-{key[:16]}")
        watch = _Watch(tell)
        with watch("start"), team.at_work() as workers:
            resumed = job.prepare(missing, rows_per_file=_rows_per_file(len(missing), workers))
            with watch("encode"):
                _run(job, encoder, settings, team, workers)
        with watch("keep"):
            n_encoded = _keep(job, store, encoder)
        n_repeated = job.n_written() - n_encoded
        job.remove()
    return Encoded(len(texts), n_encoded, n_repeated, resumed, workers, watch.seconds)


def _rows_per_file(n_texts: int, workers: int) -> int:
    """A few files for each worker, of whole batches."""
    share = n_texts // (workers * _FILES_PER_WORKER)
    return max(1, share // BLOCK) * BLOCK


def _run(job: EncodingJob, encoder: Encoder, settings: Settings, team: Team, workers: int) -> None:
    ray = import_ray(is_alone=team.address is None)
    asked = {
        "encoder": encoder.name,
        "device": "cuda" if team.gpus_per_worker else "cpu",
        "precision": settings.precision,
        "identity": encoder.identity,
    }
    with _remembered(ray, job):
        texts = ray.data.read_parquet(str(job.texts), override_num_blocks=job.n_files())
        vectors = texts.map_batches(
            TextWorker,
            fn_constructor_kwargs=asked,
            batch_size=BLOCK,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=0 if team.gpus_per_worker else 1,
            num_gpus=team.gpus_per_worker,
        )
        vectors.write_parquet(str(job.vectors))


@contextmanager
def _remembered(ray: ModuleType, job: EncodingJob) -> Iterator[None]:
    """Has Ray remember what is done, without bars and without telling anybody."""
    from ray.data.checkpoint import CheckpointConfig

    wanted = {
        "checkpoint_config": CheckpointConfig(HASH, str(job.checkpoint), delete_checkpoint_on_success=False),
        "target_max_block_size": _BLOCK_BYTES,
        "use_datasource_v2": False,  # it reads small files in one go, which leaves all but one worker idle
        "enable_progress_bars": False,
    }
    context = ray.data.DataContext.get_current()
    before = {name: getattr(context, name) for name in wanted}
    try:
        for name, value in wanted.items():
            setattr(context, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)


def _keep(job: EncodingJob, store: ArtifactStore, encoder: Encoder) -> int:
    """Publishes the vectors as blocks of a build; returns how many."""
    found = 0
    for hashes, vectors in job.blocks(encoder.dim, _PART_ROWS):
        publish_part(store, encoder, hashes, vectors)
        found += len(hashes)
    return found


class _Watch:
    """Seconds by stage; a stage within another one stops the clock of the outer one."""

    def __init__(self, tell: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._tell = tell

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        self._tell(stage)
        started, before = time.perf_counter(), sum(self.seconds.values())
        yield
        inner = sum(self.seconds.values()) - before
        self.seconds[stage] = round(time.perf_counter() - started - inner, 3)
