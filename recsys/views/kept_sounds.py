"""What was made of sound files before, found by what a file holds: a vector, a preview, or why there is neither."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.views.kept_vectors import (
    HASH_BYTES,
    HASHES,
    VECTORS,
    KeptVectors,
    join_hashes,
    split_hashes,
    take_kept,
)

AUDIO, AUDIO_PART = "audio", "audiopart"
"""Kinds of artifacts: the sounds of a whole catalog, and those of one block of a build that is not done yet."""
NO_SOUND = bytes(HASH_BYTES)
"""Stands for an item without a sound, whose vector is zero."""
_PREVIEWS, _SPANS, _FAULTS = "previews.bin", "spans.npy", "faults.json"
MIME = "audio/mpeg"


@dataclass(frozen=True, eq=False)
class Previews:
    """The beginning of each sound for a player, written by us: never the file that somebody brought.

    Attributes:
        data: the previews one behind the other, bytes, mostly memory-mapped.
        spans: ``(n_items, 2)``, first byte and length of each item's preview in them; length 0 where it has none.
    """

    data: np.ndarray
    spans: np.ndarray
    mime = MIME

    @classmethod
    def from_folder(cls, folder: Path) -> "Previews":
        """Opens those of an artifact."""
        path = folder / _PREVIEWS
        data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)
        return cls(data, np.load(folder / _SPANS, allow_pickle=False))

    def preview_of(self, item_row: int) -> bytes | None:
        """Returns the preview as a whole file of type ``mime``, or ``None`` where the item has no sound."""
        start, length = (int(value) for value in self.spans[item_row])
        return self.data[start : start + length].tobytes() if length else None


@dataclass(frozen=True)
class Heard:
    """What became of one file: a unit vector and a preview, or zeros, nothing and a fault (what is wrong, what to do)."""

    vector: np.ndarray
    preview: bytes = b""
    fault: tuple[str, str] | None = None


@dataclass
class KeptSounds:
    """What is known of files, by their hash.

    Attributes:
        vectors: of the files; zero for those that cannot be heard.
        previews: for the hash of a file where its preview is: in which, and in which row.
        faults: for the hash of a file that cannot be heard what is wrong, and what to do.
    """

    vectors: KeptVectors
    previews: dict[bytes, tuple[Previews, int]] = field(default_factory=dict)
    faults: dict[bytes, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def empty(cls, dim: int) -> "KeptSounds":
        """Returns one that knows nothing but the item without a sound."""
        kept = cls(KeptVectors(dim))
        kept.vectors.add([NO_SOUND], np.zeros((1, dim), np.float32))
        return kept

    @classmethod
    def from_store(cls, store: ArtifactStore, *, identity: str, dim: int) -> "KeptSounds":
        """Collects what one encoder has heard; damaged artifacts are left out."""
        kept = cls.empty(dim)
        take_kept(store, (AUDIO, AUDIO_PART), identity, kept.add_folder)
        return kept

    def add_folder(self, folder: Path) -> None:
        """Adds what an artifact holds.

        Raises:
            OSError: if it was removed in the meantime.
        """
        hashes = split_hashes(np.load(folder / HASHES, allow_pickle=False))
        vectors = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
        self._add(hashes, vectors, Previews.from_folder(folder), read_faults(folder))

    def add(self, hashes: Sequence[bytes], heard: Sequence[Heard]) -> None:
        """Adds what was just heard."""
        lengths = [len(one.preview) for one in heard]
        spans = np.stack([np.cumsum([0, *lengths[:-1]]), lengths], axis=1)
        data = np.frombuffer(b"".join(one.preview for one in heard), np.uint8)
        faults = {known: one.fault for known, one in zip(hashes, heard, strict=True) if one.fault}
        self._add(hashes, np.stack([one.vector for one in heard]), Previews(data, spans), faults)

    def _add(
        self,
        hashes: Sequence[bytes],
        vectors: np.ndarray,
        previews: Previews,
        faults: Mapping[bytes, tuple[str, str]],
    ) -> None:
        self.vectors.add(hashes, vectors)
        for row, known in enumerate(hashes):
            if previews.spans[row, 1]:
                self.previews.setdefault(known, (previews, row))
        self.faults.update(faults)

    def __contains__(self, file_hash: bytes) -> bool:
        return file_hash in self.vectors

    def save(self, folder: Path, hashes: Sequence[bytes]) -> None:
        """Writes what is known of these files, in their order; files that are the same share a preview."""
        self.vectors.save(folder / VECTORS, hashes)
        np.save(folder / HASHES, join_hashes(hashes), allow_pickle=False)
        places: dict[bytes, tuple[int, int]] = {}
        end = 0
        with (folder / _PREVIEWS).open("wb") as file:
            for known in dict.fromkeys(hashes):
                preview = self._preview(known)
                file.write(preview)
                places[known] = (end, len(preview))
                end += len(preview)
        np.save(folder / _SPANS, np.array([places[known] for known in hashes], np.int64), allow_pickle=False)
        faults = {known.hex(): self.faults[known] for known in dict.fromkeys(hashes) if known in self.faults}
        (folder / _FAULTS).write_text(json.dumps(faults, indent=1, ensure_ascii=False), "utf-8")

    def _preview(self, file_hash: bytes) -> bytes:
        previews, row = self.previews.get(file_hash, (None, 0))
        return (previews.preview_of(row) if previews else None) or b""


def read_faults(folder: Path) -> dict[bytes, tuple[str, str]]:
    """Returns for the hash of a file that cannot be heard what is wrong, and what to do."""
    faults = json.loads((folder / _FAULTS).read_text("utf-8"))
    return {bytes.fromhex(known): (str(what), str(fix)) for known, (what, fix) in faults.items()}
