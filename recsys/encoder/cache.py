"""An encoder that remembers, because a what-if profile repeats most of the texts of the one before."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
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
        fresh = dict(zip(missing, self.uncached.encode(missing), strict=True)) if missing else {}
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
