"""An encoder that remembers, because a what-if profile repeats most of the texts of the one before."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import lru_cache

import numpy as np

from recsys.encoder.protocol import Encoder, Progress


class CachedEncoder:
    """Wraps an encoder with a bounded memory of single texts (least recently used goes first); safe between threads."""

    def __init__(self, encoder: Encoder, *, size: int = 8192) -> None:
        self.uncached = encoder
        self._size = size
        self._known: OrderedDict[str, np.ndarray] = OrderedDict()
        self.check = lru_cache(size)(encoder.check)
        self._lock = threading.Lock()
        self._shared = _Shared(encoder.encode)
        self.name = encoder.name
        self.identity = encoder.identity
        self.dim = encoder.dim
        self.description = encoder.description

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        """Returns ``(n_texts, dim)``; bulk texts pass through without being remembered."""
        if bulk:
            return self.uncached.encode(texts, bulk=True, progress=progress)
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        fresh = self._shared.encode(missing) if missing else {}
        with self._lock:
            rows = [fresh[text] if text in fresh else self._recall(text) for text in texts]
            self._known.update(fresh)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return np.stack(rows) if rows else np.zeros((0, self.dim), np.float32)

    def _recall(self, text: str) -> np.ndarray:
        if text not in self._known:  # another thread pushed it out between our two looks
            self._known[text] = self.uncached.encode([text])[0]
        self._known.move_to_end(text)
        return self._known[text]


class _Shared:
    """Encodes for several threads in as few passes as possible: what is asked for while the model is busy goes into the next one.

    One pass over eight texts takes a fraction of eight passes over one, so analysts who ask at the same time wait less.
    """

    def __init__(self, encode: Callable[[Sequence[str]], np.ndarray]) -> None:
        self._encode = encode
        self._turn = threading.Lock()
        """Held by the one who encodes, for himself and for all who wait."""
        self._door = threading.Lock()
        self._asked: list[str] = []
        self._pending: dict[str, Future[np.ndarray]] = {}

    def encode(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Returns the embedding of each text; raises what the encoder raises for one of them."""
        with self._door:
            new = [text for text in texts if text not in self._pending]
            self._pending |= {text: Future() for text in new}
            self._asked += new
            waiting = {text: self._pending[text] for text in texts}
        with self._turn:
            with self._door:
                batch, self._asked = self._asked, []
            if batch:
                self._answer(batch)
        return {text: future.result() for text, future in waiting.items()}

    def _answer(self, batch: Sequence[str]) -> None:
        with self._door:
            futures = [self._pending[text] for text in batch]
        try:
            rows: Sequence[np.ndarray] = self._encode(batch)  # type: ignore[assignment]
            for future, row in zip(futures, rows, strict=True):
                future.set_result(row)
        except Exception:
            for text, future in zip(batch, futures, strict=True):
                self._answer_alone(text, future)
        finally:
            with self._door:
                for text in batch:
                    del self._pending[text]

    def _answer_alone(self, text: str, future: "Future[np.ndarray]") -> None:
        """One text that cannot be encoded is the fault of whoever asked for it, not of all who waited with him."""
        try:
            future.set_result(self._encode([text])[0])
        except Exception as error:
            future.set_exception(error)
