"""Two profiles side by side: what enters, what leaves, what moves, and which part of the profile did it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Facet, ItemFilter, Profile, Recommendations
from recsys.whatif.lists import category_shares, mean_likes, mean_price, overlap, rank_biased_overlap


@dataclass(frozen=True)
class PartShift:
    """What one facet adds to an item for A, and for B.

    Attributes:
        kind: kind of the facet.
        label: what changed: ``Age 27 → Age 60``, ``no “war”``, ``now “war”``, or the facet alone where both have it.
    """

    key: str
    kind: str
    label: str
    before: float
    after: float

    @property
    def value(self) -> float:
        """How much more it adds for B."""
        return self.after - self.before


@dataclass(frozen=True)
class Change:
    """One item of either list.

    Attributes:
        title: how the item is called where it must be told apart.
        first_rank, second_rank: by score, among all that may be shown to A and to B; beyond k where it is not listed.
            ``None`` where it may not be shown, because it is liked.
        shifts: by facet, largest first; their values sum to the second score less the first.
        first_place, second_place: from 1, in the list as shown, which diversity may order otherwise; ``None`` where not listed.
    """

    item_id: str
    item_row: int
    title: str
    first_rank: int | None
    second_rank: int | None
    first_score: float
    second_score: float
    shifts: tuple[PartShift, ...]
    first_place: int | None
    second_place: int | None

    @property
    def kind(self) -> str:
        """``entered``, ``left``, ``up``, ``down`` or ``same``."""
        if self.first_place is None or self.second_place is None:
            return "left" if self.second_place is None else "entered"
        return (
            "same"
            if self.first_place == self.second_place
            else "up"
            if self.second_place < self.first_place
            else "down"
        )

    @property
    def shift(self) -> float:
        """The second score less the first."""
        return self.second_score - self.first_score


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two profiles and what tells their lists apart; B is the second.

    Attributes:
        first, second: the two lists.
        changes: every item of either list: first those of the second in their order, then those that left.
        overlap: share of items that both lists show.
        rank_biased_overlap: the same, with the top counting more, in [0, 1].
        categories: one row per category that either list shows: ``category``, ``first``, ``second`` (shares of items), ``shift``.
        likes: mean number of likes of the items of the two lists, ``NaN`` where nothing is known.
        price: mean price of the two lists, ``NaN`` where there are none.
    """

    first: Recommendations
    second: Recommendations
    changes: tuple[Change, ...]
    overlap: float
    rank_biased_overlap: float
    categories: pd.DataFrame
    likes: tuple[float, float]
    price: tuple[float, float]

    def of_kind(self, *kinds: str) -> tuple[Change, ...]:
        """Returns the changes of some kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)

    @cached_property
    def mean_shift(self) -> float:
        """The mean score of the second list less that of the first; ``NaN`` where either is empty."""
        means = [found.table["score"].mean() for found in (self.first, self.second)]
        return float(means[1] - means[0])

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain JSON values."""
        return {
            "first": {"profile": self.first.profile.to_dict(), "recommendations": self.first.to_records()},
            "second": {"profile": self.second.profile.to_dict(), "recommendations": self.second.to_records()},
            "overlap": self.overlap,
            "rank_biased_overlap": self.rank_biased_overlap,
            "mean_score_shift": _or_none(self.mean_shift),
            "mean_likes": [_or_none(value) for value in self.likes],
            "mean_price": [_or_none(value) for value in self.price],
            "categories": self.categories.to_dict("records"),
            "changes": [_values(change) for change in self.changes],
        }


def compare(
    recommender: Recommender,
    first: Profile,
    second: Profile,
    *,
    k: int = 10,
    keep: ItemFilter | None = None,
    popularity: float = 1.0,
    diversity: float = 0.0,
) -> Comparison:
    """Compares the lists of two profiles; all arguments as for ``Recommender.recommend``.

    Raises:
        DataError: for something out of range, or unknown to the dataset.
        UnknownItemError: for a liked item that is not in the catalog.
    """
    profiles = (first, second)
    lists = recommender.recommend_many(profiles, k=k, keep=keep, popularity=popularity, diversity=diversity)
    dataset = recommender.dataset
    rows = [np.array([dataset.item_rows[item_id] for item_id in found.table[ITEM_ID]], int) for found in lists]
    both = np.array(list(dict.fromkeys([*rows[1].tolist(), *rows[0].tolist()])), int)
    shares = [category_shares(dataset, found) for found in rows]
    table = pd.DataFrame({"category": dataset.categories, "first": shares[0], "second": shares[1]})
    table["shift"] = table["second"] - table["first"]
    table = table[(table["first"] > 0) | (table["second"] > 0)]
    return Comparison(
        first=lists[0],
        second=lists[1],
        changes=_changes(recommender, profiles, both, rows, keep, popularity),
        overlap=overlap(rows[0], rows[1]),
        rank_biased_overlap=rank_biased_overlap(rows[0], rows[1]),
        categories=table.sort_values("shift", ascending=False, ignore_index=True, kind="stable"),
        likes=(mean_likes(dataset, rows[0]), mean_likes(dataset, rows[1])),
        price=(mean_price(dataset, rows[0]), mean_price(dataset, rows[1])),
    )


def _changes(
    recommender: Recommender,
    profiles: tuple[Profile, Profile],
    rows: np.ndarray,
    lists: list[np.ndarray],
    keep: ItemFilter | None,
    popularity: float,
) -> tuple[Change, ...]:
    dataset, index = recommender.dataset, recommender.index
    queries = recommender.scorer.queries(profiles, popularity=popularity)
    allowed = [recommender.allowed(profile, keep=keep) for profile in profiles]
    ranks = index.ranks_of(queries, rows, allowed=allowed)
    scores = [index.rescore(query, rows) for query in queries]
    parts = _changing(recommender, profiles, popularity)
    vectors = np.asarray(index.vectors[rows], np.float64)
    values = [[vectors @ side for side in sides] for _, _, sides in parts]
    found = []
    for place, row in enumerate(rows.tolist()):
        shifts = [
            PartShift(facet.key, facet.kind, label, float(before[place]), float(after[place]))
            for (facet, label, _), (before, after) in zip(parts, values, strict=True)
        ]
        found.append(
            Change(
                item_id=str(dataset.items[ITEM_ID].iloc[row]),
                item_row=row,
                title=dataset.labels[row],
                first_rank=int(ranks[0, place]) if allowed[0][row] else None,
                second_rank=int(ranks[1, place]) if allowed[1][row] else None,
                first_score=float(scores[0][place]),
                second_score=float(scores[1][place]),
                shifts=tuple(sorted(shifts, key=lambda part: -abs(part.value))),
                first_place=_place(lists[0], row),
                second_place=_place(lists[1], row),
            )
        )
    return tuple(found)


def _place(rows: np.ndarray, row: int) -> int | None:
    found = np.flatnonzero(rows == row)
    return int(found[0]) + 1 if len(found) else None


def _changing(
    recommender: Recommender, profiles: tuple[Profile, Profile], popularity: float
) -> list[tuple[Facet, str, tuple[np.ndarray, np.ndarray]]]:
    """Every facet that changes, with what it adds to the query of the first profile and of the second."""
    sides = []
    for profile in profiles:
        parts = recommender.scorer.facet_vectors(profile, popularity=popularity)
        named = [recommender.named(facet) for facet in parts.facets]
        sides.append({facet.key: (facet, vector) for facet, vector in zip(named, parts.vectors, strict=True)})
    nothing = np.zeros(recommender.scorer.item_vectors.shape[1])
    found = []
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        (first, before), (second, after) = (side.get(key, (None, nothing)) for side in sides)
        facet = second or first
        if facet is not None and not np.array_equal(before, after):
            found.append((facet, _told(first, second), (before, after)))
    return found


def _told(before: Facet | None, after: Facet | None) -> str:
    if before and after:
        return after.label if before.label == after.label else f"{before.label} → {after.label}"
    return f"no {before.label}" if before else f"now {after.label}" if after else ""


def _values(change: Change) -> dict[str, Any]:
    return {
        "item_id": change.item_id,
        "title": change.title,
        "kind": change.kind,
        "rank": [change.first_rank, change.second_rank],
        "score": [change.first_score, change.second_score],
        "shifts": {part.label: part.value for part in change.shifts},
    }


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


def overlap_matrix(lists: list[np.ndarray], *, ranked: bool = False) -> np.ndarray:
    """Returns ``(n, n)``: the overlap of every two lists, or their rank-biased overlap."""
    measure = rank_biased_overlap if ranked else overlap
    found = np.ones((len(lists), len(lists)))
    for a in range(len(lists)):
        for b in range(a):
            found[a, b] = found[b, a] = measure(lists[a], lists[b])
    return found
