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

N_DRAWS = 1000
POWER = 0.8
_Z_POWER, _Z_TAIL, _TAIL = 0.8416, 2.5758, 0.99
_MOST_PEOPLE = 20_000
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
    found, errors = _differences(inside, values)
    by_chance, ratios = _by_chance(inside, values, n_draws, seed), _ratio(found, errors)
    margins, p, is_found = np.empty_like(ratios), np.empty_like(ratios), np.empty(ratios.shape, bool)
    first = 0
    for size, alpha in families or (Family(len(measures), 0.05),):
        own = slice(first, first := first + size)
        scale, limit, p[:, own] = _against_chance(ratios[:, own], by_chance[:, :, own], alpha)
        margins[:, own] = limit * scale * errors[:, own]
        is_found[:, own] = p[:, own] <= alpha
    rests = (1 - inside) @ values / (1 - inside).sum(axis=1)[:, None]
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


def _differences(inside: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each group's mean less that of everyone else, and its standard error (Welch), both ``(n_groups, n_measures)``."""
    centred = values - values.mean(axis=0)  # so that squares do not drown in the square of the mean
    return _from_sums(inside, np.hstack([centred, centred**2]))


def _from_sums(inside: np.ndarray, both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n_measures = both.shape[1] // 2
    own, n_own = inside @ both, np.maximum(inside.sum(axis=1)[:, None], 1)  # a sample may hold nobody of a group
    rest, n_rest = both.sum(axis=0) - own, np.maximum(inside.shape[1] - n_own, 1)
    means, others = own[:, :n_measures] / n_own, rest[:, :n_measures] / n_rest
    spread = own[:, n_measures:] / n_own - means**2
    spread_others = rest[:, n_measures:] / n_rest - others**2
    known = np.maximum(spread, 0) / np.maximum(n_own - 1, 1) + np.maximum(spread_others, 0) / np.maximum(n_rest - 1, 1)
    return means - others, np.sqrt(known)


def _ratio(found: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """How many standard errors a difference is; 0 where there is none, also if nobody's values differ."""
    tiny = 1e-12
    return np.where(np.abs(found) > tiny, np.abs(found) / np.maximum(errors, tiny), 0.0)


def _by_chance(inside: np.ndarray, values: np.ndarray, n_draws: int, seed: int) -> np.ndarray:
    """``(n_draws, n_groups, n_measures)``: the ratios where it is drawn by lot whose values are whose."""
    rng = np.random.default_rng(seed)
    if values.shape[0] > _MOST_PEOPLE:
        some = rng.choice(values.shape[0], _MOST_PEOPLE, replace=False)
        inside, values = inside[:, some], values[some]
    centred = values - values.mean(axis=0)
    both = np.hstack([centred, centred**2])
    drawn = [_ratio(*_from_sums(inside[:, rng.permutation(len(values))], both)) for _ in range(n_draws)]
    return np.array(drawn)


def _against_chance(ratios: np.ndarray, by_chance: np.ndarray, alpha: float) -> tuple[np.ndarray, float, np.ndarray]:
    """Returns the scale of each ratio, the limit of all scaled ratios, and the adjusted p of each.

    A small group in which a measure is rare has a far longer tail than others; unscaled, it would raise the limit for all.
    """
    everything = np.concatenate([ratios[None], by_chance]).reshape(len(by_chance) + 1, -1)
    scale = np.maximum(np.quantile(everything, _TAIL, axis=0) / _Z_TAIL, 1e-12)
    scaled = everything / scale
    largest = np.sort(scaled[1:].max(axis=1))  # the largest comparison of each world without differences
    p = (1 + len(largest) - np.searchsorted(largest, scaled[0])) / (1 + len(largest))
    allowed = int(alpha * (1 + len(largest)) + 1e-9)  # so many of the worlds, this one included, may be as large
    limit = float(largest[-allowed]) if allowed else float("inf")
    return scale.reshape(ratios.shape), limit, p.reshape(ratios.shape)
