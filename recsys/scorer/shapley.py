"""Shapley values of a function from subsets to vectors.

Source: L. S. Shapley, A value for n-person games, 1953; the vector form is in the project's notes on explanations: the
score is linear in the embedding, so the Shapley value of the embedding is that of every item's score at once.
"""

from collections.abc import Callable, Sequence
from math import factorial

import numpy as np

Game = Callable[[Sequence[tuple[int, ...]]], np.ndarray]
"""Maps subsets of players (sorted tuples of player numbers) to ``(n_subsets, dim)``."""


def shapley_values(game: Game, n: int) -> np.ndarray:
    """Returns ``(n, dim)`` float64, exact, from all ``2**n`` subsets; rows sum to ``game(all) - game(none)``."""
    subsets = [tuple(p for p in range(n) if mask >> p & 1) for mask in range(1 << n)]
    values = game(subsets).astype(np.float64)
    weights = [factorial(size) * factorial(n - size - 1) / factorial(n) for size in range(n)]
    result = np.zeros((n, values.shape[1]))
    for mask, subset in enumerate(subsets):
        for player in range(n):
            if not mask >> player & 1:
                result[player] += weights[len(subset)] * (values[mask | 1 << player] - values[mask])
    return result


def first_last_shapley(game: Game, n: int) -> np.ndarray:
    """Returns ``(n, dim)``: half the effect of joining first and of joining last, the remainder spread evenly.

    Needs ``2n + 2`` subsets; equals the exact value when no interaction involves more than two players.
    """
    everyone = tuple(range(n))
    without = [tuple(p for p in everyone if p != player) for player in everyone]
    values = game([(), everyone, *((p,) for p in everyone), *without]).astype(np.float64)
    none, all_, alone, rest = values[0], values[1], values[2 : 2 + n], values[2 + n :]
    halves = 0.5 * ((all_ - rest) + (alone - none))
    return halves + (all_ - none - halves.sum(0)) / max(n, 1)
