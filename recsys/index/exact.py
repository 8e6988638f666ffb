"""Exact search over item vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

_BLOCK_BYTES = 256 << 20
_RESCORED_ROWS = 1 << 14
_ROUNDING = 1e-5
"""Float32 products of vectors up to a few units long differ from float64 by far less than this."""


@dataclass(frozen=True)
class Hits:
    """The best items of several queries.

    Attributes:
        rows: per query the item_rows, best first; fewer than k where fewer items may be shown.
        scores: per query the scores of those rows, float64.
    """

    rows: tuple[np.ndarray, ...]
    scores: tuple[np.ndarray, ...]


class ItemIndex:
    """Exact inner-product search.

    The scan is one float32 matrix product; whatever could be among the best k is scored again in float64, row by row, so
    the answer does not depend on how many queries are asked at once. Ties go to the smaller item_row, which is the
    smaller item_id.

    Args:
        vectors: ``(n_items, dim)`` float32, may be memory-mapped.
        device: a torch device name; any but ``cpu`` scans with torch there, and NumPy scans on ``cpu``.
        device_bytes: memory for the matrix on the device, by default four fifths of what is free on a CUDA device; a matrix
            that does not fit is sent in chunks for every scan.
    """

    def __init__(self, vectors: np.ndarray, *, device: str = "cpu", device_bytes: int | None = None) -> None:
        self.vectors = vectors
        self._device = device
        self._chunk = len(vectors) if device == "cpu" else self._rows_that_fit(device_bytes)
        self._resident = self._upload(0) if device != "cpu" and self._chunk >= len(vectors) else None

    def __len__(self) -> int:
        return len(self.vectors)

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Returns ``(n_queries, n_items)`` float32, the score of every item."""
        if self._device != "cpu":
            return self._scan_on_device(queries)
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
        rows: list[np.ndarray] = []
        scores: list[np.ndarray] = []
        for start, block in self._blocks(queries):
            for offset, scanned in enumerate(self.scores(block)):
                mask = allowed[start + offset] if allowed is not None else None
                best, best_scores = self._best(block[offset], scanned, k, mask)
                rows.append(best)
                scores.append(best_scores)
        return Hits(tuple(rows), tuple(scores))

    def rescore(self, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns the float64 scores of some rows, each computed on its own."""
        exact = query.astype(np.float64)
        parts = [
            np.einsum("nd,d->n", self.vectors[rows[at : at + _RESCORED_ROWS]].astype(np.float64), exact)
            for at in range(0, len(rows), _RESCORED_ROWS)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def rank_of(self, query: np.ndarray, item_row: int, *, allowed: np.ndarray | None = None) -> int:
        """Returns the rank from 1 that ``search`` gives an item among the allowed ones and itself."""
        scanned = self.scores(query[None])[0]
        others = np.ones(len(scanned), bool) if allowed is None else allowed.copy()
        others[item_row] = False
        slack = _ROUNDING * max(1.0, float(np.abs(query).max()))
        own = float(scanned[item_row])
        near = np.flatnonzero(others & (np.abs(scanned - own) <= slack))
        own_exact, *exact = self.rescore(query, np.array([item_row, *near]))
        ahead = [
            value > own_exact or (value == own_exact and row < item_row) for value, row in zip(exact, near, strict=True)
        ]
        return 1 + int((others & (scanned > own + slack)).sum()) + int(sum(ahead))

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
        slack = _ROUNDING * max(1.0, float(np.abs(query).max()))
        low, high = np.searchsorted(values, own - slack, "left"), np.searchsorted(values, own + slack, "right")
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

    def _best(
        self, query: np.ndarray, scanned: np.ndarray, k: int, mask: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(len(scanned)) if mask is None else np.flatnonzero(mask)
        values = scanned if mask is None else scanned[rows]
        if len(rows) > k:
            threshold = _kth_largest(values, k) - _ROUNDING * max(1.0, float(np.abs(query).max()))
            rows = rows[values >= threshold]
        exact = self.rescore(query, rows)
        order = np.lexsort((rows, -exact))[:k]
        return rows[order], exact[order]

    def _blocks(self, queries: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        size = max(1, _BLOCK_BYTES // (4 * max(1, len(self.vectors))))
        for start in range(0, len(queries), size):
            yield start, queries[start : start + size]

    def _rows_that_fit(self, device_bytes: int | None) -> int:
        import torch

        if device_bytes is None and self._device.startswith("cuda"):
            device_bytes = int(0.8 * torch.cuda.mem_get_info()[0])
        if device_bytes is None:
            return len(self.vectors)
        return max(1, device_bytes // (4 * self.vectors.shape[1]))

    def _upload(self, start: int) -> "torch.Tensor":
        import torch

        return torch.from_numpy(np.array(self.vectors[start : start + self._chunk])).to(self._device)

    def _scan_on_device(self, queries: np.ndarray) -> np.ndarray:
        import torch

        asked = torch.from_numpy(np.array(queries, np.float32)).to(self._device)
        if self._resident is not None:
            return np.asarray((asked @ self._resident.T).cpu().numpy())
        starts = range(0, len(self.vectors), self._chunk)
        return np.concatenate([(asked @ self._upload(start).T).cpu().numpy() for start in starts], axis=1)


def _kth_largest(values: np.ndarray, k: int) -> float:
    import torch

    return float(torch.topk(torch.from_numpy(np.ascontiguousarray(values)), k).values[-1])
