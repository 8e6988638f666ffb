"""The Shapley value of each word of a text, for the text's embedding: a vector, and so its value for every item at once.

A score is linear in the embedding of a text, so the Shapley value of the *embedding map* answers for all items: word ``w``
adds ``vectors[w] . item`` to the score of any item, without running the encoder again.

Source: L. S. Shapley, A value for n-person games, 1953. Exact up to ten words; beyond, the mean of joining first and of
joining last, which is exact where no more than two words interact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoder import Encoder
from recsys.explanation.pieces import Piece, join, read_pieces, split
from recsys.scorer.shapley import solve, subsets

EXACT_UP_TO = 10
EXACT, FIRST_LAST = "exact", "first-last"
_QUICK_EXACT_UP_TO = 5
"""So few words are exact at once: 32 texts cost no more than a page may."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """A text taken apart.

    Attributes:
        pieces: its words or phrases, the first ``len(vectors)`` of which the encoder reads.
        vectors: ``(n_read, dim)`` float64; with ``empty`` they sum to the text's embedding.
        empty: ``(dim,)``, the embedding of the empty text.
        tier: ``exact`` or ``first-last``.
    """

    text: str
    pieces: tuple[Piece, ...]
    vectors: np.ndarray
    empty: np.ndarray
    tier: str

    @property
    def can_be_exact(self) -> bool:
        """Whether asking for the exact tier gives more than this has."""
        return self.tier != EXACT and len(self.vectors) <= EXACT_UP_TO

    def adding_up_to(self, embedding: np.ndarray) -> "WordVectors":
        """Returns the same with what misses an embedding of this text (rounding, say) spread evenly over the words."""
        if not len(self.vectors):
            return self
        missing = np.asarray(embedding, np.float64) - self.empty - self.vectors.sum(axis=0)
        vectors = self.vectors + missing / len(self.vectors)
        return WordVectors(self.text, self.pieces, vectors, self.empty, self.tier)


def tier_of(n_words: int, wanted: str) -> str:
    """Returns the tier that a text of so many words gets."""
    limit = EXACT_UP_TO if wanted == EXACT else _QUICK_EXACT_UP_TO
    return EXACT if n_words <= limit else FIRST_LAST


def words_of(text: str, encoder: Encoder, *, tier: str = EXACT, bulk: bool = False) -> WordVectors:
    """Takes one text apart; with the tier ``first-last`` at once, with ``exact`` after up to 1,024 texts.

    Args:
        bulk: whether to encode in the encoder's fast precision.
    """
    return next(words_of_many([text], encoder, tier=tier, bulk=bulk))


def words_of_many(
    texts: Sequence[str], encoder: Encoder, *, tier: str = EXACT, bulk: bool = False
) -> Iterator[WordVectors]:
    """Takes several texts apart, encoding what they share only once."""
    cut = [split(text) for text in texts]
    read = [pieces[: read_pieces(pieces, lambda part: encoder.check(part).is_cut)] for pieces in cut]
    tiers = [tier_of(len(pieces), tier) for pieces in read]
    parts = [_parts(pieces, kind) for pieces, kind in zip(read, tiers, strict=True)]
    row_of = {part: row for row, part in enumerate(dict.fromkeys(["", *(part for own in parts for part in own)]))}
    embeddings = encoder.encode(list(row_of), bulk=bulk)
    for text, pieces, kept, own, kind in zip(texts, cut, read, parts, tiers, strict=True):
        vectors = solve(embeddings[[row_of[part] for part in own]], len(kept), exact=kind == EXACT)
        yield WordVectors(text, pieces, vectors, embeddings[0].astype(np.float64), kind)


def _parts(pieces: tuple[Piece, ...], tier: str) -> list[str]:
    """The texts that are left when some pieces are deleted, one for each subset that the tier needs."""
    return [join(pieces[n] for n in kept) for kept in subsets(len(pieces), exact=tier == EXACT)]
