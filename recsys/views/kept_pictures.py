"""Features and thumbnails of pictures that were looked at before, found by the content of their files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.views.kept_vectors import HASH_BYTES, HASHES, KeptVectors, join_hashes, split_hashes, take_kept
from recsys.views.thumbnails import Thumbnails, save_thumbnails

KIND, PART = "image", "imagepart"
"""Kinds of artifacts: the pictures of a whole catalog, and those of one block of a build that is not done yet."""
FEATURES = "features.npy"


@dataclass
class KeptPictures:
    """What is known of pictures, by the hash of their file.

    Attributes:
        features: ``dim`` numbers each, mostly memory-mapped.
        thumbnails: for a hash where its thumbnail is.
    """

    features: KeptVectors
    thumbnails: dict[bytes, tuple[Thumbnails, int]] = field(default_factory=dict)

    @classmethod
    def from_store(cls, store: ArtifactStore, *, identity: str, dim: int) -> "KeptPictures":
        """Collects what one encoder has looked at; damaged artifacts are left out."""
        kept = cls(KeptVectors(dim))
        take_kept(store, (KIND, PART), identity, kept.add_folder)
        return kept

    def add_folder(self, folder: Path) -> None:
        """Adds what ``save`` wrote.

        Raises:
            OSError: if a file is missing.
            ValueError: if one is damaged, or they do not belong together.
        """
        hashes = np.load(folder / HASHES, allow_pickle=False)
        features = np.load(folder / FEATURES, mmap_mode="r", allow_pickle=False)
        thumbnails = Thumbnails.from_folder(folder)
        fits = features.shape == (len(hashes), self.features.dim) and len(thumbnails.starts) == len(hashes) + 1
        if not fits or hashes.shape[1:] != (HASH_BYTES,):
            raise ValueError("of another encoder")
        known = split_hashes(hashes)
        self.features.add(known, features)
        for number, picture in enumerate(known):
            self.thumbnails.setdefault(picture, (thumbnails, number))

    def __contains__(self, picture: bytes) -> bool:
        return picture in self.features

    def save(self, folder: Path, hashes: Sequence[bytes]) -> None:
        """Writes what is known of these pictures, in their order."""
        self.features.save(folder / FEATURES, hashes)
        np.save(folder / HASHES, join_hashes(hashes), allow_pickle=False)
        found = [self.thumbnails[picture] for picture in hashes]
        save_thumbnails([thumbnails.of(number) or b"" for thumbnails, number in found], folder)


def save_block(folder: Path, hashes: Sequence[bytes], features: np.ndarray, thumbnails: Sequence[bytes]) -> None:
    """Writes what one block of a build has found."""
    np.save(folder / HASHES, join_hashes(hashes), allow_pickle=False)
    np.save(folder / FEATURES, np.asarray(features, np.float32), allow_pickle=False)
    save_thumbnails(thumbnails, folder)
