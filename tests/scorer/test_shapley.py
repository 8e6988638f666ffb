from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest

from recsys.scorer import first_last_shapley, shapley_values

Subsets = Sequence[tuple[int, ...]]


def glove(subsets: Subsets) -> np.ndarray:
    """Players 0 and 1 have a left glove, player 2 a right one; a pair is worth 1."""
    return np.array([[float(2 in subset and len(subset) > 1)] for subset in subsets])


def additive(subsets: Subsets) -> np.ndarray:
    """Each player brings a vector of its own; even nobody has something."""
    own = np.arange(12.0).reshape(4, 3)
    return np.array([own[list(subset)].sum(0) + 5 for subset in subsets])


def second_order(subsets: Subsets) -> np.ndarray:
    """Players bring vectors, and so does every pair of players."""
    rng = np.random.default_rng(0)
    alone, pairs = rng.standard_normal((6, 4)), rng.standard_normal((6, 6, 4))
    return np.array(
        [alone[list(s)].sum(0) + sum((pairs[a, b] for a, b in combinations(s, 2)), np.zeros(4)) for s in subsets]
    )


def unruly(subsets: Subsets) -> np.ndarray:
    """A unit vector of everything inside, like an encoder."""
    basis = np.random.default_rng(1).standard_normal((5, 4))
    sums = np.array([basis[list(subset)].sum(0) for subset in subsets])
    return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)


def test_glove_game():
    np.testing.assert_allclose(shapley_values(glove, 3), [[1 / 6], [1 / 6], [2 / 3]], atol=1e-12)


@pytest.mark.parametrize("method", [shapley_values, first_last_shapley])
def test_additive_game_gives_each_its_own(method):
    np.testing.assert_allclose(method(additive, 4), np.arange(12.0).reshape(4, 3), atol=1e-12)


def test_first_last_is_exact_up_to_pairs():
    np.testing.assert_allclose(first_last_shapley(second_order, 6), shapley_values(second_order, 6), atol=1e-12)


@pytest.mark.parametrize("method", [shapley_values, first_last_shapley])
def test_values_sum_to_the_whole(method):
    whole = unruly([tuple(range(5))])[0] - unruly([()])[0]
    np.testing.assert_allclose(method(unruly, 5).sum(0), whole, atol=1e-12)


@pytest.mark.parametrize("method", [shapley_values, first_last_shapley])
@pytest.mark.parametrize("n", [0, 1])
def test_nobody_and_one_player(method, n: int):
    np.testing.assert_allclose(method(additive, n), np.arange(12.0).reshape(4, 3)[:n], atol=1e-12)


def test_first_last_asks_for_few_subsets():
    asked: list[tuple[int, ...]] = []
    first_last_shapley(lambda subsets: (asked.extend(subsets), additive(subsets))[1], 4)
    assert len(asked) == 10
