"""Fairness: one facet flipped and everything else equal, over a grid of invented people."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import DataError, shorten
from recsys.intervals import Interval, interval, paired_difference
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, TITLE, Dataset, Profile
from recsys.settings import MAX_INTEREST_LENGTH
from recsys.whatif.lists import PRICE, exposure, mean_likes, mean_price, overlap, rank_biased_overlap
from recsys.whatif.panel import ListConfig, Panel, Progress

AGE_BANDS: dict[str, tuple[float, float]] = {
    "under 25": (0, 24),
    "25–34": (25, 34),
    "35–49": (35, 49),
    "50 and over": (50, float("inf")),
}
"""First and last age of each band, in whole years."""
MAX_GROUPS = 6
_ATTRIBUTE = "attribute:"
_N_AGES, _N_CATEGORIES, _MOST_CATEGORIES = 5, 12, 40


@dataclass(frozen=True)
class Pair:
    """Two groups, and what their lists share; means over the base profiles.

    Attributes:
        overlap: share of the items that both lists show, in [0, 1].
        rank_biased: rank-biased overlap, in [0, 1].
        moved: items of the longer list that are not in the other one.
    """

    first: str
    second: str
    overlap: Interval
    rank_biased: Interval
    moved: Interval


@dataclass(frozen=True)
class GroupMean:
    """A property of the lists of one group, as a mean over the base profiles.

    Attributes:
        difference: this group less the first one, over the same base profiles; ``None`` for the first group itself.
    """

    group: str
    mean: Interval
    difference: Interval | None


@dataclass(frozen=True, eq=False)
class FlipReport:
    """What changes when one facet alone changes.

    The unit that is resampled for an interval is the base profile. The base profiles are a grid of invented people, each
    combination once, and not a sample of anybody: an interval says how much a mean depends on which of them are in the grid, and
    nothing about a population of real people.

    Attributes:
        facet: ``gender``, ``age`` or ``attribute:NAME``.
        groups: labels; the first one is what the others are compared with.
        values: what each group's profiles have, the middle age of an age band.
        bases: the base profiles, without the facet.
        top: ``(n_groups, n_bases, k)`` item_rows, -1 where fewer may be shown.
        overlap: every pair of groups.
        moved: items of k that change, as a mean over pairs of groups.
        exposure: one row per category and group, categories with the largest difference first, at most the 40 that get
            most exposure: ``category``, ``group``, ``mean``, ``low``, ``high`` (see ``lists.exposure``), ``difference`` to the
            first group, ``difference_low``, ``difference_high`` (``NaN`` for the first group). Each interval is of its
            category alone: of many categories, some differ by chance.
        likes: mean number of likes of the listed items, one for each group; over base profiles with a list in every group.
        price: the same of their price, over base profiles with a price in every group; empty where the catalog has none.
        only_for: items that are listed for one group and, in any base profile, for no other: ``item_id``, ``title``, ``group``,
            ``share`` of the group's base profiles that are shown it; largest first.
    """

    facet: str
    groups: tuple[str, ...]
    values: tuple[float | str, ...]
    bases: tuple[Profile, ...]
    k: int
    top: np.ndarray
    overlap: tuple[Pair, ...]
    moved: Interval
    exposure: pd.DataFrame
    likes: tuple[GroupMean, ...]
    price: tuple[GroupMean, ...]
    only_for: pd.DataFrame

    @property
    def n_bases(self) -> int:
        """Number of base profiles."""
        return len(self.bases)

    @property
    def name(self) -> str:
        """The facet in words."""
        return self.facet.removeprefix(_ATTRIBUTE)

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as plain JSON values; unknown numbers are ``None``."""
        exposed = self.exposure.astype(object).where(self.exposure.notna(), None)
        return {
            "facet": self.facet,
            "groups": list(self.groups),
            "values": list(self.values),
            "n_bases": self.n_bases,
            "k": self.k,
            "moved": _values(self.moved),
            "overlap": [
                {
                    "groups": [pair.first, pair.second],
                    "overlap": _values(pair.overlap),
                    "rank_biased_overlap": _values(pair.rank_biased),
                    "moved": _values(pair.moved),
                }
                for pair in self.overlap
            ],
            "exposure": exposed.to_dict("records"),
            "likes": [_group_values(part) for part in self.likes],
            "price": [_group_values(part) for part in self.price],
            "only_for": self.only_for.to_dict("records"),
        }


def flip(
    recommender: Recommender,
    profile: Profile,
    facet: str,
    config: ListConfig | None = None,
    *,
    groups: Sequence[str] | None = None,
    interests: Sequence[tuple[str, ...]] | None = None,
    progress: Progress | None = None,
) -> FlipReport:
    """Flips one facet over a grid of everything else; the profile's attributes and liked items stay as they are.

    The base profiles are every combination of five ages across the dataset's range, its six most frequent genders and some sets
    of interests, without the facet that is flipped. Where the dataset knows no ages or genders, the profile's own is taken.

    Args:
        facet: ``gender``, ``age`` (in ``AGE_BANDS``, each clipped to the dataset's range and represented by its middle age) or
            ``attribute:NAME``.
        groups: at least two of the facet's values, or of the age bands; the six most frequent by default, or all bands.
        interests: sets of interests; by default those of the profile, each of the twelve most frequent categories, and none.
        progress: called with ``("rank profiles", done, in all)``.

    Raises:
        DataError: for a facet or a group that the dataset does not know, fewer than two groups, or no sets of interests.
        UnknownItemError: for a liked item that is not in the catalog.
    """
    config, dataset = config or ListConfig(), recommender.dataset
    values = _chosen(_groups(dataset, facet), groups, facet)
    bases = _bases(dataset, profile, facet, interests)
    tops = []
    for n, value in enumerate(values.values()):
        if progress:
            progress("rank profiles", n * len(bases), len(values) * len(bases))
        flipped = [_with(base, facet, value) for base in bases]
        tops.append(Panel.from_profiles(recommender, flipped, config).top)
    if progress:
        progress("rank profiles", len(values) * len(bases), len(values) * len(bases))
    lists = [[rows[rows >= 0] for rows in top] for top in tops]
    names = tuple(values)
    pairs, moved = _pairs(names, lists)
    likes, prices = (
        np.array([[mean(dataset, rows) for rows in group] for group in lists]) for mean in (mean_likes, mean_price)
    )
    return FlipReport(
        facet=facet,
        groups=names,
        values=tuple(values.values()),
        bases=bases,
        k=config.k,
        top=np.stack(tops),
        overlap=pairs,
        moved=moved,
        exposure=_exposure(dataset, names, lists),
        likes=_means(names, likes),
        price=_means(names, prices) if PRICE in dataset.items else (),
        only_for=_only_for(dataset, names, np.stack(tops)),
    )


def _groups(dataset: Dataset, facet: str) -> dict[str, float | str]:
    """Label to value of every group of a facet."""
    name = facet.removeprefix(_ATTRIBUTE)
    if facet == "age" and dataset.age_range:
        return age_bands(*dataset.age_range)
    if facet == "gender" and dataset.genders:
        return {value: value for value in dataset.genders}
    if facet.startswith(_ATTRIBUTE) and name in dataset.user_attributes:
        return {value: value for value in dataset.user_attributes[name]}
    known = ["age"] if dataset.age_range else []
    known += ["gender"] if dataset.genders else []
    known += [f"{_ATTRIBUTE}{attribute}" for attribute in dataset.user_attributes]
    fix = f"Flip one of: {', '.join(known)}." if known else "Choose a dataset that knows something about its users."
    raise DataError("The dataset knows no such facet of its users", facet, fix=fix)


def age_bands(youngest: float, oldest: float) -> dict[str, float | str]:
    """Returns the bands that reach into an age range, each with its middle age, in whole years where one is inside."""
    found: dict[str, float | str] = {}
    for label, (first, last) in AGE_BANDS.items():
        if youngest < last + 1 and oldest >= first:
            low = max(first, youngest)
            middle = (low + max(low, min(last, oldest))) / 2
            found[label] = float(np.floor(middle)) if np.floor(middle) >= low else middle
    return found


def _chosen(known: dict[str, float | str], groups: Sequence[str] | None, facet: str) -> dict[str, float | str]:
    chosen = tuple(dict.fromkeys(groups if groups is not None else tuple(known)[:MAX_GROUPS]))
    some = ", ".join(shorten(label, 40) for label in tuple(known)[:12])
    for label in chosen:
        if label not in known:
            raise DataError(f"The dataset has no such group by {facet}", label, fix=f"Some that exist: {some}.")
    if not 2 <= len(chosen) <= MAX_GROUPS:
        fix = (
            f"Choose 2 to {MAX_GROUPS} of: {some}." if len(known) > 1 else "Flip another facet; this one has one value."
        )
        raise DataError(f"This number of groups by {facet} cannot be compared", len(chosen), fix=fix)
    return {label: known[label] for label in chosen}


def _bases(
    dataset: Dataset, profile: Profile, facet: str, interests: Sequence[tuple[str, ...]] | None
) -> tuple[Profile, ...]:
    ages = _ages(dataset) or (profile.age,)
    genders = dataset.genders[:MAX_GROUPS] or (profile.gender,)
    if facet == "age":
        ages = (None,)
    if facet == "gender":
        genders = (None,)
    usual = [(name[:MAX_INTEREST_LENGTH],) for name in dataset.categories[:_N_CATEGORIES]]
    sets = dict.fromkeys([profile.interests, *usual, ()] if interests is None else map(tuple, interests))
    if not sets:
        fix = "Give at least one set of interests; an empty one counts."
        raise DataError("There are no sets of interests to compare over", 0, fix=fix)
    kept = {name: value for name, value in profile.attributes.items() if f"{_ATTRIBUTE}{name}" != facet}
    people = product(ages, genders, sets)
    found = (Profile(age, gender, kept, texts, profile.liked) for age, gender, texts in people)
    return tuple(dict.fromkeys(found))


def _ages(dataset: Dataset) -> tuple[float, ...]:
    points = np.linspace(*dataset.age_range, _N_AGES).round().tolist() if dataset.age_range else []
    return tuple(dict.fromkeys(points))


def _with(base: Profile, facet: str, value: float | str) -> Profile:
    if facet == "age":
        return replace(base, age=float(value))
    if facet == "gender":
        return replace(base, gender=str(value))
    return replace(base, attributes={**base.attributes, facet.removeprefix(_ATTRIBUTE): str(value)})


_Lists = Sequence[Sequence[np.ndarray]]
"""One list per group and base profile."""


def _pairs(names: Sequence[str], lists: _Lists) -> tuple[tuple[Pair, ...], Interval]:
    """Every pair of groups, and the items that move as a mean over them."""
    found, moves = [], []
    for first, second in combinations(range(len(names)), 2):
        both = list(zip(lists[first], lists[second], strict=True))
        shared = np.array([overlap(a, b) for a, b in both])
        moves.append((1 - shared) * [max(len(a), len(b)) for a, b in both])
        ranked = np.array([rank_biased_overlap(a, b) for a, b in both])
        found.append(Pair(names[first], names[second], interval(shared), interval(ranked), interval(moves[-1])))
    return tuple(found), interval(np.mean(moves, axis=0))


def _exposure(dataset: Dataset, names: Sequence[str], lists: _Lists) -> pd.DataFrame:
    values = np.array([[exposure(dataset, rows) for rows in group] for group in lists])
    means = values.mean(axis=1)
    most = np.argsort(-means.mean(axis=0), kind="stable")[:_MOST_CATEGORIES]
    most = most[means[:, most].any(axis=0)]
    apart = np.abs(means - means[0]).max(axis=0)
    rows = []
    for column in most[np.argsort(-apart[most], kind="stable")]:
        for part in _means(names, values[:, :, column]):
            category, mean = dataset.categories[column], part.mean
            rows.append((category, part.group, mean.mean, mean.low, mean.high, *_told(part.difference)))
    columns = ["category", "group", "mean", "low", "high", "difference", "difference_low", "difference_high"]
    return pd.DataFrame(rows, columns=columns)


def _told(found: Interval | None) -> tuple[float, float, float]:
    return (found.mean, found.low, found.high) if found else (float("nan"),) * 3


def _means(names: Sequence[str], table: np.ndarray) -> tuple[GroupMean, ...]:
    """The means of ``(n_groups, n_bases)`` values, over the base profiles that have one in every group."""
    known = table[:, ~np.isnan(table).any(axis=0)]
    return tuple(
        GroupMean(name, interval(row), paired_difference(row, known[0]) if n else None)
        for n, (name, row) in enumerate(zip(names, known, strict=True))
    )


def _only_for(dataset: Dataset, names: Sequence[str], top: np.ndarray) -> pd.DataFrame:
    counts = np.stack([np.bincount(group[group >= 0], minlength=len(dataset.items)) for group in top])
    groups, rows = np.nonzero(counts * ((counts > 0).sum(axis=0) == 1))
    shares = counts[groups, rows] / top.shape[1]
    order = np.lexsort((rows, groups, -shares))
    items = dataset.items.iloc[rows[order]]
    return pd.DataFrame(
        {
            ITEM_ID: items[ITEM_ID].to_numpy(),
            TITLE: items[TITLE].to_numpy(),
            "group": [names[group] for group in groups[order]],
            "share": shares[order],
        }
    )


def _values(found: Interval) -> dict[str, Any]:
    return {name: None if np.isnan(value) else value for name, value in found.to_dict().items()} | {"n": found.n}


def _group_values(part: GroupMean) -> dict[str, Any]:
    return {
        "group": part.group,
        "mean": _values(part.mean),
        "difference": _values(part.difference) if part.difference else None,
    }
