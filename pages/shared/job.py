"""One command of the command line, running in the background; a later server can find it again by its folder."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pages.shared import resources
from pages.shared.asking import ROOT, confined, environment, kind_of, last_line, told_error
from pages.shared.processes import Process
from recsys.cli.shared import ENDED, ENDS_WITH
from recsys.confined import ended_by_limit
from recsys.errors import ColdlensError, ConfigError, DataError
from recsys.lock import read_json, write_json
from recsys.settings import Settings

_RECORD, _PROGRESS, _ERRORS, _CODE, _SCRATCH = "job.json", "progress.json", "errors.txt", "code.txt", "tmp"


@dataclass(frozen=True, eq=False)
class Job:
    """A command that runs, or has ended.

    Attributes:
        folder: of its record, progress, errors and temporary files.
        data: folder of the datasets.
        process: leads the group of everything that it starts.
        server: whose job it is; it looks after the folder.
        is_reading: whether it reads what somebody has brought.
        token: tells it from a later job in the same folder.
        child: the same process, where this server has started it.
    """

    folder: Path
    data: Path
    process: Process
    server: Process
    is_reading: bool
    token: str
    child: "subprocess.Popen[bytes] | None" = None

    @classmethod
    def begin(
        cls, folder: Path, command: Sequence[str], *, is_patient: bool = False, is_reading: bool = False
    ) -> "Job":
        """Starts a command.

        Args:
            folder: made here.
            command: words after ``recsys``; the data folder and where to write its progress are added.
            is_patient: whether nobody waits for it, so that it steps back behind everything that somebody waits for, and ends
                with this process; what it has published is kept.
            is_reading: whether it reads what somebody has brought: it is confined, and gets no encoder.

        Raises:
            OSError: if the folder cannot be made.
        """
        folder.mkdir(mode=0o700, parents=True)
        (folder / _SCRATCH).mkdir()
        chosen = resources.settings()
        data = chosen.data_dir.resolve()
        words = [*command, "--data-dir", str(data), "--progress", str(folder / _PROGRESS)]
        if not is_reading:
            words += ["--encoder", chosen.encoder, "--device", chosen.device]
        with (folder / _ERRORS).open("wb") as errors:
            child = subprocess.Popen(
                [sys.executable, "-m", "recsys", *words], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=errors, env=_environment(chosen, folder, is_patient=is_patient, is_reading=is_reading),
                start_new_session=True,
            )  # fmt: skip
        process, server = Process.from_pid(child.pid), Process.from_pid(os.getpid())
        made = cls(folder, data, process, server, is_reading, secrets.token_hex(8), child)
        made._keep()
        return made

    @classmethod
    def found(cls, folder: Path) -> "Job | None":
        """Returns the job whose record lies in a folder; ``None`` where there is nothing readable."""
        kept = read_json(folder / _RECORD)
        try:
            process, server = (Process(int(kept[who][0]), str(kept[who][1])) for who in ("process", "server"))  # type: ignore[index]
            return cls(folder, Path(kept["data"]), process, server, bool(kept["is_reading"]), str(kept["token"]))  # type: ignore[index]
        except (LookupError, TypeError, ValueError):
            return None

    def adopted(self) -> "Job":
        """Returns it as a job of this server, if its own has ended."""
        if self.server.is_running:
            return self
        mine = Job(self.folder, self.data, self.process, Process.from_pid(os.getpid()), self.is_reading, self.token)
        mine._keep()
        return mine

    def _keep(self) -> None:
        who = {name: (found.pid, found.born) for name, found in (("process", self.process), ("server", self.server))}
        about = {"token": self.token, "data": str(self.data), "is_reading": self.is_reading}
        write_json(self.folder / _RECORD, about | who)

    @property
    def is_recorded(self) -> bool:
        """Whether its folder still holds it: another server may have cancelled it, or begun another one in its place."""
        return (read_json(self.folder / _RECORD) or {}).get("token") == self.token

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.child.poll() is None if self.child else self.process.is_running

    def progress(self) -> Mapping[str, Any]:
        """Returns what the command wrote last; empty before its first word."""
        return read_json(self.folder / _PROGRESS) or {}

    def error(self) -> ColdlensError | None:
        """Returns why it failed, or ``None``."""
        if self.is_running or (code := self._code()) == 0:
            return None
        try:
            said = last_line((self.folder / _ERRORS).read_text("utf-8", "replace"))
        except OSError:  # another visitor has just cancelled it
            return None
        if code == 2 and ". " in said:
            return told_error(said)
        return self._ended_by_limit(code) or self._failed(code, said)

    def _ended_by_limit(self, code: int | None) -> ColdlensError | None:
        limits = resources.settings().limits
        by = limits.name_of("read_seconds")
        return ended_by_limit(code, limits, seconds=limits.read_seconds, by=by) if self.is_reading else None

    def _failed(self, code: int | None, said: str) -> ColdlensError:
        """What has ended without a word of its own: of one that another server has started the code of a kill is not known."""
        told = kind_of(said) or ("ended from outside" if code is None else f"code {code}")
        if not self.is_reading:
            return ConfigError("The background work failed", told, fix="Run it again.")
        fix = "Check that the files are what their names say, or raise COLDLENS_MAX_MEMORY_MB."
        return DataError("The files could not be read; the process that tried has ended", told, fix=fix)

    def _code(self) -> int | None:
        if self.child:
            return self.child.poll()
        try:
            return int((self.folder / _CODE).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def cancel(self) -> None:
        """Ends it and all that it started, if it has not ended; whatever it had not published is gone, drafts and all."""
        self.process.end_group()
        self.reap()
        if self.is_running:
            return
        pid = self.process.pid
        for kind in (".draft", ".gone"):
            for path in self.data.glob(f"*/*/{kind}-{pid}-*"):
                shutil.rmtree(path, ignore_errors=True)
        for path in self.data.glob(f"*/.dataset.toml-{pid}"):
            path.unlink(missing_ok=True)

    def reap(self) -> None:
        """Asks for the end of one that was ended: what nobody asks for stays in the list of processes."""
        if self.child:
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(timeout=1.0)  # its threads may end a little later

    def forget(self) -> None:
        """Removes its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def tidy(self) -> None:
        """Removes the temporary files of one that has ended."""
        shutil.rmtree(self.folder / _SCRATCH, ignore_errors=True)


def _environment(chosen: Settings, folder: Path, *, is_patient: bool, is_reading: bool) -> dict[str, str]:
    """What a command is told; one that nobody waits for gets one thread: two that are interrupted wait for each other in vain."""
    found = confined(chosen.limits.read_seconds, folder / _SCRATCH) if is_reading else environment()
    found |= {"COLDLENS_PRECISION": chosen.precision, ENDED: str(folder / _CODE)}
    return found | {ENDS_WITH: str(os.getpid()), "OMP_NUM_THREADS": "1"} if is_patient else found
