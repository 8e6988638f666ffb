"""Folders that we made from a dataset: published atomically, verified when opened, never half.

An artifact lives at ``<store>/<kind>-<key>/``, where the key is a hash of everything it was made from, so an outdated one is
simply not found. It is written to a temporary folder, every file is synced, a manifest with sizes and SHA-256 sums is
written last, and one rename publishes it.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from recsys.errors import ArtifactError

FORMAT = 1
MANIFEST = "manifest.json"


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
        fix = "Build it again with `recsys build`; a damaged one is replaced."
        try:
            manifest = json.loads((path / MANIFEST).read_text("utf-8"))
        except FileNotFoundError:
            raise ArtifactError("The artifact is missing", path, fix=fix) from None
        except (OSError, ValueError):
            raise ArtifactError("The manifest cannot be read", path / MANIFEST, fix=fix) from None
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or manifest.get("key") != key:
            raise ArtifactError("The artifact was made by another version", path, fix=fix)
        files, about = manifest.get("files"), manifest.get("about")
        if not isinstance(files, dict) or not isinstance(about, dict):
            raise ArtifactError("The manifest is not complete", path / MANIFEST, fix=fix)
        for name, expected in files.items():
            if not (path / name).is_file() or _describe(path / name) != expected:
                raise ArtifactError("A file of the artifact is damaged", path / name, fix=fix)
        return Artifact(path, about)

    @contextmanager
    def publish(self, kind: str, key: str, *, about: Mapping[str, Any]) -> Iterator[Path]:
        """Yields a temporary folder to write files into, and publishes it when the block ends without an error.

        Raises:
            ArtifactError: if the disk is full or the folder cannot be written.
        """
        draft = self.root / f".draft-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            draft.mkdir(parents=True)
            yield draft
            files = {path.name: _describe(path) for path in sorted(draft.iterdir())}
            manifest = {"format": FORMAT, "key": key, "files": files, "about": dict(about)}
            (draft / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), "utf-8")
            for path in (*draft.iterdir(), draft):
                _sync(path)
            self._commit(draft, self.path(kind, key))
        except OSError as error:
            fix = "Free some space or make the folder writable, then try again; nothing was changed."
            raise ArtifactError(
                f"The artifact could not be written ({error.strerror or error})", self.root, fix=fix
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _commit(self, draft: Path, target: Path) -> None:
        with FileLock(self.root / ".lock"):
            if target.exists():
                target.rename(draft.with_name(draft.name + "-old"))
            draft.rename(target)
            _sync(self.root)
        shutil.rmtree(draft.with_name(draft.name + "-old"), ignore_errors=True)


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
