"""Where a build says how far it is, for whoever looks at the dataset's folder meanwhile or later."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from recsys.building.estimate import Pace, Work, seconds_left
from recsys.lock import read_json, write_json, writer_of

STEPS = ("read", "encode", "index", "views", "train", "project")
Progress = Callable[[str, int, int], None]
"""Called with (step, done, in all); within the step ``project`` also with the parts of each map."""
JOB = "build"
"""What the holder of a dataset's lock is said to do while it builds."""
_STATE = "build.json"
_PAUSE = 0.5
"""Least seconds between two writes within a step."""


@dataclass
class BuildStep:
    """One step of a build.

    Attributes:
        step: one of ``STEPS``.
        state: ``waiting``, ``running``, ``done``, ``reused`` (all of it was there), ``skipped`` or ``failed``.
        seconds: wall-clock time.
        why: the reason of a skipped one.
    """

    step: str
    state: str = "waiting"
    seconds: float = 0.0
    why: str = ""


class Board:
    """Keeps the state of one build in ``build.json``; as a context it says at the end how the build ended.

    Attributes:
        steps: planned ones, in order.
    """

    def __init__(self, folder: Path, names: Sequence[str], progress: Progress | None = None) -> None:
        self.steps = [BuildStep(name) for name in names]
        self._path = folder / _STATE
        self._tell = progress or (lambda step, done, total: None)
        self._expected: dict[str, float] | None = None
        self._started, self._written = time.time(), 0.0
        self._now: BuildStep | None = None
        self._pace = Pace()
        self._last = ("", 0, 1)

    def expect(self, work: Work) -> None:
        """Takes in what there is to do, from which the time is estimated."""
        guessed = work.seconds()
        self._expected = {step.step: guessed.get(step.step, 0.0) for step in self.steps}

    def begin(self, name: str) -> None:
        """Ends the step before and begins another one, unless it has begun."""
        if self._now and self._now.step == name:
            return
        self._end("done")
        self._now = self._named(name)
        self._now.state, self._pace, self._last = "running", Pace(), (name, 0, 1)
        self._write("running")
        self._tell(*self._last)

    def skip(self, name: str, why: str) -> None:
        """Says that a step is left out, and why."""
        self._end("done")
        step = self._named(name)
        step.state, step.why = "skipped", why
        if self._expected:
            self._expected[name] = 0.0

    def reuse(self, name: str) -> None:
        """Says of a step that it found everything done, whatever it reported."""
        self._named(name).state = "reused"

    def __call__(self, said: str, done: int, total: int) -> None:
        """Takes in the report of a step; one that waits begins with its first report."""
        if any(step.step == said and step.state == "waiting" for step in self.steps):
            self.begin(said)
        self._last = (said, done, total)
        if self._now:
            self._pace.take(self._now.step, *self._last)
        if time.monotonic() - self._written >= _PAUSE:
            self._write("running")
        self._tell(*self._last)

    def __enter__(self) -> "Board":
        self._write("running")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._end("done")
            self._write("finished")
        elif isinstance(error, Exception):  # who interrupts the process says nothing, as if it had been killed
            self._end("failed")
            self._write("failed", str(error) or type(error).__name__)

    def _named(self, name: str) -> BuildStep:
        return next(step for step in self.steps if step.step == name)

    def _end(self, state: str) -> None:
        if self._now is None:
            return
        is_reused = state == "done" and not self._pace.has_worked and self._now.step != "read"
        self._now.state = "reused" if is_reused else state
        self._now.seconds = round(self._pace.elapsed, 3)
        self._now = None

    def _left(self, state: str) -> float | None:
        if state == "finished":
            return 0.0
        if self._expected is None or self._now is None:
            return None
        return round(seconds_left(self._expected, self._now.step, self._pace), 1)

    def _write(self, state: str, error: str = "") -> None:
        said, done, total = self._last
        if self._now:
            self._now.seconds = round(self._pace.elapsed, 3)
        value = {
            "pid": os.getpid(),
            "started": self._started,
            "updated": time.time(),
            "state": state,
            "step": self._now.step if self._now else "",
            "detail": said,
            "done": done,
            "total": total,
            "left": self._left(state),
            "steps": [asdict(step) for step in self.steps],
            "error": error,
        }
        self._written = time.monotonic()
        with suppress(OSError):  # a full disk stops the build where it matters: at an artifact
            write_json(self._path, value)


def build_state(folder: Path) -> Mapping[str, Any] | None:
    """Returns how far the build of a dataset is, or how the last one ended; ``None`` if there was none.

    Its ``state`` is ``running``, ``finished``, ``failed`` (``error`` says why) or ``interrupted``: it was killed.
    """
    found = read_json(folder / _STATE)
    if found is None or found.get("state") != "running":
        return found
    writer = writer_of(folder)
    if writer is not None and (writer.get("pid", found.get("pid")), writer.get("what", JOB)) == (found.get("pid"), JOB):
        return found
    again = read_json(folder / _STATE) or found  # it may have ended between the two looks
    if again.get("state") != "running":
        return again
    steps = [one | {"state": "waiting"} if one["state"] == "running" else one for one in again["steps"]]
    return again | {"state": "interrupted", "left": None, "steps": steps}
