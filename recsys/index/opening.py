"""One door to every kind of index."""

import numpy as np

from recsys.errors import ConfigError
from recsys.index.compressed import CompressedIndex
from recsys.index.exact import ItemIndex
from recsys.index.protocol import Index
from recsys.settings import INDEXES

EXACT, COMPRESSED = INDEXES


def open_index(vectors: np.ndarray, *, device: str = "cpu", kind: str = EXACT) -> Index:
    """Makes an index over item vectors.

    Args:
        vectors: ``(n_items, dim)`` float32, may be memory-mapped.
        device: a torch device name, where the exact index scans; the compressed one lives in host memory.
        kind: ``exact`` or ``compressed``.

    Raises:
        ConfigError: for another kind.
    """
    if kind == COMPRESSED:
        return CompressedIndex.from_vectors(vectors)
    if kind == EXACT:
        return ItemIndex(vectors, device=device)
    raise ConfigError(
        "This kind of index does not exist", kind, fix=f"Set COLDLENS_INDEX to one of: {', '.join(INDEXES)}."
    )
