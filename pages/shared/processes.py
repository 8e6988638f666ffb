"""Processes that a server which is gone may have started: told apart by when they were born, ended with all they started."""

import os
import platform
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_PATIENCE, _LAST = 1.0, 0.7
"""Seconds that a group has to tidy up before it is killed, and that a killed one is waited for."""
_BLINK = 0.02
_ENDED = ("Z", "X")


@dataclass(frozen=True)
class _Row:
    """A line of the list of processes; ``born`` means something only to this machine, and only until it is started again."""

    pid: int
    group: int
    state: str
    born: str


@dataclass(frozen=True)
class Process:
    """A process of this machine, which leads the group of everything that it starts.

    Attributes:
        pid: its number, which another process may get when it has ended.
        born: when it was started, as the kernel counts; together with the number it names one process only.
    """

    pid: int
    born: str

    @classmethod
    def from_pid(cls, pid: int) -> "Process":
        """Returns the process that has this number now; one that has ended gives one that is not running."""
        row = _row(pid)
        return cls(pid, row.born if row else "")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet; one that nobody has asked for its end counts as ended."""
        row = _row(self.pid)
        return row is not None and row.born == self.born and row.state not in _ENDED

    def end_group(self) -> None:
        """Ends it and everything that it has started: asks, waits a second, and kills what is left then.

        One that has ended before is left alone: its number may be that of a group of somebody else.
        """
        row = _row(self.pid)
        if row is None or row.born != self.born:
            return
        for number, seconds in ((signal.SIGTERM, _PATIENCE), (signal.SIGKILL, _LAST)):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
            deadline = time.monotonic() + seconds
            while self._has_members():
                if time.monotonic() > deadline:
                    break
                time.sleep(_BLINK)
            else:
                return

    def _has_members(self) -> bool:
        return any(row.group == self.pid and row.state not in _ENDED for row in _rows())


@cache
def this_machine() -> str:
    """Returns what tells apart machines, containers and starts of them, in which numbers of processes mean different ones."""
    told = [platform.node()]
    with suppress(OSError):
        told.append((_PROC / "sys/kernel/random/boot_id").read_text().strip())
        told.append(str((_PROC / "self/ns/pid").stat().st_ino))
    return " ".join(told)


def _row(pid: int) -> _Row | None:
    if _PROC.is_dir():
        return _from_stat(_PROC / str(pid))
    return next((row for row in _listed("-p", str(pid)) if row.pid == pid), None)


def _rows() -> Iterator[_Row]:
    if not _PROC.is_dir():
        yield from _listed("-A")
        return
    for folder in _PROC.glob("[0-9]*"):
        if row := _from_stat(folder):
            yield row


def _from_stat(folder: Path) -> _Row | None:
    """Reads what Linux tells of a process; its name, in brackets, may hold anything."""
    try:
        text = (folder / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return _Row(int(folder.name), int(fields[2]), fields[0], fields[19])


def _listed(*which: str) -> Iterator[_Row]:
    """Asks ``ps``, where there is no ``/proc``."""
    command = ["ps", *which, "-o", "pid=,pgid=,state=,lstart="]
    told = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    for line in told.stdout.splitlines():
        pid, group, state, born = line.split(maxsplit=3)
        yield _Row(int(pid), int(group), state[0], born)
