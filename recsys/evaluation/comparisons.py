"""Many groups and many measures compared with everyone else at once, so that chance is not called a difference.

Among a hundred comparisons some look large by chance. Whose values are whose is therefore drawn anew many times, which makes a
world without differences that has the same people, groups and values; a comparison counts only if it is larger than the largest
of all comparisons mostly is in such a world. Then the chance that anything at all is called a difference where there is none is
at most the one that was asked for, however the measures depend on each other.

Source: P. Westfall, S. Young, Resampling-Based Multiple Testing, 1993 (max-T); E. Chung, J. Romano, Exact and asymptotically
robust permutation tests, 2013 (why the differences are divided by their standard errors).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recsys.intervals import Interval

N_DRAWS = 2000
POWER = 0.8
_Z_POWER, _Z_TAIL, _TAIL = 0.8416, 2.5758, 0.99
_MOST_PEOPLE = 10_000
"""More are sampled for the draws: they would take minutes, and change nothing."""


class Family(NamedTuple):
    """Comparisons that are judged together.

    Attributes:
        n_measures: so many columns of the values.
        alpha: chance that any of them is called a difference where there is none.
    """

    n_measures: int
    alpha: float


@dataclass(frozen=True)
class Gap:
    """One group beside everyone else, by one measure.

    Attributes:
        mean: of the group, with its 95 % bootstrap interval over people.
        rest: mean of everyone else.
        difference: of the two; positive where the group has more.
        low: of its simultaneous interval: all differences of a family lie in theirs at once, with a chance of 1 - alpha; zero
            lies outside exactly if the difference is found.
        high: of the same.
        seen_from: a true difference of this size would be found in four of five samples like this; unknown (``NaN``) where
            nobody's values differ.
        p: adjusted for all comparisons of the family.
        is_found: whether it counts as a difference.
    """

    group: str
    measure: str
    mean: Interval
    rest: float
    difference: float
    low: float
    high: float
    seen_from: float
    p: float
    is_found: bool


def compare_groups(
    values: np.ndarray,
    measures: Sequence[str],
    groups: Mapping[str, np.ndarray],
    *,
    families: Sequence[Family] = (),
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> tuple[Gap, ...]:
    """Returns every group's difference to everyone else in every measure, groups first.

    Args:
        values: ``(n_users, n_measures)``, finite.
        groups: name to ``(n_users,)`` of bool; a group of nobody or of everybody has no counterpart and is left out.
        families: of the measures, in order; all of them at 5 % by default.
        n_draws: of a world without differences; more than 1 / alpha, or nothing can be found.
    """
    kept = {name: own for name, own in groups.items() if 0 < own.sum() < len(own)}
    if not kept or not len(measures):
        return ()
    inside = np.array(list(kept.values()), float)
    means, found, errors, freedom = _differences(inside, _with_squares(values))
    by_chance, sizes = _by_chance(inside, values, n_draws, seed), _sizes(found, errors, freedom)
    margins, p, is_found = np.empty_like(sizes), np.empty_like(sizes), np.empty(sizes.shape, bool)
    first = 0
    for size, alpha in families or (Family(len(measures), 0.05),):
        own = slice(first, first := first + size)
        limits, p[:, own] = _against_chance(sizes[:, own], by_chance[:, :, own], alpha)
        margins[:, own] = _errors_of(limits, freedom[:, own]) * errors[:, own]
        is_found[:, own] = p[:, own] <= alpha
    rests = values.mean(axis=0) + means - found
    gaps = []
    for row, (name, members) in enumerate(kept.items()):
        for column, (measure, mean) in enumerate(zip(measures, intervals(values[members]), strict=True)):
            at, reach = (row, column), float(margins[row, column])
            gaps.append(
                Gap(
                    name,
                    measure,
                    mean,
                    rest=float(rests[at]),
                    difference=float(found[at]),
                    low=float(found[at]) - reach,
                    high=float(found[at]) + reach,
                    seen_from=reach + _Z_POWER * float(errors[at]) if errors[at] > 0 else float("nan"),
                    p=float(p[at]),
                    is_found=bool(is_found[at]),
                )
            )
    return tuple(gaps)


def intervals(values: np.ndarray, rng_seed: int = 0, n: int = 2000) -> list[Interval]:
    """Returns what ``recsys.intervals.interval`` does for every column, with the same people drawn for all of them.

    Args:
        values: ``(n_users, n_measures)``, finite, of at least one user.
    """
    n_users, rng = len(values), np.random.default_rng(rng_seed)
    means, size = [], max(1, 5_000_000 // n_users)
    for start in range(0, n, size):
        drawn = rng.integers(0, n_users, (min(size, n - start), n_users))
        counts = np.bincount((drawn + n_users * np.arange(len(drawn))[:, None]).ravel(), minlength=drawn.size)
        means.append(counts.reshape(drawn.shape) @ values / n_users)
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5], axis=0)
    parts = zip(values.mean(axis=0), low, high, strict=True)
    return [Interval(float(mean), float(first), float(last), n_users) for mean, first, last in parts]


def _with_squares(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)  # so that squares do not drown in the square of the mean
    return np.hstack([centred, centred**2])


def _differences(inside: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Each group's mean, what it is more than that of everyone else, the standard error of that, and its degrees of freedom.

    All are ``(n_groups, n_measures)``. Source: B. Welch, The generalization of Student's problem, 1947.
    """
    n_measures = both.shape[1] // 2
    own, n_own = inside @ both, inside.sum(axis=1)[:, None]
    rest, n_rest = both.sum(axis=0) - own, inside.shape[1] - n_own
    n_own, n_rest = np.maximum(n_own, 1), np.maximum(n_rest, 1)  # a sample may hold nobody of a group
    means, others = own[:, :n_measures] / n_own, rest[:, :n_measures] / n_rest
    less, less_rest = np.maximum(n_own - 1, 1), np.maximum(n_rest - 1, 1)
    part = np.maximum(own[:, n_measures:] / n_own - means**2, 0) / less
    part_rest = np.maximum(rest[:, n_measures:] / n_rest - others**2, 0) / less_rest
    known = part + part_rest
    freedom = known**2 / np.maximum(part**2 / less + part_rest**2 / less_rest, 1e-300)
    return means, means - others, np.sqrt(known), np.maximum(freedom, 1)


def _sizes(found: np.ndarray, errors: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """How large differences are: as many standard errors as would be as rare if the errors were known exactly.

    Those of a small group are not, so its differences are larger by chance. 0 where there is none, also if nobody's values
    differ. Source: D. Wallace, Bounds on normal approximations to Student's distribution, 1959.
    """
    ratios = np.where(np.abs(found) > 1e-12, np.abs(found) / np.maximum(errors, 1e-12), 0.0)
    return (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(ratios**2 / freedom))


def _errors_of(sizes: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """The other way around: how many standard errors a difference of this size is."""
    powers = (sizes * (8 * freedom + 3) / (8 * freedom + 1)) ** 2 / freedom
    return np.sqrt(freedom * np.expm1(np.minimum(powers, 700)))


def _by_chance(inside: np.ndarray, values: np.ndarray, n_draws: int, seed: int) -> np.ndarray:
    """``(n_draws, n_groups, n_measures)``: the sizes of differences where it is drawn by lot whose values are whose."""
    rng = np.random.default_rng(seed)
    if len(values) > _MOST_PEOPLE:
        some = rng.choice(len(values), _MOST_PEOPLE, replace=False)
        inside, values = inside[:, some], values[some]
    both = _with_squares(values)
    drawn = [_differences(inside[:, rng.permutation(len(values))], both)[1:] for _ in range(n_draws)]
    return _sizes(*(np.array(part) for part in zip(*drawn, strict=True)))


def _against_chance(sizes: np.ndarray, by_chance: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the size from which on each difference is found, and the adjusted p of each.

    Where a measure is rare in a small group, chance reaches far; unscaled, that would raise the limit for all.
    """
    everything = np.concatenate([sizes[None], by_chance]).reshape(len(by_chance) + 1, -1)
    scale = np.maximum(np.quantile(everything, _TAIL, axis=0) / _Z_TAIL, 1)
    scaled = everything / scale
    largest = np.sort(scaled[1:].max(axis=1))  # the largest difference of each world without any
    p = (1 + len(largest) - np.searchsorted(largest, scaled[0])) / (1 + len(largest))
    allowed = int(alpha * (1 + len(largest)) + 1e-9)  # so many of the worlds, this one included, may be as large
    limit = float(largest[-allowed]) if allowed else float("inf")
    return (scale * limit).reshape(sizes.shape), p.reshape(sizes.shape)
