"""The word vectors of a catalog: made once, in parts that survive a kill, and kept with the dataset."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder, reads_text
from recsys.errors import ArtifactError
from recsys.explanation.pieces import split
from recsys.explanation.word_vectors import EXACT, FIRST_LAST, WordVectors, words_of, words_of_many
from recsys.segmenter import needs_segmenter, segmenter_name

_VERSION = 2
"""Changes when the same text gives other words or vectors."""
_CHUNK = 64
_OPEN = 64
"""Parts that stay open: each holds three files."""
_REMEMBERED = 256
_KIND = "words"
Progress = Callable[[int, int], None]
"""Called with (items done, items in all)."""


@dataclass(frozen=True, eq=False)
class _Chunk:
    """The word vectors of up to 64 items, as they lie on disk: those of item n are rows ``starts[n]`` to ``starts[n + 1]``."""

    vectors: np.ndarray
    starts: np.ndarray
    is_exact: np.ndarray


class ItemWords:
    """The words of every item of a catalog; ``build`` makes them, ``of`` takes an item apart at once where they are not made yet.

    Args:
        texts: of all items, in item_row order.
        embeddings: ``(n_items, dim)``, what the words of each item add up to.
        store: ``None`` for a dataset in memory, of which nothing is kept.
    """

    def __init__(
        self, texts: Sequence[str], embeddings: np.ndarray, *, encoder: Encoder, store: ArtifactStore | None
    ) -> None:
        self._texts = texts
        self._embeddings = embeddings
        self._encoder = encoder
        self._store = store
        self._open: dict[tuple[int, str], _Chunk] = {}
        self._made: dict[tuple[int, str], WordVectors] = {}
        self._empty: np.ndarray | None = None

    @property
    def n_chunks(self) -> int:
        """Number of parts that the catalog is kept in."""
        return -(-len(self._texts) // _CHUNK)

    def of(self, item_row: int, *, tier: str = FIRST_LAST) -> WordVectors:
        """Returns the words of an item, at least in the asked tier: the best that is kept, else taken apart at once."""
        for kept in (EXACT, FIRST_LAST) if tier == FIRST_LAST else (EXACT,):
            chunk = self._kept(item_row // _CHUNK, kept)
            if chunk is not None:
                return self._from(chunk, item_row)
        found = self._take_apart(item_row, tier)
        return found.adding_up_to(self._embeddings[item_row])

    def _take_apart(self, item_row: int, tier: str) -> WordVectors:
        for key in ((item_row, EXACT), (item_row, tier)):
            if (found := self._made.get(key)) is not None:
                return found
        found = words_of(self._texts[item_row], self._encoder, tier=tier, bulk=tier == EXACT)
        self._made[item_row, tier] = found
        while len(self._made) > _REMEMBERED:
            self._made.pop(next(iter(self._made)), None)
        return found

    def share_built(self, tier: str = EXACT) -> float:
        """Returns the share of the catalog whose words are kept in a tier; 1 where no text is read, so that none are missing."""
        if not reads_text(self._encoder):
            return 1.0
        if self._store is None or not self.n_chunks:
            return 0.0
        found = sum(self._store.path(_KIND, self._key(n, tier)).exists() for n in range(self.n_chunks))
        return found / self.n_chunks

    def build(self, tier: str = EXACT, *, progress: Progress | None = None) -> int:
        """Makes and publishes what is missing, part by part, so that a killed build goes on where it was; returns how many
        items were taken apart."""
        assert self._store is not None
        made = 0
        for number in range(self.n_chunks if reads_text(self._encoder) else 0):
            rows = range(number * _CHUNK, min((number + 1) * _CHUNK, len(self._texts)))
            if self._kept(number, tier) is None:
                self._publish(number, tier, rows)
                made += len(rows)
            if progress:
                progress(rows.stop, len(self._texts))
        return made

    def _publish(self, number: int, tier: str, rows: range) -> None:
        assert self._store is not None
        found = list(words_of_many([self._texts[row] for row in rows], self._encoder, tier=tier, bulk=True))
        about = {"encoder": self._encoder.name, "tier": tier, "first_item": rows.start, "n_items": len(rows)}
        with self._store.publish(_KIND, self._key(number, tier), about=about) as folder:
            vectors = np.concatenate([words.vectors for words in found]).astype(np.float32)
            np.save(folder / "vectors.npy", vectors, allow_pickle=False)
            np.save(folder / "starts.npy", np.cumsum([0, *(len(words.vectors) for words in found)]), allow_pickle=False)
            np.save(folder / "exact.npy", np.array([words.tier == EXACT for words in found]), allow_pickle=False)

    def _key(self, number: int, tier: str) -> str:
        texts = self._texts[number * _CHUNK : (number + 1) * _CHUNK]
        segmenter = [segmenter_name()] if any(map(needs_segmenter, texts)) else []
        parts = [_VERSION, tier, self._encoder.identity, *segmenter, *texts]
        return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def _kept(self, number: int, tier: str) -> _Chunk | None:
        if self._store is None:
            return None
        if (found := self._open.get((number, tier))) is not None:
            return found
        try:
            path = self._store.open(_KIND, self._key(number, tier)).path
        except ArtifactError:
            return None
        names = ("vectors", "starts", "exact")
        found = _Chunk(*(np.load(path / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names))
        self._open[number, tier] = found
        while len(self._open) > _OPEN:
            self._open.pop(next(iter(self._open)), None)
        return found

    def _from(self, chunk: _Chunk, item_row: int) -> WordVectors:
        if self._empty is None:
            self._empty = self._encoder.encode([""])[0].astype(np.float64)
        place = item_row % _CHUNK
        vectors = np.asarray(chunk.vectors[chunk.starts[place] : chunk.starts[place + 1]], np.float64)
        tier = EXACT if chunk.is_exact[place] else FIRST_LAST
        text = self._texts[item_row]
        return WordVectors(text, split(text), vectors, self._empty, tier).adding_up_to(self._embeddings[item_row])
