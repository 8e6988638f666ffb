"""A profile with every subset of its words scored, so that expectations and best orders are exact."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import DataError
from recsys.explanation.pieces import Piece, join, split
from recsys.recommender import Recommender
from recsys.schema import Profile

_WORDS = range(8, 11)
_INTERESTS = 3
_PATIENCE = 1_000


@dataclass(frozen=True, eq=False)
class Game:
    """A profile whose n words are the players.

    Attributes:
        places: the key of each word's text, and its number in it.
        queries: ``(2**n, out)``, the query of every subset; bit p of its number says whether word p is kept.
    """

    profile: Profile
    pieces: dict[str, tuple[Piece, ...]]
    places: tuple[tuple[str, int], ...]
    queries: np.ndarray

    @property
    def n(self) -> int:
        """Number of words."""
        return len(self.places)

    @property
    def everyone(self) -> int:
        """The number of the subset of all words."""
        return (1 << self.n) - 1

    @cached_property
    def sizes(self) -> np.ndarray:
        """``(2**n,)``: how many words each subset keeps."""
        return np.array([mask.bit_count() for mask in range(1 << self.n)])

    def values(self, item: np.ndarray) -> np.ndarray:
        """Returns ``(2**n,)``, the true score of an item for every subset."""
        return np.asarray(self.queries @ item.astype(np.float64))


def play(recommender: Recommender, profile: Profile) -> Game:
    """Scores every subset of a profile's words."""
    texts = recommender.scorer.texts(profile)
    pieces = {text.key: split(text.text) for text in texts}
    places = tuple((key, n) for key, own in pieces.items() for n in range(len(own)))
    wordings = [
        {
            key: join(piece for n, piece in enumerate(own) if mask >> places.index((key, n)) & 1)
            for key, own in pieces.items()
        }
        for mask in range(1 << len(places))
    ]
    queries = np.asarray(recommender.scorer.reworded(profile, wordings), np.float64)
    return Game(profile, pieces, places, queries)


def draw_profiles(recommender: Recommender, n: int, rng: np.random.Generator) -> list[Profile]:
    """Returns random profiles of 8 to 10 words that the encoder reads, as the form suggests them: the facts of random users,
    and as interests the catalog's categories, alone or two joined by "and".

    Raises:
        DataError: for a catalog with too few categories, or none that so many words can be said with.
    """
    dataset, terms = recommender.dataset, recommender.dataset.categories
    if len(terms) < 2 * _INTERESTS:
        fix = f"Use a dataset of at least {2 * _INTERESTS} categories."
        raise DataError("The catalog has too few categories for an audit", len(terms), fix=fix)
    found: list[Profile] = []
    for _ in range(_PATIENCE * n):
        user = _known(dataset.users.iloc[int(rng.integers(len(dataset.users)))]) if len(dataset.users) else {}
        drawn = list(rng.choice(terms, 2 * _INTERESTS, replace=False))
        pairs = [" and ".join(drawn[n : n + 2]) for n in range(0, len(drawn), 2)]
        interests = (pairs if rng.random() < 0.5 else drawn)[: int(rng.integers(1, _INTERESTS + 1))]
        profile = Profile(
            age=user.get("age"),
            gender=user.get("gender"),
            attributes={name: user[name] for name in dataset.user_attributes if name in user},
            interests=tuple(interests),
        )
        words = sum(len(split(text.text)) for text in recommender.scorer.texts(profile))
        if words in _WORDS:
            found.append(profile)
        if len(found) == n:
            return found
    fix = "Use a dataset whose categories have one to five words each."
    raise DataError("The categories of the catalog do not make profiles of 8 to 10 words", terms[0], fix=fix)


def _known(user: pd.Series) -> dict[str, Any]:
    """What is known of a user, without what is missing."""
    return {str(name): value for name, value in user.items() if pd.notna(value)}


def best_area(values: np.ndarray, n: int) -> float:
    """Returns the smallest mean score over the n + 1 steps of any order of deletion, by dynamic programming."""
    cost = np.zeros(len(values))
    for mask in range(len(values)):  # what is left of a subset has a smaller number
        rest = [cost[mask & ~(1 << p)] for p in range(n) if mask >> p & 1]
        cost[mask] = values[mask] + (min(rest) if rest else 0.0)
    return float(cost[-1] / (n + 1))


def random_area(values: np.ndarray, sizes: np.ndarray, n: int) -> float:
    """Returns the mean score over the steps of deletion, expected over all orders."""
    return float(np.mean([values[sizes == size].mean() for size in range(n + 1)]))


def area(values: np.ndarray, order: np.ndarray) -> float:
    """Returns the mean score over the steps as words are deleted in an order."""
    masks, left = [len(values) - 1], len(values) - 1
    for word in order:
        left &= ~(1 << int(word))
        masks.append(left)
    return float(values[masks].mean())
