"""Who does the work: a Ray cluster that is there, or one on this machine for as long as the work takes."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from recsys.artifact import sweep
from recsys.errors import ConfigError, MissingExtraError

_LOOPBACK = "127.0.0.1"
_LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Variable of Ray: with 0 it takes the loopback address for its own, as it does by default on those systems."""
_SPARE_CPUS = 4
"""CPUs that a local cluster claims to have beyond those of its workers, for reading, filtering and writing. They are places
in Ray's books, not cores: without them a job that is resumed waits for ever, as its workers hold all that there are."""
_OBJECT_STORE = 256 << 20
"""Bytes of shared memory for the blocks under way; what does not fit is spilled to disk."""


@dataclass(frozen=True)
class Team:
    """The workers of a job.

    Attributes:
        address: of a Ray cluster, ``HOST:PORT``, ``ray://HOST:PORT`` or ``auto``; ``None`` starts one on this machine, which
            listens on the loopback interface alone.
        workers: processes, each with an encoder of its own; ``None`` is one for each core (with GPUs: each GPU share) there is.
        gpus_per_worker: 0 for processors; 1 gives each worker a GPU, 0.5 lets two share one.
    """

    address: str | None = None
    workers: int | None = None
    gpus_per_worker: float = 0.0

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ConfigError("There must be a worker", self.workers, fix="Give a whole number from 1 on.")
        if not self.gpus_per_worker >= 0:
            raise ConfigError("A worker cannot have less than no GPU", self.gpus_per_worker, fix="Give 0, 0.5 or 1.")

    @contextmanager
    def at_work(self) -> Iterator[int]:
        """Yields how many workers there are, within a connection to the cluster; a local cluster ends with the block.

        Raises:
            ConfigError: if the cluster does not answer, or has no place for a worker.
            MissingExtraError: without Ray.
        """
        ray = import_ray(is_alone=self.address is None)
        folder = _short_folder() if self.address is None else None
        try:
            if folder is None:
                self._connect(ray)
            else:
                self._start(ray, folder)
            yield self.workers or self._places(ray)
        finally:
            ray.shutdown()
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def _start(self, ray: ModuleType, folder: str) -> None:
        ray.init(
            "local",
            num_cpus=(self.workers or os.cpu_count() or 1) + _SPARE_CPUS,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE,
            _temp_dir=folder,
            _system_config={"prestart_worker_first_driver": False},  # one idle process per CPU, 1.4 s of work each
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        (address,) = {node["NodeManagerAddress"] for node in ray.nodes()}
        if address != _LOOPBACK:
            fix = f"Set {_LOOPBACK_ONLY}=0 before Ray is imported, or name a cluster with --address."
            raise ConfigError("The local Ray cluster would listen to other machines", address, fix=fix)

    def _connect(self, ray: ModuleType) -> None:
        try:
            ray.init(self.address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError) as error:
            fix = "Start one with `ray start --head`; if it asks for a token, set RAY_AUTH_MODE=token and give this machine it."
            raise ConfigError("No Ray cluster answers", self.address, fix=fix) from error

    def _places(self, ray: ModuleType) -> int:
        if self.address is None and not self.gpus_per_worker:
            return os.cpu_count() or 1
        there = ray.cluster_resources()
        if self.gpus_per_worker:
            found = int(there.get("GPU", 0) / self.gpus_per_worker)
        else:
            found = int(there.get("CPU", 0)) - _SPARE_CPUS
        if found < 1:
            told = f"{there.get('CPU', 0):g} CPUs, {there.get('GPU', 0):g} GPUs"
            fix = f"Workers need their GPU share, or 1 CPU each with {_SPARE_CPUS} more for reading and writing."
            raise ConfigError("The cluster has no place for a worker", told, fix=fix)
        return found


def _short_folder() -> str:
    """A folder for Ray's sockets, whose names must be short; those of commands that were killed are removed."""
    sweep(Path(tempfile.gettempdir()).glob("coldlens-*-*"))
    return tempfile.mkdtemp(prefix=f"coldlens-{os.getpid()}-")


def import_ray(*, is_alone: bool) -> ModuleType:
    """Returns Ray, which is told to report to nobody.

    Args:
        is_alone: whether this machine works alone; Ray then listens on the loopback interface only, which it decides when it
            is imported.

    Raises:
        MissingExtraError: if it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if is_alone:
        os.environ.setdefault(_LOOPBACK_ONLY, "0")
    try:
        import ray
        import ray.data
    except ImportError:
        fix = "Install it: pip install 'coldlens[cluster]'."
        raise MissingExtraError("Encoding with a cluster needs Ray", "cluster", fix=fix) from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray
