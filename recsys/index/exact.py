"""Exact search over item vectors."""

from collections.abc import Iterator, Sequence

import numpy as np

from recsys.index.device import DeviceScan
from recsys.index.flat import FlatScan
from recsys.index.protocol import Hits
from recsys.index.rescoring import best_of, rescore, slack

_BLOCK_BYTES = 256 << 20
_FEW_VALUES = 100_000
"""Scores of which NumPy finds the best within a millisecond or two; a catalog of so few needs no torch at all."""
_FLAT_ITEMS = 1_000
"""From here on FAISS scans for single queries. At 1,682 x 384 it is as fast as NumPy and torch on an idle machine, and thirty
times faster where others compute as well, as it waits for no second thread; at 100,000 it is three times faster anyway."""
_FLAT_QUERIES = 4
"""More queries at once are faster as one matrix product."""


class ItemIndex:
    """Exact inner-product search.

    The scan is in float32; whatever could be among the best k is scored again in float64, row by row, so the answer does not
    depend on how many queries are asked at once, or on what scans. Ties go to the smaller item_row, which is the smaller
    item_id.

    Args:
        vectors: ``(n_items, dim)`` float32, may be memory-mapped.
        device: a torch device name; any but ``cpu`` scans with torch there, and FAISS or NumPy scan on ``cpu``.
        device_bytes: memory for the matrix on the device, by default most of what is free on a CUDA device; a matrix that does
            not fit is sent in chunks for every scan.
    """

    about = ""
    notice = ""

    def __init__(self, vectors: np.ndarray, *, device: str = "cpu", device_bytes: int | None = None) -> None:
        self.vectors = vectors
        is_far = device != "cpu" and len(vectors) > 0
        self._on_device = DeviceScan(vectors, device=device, device_bytes=device_bytes) if is_far else None
        is_flat = not is_far and len(vectors) >= _FLAT_ITEMS and FlatScan.reads(vectors)
        self._flat = FlatScan(vectors) if is_flat else None

    def __len__(self) -> int:
        return len(self.vectors)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Returns ``(n_queries, n_items)`` float32, the score of every item."""
        if self._on_device is not None:
            return self._on_device.scores(queries)
        if len(queries) == 1:
            return (self.vectors @ queries[0].astype(np.float32))[None]
        return (self.vectors @ queries.astype(np.float32).T).T

    def search(self, queries: np.ndarray, k: int, *, allowed: Sequence[np.ndarray | None] | None = None) -> Hits:
        """Returns the k best items of each query.

        Args:
            queries: ``(n_queries, dim)``.
            k: at least 1; larger than the catalog gives the whole catalog.
            allowed: per query ``(n_items,)`` of bool, or ``None`` for all items.
        """
        masks = [None] * len(queries) if allowed is None else allowed
        found = self._candidates(queries, k, masks)
        best = [best_of(self.vectors, query, rows, k) for query, rows in zip(queries, found, strict=True)]
        return Hits(tuple(rows for rows, _ in best), tuple(scores for _, scores in best))

    def rescore(self, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns the float64 scores of some rows, each computed on its own."""
        return rescore(self.vectors, query, rows)

    def rank_of(self, query: np.ndarray, item_row: int, *, allowed: np.ndarray | None = None) -> int:
        """Returns the rank from 1 that ``search`` gives an item among the allowed ones and itself."""
        scanned = self.scores(query[None])[0]
        others = np.ones(len(scanned), bool) if allowed is None else allowed.copy()
        others[item_row] = False
        own = float(scanned[item_row])
        near = np.flatnonzero(others & (np.abs(scanned - own) <= slack(query)))
        own_exact, *exact = self.rescore(query, np.array([item_row, *near]))
        ahead = [
            value > own_exact or (value == own_exact and row < item_row) for value, row in zip(exact, near, strict=True)
        ]
        return 1 + int((others & (scanned > own + slack(query))).sum()) + int(sum(ahead))

    def ranks_of(
        self, queries: np.ndarray, rows: np.ndarray, *, allowed: Sequence[np.ndarray | None] | None = None
    ) -> np.ndarray:
        """Returns ``(n_queries, n_rows)`` int: for each query what ``rank_of`` gives each of some items."""
        found = np.zeros((len(queries), len(rows)), np.int64)
        for start, block in self._blocks(queries):
            for offset, scanned in enumerate(self.scores(block)):
                mask = allowed[start + offset] if allowed is not None else None
                found[start + offset] = self._ranks(block[offset], scanned, rows, mask)
        return found

    def _ranks(self, query: np.ndarray, scanned: np.ndarray, rows: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        others = np.arange(len(scanned)) if mask is None else np.flatnonzero(mask)
        others = others[np.argsort(scanned[others], kind="stable")]
        values, own = scanned[others], scanned[rows]
        unsure = slack(query)
        low, high = np.searchsorted(values, own - unsure, "left"), np.searchsorted(values, own + unsure, "right")
        ranks = 1 + len(values) - high
        unclear = [place for place in range(len(rows)) if (others[low[place] : high[place]] != rows[place]).any()]
        near = [others[low[place] : high[place]] for place in unclear]
        asked = np.unique(np.concatenate([*near, rows[unclear]])) if unclear else rows[:0]
        exact = self.rescore(query, asked)
        for place, close in zip(unclear, near, strict=True):
            row = rows[place]
            theirs, mine = exact[np.searchsorted(asked, close)], exact[np.searchsorted(asked, row)]
            ranks[place] += int(((theirs > mine) | ((theirs == mine) & (close < row))).sum())
        return np.asarray(ranks)

    def _candidates(self, queries: np.ndarray, k: int, masks: Sequence[np.ndarray | None]) -> Iterator[np.ndarray]:
        """Yields per query the rows that may be among the best k."""
        if self._on_device is not None:
            few = self._on_device.candidates(queries, k, masks)
        elif self._flat is not None and len(queries) <= _FLAT_QUERIES:
            few = [self._flat.candidates(query, k, mask) for query, mask in zip(queries, masks, strict=True)]
        else:
            for start, block in self._blocks(queries):
                for offset, scanned in enumerate(self.scores(block)):
                    yield _among_all(block[offset], scanned, k, masks[start + offset])
            return
        for query, mask, rows in zip(queries, masks, few, strict=True):
            yield rows if rows is not None else _among_all(query, self.scores(query[None])[0], k, mask)

    def _blocks(self, queries: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        size = max(1, _BLOCK_BYTES // (4 * max(1, len(self.vectors))))
        for start in range(0, len(queries), size):
            yield start, queries[start : start + size]


def _among_all(query: np.ndarray, scanned: np.ndarray, k: int, mask: np.ndarray | None) -> np.ndarray:
    """Returns the rows that may be among the best k, from the float32 scores of all items."""
    if (len(scanned) if mask is None else int(mask.sum())) <= k:
        return np.arange(len(scanned)) if mask is None else np.flatnonzero(mask)
    values = scanned if mask is None else np.where(mask, scanned, np.float32(-np.inf))
    return np.flatnonzero(values >= _kth_largest(values, k) - slack(query))


def _kth_largest(values: np.ndarray, k: int) -> float:
    if len(values) <= _FEW_VALUES:
        return float(np.partition(values, -k)[-k])
    import torch

    return float(torch.topk(torch.from_numpy(np.ascontiguousarray(values)), k).values[-1])
