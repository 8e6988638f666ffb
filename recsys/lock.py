"""Only one process at a time writes a dataset: ``writing`` takes the lock, ``writer_of`` says who has it.

The kernel frees it however its holder ended.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recsys.errors import ArtifactError

_BLINK = 0.2
"""Seconds to try for the lock: long enough for somebody who only looks whether it is taken to let go again."""
_WRITING, _WRITER = ".writing.lock", ".writing.json"


@contextmanager
def writing(folder: Path, what: str) -> Iterator[None]:
    """Holds the lock of a dataset's folder, so that nobody else writes the dataset meanwhile.

    Args:
        what: what the holder does, told to those who ask.

    Raises:
        ArtifactError: if another process has the lock, or the folder cannot be written.
    """
    lock = FileLock(folder / _WRITING)
    try:
        lock.acquire(timeout=_BLINK, poll_interval=0.02)
    except Timeout:
        holder = writer_of(folder) or {}
        told = f"{folder.name}: {holder.get('what', 'unknown')}, process {holder.get('pid', 'unknown')}"
        fix = "Wait until it has ended, then try again."
        raise ArtifactError("Another process is writing this dataset", told, fix=fix) from None
    except OSError as error:
        fix = "Make the folder writable, or copy the dataset to one that is, then try again."
        raise ArtifactError(
            f"The dataset cannot be locked for writing ({error.strerror or error})", folder, fix=fix
        ) from error
    try:
        with suppress(OSError):
            write_json(folder / _WRITER, {"pid": os.getpid(), "what": what, "started": time.time()})
        yield
    finally:
        lock.release()


def writer_of(folder: Path) -> dict[str, Any] | None:
    """Returns what the process that is writing a dataset says of itself (``pid``, ``what``, ``started``, in seconds since 1970).

    ``None`` if nobody is; without a key that the process could not write.
    """
    try:
        descriptor = os.open(folder / _WRITING, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return read_json(folder / _WRITER) or {}
    finally:
        os.close(descriptor)
    return None


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replaces a small file in one step; it is not synced, as it only tells other processes what this one does.

    For who holds the lock of ``writing``: two at a time would write into the same draft.
    """
    draft = path.with_name(f".{path.name.lstrip('.')}.draft")
    draft.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Returns what ``write_json`` wrote; ``None`` where there is nothing readable."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
