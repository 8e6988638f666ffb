"""Vectors of texts that were encoded before, found by what a text says, whatever catalog it stood in."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.errors import ArtifactError

TEXT, PART = "text", "textpart"
"""Kinds of artifacts: the embeddings of a whole catalog, and those of one block of a build that is not done yet."""
HASHES, EMBEDDINGS, VECTORS = "hashes.npy", "embeddings.npy", "vectors.npy"
HASH_BYTES = 16
_FILES = {TEXT: EMBEDDINGS, PART: VECTORS}
_ROWS = 8_192
"""Vectors that are copied at a time."""


@dataclass
class KeptVectors:
    """Vectors by the hash of their text, in arrays that are mostly memory-mapped.

    Attributes:
        dim: length of a vector.
        arrays: ``(n, dim)`` float32 each.
        rows: for the hash of a text the row of its vector, if all arrays stood one below the other.
    """

    dim: int
    arrays: list[np.ndarray] = field(default_factory=list)
    rows: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def from_store(cls, store: ArtifactStore, *, identity: str, dim: int) -> "KeptVectors":
        """Collects the vectors of one encoder; damaged artifacts, and those without hashes, are left out."""
        kept = cls(dim)
        for kind, file in _FILES.items():
            take_kept(store, (kind,), identity, partial(kept.add_folder, file=file))
        return kept

    def add_folder(self, folder: Path, *, file: str) -> None:
        """Adds the vectors of a folder, unless they do not belong to its hashes.

        Raises:
            OSError: if a file is missing.
            ValueError: if one is damaged.
        """
        hashes = np.load(folder / HASHES, allow_pickle=False)
        vectors = np.load(folder / file, mmap_mode="r", allow_pickle=False)
        if hashes.shape == (len(vectors), HASH_BYTES) and vectors.shape == (len(hashes), self.dim):
            self.add(split_hashes(hashes), vectors)

    def add(self, hashes: Sequence[bytes], vectors: np.ndarray) -> None:
        """Adds vectors, of which those of known texts are not needed."""
        for row, known in enumerate(hashes, start=sum(map(len, self.arrays))):
            self.rows.setdefault(known, row)
        self.arrays.append(vectors)

    def __contains__(self, text_hash: bytes) -> bool:
        return text_hash in self.rows

    def save(self, path: Path, hashes: Sequence[bytes]) -> None:
        """Writes ``(n, dim)``, the vectors of these texts in their order, block by block.

        Written, not memory-mapped: a full disk kills who writes to a map, and is an error for who writes to a file.
        """
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(hashes), self.dim)}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for block in self._blocks(hashes):
                file.write(block.data)

    def _blocks(self, hashes: Sequence[bytes]) -> Iterator[np.ndarray]:
        starts = np.cumsum([0, *map(len, self.arrays)])
        for start in range(0, len(hashes), _ROWS):
            rows = np.array([self.rows[known] for known in hashes[start : start + _ROWS]])
            arrays = np.searchsorted(starts, rows, side="right") - 1
            block = np.empty((len(rows), self.dim), "<f4")
            for array in np.unique(arrays):
                own = arrays == array
                block[own] = self.arrays[array][rows[own] - starts[array]]
            yield block


def take_kept(store: ArtifactStore, kinds: Sequence[str], identity: str, take: Callable[[Path], None]) -> None:
    """Calls ``take`` with the folder of every artifact that an encoder has made; damaged ones are left out."""
    for kind in kinds:
        for key in keys_of(store, kind, identity):
            with suppress(ArtifactError, OSError, ValueError):
                take(store.open(kind, key).path)


def keys_of(store: ArtifactStore, kind: str, identity: str) -> list[str]:
    """Returns the keys of an encoder's artifacts of a kind, the one that was published last first."""
    found = []
    for key in store.keys(kind):
        try:
            if store.about(kind, key).get("identity") == identity:
                found.append((-store.path(kind, key).stat().st_mtime_ns, key))
        except (ArtifactError, OSError):
            continue
    return [key for _, key in sorted(found)]


def text_hash(text: str) -> bytes:
    """Returns what a text is found by: the first 16 bytes of its SHA-256."""
    return digest(text)[:HASH_BYTES]


def digest(text: str) -> bytes:
    """Returns the SHA-256 of a text, 32 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def join_hashes(hashes: Sequence[bytes]) -> np.ndarray:
    """Returns ``(n, 16)`` uint8."""
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), HASH_BYTES)


def split_hashes(hashes: np.ndarray) -> list[bytes]:
    """Returns the rows of ``join_hashes``."""
    joined = np.ascontiguousarray(hashes, np.uint8).tobytes()
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]
