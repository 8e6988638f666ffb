"""The deletion check: does the score fall as the words fall that are said to carry it?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.explanation.pieces import Piece, join, split
from recsys.index import Index
from recsys.schema import Explanation
from recsys.scorer import Scorer

_ORDERS = 8
Place = tuple[str, int]
"""A word of the profile: the key of its text, and its number in it."""


@dataclass(frozen=True)
class Deletion:
    """Scores as words are deleted one by one and the profile is scored again.

    Attributes:
        labels: the words in the order of the explanation, strongest first.
        strongest: ``(n_words + 1,)``, the score after 0, 1, 2 … of them are gone.
        random: ``(n_orders, n_words + 1)``, the same in random orders.
    """

    labels: tuple[str, ...]
    strongest: np.ndarray
    random: np.ndarray

    @property
    def advantage(self) -> float:
        """How much lower the score lies on average than in random order; positive is good."""
        return float(self.random[:, 1:-1].mean() - self.strongest[1:-1].mean()) if len(self.labels) > 1 else 0.0


def delete_words(explanation: Explanation, *, scorer: Scorer, index: Index, item_row: int, seed: int = 0) -> Deletion:
    """Deletes the profile's words in the order of their contributions, and in random orders; every score is a real one."""
    texts = [text for text in explanation.texts if text.side == "profile"]
    places = [((text.key, n), word) for text in texts for n, word in enumerate(text.words) if word.is_read]
    places.sort(key=lambda found: -found[1].contribution)
    strongest = [place for place, _ in places]
    rng = np.random.default_rng(seed)
    orders = [strongest, *([strongest[n] for n in rng.permutation(len(strongest))] for _ in range(_ORDERS))]
    pieces = {text.key: split(text.text) for text in texts}
    wordings = [_left(pieces, order[:n]) for order in orders for n in range(len(order) + 1)]
    queries = scorer.reworded(explanation.profile, wordings)
    scores = _with_popularity(queries, scorer, explanation) @ np.asarray(index.vectors[item_row], np.float64)
    curves = scores.reshape(len(orders), len(strongest) + 1)
    return Deletion(tuple(word.text for _, word in places), curves[0], curves[1:])


def _left(pieces: Mapping[str, Sequence[Piece]], gone: Iterable[Place]) -> dict[str, str]:
    deleted = set(gone)
    return {key: join(p for n, p in enumerate(own) if (key, n) not in deleted) for key, own in pieces.items()}


def _with_popularity(queries: np.ndarray, scorer: Scorer, explanation: Explanation) -> np.ndarray:
    """Queries are worded at full popularity; the explained one may weigh it less."""
    empty = scorer.queries([type(explanation.profile)()])
    return np.asarray(queries, np.float64) + (explanation.popularity - 1.0) * np.asarray(empty, np.float64)
