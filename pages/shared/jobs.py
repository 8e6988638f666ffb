"""Long work in processes of their own: the dashboard stays responsive, a crash there is not a crash here, and work goes on
when the server ends: the next one finds it again by its record in the data folder.
"""

import atexit
import hashlib
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import streamlit as st
from filelock import FileLock, Timeout

from pages.shared import resources
from pages.shared.job import Job
from pages.shared.processes import this_machine

RECORDS = ".jobs"
"""Folder, beside the datasets, of the records of jobs; each server reads those of its own machine."""
_PATIENCE = 10.0
_OLD = 30 * 86400.0


class Jobs:
    """The jobs of a data folder by name: at most one for each, whoever started it, and whichever server."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._jobs: dict[tuple[Path, str], Job] = {}
        self._swept: set[Path] = set()

    def get(self, name: str) -> Job | None:
        """Returns a job, running or ended."""
        with self._lock:
            return self._look(name)

    def all(self) -> list[tuple[str, Job]]:
        """Returns the jobs that this server has started or been asked for."""
        return [(name, job) for (_, name), job in self._jobs.items()]

    def start(self, name: str, command: Sequence[str], *, is_patient: bool = False, is_reading: bool = False) -> None:
        """Starts a job, unless one is running: of two visitors who start at once, both watch the first one's.

        The two flags are those of ``Job.begin``. A patient job, and one in a data folder that cannot be written, leaves no record
        and is known to this server alone.
        """
        with self._lock:
            folder = self._folder(name)
            try:
                folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with _locked(folder.parent):
                    before = self._look(name)
                    if before is not None and before.is_running:
                        return
                    made = None if is_patient else Job.begin(_cleared(folder), command, is_reading=is_reading)
            except (OSError, Timeout):
                made = None
            if made is None:
                private = Path(tempfile.gettempdir()) / f"coldlens-job-{secrets.token_hex(8)}"
                atexit.register(shutil.rmtree, private, ignore_errors=True)
                made = Job.begin(private, command, is_patient=is_patient, is_reading=is_reading)
            self._jobs[_data(), name] = made

    def cancel(self, name: str, job: Job) -> None:
        """Ends a job that a visitor was shown; one that somebody started since is left alone."""
        job.cancel()
        with self._lock:
            with suppress(OSError, Timeout), _locked(job.folder.parent):
                if job.is_recorded:
                    job.forget()
            if self._jobs.get((job.data, name)) is job:
                del self._jobs[job.data, name]

    def _look(self, name: str) -> Job | None:
        self._sweep()
        key, known = (_data(), name), self._jobs.get((_data(), name))
        if known is None or not known.is_recorded:
            if known is not None:
                known.reap()  # another server has ended it
            found = Job.found(self._folder(name))
            if found is None:
                self._jobs.pop(key, None)
                return None
            self._jobs[key] = known = found.adopted()
        if not known.is_running:
            known.tidy()
        return known

    def _folder(self, name: str) -> Path:
        return _data() / RECORDS / f"{_short(this_machine())}-{_short(name)}"

    def _sweep(self) -> None:
        """Removes, once, the records of jobs that ended when no server was there, and old ones of other machines."""
        root = _data() / RECORDS
        if root in self._swept:
            return
        self._swept.add(root)
        for folder in root.glob("*-*"):
            job = Job.found(folder)
            is_own = folder.name.startswith(f"{_short(this_machine())}-")
            if is_own and job is not None and not (job.is_running or job.server.is_running):
                job.forget()
            elif not is_own and _age(folder) > _OLD:
                shutil.rmtree(folder, ignore_errors=True)


def _locked(root: Path) -> AbstractContextManager[object]:
    """Keeps other servers from the records meanwhile; a job that has none is this server's own."""
    return FileLock(root / ".lock", timeout=_PATIENCE) if root.name == RECORDS else nullcontext()


def _cleared(folder: Path) -> Path:
    """Returns the folder, without what a server left that was killed before it could write a record."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _data() -> Path:
    return resources.settings().data_dir.resolve()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Returns the jobs of this server."""
    return Jobs()
