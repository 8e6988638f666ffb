"""How good it is for whom: any measure by gender and by age band, and for people like a profile."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys.evaluation.evaluation import OURS, Evaluation
from recsys.evaluation.user_table import HEADLINE
from recsys.intervals import Interval, interval
from recsys.schema import AGE, GENDER, USER_ID, Dataset, Profile
from recsys.suppression import hidden_groups

MERGED_BELOW = 20
"""Smaller groups are merged, never shown alone."""
N_NEAREST = 50
_AGE_EDGES = (18, 25, 35, 45, 55)
BANDS = ("under 18", *(f"{a} to {b - 1}" for a, b in pairwise(_AGE_EDGES)), "55 and over")
UNKNOWN, _OTHER = "unknown", "others"
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
    if values is None or np.isfinite(values).sum() < MERGED_BELOW:
        return []
    known = np.isfinite(values)
    groups = merge_small(groups_of(tested_people(evaluation, dataset, method, level)[known], by))
    present = [*in_order(set(groups) - {_OTHER}), *([_OTHER] if (groups == _OTHER).any() else [])]
    return [Slice(group, interval(values[known][groups == group])) for group in present]


def tested_people(evaluation: Evaluation, dataset: Dataset, method: str, level: str) -> pd.DataFrame:
    """Returns what the dataset knows of the test users, in the order of ``Evaluation.values``."""
    return dataset.users.set_index(USER_ID).reindex(evaluation.user_ids(method, level))


def groups_of(people: pd.DataFrame, by: str) -> np.ndarray:
    """Returns each user's group, ``(n_users,)`` of text; the groups by age are the same bands wherever users are counted.

    Were they not, the number of people between two bands' edges could be computed, however few they are.

    Args:
        by: ``age`` or ``gender``.
    """
    if by not in people:
        return np.full(len(people), UNKNOWN, dtype=object)
    if by == GENDER:
        return people[GENDER].fillna(UNKNOWN).astype(str).to_numpy(object)
    ages = people[AGE].to_numpy(float, na_value=np.nan)
    bands = np.array(BANDS, dtype=object)[np.searchsorted(_AGE_EDGES, np.nan_to_num(ages), side="right")]
    return np.where(np.isnan(ages), UNKNOWN, bands)


def in_order(groups: Iterable[str]) -> list[str]:
    """Returns groups as they are shown: bands of age from young to old, others by name, what is unknown last."""
    known = set(groups)
    return [*(band for band in BANDS if band in known), *sorted(known - {*BANDS, UNKNOWN}), *({UNKNOWN} & known)]


def merge_small(groups: np.ndarray) -> np.ndarray:
    """Returns the groups with every one below 20 users merged into ``others``, with the next smallest if need be.

    What ``shown_counts`` hides of the same people is always among them.
    """
    merged = np.array(groups, dtype=object)
    names, counts = count_groups(merged)
    small = counts < MERGED_BELOW
    for place in np.argsort(counts, kind="stable"):
        if small.any() and counts[small].sum() < MERGED_BELOW:
            small[place] = True
    merged[np.isin(merged, names[small])] = _OTHER
    return merged


def count_groups(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the names of groups and their numbers of users, in one order everywhere, so that of equal groups one is hidden."""
    return np.unique(np.asarray(groups, dtype=object).astype(str), return_counts=True)


def shown_counts(groups: np.ndarray) -> dict[str, int | None]:
    """Returns the number of users in each group, in the order of ``in_order``; ``None`` for those that are hidden."""
    names, counts = count_groups(groups)
    hidden = hidden_groups(counts)
    found = {str(name): None if away else int(n) for name, n, away in zip(names, counts, hidden, strict=True)}
    return {name: found[name] for name in in_order(found)}


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
    people = tested_people(evaluation, dataset, method, level)
    apart = _gap(people, AGE, profile.age, _YEARS_APART) + _gap(people, GENDER, profile.gender, None) * _OTHER_GENDER
    for name, value in profile.attributes.items():
        apart = apart + _gap(people, name, value, None) * _OTHER_ATTRIBUTE
    if len(apart) < MERGED_BELOW:
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
