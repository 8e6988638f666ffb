"""Search over item vectors of one byte per number."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.index.exact import ItemIndex
from recsys.index.protocol import Hits
from recsys.index.rescoring import best_of
from recsys.index.shards import bits_of, in_threads, shards_of

_FETCHED = 4
"""Candidates for each item that is asked for."""
_ROWS = 1 << 16
_ASKED = 32
"""Queries that recall is measured on."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Gives every dimension its own range of the byte, as ``vector = centre + half * y`` with y in [-1, 1].

    FAISS has one range for all dimensions. An item's prior, or a strong taste, is many times wider than the rest and would
    leave the others a few steps each; here the query carries the scale, ``query @ vector = const + (query * half) @ y``.

    Attributes:
        centre: ``(dim,)``.
        half: ``(dim,)``, zero where all items agree.
    """

    centre: np.ndarray
    half: np.ndarray

    @classmethod
    def from_vectors(cls, vectors: np.ndarray) -> "Grid":
        """Looks at every row, a block at a time."""
        dim = vectors.shape[1]
        low, high = np.full(dim, np.inf, np.float32), np.full(dim, -np.inf, np.float32)
        for start in range(0, len(vectors), _ROWS):
            block = vectors[start : start + _ROWS]
            low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        if not len(vectors):
            return cls(np.zeros(dim, np.float32), np.zeros(dim, np.float32))
        return cls((low + high) / 2, (high - low) / 2)

    def place(self, vectors: np.ndarray) -> np.ndarray:
        """Returns y, ``(n, dim)`` float32 in [-1, 1]."""
        return np.ascontiguousarray((vectors - self.centre) / np.where(self.half > 0, self.half, 1), np.float32)

    def ask(self, query: np.ndarray) -> np.ndarray:
        """Returns ``(1, dim)`` float32, whose products with y differ from the scores by the same number for every item."""
        return np.ascontiguousarray((query * self.half)[None], np.float32)


class CompressedIndex:
    """Inner-product search in an 8-bit copy of the vectors; the best ``4 k`` are scored again in float64.

    It may miss items, as ``recall`` tells; whatever it returns has its exact score and order, and it never returns fewer
    items than may be shown. Scores and ranks are exact.

    Attributes:
        recall: share of the exact ten best that are found, measured when it was made on the items' own vectors as queries;
            ``NaN`` without items.
    """

    notice = ""

    def __init__(
        self, vectors: np.ndarray, *, grid: Grid, shards: Sequence[tuple[int, Any]], recall: float = float("nan")
    ) -> None:
        self.vectors = vectors
        self.recall = recall
        self._grid = grid
        self._shards = tuple(shards)
        self._exact = ItemIndex(vectors)

    @property
    def about(self) -> str:
        """Its kind, and the recall."""
        return f"compressed index, recall@10 {self.recall:.3f}"

    @classmethod
    def from_vectors(cls, vectors: np.ndarray) -> "CompressedIndex":
        """Compresses the vectors, and measures what that costs."""
        grid = Grid.from_vectors(vectors)
        shards = in_threads([functools.partial(_compress, vectors, grid, *shard) for shard in shards_of(len(vectors))])
        made = cls(vectors, grid=grid, shards=shards)
        return cls(vectors, grid=grid, shards=shards, recall=made.measured_recall())

    def __len__(self) -> int:
        return len(self.vectors)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Returns ``(n_queries, n_items)`` float32, the exact score of every item."""
        return self._exact.scores(queries)

    def search(self, queries: np.ndarray, k: int, *, allowed: Sequence[np.ndarray | None] | None = None) -> Hits:
        """Returns the k best items that it finds for each query; see ``Index``."""
        masks = [None] * len(queries) if allowed is None else allowed
        best = [self._best(query, k, mask) for query, mask in zip(queries, masks, strict=True)]
        return Hits(tuple(rows for rows, _ in best), tuple(scores for _, scores in best))

    def rescore(self, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns the float64 scores of some rows, each computed on its own."""
        return self._exact.rescore(query, rows)

    def rank_of(self, query: np.ndarray, item_row: int, *, allowed: np.ndarray | None = None) -> int:
        """Returns the exact rank from 1 of an item among the allowed ones and itself."""
        return self._exact.rank_of(query, item_row, allowed=allowed)

    def ranks_of(
        self, queries: np.ndarray, rows: np.ndarray, *, allowed: Sequence[np.ndarray | None] | None = None
    ) -> np.ndarray:
        """Returns ``(n_queries, n_rows)`` int: for each query what ``rank_of`` gives each of some items."""
        return self._exact.ranks_of(queries, rows, allowed=allowed)

    def measured_recall(self, queries: np.ndarray | None = None, *, k: int = 10) -> float:
        """Returns the share of the exact k best that are found, the mean over the queries.

        Args:
            queries: ``(n_queries, dim)``; by default the vectors of some 32 items spread over the catalog.
        """
        if queries is None:
            queries = np.asarray(self.vectors[:: max(1, len(self) // _ASKED)])
        if not len(queries) or not len(self):
            return float("nan")
        found, best = self.search(queries, k).rows, self._exact.search(queries, k).rows
        return float(
            np.mean([len(np.intersect1d(own, all_)) / len(all_) for own, all_ in zip(found, best, strict=True)])
        )

    def _best(self, query: np.ndarray, k: int, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        n_allowed = len(self) if mask is None else int(mask.sum())
        asked, n = self._grid.ask(query), _FETCHED * k
        while n < n_allowed:
            scans = [functools.partial(_scan, start, shard, asked, n, mask) for start, shard in self._shards]
            rows = np.concatenate(in_threads(scans))
            if len(rows) >= k:
                return best_of(self.vectors, query, rows, k)
            n *= 2
        everything = np.arange(len(self)) if mask is None else np.flatnonzero(mask)
        return best_of(self.vectors, query, everything, k)


def _compress(vectors: np.ndarray, grid: Grid, start: int, end: int) -> tuple[int, Any]:
    """Returns where a shard begins, and its index."""
    import faiss

    kind = faiss.ScalarQuantizer.QT_8bit_uniform
    made = faiss.IndexScalarQuantizer(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    made.train(np.array([[-1.0], [1.0]], np.float32).repeat(vectors.shape[1], axis=1))  # the range of a grid
    for at in range(start, end, _ROWS):
        made.add(grid.place(vectors[at : min(at + _ROWS, end)]))
    return start, made


def _scan(start: int, shard: Any, asked: np.ndarray, n: int, mask: np.ndarray | None) -> np.ndarray:
    """Returns the n best allowed rows of one shard, fewer where there are fewer."""
    import faiss

    chosen = None
    if mask is not None:
        bits = bits_of(mask[start : start + shard.ntotal])
        selector = faiss.IDSelectorBitmap(shard.ntotal, faiss.swig_ptr(bits))
        chosen = faiss.SearchParameters()
        chosen.sel = selector
    rows = shard.search(asked, min(n, shard.ntotal), params=chosen)[1][0]
    return np.asarray(rows[rows >= 0] + start)
