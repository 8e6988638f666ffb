"""The dashboard as a process of its own, as somebody would start it, and the memory it takes."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import recsys
from recsys.errors import ArtifactError
from recsys.settings import Settings

_PATIENCE = 120
"""Seconds until a server must answer."""


@dataclass(frozen=True)
class Dashboard:
    """A running dashboard.

    Attributes:
        started: seconds since 1970 when its process was started.
        profile_file: where its pages write what their stages took.
    """

    url: str
    pid: int
    started: float
    profile_file: Path

    def memory_mb(self) -> dict[str, float]:
        """Returns memory of the process and all below it: ``pss`` counts shared pages by share, ``rss`` fully."""
        return _memory_mb(self.pid)


def root_folder() -> Path:
    """Returns the folder of ``app.py``, which lies beside the package in a checkout.

    Raises:
        ArtifactError: if the package is installed without it.
    """
    root = Path(recsys.__file__).resolve().parents[1]
    if not (root / "app.py").is_file():
        fix = "Run this from a checkout that was installed with `make install`."
        raise ArtifactError("The dashboard is not beside the installed package", root / "app.py", fix=fix)
    return root


@contextmanager
def running(settings: Settings) -> Iterator[Dashboard]:
    """Starts the dashboard on a free loopback port, and stops it afterwards.

    Raises:
        ArtifactError: if it is not there, or ends instead of answering.
    """
    root = root_folder()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="coldlens-bench-") as scratch:
        profile, log = Path(scratch) / "stages.jsonl", Path(scratch) / "log"
        command = [sys.executable, "-m", "pages.shared.start", f"--server.port={port}", "--server.headless=true"]
        with log.open("w") as output:
            started = time.time()
            process = subprocess.Popen(
                command, cwd=root, env=_environment(settings, profile), stdout=output, stderr=subprocess.STDOUT
            )
            try:
                _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
                yield Dashboard(f"http://127.0.0.1:{port}", process.pid, started, profile)
            finally:
                process.terminate()
                process.wait(20)


def _environment(settings: Settings, profile: Path) -> dict[str, str]:
    return {
        **os.environ,
        "COLDLENS_DATA_DIR": str(settings.data_dir.resolve()),
        "COLDLENS_DATASET": settings.dataset,
        "COLDLENS_ENCODER": settings.encoder,
        "COLDLENS_DEVICE": settings.device,
        "COLDLENS_PRECISION": settings.precision,
        "COLDLENS_INDEX": settings.index,
        "COLDLENS_BACKGROUND": "on" if settings.background else "off",
        "COLDLENS_PROFILE_FILE": str(profile),
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError:
            time.sleep(0.05)
    last = log.read_text("utf-8", "replace").strip()[-300:]
    raise ArtifactError("The dashboard did not start", last, fix="Start it with `make app` and read what it says.")


def _memory_mb(pid: int) -> dict[str, float]:
    found = {"pss": 0, "rss": 0}
    for process in tree_of(pid):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines()
        except OSError:  # it has just ended
            continue
        for line in lines:
            name, _, rest = line.partition(":")
            if name.lower() in found:
                found[name.lower()] += int(rest.split()[0])
    return {name: round(kilobytes / 1024, 1) for name, kilobytes in found.items()}


def cpu_seconds(pids: Iterable[int]) -> float:
    """Returns the processor time of some processes so far, which others on the machine do not stretch."""
    ticks = 0
    for pid in pids:
        try:
            rest = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks += int(rest[11]) + int(rest[12])  # utime and stime, threads that ended included
    return ticks / os.sysconf("SC_CLK_TCK")


def tree_of(pid: int) -> list[int]:
    """Returns a process and all below it."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text("ascii").split()]
    except OSError:
        children = []
    return [pid, *(found for child in children for found in tree_of(child))]
