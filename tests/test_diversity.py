"""Maximal marginal relevance, worked by hand."""

import numpy as np
import pytest

from recsys.diversity import diversify

# three kinds on perpendicular directions, and one between the first two
A, B, C = np.eye(3)
AB = (A + B) / np.sqrt(2)
SCORES = np.array([10.0, 9.0, 8.0, 4.0, 0.0])
VECTORS = np.stack([A, A, AB, B, C])  # relevance 1.0, 0.9, 0.8, 0.4, 0.0


def chosen(diversity: float, k: int = 5) -> list[int]:
    return diversify(SCORES, VECTORS, k, diversity=diversity).tolist()


def test_by_hand_at_one_half():
    # first: the best, 0 (A). Then (relevance - similarity) / 2 of the others, similarity to what was chosen:
    #   after 0:    1: 0.9-1 = -0.1   2: 0.8-0.71 = 0.09   3: 0.4-0 = 0.4   4: 0-0 = 0       -> 3 (B)
    #   after 3:    1: -0.1           2: 0.8-0.71 = 0.09   4: 0                              -> 2 (AB)
    #   after 2:    1: -0.1           4: 0                                                   -> 4, and 1 is left
    assert chosen(0.5) == [0, 3, 2, 4, 1]


def test_by_hand_with_little_weight():
    # (0.8 relevance - 0.2 similarity) after 0:  1: 0.72-0.2 = 0.52   2: 0.64-0.14 = 0.50   3: 0.32   4: 0
    # after 1 nothing new is similar:            2: 0.50              3: 0.32               4: 0
    # after 2:                                   3: 0.32-0.14 = 0.18  4: 0
    assert chosen(0.2) == [0, 1, 2, 3, 4]
    # (0.7, 0.3) after 0:  1: 0.63-0.30 = 0.33  2: 0.56-0.21 = 0.35 -> 2;  then 1: 0.33, 3: 0.28-0.21 = 0.07
    assert chosen(0.3) == [0, 2, 1, 3, 4]


def test_zero_keeps_the_order_of_the_scores():
    rng = np.random.default_rng(0)
    scores = np.sort(rng.random(30))[::-1]
    assert diversify(scores, np.tile(A, (30, 1)), 30, diversity=0.0).tolist() == list(range(30))
    assert diversify(np.ones(4), VECTORS[:4], 4, diversity=0.0).tolist() == [0, 1, 2, 3]


def test_one_takes_the_best_and_then_whatever_differs_most():
    # after A: B and C are perpendicular to it, the earlier one first; then C; AB is at 45 degrees of A and B; the other A last
    assert chosen(1.0) == [0, 3, 4, 2, 1]
    flipped = diversify(SCORES * [1, -1, -1, -1, -1], VECTORS, 5, diversity=1.0)
    assert flipped.tolist() == chosen(1.0)


def test_similarity_is_the_largest_with_any_chosen_item():
    # D is opposite to A and equal to B; after A and B it is a repetition of B, whatever the mean says
    vectors = np.stack([A, B, B, C])
    assert diversify(np.array([3.0, 2.0, 2.0, 1.0]), vectors, 4, diversity=0.9).tolist() == [0, 1, 3, 2]


def test_an_opposite_item_is_more_welcome_than_a_perpendicular_one():
    assert diversify(np.array([3.0, 2.0, 2.0]), np.stack([A, B, -A]), 3, diversity=1.0).tolist() == [0, 2, 1]


@pytest.mark.parametrize("k", [0, 1, 3, 5, 99])
def test_as_many_as_asked_for_each_once(k: int):
    found = chosen(0.5, k)
    assert len(found) == min(k, 5) == len(set(found))
    assert found == chosen(0.5)[:k]


def test_nothing_to_choose_from():
    assert diversify(np.zeros(0), np.zeros((0, 3)), 5, diversity=0.5).tolist() == []


def test_scale_and_offset_of_the_scores_change_nothing():
    for diversity in (0.2, 0.3, 0.5):
        shifted = diversify(SCORES * 0.01 - 3, VECTORS, 5, diversity=diversity)
        assert shifted.tolist() == chosen(diversity)
