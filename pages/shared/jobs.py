"""Long work in a process of its own: the dashboard stays responsive, and a crash there is not a crash here."""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import resources
from recsys.cli.shared import ENDS_WITH
from recsys.errors import ColdlensError, ConfigError, DataError

_ROOT = Path(__file__).resolve().parents[2]


def _step_back() -> None:
    os.nice(10)  # readers come first


def _bounded(megabytes: int) -> Callable[[], None]:
    """Returns what a process does first: it gives up rather than take more memory than this."""

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _step_back()

    return bound


def ask(command: Sequence[str], *, seconds: float = 120.0) -> Any:
    """Runs a short command in a process of its own, with bounded memory and time, and returns its JSON.

    What somebody uploads is never parsed in this process: a file can be made that crashes its reader.

    Raises:
        ColdlensError: what the command said, or that it was stopped.
    """
    chosen = resources.settings()
    words = [sys.executable, "-m", "recsys", *command, "--data-dir", str(chosen.data_dir.resolve()), "--json"]
    try:
        done = subprocess.run(
            words, cwd=_ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds,
            preexec_fn=_bounded(chosen.limits.memory_mb), env=_environment(chosen.precision, is_patient=False),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        fix = "Give a smaller or simpler file."
        raise DataError("Reading the file took too long", f"{seconds:.0f} s", fix=fix) from None
    if done.returncode == 0:
        return json.loads(done.stdout)
    said = _last_line(done.stderr.decode("utf-8", "replace"))
    if done.returncode == 2 and said:
        raise told_error(said)
    fix = "Check that the file is what its name says, or raise COLDLENS_MAX_MEMORY_MB."
    raise DataError("The file could not be read; the process that tried has ended", said or None, fix=fix)


def told_error(said: str) -> ColdlensError:
    """Returns the error that another process has printed, in its three parts again."""
    parts = re.match(r"(?P<what>.*?): '(?P<value>.*)'\. (?P<fix>.*)", said) or re.match(
        r"(?P<what>.*?)\. (?P<fix>.*)", said
    )
    if parts is None:
        return DataError(said, fix="Try again.")
    found = parts.groupdict()
    return DataError(found["what"], found.get("value"), fix=found["fix"])


def _last_line(text: str) -> str:
    said = [line for line in text.strip().splitlines() if any(letter.isalnum() for letter in line)]
    return said[-1] if said else ""


def _environment(precision: str, *, is_patient: bool) -> dict[str, str]:
    """What a command is told; one that nobody waits for gets one thread: two that are interrupted wait for each other in vain."""
    found = {**os.environ, "COLDLENS_PRECISION": precision}
    return found | {ENDS_WITH: str(os.getpid()), "OMP_NUM_THREADS": "1"} if is_patient else found


class Job:
    """One command of the command line, running in the background.

    Args:
        command: words after ``recsys``; the job adds the data folder and where to write its progress.
        is_patient: whether nobody waits for it, so that it steps back behind everything that somebody waits for, and ends with
            this process; what it has published is kept.
        is_reading: whether it reads what somebody has brought: it gets bounded memory, and no encoder.
    """

    def __init__(self, command: Sequence[str], *, is_patient: bool = False, is_reading: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="coldlens-job-")
        self._progress = Path(self._folder.name) / "progress.json"
        self._errors = Path(self._folder.name) / "errors.txt"
        chosen = resources.settings()
        words = [*command, "--data-dir", str(chosen.data_dir.resolve()), "--progress", str(self._progress)]
        if not is_reading:
            words += ["--encoder", chosen.encoder, "--device", chosen.device]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "recsys", *words],
                cwd=_ROOT,
                env=_environment(chosen.precision, is_patient=is_patient),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                preexec_fn=_bounded(chosen.limits.memory_mb) if is_reading else _step_back if is_patient else None,
            )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def progress(self) -> Mapping[str, Any]:
        """Returns what the command wrote last; empty before its first word."""
        try:
            found: Mapping[str, Any] = json.loads(self._progress.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def error(self) -> ColdlensError | None:
        """Returns why it failed, or ``None``."""
        code = self._process.poll()
        if code in (None, 0):
            return None
        try:
            said = _last_line(self._errors.read_text("utf-8", "replace"))
        except OSError:  # another visitor has just cancelled it
            return None
        if code == 2 and ". " in said:
            return told_error(said)
        return ConfigError("The background work failed", said or f"exit code {code}", fix="Run it again.")

    def cancel(self) -> None:
        """Ends it at once, if it has not ended; whatever it had not published is gone, and so are its own files."""
        self._process.kill()
        self._process.wait(timeout=10)
        self._folder.cleanup()


class Jobs:
    """The jobs of this server by dataset: at most one for each, whoever started it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def get(self, name: str) -> Job | None:
        """Returns the job of a dataset, running or ended."""
        return self._jobs.get(name)

    def start(self, name: str, command: Sequence[str], *, is_patient: bool = False, is_reading: bool = False) -> None:
        """Starts a job, unless one is running: of two visitors who start at once, both watch the first one's.

        The two flags are those of ``Job``.
        """
        with self._lock:
            before = self._jobs.get(name)
            if before is not None and before.is_running:
                return
            if before is not None:
                before.cancel()
            self._jobs[name] = Job(command, is_patient=is_patient, is_reading=is_reading)

    def cancel(self, name: str, job: Job) -> None:
        """Ends a job that a visitor was shown; one that somebody started since is left alone."""
        with self._lock:
            job.cancel()
            if self._jobs.get(name) is job:
                del self._jobs[name]


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Returns the jobs of this server."""
    return Jobs()
