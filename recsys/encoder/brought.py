"""Vectors that came with a dataset, in the place of an encoder; texts are read only where it is known what made them."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from recsys.encoder.cache import CachedEncoder
from recsys.encoder.protocol import Encoder, Progress, TextCheck
from recsys.errors import ConfigError, DataError
from recsys.schema import COSINE, DOT, Dataset, VectorsInfo

AGREES_FROM = 0.99
"""Cosine from which an encoder is taken for the one that made a vector; half precision and other devices stay above it."""
_SAMPLE = 16


class BroughtVectors:
    """An encoder whose embeddings of a catalog are there already.

    With the similarity ``cosine`` the vectors are brought to length 1, so that all inner products are cosines; with ``dot`` they
    stay as they came, and a long vector counts more.

    Attributes:
        item_vectors: ``(n_items, dim)`` float32, as they are searched, mapped and learned from; zeros for an item without one.
        similarity: ``cosine`` or ``dot``.
        lengths: ``(n_items,)``, as they came.
        reader: the encoder that made them; ``None`` where that is not known, and no text can be read.
    """

    def __init__(self, vectors: np.ndarray, *, similarity: str, key: str, reader: Encoder | None = None) -> None:
        self.lengths = np.linalg.norm(np.asarray(vectors, np.float32), axis=1)
        self.item_vectors = np.asarray(vectors, np.float32)
        if similarity == COSINE:
            self.item_vectors = self.item_vectors / np.maximum(self.lengths, np.float32(1e-30))[:, None]
        self.similarity = similarity
        self.reader = reader
        self.dim = int(self.item_vectors.shape[1])
        read = reader.identity if reader else ""
        self.identity = hashlib.sha256(f"brought-1 {key} {read}".encode()).hexdigest()
        self.name = "vectors that came with the dataset"
        if reader:
            self.name = f"vectors that came with the dataset, made by {reader.name}"
        self.description = f"{reader.description}, {self.told}" if reader else self.told

    @classmethod
    def from_dataset(cls, dataset: Dataset, *, reader: Encoder | None = None) -> "BroughtVectors":
        """Takes the vectors of a dataset.

        Args:
            reader: the encoder that made them, if it is known.

        Raises:
            DataError: if the dataset has none.
            ConfigError: if the encoder makes vectors of another length.
        """
        if dataset.item_vectors is None:
            fix = "Import it again with --item-vectors, or use an encoder."
            raise DataError("No vectors came with this dataset", dataset.name, fix=fix)
        dim = dataset.item_vectors.shape[1]
        if reader is not None and reader.dim != dim:
            fix = "Name the encoder that made them in [vectors] of dataset.toml, or leave it empty."
            what = f"The encoder makes vectors of {reader.dim:,} numbers, and those of the dataset have {dim:,}"
            raise ConfigError(what, reader.name, fix=fix)
        info = dataset.info.vectors or VectorsInfo()
        return cls(dataset.item_vectors, similarity=info.similarity, key=dataset.vectors_key, reader=reader)

    @cached_property
    def told(self) -> str:
        """How the vectors are compared, and how long they came: ``similarity: dot, lengths 0.3 to 12``."""
        known = self.lengths[self.lengths > 0]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        if self.similarity == COSINE and not np.allclose(known, 1.0, atol=1e-3):
            return f"similarity: cosine, lengths {low:.3g} to {high:.3g} (brought to 1)"
        return f"similarity: {self.similarity}, lengths {low:.3g} to {high:.3g}"

    @property
    def scale(self) -> float:
        """What the vectors are divided by to be about as long as those of an encoder: 1 but for ``dot``."""
        if self.similarity != DOT:
            return 1.0
        return float(np.sqrt(np.mean(np.square(self.lengths, dtype=np.float64)))) or 1.0

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        """Returns what the encoder that made the vectors gives, ``(n_texts, dim)``; no texts need none.

        Raises:
            ConfigError: for a text, if that encoder is not known.
        """
        if self.reader is not None:
            return self.reader.encode(texts, bulk=bulk, progress=progress)
        if texts:
            fix = "Name the encoder that made the vectors in [vectors] of dataset.toml, or describe the person by liked items."
            raise ConfigError("A text cannot be compared with vectors whose encoder is not known", texts[0], fix=fix)
        return np.zeros((0, self.dim), np.float32)

    def check(self, text: str) -> TextCheck:
        """Says what the encoder can make of a text: nothing, where it is not known."""
        return self.reader.check(text) if self.reader else TextCheck(len(text.split()), False, True)

    def agreement(self, texts: Sequence[str]) -> float:
        """Returns the median cosine of vectors that came with what the encoder makes of the same items' texts now.

        Args:
            texts: of all items; the same sixteen are always looked at.

        Returns:
            A number in [-1, 1], ``NaN`` where the encoder is not known, or no item has a vector.
        """
        known = np.flatnonzero(self.lengths > 0)
        if self.reader is None or not len(known):
            return float("nan")
        rows = known[np.linspace(0, len(known) - 1, min(_SAMPLE, len(known))).astype(int)]
        made = self.reader.encode([texts[row] for row in rows]).astype(np.float64)
        came = self.item_vectors[rows] / np.linalg.norm(self.item_vectors[rows], axis=1, keepdims=True)
        made /= np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)
        return float(np.median((made * came).sum(axis=1)))


def brought(encoder: Encoder) -> BroughtVectors | None:
    """Returns the vectors that stand in the place of an encoder, ``None`` where it is one."""
    bare = encoder.uncached if isinstance(encoder, CachedEncoder) else encoder
    return bare if isinstance(bare, BroughtVectors) else None


def reads_text(encoder: Encoder) -> bool:
    """Whether an encoder reads texts at all; vectors without the encoder that made them do not."""
    found = brought(encoder)
    return found is None or found.reader is not None
