"""Intervals: how sure a mean is, by the bootstrap."""

from dataclasses import dataclass

import numpy as np

from recsys.errors import DataError

_LOW, _HIGH = 2.5, 97.5
_CELLS = 5_000_000
"""Drawn at once, so that memory stays bounded."""


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % percentile bootstrap interval.

    Attributes:
        n: number of users.
    """

    mean: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, float]:
        """Returns mean, low and high as plain JSON values."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def interval(values: np.ndarray, rng_seed: int = 0, n: int = 2000) -> Interval:
    """Returns the mean of one value per user with its interval; all ``NaN`` for no users.

    Args:
        values: ``(n_users,)``, finite.
        rng_seed: the same seed gives the same interval.
        n: number of resamples.

    Raises:
        DataError: for a value that is not finite.
    """
    found = np.asarray(values, np.float64).ravel()
    if not len(found):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    if not np.isfinite(found).all():
        user = int(np.flatnonzero(~np.isfinite(found))[0])
        raise DataError("A value to be averaged is not a number", f"user {user}", fix="Leave unknown values out first.")
    rng = np.random.default_rng(rng_seed)
    size = max(1, _CELLS // len(found))
    means = [_means(found, min(size, n - start), rng) for start in range(0, n, size)]
    low, high = np.percentile(np.concatenate(means), [_LOW, _HIGH])
    return Interval(float(found.mean()), float(low), float(high), len(found))


def paired_difference(a: np.ndarray, b: np.ndarray, rng_seed: int = 0, n: int = 2000) -> Interval:
    """Returns the mean of ``a - b`` over the same users with its interval.

    Raises:
        DataError: if the two are not equally long.
    """
    if np.shape(a) != np.shape(b):
        fix = "Compare the values of the same users in the same order."
        raise DataError("The two sets of values do not pair up", f"{np.shape(a)} and {np.shape(b)}", fix=fix)
    return interval(np.subtract(a, b, dtype=np.float64), rng_seed, n)


def _means(values: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return values[rng.integers(0, len(values), (n, len(values)))].mean(axis=1)
