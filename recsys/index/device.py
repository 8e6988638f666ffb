"""Scanning on a device with torch: scores, masks and the choice of the best stay there, and only candidates come back."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from recsys.index.rescoring import near_the_best

if TYPE_CHECKING:
    import torch

_MORE = 64
"""Items fetched beyond k: those whose order float32 leaves open are nearly always among them."""
_WORK_BYTES = 2 << 30
"""For the scores of a block of queries."""
_BYTES_PER_SCORE = 16
"""A float32 score, its mask, and what choosing the best needs."""
_LEAST_ROWS = 1024
_UPLOADED_ROWS = 1 << 18
T = TypeVar("T")


class DeviceScan:
    """Finds candidates of many queries on a device, in bounded memory.

    A matrix that does not fit is sent in chunks for every block of queries, with a running choice of the best. Where memory
    runs out all the same, blocks (then chunks) are halved until it does not.

    Args:
        vectors: ``(n_items, dim)`` float32, may be memory-mapped.
        device: a torch device name.
        device_bytes: memory for the matrix, by default seven tenths of what is free on a CUDA device.
    """

    def __init__(self, vectors: np.ndarray, *, device: str, device_bytes: int | None = None) -> None:
        self._vectors = vectors
        self._device = device
        self.chunk = _rows_that_fit(vectors, device, device_bytes)
        work = _WORK_BYTES if device_bytes is None else min(_WORK_BYTES, device_bytes)
        self.block = max(1, work // (_BYTES_PER_SCORE * max(1, min(self.chunk, len(vectors)))))
        self._resident = self._settled() if self.chunk >= len(vectors) else None

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Returns ``(n_queries, n_items)`` float32 in host memory."""
        found = np.empty((len(queries), len(self._vectors)), np.float32)

        def scan(block: slice) -> bool:
            asked = self._sent(queries[block])
            for at, part in self._chunks():
                found[block, at : at + len(part)] = (asked @ part.T).cpu().numpy()
            return True

        self._in_blocks(len(queries), scan)
        return found

    def candidates(self, queries: np.ndarray, k: int, masks: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        """Returns per query the rows that may be among the best k, ``None`` where too many are as good as the last one."""
        n = min(k + _MORE, len(self._vectors))

        def choose(block: slice) -> list[np.ndarray | None]:
            rows, scores = self._top(queries[block], n, masks[block])
            chosen = zip(queries[block], rows, scores, strict=True)
            return [self._near(query, own_rows, own, k) for query, own_rows, own in chosen]

        return [near for block in self._in_blocks(len(queries), choose) for near in block]

    def _in_blocks(self, n_queries: int, call: Callable[[slice], T]) -> list[T]:
        """Calls with one block of queries after the other; one that is too large comes again in halves.

        Raises:
            torch.OutOfMemoryError: if one query against a thousand items is too much.
        """
        import torch

        found: list[T] = []
        done = 0
        while done < n_queries:
            size = min(self.block, n_queries - done)
            try:
                found.append(call(slice(done, done + size)))
            except torch.OutOfMemoryError:
                if size == 1 and self.chunk <= _LEAST_ROWS:
                    raise
            else:
                done += size
                continue
            self._halve(size)  # not in the handler: the error holds the frames, and they hold the memory

        return found

    def _halve(self, size: int) -> None:
        import torch

        if size > 1:
            self.block = size // 2
        else:
            self.chunk = max(_LEAST_ROWS, min(self.chunk, len(self._vectors)) // 2)
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()

    def _near(self, query: np.ndarray, rows: np.ndarray, scores: np.ndarray, k: int) -> np.ndarray | None:
        is_complete = len(rows) == len(self._vectors) or scores[-1] == -np.inf
        shown = scores > -np.inf
        unseen = -np.inf if is_complete else float(scores[-1])
        return near_the_best(query, rows[shown], scores[shown], k, unseen=unseen)

    def _top(self, queries: np.ndarray, n: int, masks: Sequence[np.ndarray | None]) -> tuple[np.ndarray, np.ndarray]:
        """Returns ``(n_queries, n)``: the best rows and their scores, best first; masked ones score ``-inf``."""
        import torch

        asked = self._sent(queries)
        best: torch.Tensor | None = None
        rows: torch.Tensor | None = None
        for start, part in self._chunks():
            scores = asked @ part.T
            hidden = self._hidden(masks, start, len(part))
            if hidden is not None:
                scores.masked_fill_(hidden, -torch.inf)
            own, at = torch.topk(scores, min(n, len(part)), dim=1)
            at += start
            del scores, hidden
            if best is None or rows is None:
                best, rows = own, at
                continue
            both, both_rows = torch.cat([best, own], dim=1), torch.cat([rows, at], dim=1)
            best, order = torch.topk(both, min(n, both.shape[1]), dim=1)
            rows = both_rows.gather(1, order)
        assert best is not None and rows is not None
        return rows.cpu().numpy(), best.cpu().numpy()

    def _hidden(self, masks: Sequence[np.ndarray | None], start: int, size: int) -> "torch.Tensor | None":
        import torch

        if all(mask is None for mask in masks):
            return None
        distinct = {id(mask): mask for mask in masks}
        chosen = list(distinct.values()) if len(distinct) == 1 else list(masks)
        parts = [np.zeros(size, bool) if mask is None else ~mask[start : start + size] for mask in chosen]
        return torch.from_numpy(np.stack(parts)).to(self._device)

    def _sent(self, queries: np.ndarray) -> "torch.Tensor":
        import torch

        return torch.from_numpy(np.array(queries, np.float32)).to(self._device)

    def _chunks(self) -> "Iterator[tuple[int, torch.Tensor]]":
        for start in range(0, len(self._vectors), self.chunk):
            end = min(start + self.chunk, len(self._vectors))
            yield start, self._upload(start, end) if self._resident is None else self._resident[start:end]

    def _upload(self, start: int, end: int) -> "torch.Tensor":
        """Sends rows piece by piece, so that a memory-mapped matrix is never whole in host memory."""
        import torch

        sent = torch.empty((end - start, self._vectors.shape[1]), device=self._device)
        for at in range(start, end, _UPLOADED_ROWS):
            piece = np.array(self._vectors[at : min(at + _UPLOADED_ROWS, end)], np.float32)
            sent[at - start : at - start + len(piece)] = torch.from_numpy(piece)
        return sent

    def _settled(self) -> "torch.Tensor | None":
        """Sends the whole matrix; where it does not fit after all, it is sent in chunks from now on."""
        import torch

        try:
            return self._upload(0, len(self._vectors))
        except torch.OutOfMemoryError:
            pass
        self.chunk = max(1, len(self._vectors) // 4)
        return None


def _rows_that_fit(vectors: np.ndarray, device: str, device_bytes: int | None) -> int:
    import torch

    if device_bytes is None and device.startswith("cuda"):
        device_bytes = int(0.7 * torch.cuda.mem_get_info()[0])
    if device_bytes is None:
        return max(1, len(vectors))
    return max(1, device_bytes // (4 * vectors.shape[1]))
