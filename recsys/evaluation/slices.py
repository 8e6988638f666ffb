"""How good it is for whom: any measure by gender and by age band, and for people like a profile."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys.evaluation.evaluation import HEADLINE, OURS, Evaluation
from recsys.intervals import Interval, interval
from recsys.schema import AGE, GENDER, USER_ID, Dataset, Profile

MIN_GROUP = 20
"""Smaller groups are merged, never shown alone."""
N_NEAREST = 50
_AGE_EDGES = (18, 25, 35, 45, 55)
_BANDS = ("under 18", *(f"{a} to {b - 1}" for a, b in pairwise(_AGE_EDGES)), "55 and over")
_UNKNOWN, _OTHER = "unknown", "others"
_YEARS_APART, _OTHER_GENDER, _OTHER_ATTRIBUTE = 10.0, 1.0, 0.5


class Slice(NamedTuple):
    """One group of test users and its mean."""

    group: str
    value: Interval


def slices(evaluation: Evaluation, dataset: Dataset, by: str, *, method: str, level: str, measure: str) -> list[Slice]:
    """Returns the mean of a measure in each group of test users.

    Args:
        by: ``age`` or ``gender``.

    Returns:
        One slice per group; none at all where fewer than 20 users were tested.
    """
    values = evaluation.values(method, level, measure)
    if values is None or len(values) < MIN_GROUP:
        return []
    groups = merge_small(_groups(_people(evaluation, dataset, method, level), by))
    known = np.isfinite(values)
    order = [*_BANDS, *sorted(set(groups) - {*_BANDS, _UNKNOWN, _OTHER}), _UNKNOWN, _OTHER]
    present = [group for group in order if (groups == group).any()]
    return [Slice(group, interval(values[known & (groups == group)])) for group in present]


def _people(evaluation: Evaluation, dataset: Dataset, method: str, level: str) -> pd.DataFrame:
    return dataset.users.set_index(USER_ID).reindex(evaluation.user_ids(method, level))


def _groups(people: pd.DataFrame, by: str) -> np.ndarray:
    if by not in people:
        return np.full(len(people), _UNKNOWN, dtype=object)
    if by == GENDER:
        return people[GENDER].fillna(_UNKNOWN).to_numpy(object)
    ages = people[AGE].to_numpy(float)
    bands = np.array(_BANDS, dtype=object)[np.searchsorted(_AGE_EDGES, np.nan_to_num(ages), side="right")]
    return np.where(np.isnan(ages), _UNKNOWN, bands)


def merge_small(groups: np.ndarray) -> np.ndarray:
    """Returns the groups with every one below 20 users merged into ``others``, with the next smallest if need be."""
    merged = np.array(groups, dtype=object)
    counts = pd.Series(merged).value_counts()
    small = [group for group in counts.index[::-1] if counts[group] < MIN_GROUP]
    if not small:
        return merged
    rest = [group for group in counts.index[::-1] if group not in small]
    while sum(counts[group] for group in small) < MIN_GROUP and rest:
        small.append(rest.pop(0))
    merged[np.isin(merged, small)] = _OTHER
    return merged


@dataclass(frozen=True)
class Nearest:
    """How good lists were for the test users who resemble a profile.

    Attributes:
        level: the level of the evaluation that reveals as much as the profile does.
        value: mean of the measure over them.
        everyone: the same over all test users.
    """

    level: str
    measure: str
    value: Interval
    everyone: Interval


def nearest(
    evaluation: Evaluation, dataset: Dataset, profile: Profile, measure: str = HEADLINE, *, method: str = OURS
) -> Nearest | None:
    """Returns the held-out measure of the 50 test users who are closest in age, gender and attributes, ties included.

    Ten years of age count as much as another gender, and twice as much as another value of an attribute; what a
    user does not tell counts as half a difference. ``None`` where the profile tells none of them, the evaluation has no
    fitting level or method, or fewer than 20 users.
    """
    if profile.age is None and profile.gender is None and not profile.attributes:
        return None
    level = fitting_level(evaluation, profile)
    values = None if level is None else evaluation.values(method, level, measure)
    if level is None or values is None:
        return None
    people = _people(evaluation, dataset, method, level)
    apart = _gap(people, AGE, profile.age, _YEARS_APART) + _gap(people, GENDER, profile.gender, None) * _OTHER_GENDER
    for name, value in profile.attributes.items():
        apart = apart + _gap(people, name, value, None) * _OTHER_ATTRIBUTE
    if len(apart) < MIN_GROUP:
        return None
    closest = apart <= np.sort(apart)[min(N_NEAREST, len(apart)) - 1]
    return Nearest(level, measure, interval(values[closest]), interval(values))


def fitting_level(evaluation: Evaluation, profile: Profile) -> str | None:
    """Returns the richest level that reveals no more liked items, and no interests where the profile has none of either."""
    liked = [level for level in evaluation.levels if level.startswith("+") and int(level[1:]) <= len(profile.liked)]
    if liked:
        return liked[-1]
    wanted = "demographics+interests" if profile.interests else "demographics"
    return wanted if wanted in evaluation.levels else None


def _gap(people: pd.DataFrame, name: str, value: float | str | None, unit: float | None) -> np.ndarray:
    """0 for the same, 1 for another (ages in units); half where a user is unknown, 0 where the profile says nothing."""
    if value is None or name not in people:
        return np.zeros(len(people))
    known = people[name]
    gaps = (known - float(value)).abs() / unit if unit else (known.astype(object) != value).astype(float)
    return np.where(known.isna(), 0.5, gaps.to_numpy(float))
