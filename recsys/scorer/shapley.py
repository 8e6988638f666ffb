"""Shapley values of a function from subsets to vectors.

Source: L. S. Shapley, A value for n-person games, 1953; the vector form is in the project's notes on explanations: the
score is linear in the embedding, so the Shapley value of the embedding is that of every item's score at once.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import factorial

import numpy as np

Subset = tuple[int, ...]
Game = Callable[[Sequence[Subset]], np.ndarray]
"""Maps subsets of players (sorted tuples of player numbers) to ``(n_subsets, dim)``."""


def subsets(n: int, *, exact: bool) -> list[Subset]:
    """Returns the subsets of n players that ``solve`` needs: all ``2**n``, or ``2n + 2`` for joining first and last."""
    everyone = tuple(range(n))
    if exact:
        return [tuple(p for p in everyone if mask >> p & 1) for mask in range(1 << n)]
    without = [tuple(p for p in everyone if p != player) for player in everyone]
    return [(), everyone, *((p,) for p in everyone), *without]


def solve(values: np.ndarray, n: int, *, exact: bool) -> np.ndarray:
    """Returns ``(n, dim)`` float64, one row per player, from the values of ``subsets``; rows sum to all less none."""
    wide = np.asarray(values, np.float64)
    if exact:
        return np.asarray(_weights(n) @ wide)
    none, all_, alone, rest = wide[0], wide[1], wide[2 : 2 + n], wide[2 + n :]
    halves = 0.5 * ((all_ - rest) + (alone - none))
    return np.asarray(halves + (all_ - none - halves.sum(0)) / max(n, 1))


def shapley_values(game: Game, n: int) -> np.ndarray:
    """Returns ``(n, dim)`` float64, exact, from all ``2**n`` subsets; rows sum to ``game(all) - game(none)``."""
    return solve(game(subsets(n, exact=True)), n, exact=True)


def first_last_shapley(game: Game, n: int) -> np.ndarray:
    """Returns ``(n, dim)``: half the effect of joining first and of joining last, the remainder spread evenly.

    Needs ``2n + 2`` subsets; equals the exact value when no interaction involves more than two players.
    """
    return solve(game(subsets(n, exact=False)), n, exact=False)


@lru_cache(maxsize=16)
def _weights(n: int) -> np.ndarray:
    """``(n, 2**n)``: what each subset weighs in each player's value."""
    own = [factorial(size) * factorial(n - size - 1) / factorial(n) for size in range(n)]
    matrix = np.zeros((n, 1 << n))
    for mask in range(1 << n):
        size = mask.bit_count()
        for player in range(n):
            matrix[player, mask] = own[size - 1] if mask >> player & 1 else -own[size]
    return matrix
