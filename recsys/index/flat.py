"""One query against every item with FAISS, straight from the matrix: nothing is copied, so a memory-mapped one stays there."""

import functools

import numpy as np

from recsys.index.rescoring import near_the_best
from recsys.index.shards import bits_of, in_threads, shards_of

_MORE = 64
"""Items fetched beyond k: those whose order float32 leaves open are nearly always among them."""


class FlatScan:
    """Finds candidates of single queries.

    Args:
        vectors: ``(n_items, dim)`` float32, C-contiguous, may be memory-mapped.
    """

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors
        self._shards = shards_of(len(vectors))

    @staticmethod
    def reads(vectors: np.ndarray) -> bool:
        """Returns whether FAISS can read this matrix where it is."""
        return vectors.dtype == np.float32 and vectors.flags.c_contiguous

    def candidates(self, query: np.ndarray, k: int, mask: np.ndarray | None) -> np.ndarray | None:
        """Returns the rows that may be among the best k, ``None`` where too many are as good as the last one."""
        asked = np.ascontiguousarray(query[None], np.float32)
        scans = [functools.partial(self._scan, asked, k + _MORE, mask, *shard) for shard in self._shards]
        rows, scores, unseen = zip(*in_threads(scans), strict=True)
        return near_the_best(query, np.concatenate(rows), np.concatenate(scores), k, unseen=max(unseen))

    def _scan(
        self, asked: np.ndarray, n: int, mask: np.ndarray | None, start: int, end: int
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Returns the n best rows of one shard, their scores, and what the others score at most."""
        import faiss

        part = self._vectors[start:end]
        n = min(n, len(part))
        scores, rows = np.empty(n, np.float32), np.empty(n, np.int64)
        bits = None if mask is None else bits_of(mask[start:end])
        chosen = None if bits is None else faiss.IDSelectorBitmap(len(part), faiss.swig_ptr(bits))
        at = faiss.swig_ptr
        faiss.knn_inner_product(at(asked), at(part), part.shape[1], 1, len(part), n, at(scores), at(rows), chosen)
        found = rows >= 0
        others = float(scores[-1]) if n < len(part) and found.all() else -np.inf
        return rows[found] + start, scores[found], others
