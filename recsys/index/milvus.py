"""Search by a Milvus server, with the answers of the local index.

The server finds candidates; they are scored again in float64 from the local, memory-mapped vectors, so that scores, ties and
order are those of the local index. When the server is down, slow, or holds other vectors, the local index answers alone.
"""

import time
from collections.abc import Sequence

import numpy as np

from recsys.index.collection import Collection, alias_of, failures, fingerprint_of, publish
from recsys.index.protocol import Hits, Index
from recsys.index.row_filter import row_filters

__all__ = ["MilvusIndex", "alias_of", "publish"]
SECONDS = 2.0
"""A reader does not wait longer for the server than this."""
PAUSE = 30.0
"""Seconds for which a server that failed is not asked again, and one that was checked is not checked again."""
_MOST = 16_384
"""Candidates that Milvus gives at most."""
_SPARE = 16
"""Candidates beyond k, so that ties are mostly settled by the first request."""
_ROUNDING = 1e-5
"""Float32 scores of vectors up to a few units long differ from float64 by far less than this."""


class _ServerError(Exception):
    """The server answered, but not with what was asked for."""


class MilvusIndex:
    """Exact inner-product search on a server.

    Args:
        local: holds the same vectors and answers everything else: scores, ranks, and all when the server does not.
        uri: ``http://HOST:PORT`` of a server, or a file of Milvus Lite.
        alias: that the vectors were published under; see ``alias_of``.
    """

    def __init__(self, local: Index, *, uri: str, alias: str) -> None:
        self._failures: tuple[type[Exception], ...] = (*failures(), _ServerError)
        self.local = local
        self._uri, self._alias = uri, alias
        self._fingerprint = fingerprint_of(local.vectors)
        self._collection: Collection | None = None
        self._checked = self._asked_again = 0.0
        self._notice = ""

    def __len__(self) -> int:
        return len(self.local)

    @property
    def vectors(self) -> np.ndarray:
        """``(n_items, dim)`` float32, the local ones."""
        return self.local.vectors

    @property
    def about(self) -> str:
        """Who searches."""
        return "searched by this machine, not by Milvus" if self._notice else "searched by Milvus"

    @property
    def notice(self) -> str:
        """What a reader should know of the last search; empty if the server answered it."""
        return self._notice

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Returns ``(n_queries, n_items)`` float32, the score of every item."""
        return self.local.scores(queries)

    def rescore(self, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns the float64 scores of some rows, each computed on its own."""
        return self.local.rescore(query, rows)

    def rank_of(self, query: np.ndarray, item_row: int, *, allowed: np.ndarray | None = None) -> int:
        """Returns the rank from 1 that ``search`` gives an item among the allowed ones and itself."""
        return self.local.rank_of(query, item_row, allowed=allowed)

    def ranks_of(
        self, queries: np.ndarray, rows: np.ndarray, *, allowed: Sequence[np.ndarray | None] | None = None
    ) -> np.ndarray:
        """Returns ``(n_queries, n_rows)`` int: for each query what ``rank_of`` gives each of some items."""
        return self.local.ranks_of(queries, rows, allowed=allowed)

    def search(self, queries: np.ndarray, k: int, *, allowed: Sequence[np.ndarray | None] | None = None) -> Hits:
        """Returns the k best items of each query, as the local index would; ``notice`` says if it had to.

        Args:
            queries: ``(n_queries, dim)``.
            k: at least 1; larger than the catalog gives the whole catalog.
            allowed: per query ``(n_items,)`` of bool, or ``None`` for all items.
        """
        if time.monotonic() < self._asked_again:
            return self.local.search(queries, k, allowed=allowed)
        masks = allowed if allowed is not None else [None] * len(queries)
        try:
            found = [self._best(query, k, mask, time.monotonic()) for query, mask in zip(queries, masks, strict=True)]
        except self._failures as error:
            self._give_up(error)
            return self.local.search(queries, k, allowed=allowed)
        self._notice = ""
        return Hits(tuple(rows for rows, _ in found), tuple(scores for _, scores in found))

    def close(self) -> None:
        """Ends the connection."""
        if self._collection is not None:
            self._collection.close()
            self._collection = None

    def _best(
        self, query: np.ndarray, k: int, mask: np.ndarray | None, started: float
    ) -> tuple[np.ndarray, np.ndarray]:
        n_allowed = len(self) if mask is None else int(mask.sum())
        wanted, limit = min(k, n_allowed), min(k + _SPARE, n_allowed)
        while wanted:
            if limit > _MOST:  # more than a server gives, or ties without end: no fault of its own
                hits = self.local.search(query[None], k, allowed=[mask])
                return hits.rows[0], hits.scores[0]
            rows, lowest = self._candidates(query, limit, mask, n_allowed, started)
            exact = self.rescore(query, rows)
            order = np.lexsort((rows, -exact))[:wanted]
            slack = _ROUNDING * max(1.0, float(np.abs(query).max()))
            if limit == n_allowed or exact[order[-1]] > lowest + slack:
                return rows[order], exact[order]
            limit = min(2 * limit, n_allowed)
        return np.zeros(0, np.int64), np.zeros(0)

    def _candidates(
        self, query: np.ndarray, limit: int, mask: np.ndarray | None, n_allowed: int, started: float
    ) -> tuple[np.ndarray, float]:
        """Returns rows, and a score that no other allowed row exceeds.

        Raises:
            _ServerError: if the server gives fewer rows than there are, twice the same, or one that was not allowed.
        """
        collection = self._ready(started)
        found: list[tuple[int, float]] = []
        for part in row_filters(mask, len(self)):
            asked = min(limit, part.n_allowed)
            (hits,) = collection.search(query[None], asked, part, timeout=self._left(started))
            if len(hits) != asked:
                raise _ServerError(f"it found {len(hits):,} of {asked:,} items")
            found += hits
        best = sorted(found, key=lambda hit: -hit[1])[:limit]
        rows = np.array([row for row, _ in best], np.int64)
        is_known = ((rows >= 0) & (rows < len(self))).all()
        if len(np.unique(rows)) != len(rows) or not is_known or (mask is not None and not mask[rows].all()):
            raise _ServerError("it found items that were not asked for")
        return rows, best[-1][1]

    def _ready(self, started: float) -> Collection:
        if self._collection is None:
            self._collection = Collection.open(self._uri, self._alias, self._fingerprint, timeout=self._left(started))
            self._checked = 0.0
        if time.monotonic() >= self._checked:
            if complaint := self._collection.complaint(len(self), timeout=self._left(started)):
                raise _ServerError(complaint)
            self._checked = time.monotonic() + PAUSE
        return self._collection

    def _left(self, started: float) -> float:
        """Seconds that the server still has."""
        left = started + SECONDS - time.monotonic()
        if left <= 0:
            raise _ServerError(f"it took longer than {SECONDS:g} s")
        return left

    def _give_up(self, error: Exception) -> None:
        self.close()
        self._asked_again = time.monotonic() + PAUSE
        why = str(error) if isinstance(error, _ServerError) else "it does not answer"
        self._notice = (
            f"The search server at {self._uri} was not used, because {why}. The list is complete: this machine has found it "
            f"by itself. The server is asked again in {PAUSE:g} seconds."
        )
