"""What has been read before, in eight bytes a text."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from recsys.datasets.importing.tables import Batch


class Seen:
    """A set of texts that are kept as 64-bit hashes: two of twenty million share one with a chance of 1 in 100,000."""

    def __init__(self, hashes: np.ndarray | None = None) -> None:
        self._hashes = np.zeros(0, np.uint64) if hashes is None else hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def copy(self) -> "Seen":
        """Returns a set that can grow on its own."""
        return Seen(self._hashes)

    def has(self, texts: pd.Series) -> np.ndarray:
        """Says for each text whether it is in the set, ``(n,)`` of ``bool``."""
        found = _hashed(texts)
        if not len(self._hashes):
            return np.zeros(len(found), bool)
        places = np.minimum(np.searchsorted(self._hashes, found), len(self._hashes) - 1)
        return np.asarray(self._hashes[places] == found)

    def add(self, texts: pd.Series) -> None:
        """Puts texts into the set."""
        if len(texts):
            self._hashes = np.union1d(self._hashes, _hashed(texts))

    def first(self, texts: pd.Series) -> np.ndarray:
        """Says for each text whether it stands for the first time, ``(n,)`` of ``bool``, and puts them into the set."""
        is_first = ~self.has(texts) & ~texts.duplicated().to_numpy()
        self.add(texts[is_first])
        return is_first


def _hashed(texts: pd.Series) -> np.ndarray:
    return pd.util.hash_array(texts.fillna("").to_numpy(object), categorize=False)


class Chain:
    """Files that follow each other, where the later ones leave out what was in the earlier ones.

    Args:
        n: files.
        read: reads a file by its number, and grows the set that it is given.
    """

    def __init__(self, n: int, read: Callable[[int, Seen], Iterator[Batch]]) -> None:
        self._read = read
        self._after: dict[int, Seen] = {-1: Seen()}
        self.readers: list[Callable[[], Iterator[Batch]]] = [self._reader(number) for number in range(n)]

    def _reader(self, number: int) -> Callable[[], Iterator[Batch]]:
        return lambda: self._batches(number)

    def _batches(self, number: int) -> Iterator[Batch]:
        seen = self._before(number).copy()
        yield from self._read(number, seen)
        self._after[number] = seen

    def _before(self, number: int) -> Seen:
        """What the files before one have; they are read for it, if they have not been read to their end yet."""
        if number - 1 not in self._after:
            for _ in self._batches(number - 1):
                pass
        return self._after[number - 1]
