"""Numbers about lists, each worked by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.whatif.lists import category_shares, exposure, mean_likes, mean_price, overlap, rank_biased_overlap


def rows(*found):
    return np.array(found, int)


def test_overlap_is_the_share_of_the_longer_list():
    assert overlap(rows(1, 2, 3, 4), rows(4, 9, 1, 8)) == 0.5
    assert overlap(rows(1, 2), rows(1, 2, 3, 4)) == 0.5
    assert overlap(rows(), rows()) == 1
    assert overlap(rows(), rows(1)) == 0


def test_rank_biased_overlap_by_hand():
    # lists of two, p = 0.5: (1 - p) / p * (X1 / 1 * p + X2 / 2 * p**2) + X2 / 2 * p**2
    assert rank_biased_overlap(rows(1, 2), rows(2, 1), 0.5) == pytest.approx(0 + 0.25 + 0.25)
    assert rank_biased_overlap(rows(1, 2), rows(1, 3), 0.5) == pytest.approx(0.5 + 0.125 + 0.125)
    assert rank_biased_overlap(rows(1, 2), rows(3, 4)) == 0
    assert rank_biased_overlap(rows(5, 6, 7), rows(5, 6, 7)) == pytest.approx(1)


def test_rank_biased_overlap_of_uneven_lists_follows_equation_32():
    # s = 1, l = 2, p = 0.5, lists (1) and (1, 2): X1 = X2 = 1
    expected = (0.5 / 0.5) * (1 * 0.5 + 0.5 * 0.25 + 1 * (2 - 1) / (1 * 2) * 0.25) + ((1 - 1) / 2 + 1 / 1) * 0.25
    assert rank_biased_overlap(rows(1), rows(1, 2), 0.5) == pytest.approx(expected)
    assert rank_biased_overlap(rows(1, 2), rows(1), 0.5) == pytest.approx(expected)
    assert rank_biased_overlap(rows(), rows(1)) == 0
    assert rank_biased_overlap(rows(), rows()) == 1


def test_agreement_at_the_top_counts_more():
    top, bottom = rank_biased_overlap(rows(1, 2, 3), rows(1, 8, 9)), rank_biased_overlap(rows(1, 2, 3), rows(8, 9, 3))

    assert overlap(rows(1, 2, 3), rows(1, 8, 9)) == overlap(rows(1, 2, 3), rows(8, 9, 3))
    assert top > bottom


def test_categories_likes_and_prices(toy):
    assert dict(zip(toy.categories, category_shares(toy, rows(0, 1, 3, 4)), strict=True)) == {
        "comedy": 0, "romance": 0.5, "space": 0.5,
    }  # fmt: skip
    shares = dict(zip(toy.categories, exposure(toy, rows(0, 1)), strict=True))
    assert shares["space"] == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert shares["romance"] == pytest.approx(1 - shares["space"])
    assert mean_likes(toy, rows(0, 1)) == toy.popularity[:2].mean()
    assert math.isnan(mean_likes(toy, rows()))
    assert math.isnan(mean_price(toy, rows(0)))
    priced = replace(toy, items=toy.items.assign(price=[float(n) if n != 2 else None for n in range(12)]))
    assert mean_price(priced, rows(1, 2, 3)) == 2
    assert category_shares(toy, rows()).tolist() == [0, 0, 0] == exposure(toy, rows()).tolist()
