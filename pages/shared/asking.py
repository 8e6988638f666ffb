"""A short question to a process of its own: what somebody uploads is never parsed in the server."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pages.shared import resources
from pages.shared.language import N_
from recsys.confined import CONFINED, ended_by_limit
from recsys.errors import ColdlensError, DataError
from recsys.sealing import without_key
from recsys.settings import KEY_FILE, Limits

ROOT = Path(__file__).resolve().parents[2]
_LATE = 5
"""Seconds after which a process that its own clock has not ended is ended from here."""


def ask(command: Sequence[str], *, opens_dataset: bool = False) -> Any:
    """Runs a short command in a confined process, and returns its JSON; see ``recsys.confined``.

    Args:
        opens_dataset: whether the command opens a dataset, which may be sealed; any other one is not told the key.

    Raises:
        ColdlensError: what the command said, or what has ended it.
    """
    chosen = resources.settings()
    words = [sys.executable, "-m", "recsys", *command, "--data-dir", str(chosen.data_dir.resolve()), "--json"]
    with tempfile.TemporaryDirectory(prefix="coldlens-ask-") as scratch:
        told_it = confined(chosen.limits.look_seconds, scratch)
        told_it = told_it if opens_dataset else without_key(told_it)
        code, told, said = _run(words, told_it, chosen.limits.look_seconds)
    if code == 0:
        return json.loads(told)
    raise why_it_ended(code, said, chosen.limits)


def confined(seconds: int, scratch: str | Path) -> dict[str, str]:
    """Returns the environment of a process that reads foreign files: confined, with temporary files in a folder of its own."""
    return {**environment(), CONFINED: str(seconds), "TMPDIR": str(scratch)}


def environment() -> dict[str, str]:
    """Returns the environment of a process of ours, which runs in another folder: the file of the key is named in full."""
    file = resources.settings().key_file
    return {**os.environ} if file is None else {**os.environ, KEY_FILE: str(file.resolve())}


def _run(words: Sequence[str], environment: dict[str, str], seconds: int) -> tuple[int, bytes, str]:
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            told, said = process.communicate(timeout=seconds + _LATE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return -signal.SIGALRM, b"", ""
    return process.returncode, told, said.decode("utf-8", "replace")


def why_it_ended(code: int, said: str, limits: Limits) -> ColdlensError:
    """Returns the error of a process that reads foreign files and ended with this code, having printed that."""
    by = limits.name_of("look_seconds")
    if ended := ended_by_limit(code, limits, seconds=limits.look_seconds, by=by):
        return ended
    said = last_line(said)
    if code == 2 and said:
        return told_error(said)
    fix = N_("Check that the file is what its name says, or raise COLDLENS_MAX_MEMORY_MB.")
    return DataError(
        N_("The file could not be read; the process that tried has ended"),
        kind_of(said) or f"code {code}",
        fix=fix,
    )


def kind_of(said: str) -> str:
    """Returns the type of the exception that ended a process, without its message, which may hold what somebody typed."""
    found = re.match(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?=:|$)", said)
    return found[0] if found else ""


def told_error(said: str) -> ColdlensError:
    """Returns the error that another process has printed, in its three parts again."""
    parts = re.match(r"(?P<what>.*?): '(?P<value>.*)'\. (?P<fix>.*)", said) or re.match(
        r"(?P<what>.*?)\. (?P<fix>.*)", said
    )
    if parts is None:
        return DataError(said, fix=N_("Try again."))
    found = parts.groupdict()
    return DataError(found["what"], found.get("value"), fix=found["fix"])


def last_line(text: str) -> str:
    """Returns the last line that says something."""
    said = [line for line in text.strip().splitlines() if any(letter.isalnum() for letter in line)]
    return said[-1] if said else ""
