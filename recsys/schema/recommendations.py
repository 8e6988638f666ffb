"""Recommendations and Scores: what a recommender answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from recsys.schema.columns import ITEM_ID, TITLE
from recsys.schema.profile import Facet, Profile


@dataclass(frozen=True)
class Recommendations:
    """A ranked list for one profile.

    Attributes:
        table: one row per item: rank, item_id, title, score, probability (``NaN`` if not calibrated), then one column
            per facet key; each row's facet columns sum to its score.
        facets: the facets of those columns, in order.
        warnings: sentences about the profile that a reader should know.
        timings: stage to milliseconds.
        popularity: weight of the prior that the list was made with.
        by_view: ``(k, n_facets, n_views)``, what each view of an item adds to each part; over the views of ``views`` they sum to
            the contributions.
        views: the views of an item, then ``learned`` and ``prior`` where the scorer has them.
        diversity: 0 where ranks follow the scores, up to 1.
    """

    profile: Profile
    table: pd.DataFrame
    facets: tuple[Facet, ...]
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    popularity: float = 1.0
    diversity: float = 0.0
    by_view: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    views: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    @property
    def contributions(self) -> pd.DataFrame:
        """The facet columns alone, ``(k, n_facets)``."""
        return self.table[[facet.key for facet in self.facets]]

    def to_records(self) -> list[dict[str, Any]]:
        """Returns the list as plain JSON values: rank, item_id, title, score, probability, contributions by facet and by view."""
        parts = self.contributions.to_dict("records")
        views = [dict(zip(self.views, sums, strict=True)) for sums in self.by_view.sum(axis=1).tolist()]
        rows: list[dict[Any, Any]] = self.table[["rank", ITEM_ID, TITLE, "score", "probability"]].to_dict("records")
        for row, contributions, shares in zip(rows, parts, views or [{}] * len(rows), strict=True):
            row["probability"] = None if pd.isna(row["probability"]) else row["probability"]
            row["contributions"] = contributions
            row["views"] = shares
        return rows


@dataclass(frozen=True)
class Influence:
    """How much of a list is due to what.

    Attributes:
        shares: kind of facet to its share of the absolute contributions above the average item, summing to 1 (all 0 where
            nothing contributes).
        usual: item_ids that the prior alone, as learned, would show in the same place, equally diverse.
        shown: item_ids of the list.
    """

    shares: Mapping[str, float]
    usual: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def n_shared(self) -> int:
        """How many of the shown items the prior alone would show as well."""
        return len(set(self.usual) & set(self.shown))

    @property
    def changes_nothing(self) -> bool:
        """Whether the profile makes no difference: the prior alone shows the same items in the same order."""
        return self.usual == self.shown


@dataclass(frozen=True)
class Scores:
    """The score of every item for one profile; ``values`` is ``(n_items,)``, row = item_row."""

    item_ids: tuple[str, ...]
    values: np.ndarray

    def rank_of(self, item_row: int) -> int:
        """Returns the rank from 1; ties go to the smaller item_id."""
        own = self.values[item_row]
        return 1 + int((self.values > own).sum()) + int((self.values[:item_row] == own).sum())
