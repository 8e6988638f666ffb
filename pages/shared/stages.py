"""What the stages of a run of a page took, for `recsys bench --profile`; without `COLDLENS_PROFILE_FILE` nothing is measured."""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FILE = "COLDLENS_PROFILE_FILE"


@dataclass(frozen=True)
class _Run:
    """One run of the page's script.

    Attributes:
        started: seconds since 1970, as a browser's clock counts too.
        stages: milliseconds by name, without those of the stages inside.
        open: names of the stages that are being measured, the innermost last.
    """

    started: float
    stages: dict[str, float] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def add(self, name: str, milliseconds: float) -> None:
        """Counts time for a stage, and not for the one that it is in."""
        self.stages[name] = self.stages.get(name, 0.0) + milliseconds
        if self.open:
            self.stages[self.open[-1]] = self.stages.get(self.open[-1], 0.0) - milliseconds


_here = threading.local()
_writing = threading.Lock()


@contextmanager
def profiled_run() -> Iterator[None]:
    """Appends one line of JSON to the file when the script has run to its end."""
    path = os.environ.get(FILE)
    if not path:
        yield
        return
    _here.run = run = _Run(time.time())
    cpu = time.thread_time()
    try:
        yield
    finally:
        _here.run = None
    cpu_ms = 1000 * (time.thread_time() - cpu)
    line = json.dumps({"started": run.started, "ended": time.time(), "cpu_ms": cpu_ms, "stages": run.stages})
    with _writing, Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measures a part of the run that is being profiled."""
    run: _Run | None = getattr(_here, "run", None)
    if run is None:
        yield
        return
    run.open.append(name)
    started = time.perf_counter()
    try:
        yield
    finally:
        run.open.pop()
        run.add(name, 1000 * (time.perf_counter() - started))


def add_stages(timings: Mapping[str, float]) -> None:
    """Counts what the stage around has measured itself, in milliseconds."""
    run: _Run | None = getattr(_here, "run", None)
    if run is not None:
        for name, milliseconds in timings.items():
            run.add(name, milliseconds)
