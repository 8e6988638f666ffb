"""Folders that we made from a dataset: published atomically, verified when opened, never half.

An artifact lives at ``<store>/<kind>-<key>/``, where the key is a hash of everything it was made from, so an outdated one is
simply not found. It is written to a temporary folder, every file is synced, a manifest with sizes and SHA-256 sums is
written last, and one rename publishes it. A process that is killed leaves a draft behind, which the next one removes.

No file says which artifact is the current one: the key of each is computed from what it was made from, so a reader that knows
what it needs knows its name. A pointer would be a second thing to commit, and could only disagree with that.
"""

import ctypes
import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recsys.errors import ArtifactError

FORMAT = 1
MANIFEST = "manifest.json"
_DRAFT, _GONE = ".draft-", ".gone-"
_PATIENCE = 60.0
"""Seconds to wait for another process that is just publishing, which takes it milliseconds."""
_SUM = '"sum": "'
"""Where in a manifest its own sum follows, which is made with zeros in its place."""
_FULL = 1 << 20
"""Bytes: a disk with fewer free ones is full."""
_FIX = "Build it again with `recsys build`; a damaged one is replaced."


@dataclass(frozen=True)
class Artifact:
    """A verified folder; ``about`` is what its maker wrote down (fingerprints, configuration)."""

    path: Path
    about: Mapping[str, Any]


@dataclass(frozen=True)
class ArtifactStore:
    """The artifacts of one dataset, in one folder."""

    root: Path

    def path(self, kind: str, key: str) -> Path:
        """Returns where the artifact lives, whether or not it exists."""
        return self.root / f"{kind}-{key[:16]}"

    def keys(self, kind: str) -> list[str]:
        """Returns the keys of all artifacts of a kind, verified or not; what has no readable manifest is left out."""
        found = []
        for path in sorted(self.root.glob(f"{kind}-*/{MANIFEST}")):
            try:
                key = json.loads(path.read_text("utf-8"))["key"]
            except (OSError, ValueError, LookupError, TypeError):
                continue
            if path.parent == self.path(kind, str(key)):
                found.append(str(key))
        return found

    def open(self, kind: str, key: str) -> Artifact:
        """Opens and verifies an artifact.

        Raises:
            ArtifactError: if it is missing, damaged, of another format, or made for another key.
        """
        path = self.path(kind, key)
        files, about = _read_manifest(path, key)
        for name, expected in files.items():
            if not _is_intact(path / name, expected):
                raise ArtifactError("A file of the artifact is damaged", path / name, fix=_FIX)
        return Artifact(path, about)

    def about(self, kind: str, key: str) -> Mapping[str, Any]:
        """Returns what the maker of an artifact wrote down, without verifying its files.

        Raises:
            ArtifactError: if the artifact is missing, its manifest damaged, or made for another key.
        """
        return _read_manifest(self.path(kind, key), key)[1]

    @contextmanager
    def publish(self, kind: str, key: str, *, about: Mapping[str, Any]) -> Iterator[Path]:
        """Yields a temporary folder to write files into, and publishes it when the block ends without an error.

        One with the same key and the same content is kept as it is; one with another content is replaced in one step.

        Raises:
            ArtifactError: if the disk is full or the folder cannot be written.
        """
        draft = self.root / _temporary(_DRAFT)
        try:
            draft.mkdir(parents=True)
            self._sweep()
            yield draft
            written = sorted(path for path in draft.rglob("*") if path.is_file())
            files = {path.relative_to(draft).as_posix(): _describe(path) for path in written}
            manifest = {"sum": "", "format": FORMAT, "key": key, "files": files, "about": dict(about)}
            (draft / MANIFEST).write_text(_summed(json.dumps(manifest, indent=1, ensure_ascii=False)), "utf-8")
            for path in (*draft.rglob("*"), draft):
                sync(path)
            self._commit(draft, self.path(kind, key))
        except OSError as error:
            fix = "Free some space or make the folder writable, then try again; nothing was changed."
            raise ArtifactError(
                f"The artifact could not be written ({why_not_written(error, self.root)})", self.root, fix=fix
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def remove(self, kind: str, key: str) -> None:
        """Removes an artifact, whole or damaged; who has its files open keeps them. What is gone already is no error."""
        gone = self.root / _temporary(_GONE)
        with suppress(OSError):
            self.path(kind, key).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def _commit(self, draft: Path, target: Path) -> None:
        lock = FileLock(self.root / ".lock", timeout=_PATIENCE)
        try:
            lock.acquire()
        except Timeout:
            fix = "End the process that holds it, then try again; nothing was changed."
            raise ArtifactError("The artifacts are locked by another process", lock.lock_file, fix=fix) from None
        try:
            if not _is_same(draft, target):
                _put(draft, target)
                self._confirm()
        finally:
            lock.release()

    def _confirm(self) -> None:
        try:
            sync(self.root)
        except OSError as error:
            what = f"The artifact is there, but the disk does not confirm that it is kept ({error.strerror or error})"
            raise ArtifactError(what, self.root, fix="Check the disk, then build it again.") from error
        sync_above(self.root, levels=1)

    def _sweep(self) -> None:
        """Removes what processes that ended in the middle left behind."""
        sweep((*self.root.glob(f"{_DRAFT}*"), *self.root.glob(f"{_GONE}*")))


def sweep(paths: Iterable[Path]) -> None:
    """Removes temporary files and folders, named ``PREFIX-PID-…``, of processes that have ended."""
    for path in paths:
        if not _is_alive(path.name.split("-")[1]):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _read_manifest(path: Path, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the descriptions of the files, and what the maker wrote down."""
    try:
        text = (path / MANIFEST).read_text("utf-8")
        manifest = json.loads(text)
    except FileNotFoundError:
        raise ArtifactError("The artifact is missing", path, fix=_FIX) from None
    except (OSError, ValueError):
        raise ArtifactError("The manifest cannot be read", path / MANIFEST, fix=_FIX) from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or manifest.get("key") != key:
        raise ArtifactError("The artifact was made by another version", path, fix=_FIX)
    if "sum" in manifest and _summed(text) != text:
        raise ArtifactError("The manifest is damaged", path / MANIFEST, fix=_FIX)
    if manifest.keys() - {"sum"} != {"format", "key", "files", "about"}:
        raise ArtifactError("The manifest is not complete", path / MANIFEST, fix=_FIX)
    files, about = manifest["files"], manifest["about"]
    if not isinstance(files, dict) or not isinstance(about, dict):
        raise ArtifactError("The manifest is not complete", path / MANIFEST, fix=_FIX)
    return files, about


def _summed(text: str) -> str:
    """Returns a manifest with its own sum; one that is older has none, and stays as it is."""
    head, mark, rest = text.partition(_SUM)
    if not mark:
        return text
    rest = rest[rest.index('"') :]
    digest = hashlib.sha256(f"{head}{mark}{rest}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{head}{mark}{digest}{rest}"


def _is_intact(path: Path, expected: object) -> bool:
    try:
        return path.is_file() and _describe(path) == expected
    except OSError:  # removed by another process since it was seen
        return False


def _is_same(draft: Path, target: Path) -> bool:
    """Whether the published artifact is whole and has the content of the draft."""
    try:
        key = json.loads((draft / MANIFEST).read_text("utf-8"))["key"]
        files, kept = _read_manifest(draft, key)[0], _read_manifest(target, key)[0]
    except ArtifactError:
        return False
    return files == kept and all(_is_intact(target / name, expected) for name, expected in kept.items())


def _put(draft: Path, target: Path) -> None:
    """Renames the draft to the target, in the place of what is there, which becomes the draft."""
    if not target.exists():
        draft.rename(target)
    elif not _exchange(draft, target):
        target.rename(draft.with_name(draft.name + "-old"))
        draft.rename(target)
        draft.with_name(draft.name + "-old").rename(draft)


def _exchange(one: Path, other: Path) -> bool:
    """Exchanges two folders in one step, so that a kill leaves one of them at the name; only Linux can."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _temporary(prefix: str) -> str:
    return f"{prefix}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def _is_alive(pid: str) -> bool:
    """Whether the process that a temporary folder is named after may still be at work."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OverflowError, OSError):
        return True
    return True


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def why_not_written(error: OSError, folder: Path) -> str:
    """Returns why something could not be written; NumPy tells of a full disk only that fewer bytes were written than asked."""
    with suppress(OSError):
        if error.errno in (None, errno.ENOSPC) and shutil.disk_usage(folder).free < _FULL:
            return os.strerror(errno.ENOSPC)
    return error.strerror or str(error)


def sync_above(folder: Path, *, levels: int) -> None:
    """Makes sure that the names of a folder and of those above it outlast a power cut: somebody may have just made them.

    One that this user may not read, as high up, was made by somebody else.
    """
    for path in list(folder.absolute().parents)[:levels]:
        with suppress(OSError):
            sync(path)


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
