import numpy as np
import pytest

from recsys.errors import DataError
from recsys.intervals import Interval, interval, paired_difference


def test_equal_values_leave_no_doubt():
    assert interval(np.full(7, 0.25)) == Interval(0.25, 0.25, 0.25, 7)


def test_half_ones_by_hand():
    # the mean of n coin flips has standard error 0.5 / sqrt(n) = 0.025, so the interval is 0.5 -+ 1.96 * 0.025
    found = interval(np.repeat([0.0, 1.0], 200))
    assert found.mean == 0.5
    assert found.low == pytest.approx(0.451, abs=0.006)
    assert found.high == pytest.approx(0.549, abs=0.006)


def test_covers_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(0)
    draws = [interval(rng.exponential(size=100), n=400) for _ in range(200)]
    covered = np.mean([found.low <= 1 <= found.high for found in draws])
    assert 0.88 <= covered <= 0.98


def test_same_seed_same_interval_whatever_the_size_of_a_chunk(monkeypatch):
    values = np.random.default_rng(1).random(50)
    found = interval(values, rng_seed=3)
    assert found == interval(values, rng_seed=3) != interval(values, rng_seed=4)
    monkeypatch.setattr("recsys.intervals._CELLS", 170)
    assert interval(values, rng_seed=3) == found


def test_pairs_remove_what_users_have_in_common():
    rng = np.random.default_rng(2)
    base = rng.random(100)
    found = paired_difference(base + 0.1, base)
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert paired_difference(base, base + 0.1).high < 0
    alone = interval(base + 0.1)
    assert alone.high - alone.low > 0.05


def test_difference_of_booleans():
    assert paired_difference(np.array([True, True]), np.array([False, False])).mean == 1


def test_no_users():
    found = interval(np.zeros(0))
    assert found.n == 0
    assert np.isnan([found.mean, found.low, found.high]).all()


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="user 1"):
        interval(np.array([0.0, np.nan]))
    with pytest.raises(DataError, match=r"\(2,\) and \(3,\)"):
        paired_difference(np.zeros(2), np.zeros(3))


def test_to_dict():
    assert Interval(0.5, 0.4, 0.6, 9).to_dict() == {"mean": 0.5, "low": 0.4, "high": 0.6}
