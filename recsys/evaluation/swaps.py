"""The same real people with another gender, or of another age: what that alone changes in their lists."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.intervals import Interval, interval
from recsys.recommender import Recommender
from recsys.schema import AGE, GENDER, Dataset, Profile
from recsys.settings import MAX_AGE
from recsys.whatif import ListConfig, Panel, overlap, rank_biased_overlap
from recsys.whatif.lists import exposure

FLAGGED_BELOW = 0.8
"""The four-fifths rule of thumb: a flag that asks for a look, and no proof of anything."""
LENGTH = 20
_SEEN = 0.02
_DRAWS = 2000


@dataclass(frozen=True)
class Swap:
    """What becomes of a group's lists when one fact of each person is another, as means over the people.

    Attributes:
        facet: ``gender`` or ``age``.
        group: of people, as they are.
        overlap: share of the first ten items that both lists show.
        rank_biased: rank-biased overlap of the first twenty.
        jaccard: items in both lists of twenty over items in either.
        category: whose exposure changes most, ``None`` without categories; of those with 2 % of the attention or more.
        ratio: the smaller exposure of that category over the larger one, in [0, 1]; its interval is of this category alone,
            chosen because it is the lowest, so that it looks somewhat worse than it is.
    """

    facet: str
    group: str
    overlap: Interval
    rank_biased: Interval
    jaccard: Interval
    category: str | None
    ratio: Interval | None

    @property
    def is_flagged(self) -> bool:
        """Whether the lists share so little, or one category so loses its place, that somebody should look."""
        return self.jaccard.mean < FLAGGED_BELOW or (self.ratio is not None and self.ratio.mean < FLAGGED_BELOW)


def swap_lists(
    recommender: Recommender,
    profiles: Sequence[Profile],
    groups: dict[str, dict[str, np.ndarray]],
    ages: dict[str, float],
    *,
    k: int = 10,
    seed: int = 0,
) -> list[Swap]:
    """Returns what swapping the gender or the age changes, for every group by gender or by age.

    Each person is asked about once more, with a gender, or an age of another band, that is drawn by lot.

    Args:
        groups: by ``gender`` and ``age``: name to ``(n_profiles,)`` of bool.
        ages: name of every band that is swapped in to the age that stands for it.
    """
    rng, found = np.random.default_rng(seed), []
    before = _lists(recommender, profiles)
    genders = [name for name in groups.get(GENDER, {}) if name in recommender.dataset.genders]
    others: dict[str, Callable[[Profile, str], Profile | None]] = {
        GENDER: lambda profile, group: _other_gender(profile, genders, rng),
        AGE: lambda profile, group: _other_age(profile, group, ages, rng),
    }
    for facet, swapped in others.items():
        own = groups.get(facet, {})
        asked = [
            (row, other)
            for group, inside in own.items()
            for row in np.flatnonzero(inside).tolist()
            if (other := swapped(profiles[row], group)) is not None
        ]
        after = dict(zip((row for row, _ in asked), _lists(recommender, [p for _, p in asked]), strict=True))
        for group, inside in own.items():
            pairs = [(before[row], after[row]) for row in np.flatnonzero(inside).tolist() if row in after]
            if pairs:
                found.append(_swap(recommender.dataset, facet, group, pairs, k))
    return found


def _other_gender(profile: Profile, genders: Sequence[str], rng: np.random.Generator) -> Profile | None:
    rest = [gender for gender in genders if gender != profile.gender]
    return replace(profile, gender=rest[rng.integers(len(rest))]) if profile.gender and rest else None


def _other_age(profile: Profile, group: str, ages: dict[str, float], rng: np.random.Generator) -> Profile | None:
    rest = [age for name, age in ages.items() if name != group]
    known = profile.age is not None and profile.age <= MAX_AGE
    return replace(profile, age=rest[rng.integers(len(rest))]) if known and rest else None


def _lists(recommender: Recommender, profiles: Sequence[Profile]) -> list[np.ndarray]:
    return [rows[rows >= 0] for rows in Panel.from_profiles(recommender, profiles, ListConfig(k=LENGTH)).top]


def _swap(dataset: Dataset, facet: str, group: str, pairs: list[tuple[np.ndarray, np.ndarray]], k: int) -> Swap:
    shared = np.array([overlap(first[:k], second[:k]) for first, second in pairs])
    ranked = np.array([rank_biased_overlap(first, second) for first, second in pairs])
    jaccard = np.array([_jaccard(first, second) for first, second in pairs])
    category, ratio = _most_changed(dataset, pairs)
    return Swap(facet, group, interval(shared), interval(ranked), interval(jaccard), category, ratio)


def _jaccard(first: np.ndarray, second: np.ndarray) -> float:
    either = len(np.union1d(first, second))
    return len(np.intersect1d(first, second)) / either if either else 1.0


def _most_changed(dataset: Dataset, pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[str | None, Interval | None]:
    """The category whose exposure changes most in proportion, and that proportion."""
    values = np.array([[exposure(dataset, rows) for rows in pair] for pair in pairs])
    means = values.mean(axis=0)
    seen = np.flatnonzero(means.max(axis=0) >= _SEEN) if values.shape[2] else np.zeros(0, int)
    if not len(seen):
        return None, None
    worst = seen[np.argmin(_proportion(means[:, seen]))]
    drawn = np.random.default_rng(0).integers(0, len(pairs), (_DRAWS, len(pairs)))
    ratios = _proportion(values[:, :, worst][drawn].mean(axis=1).T)
    low, high = np.percentile(ratios, [2.5, 97.5])
    mean = float(_proportion(means[:, [worst]])[0])
    return dataset.categories[worst], Interval(mean, float(low), float(high), len(pairs))


def _proportion(means: np.ndarray) -> np.ndarray:
    """The smaller of two rows over the larger one; 1 where both are 0."""
    low, high = means.min(axis=0), means.max(axis=0)
    return np.where(high > 0, low / np.maximum(high, 1e-12), 1.0)
