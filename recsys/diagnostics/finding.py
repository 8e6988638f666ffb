"""One diagnosis, and the table of items that it shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from recsys.schema import CATEGORIES, ITEM_ID, Dataset


@dataclass(frozen=True, eq=False)
class Finding:
    """One diagnosis.

    Attributes:
        key: stable name.
        title: what was looked at.
        is_issue: whether somebody should look at it.
        figures: named numbers.
        meaning: what the numbers mean.
        advice: what to do about it.
        items: a table of the items concerned, worst first; may be empty.
    """

    key: str
    title: str
    is_issue: bool
    figures: dict[str, float]
    meaning: str
    advice: str
    items: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Returns the finding as plain JSON values."""
        figures = {name: None if np.isnan(value) else round(float(value), 6) for name, value in self.figures.items()}
        rows = self.items.astype(object).where(self.items.notna(), None).to_dict("records")
        return {
            "key": self.key,
            "title": self.title,
            "is_issue": self.is_issue,
            "figures": figures,
            "meaning": self.meaning,
            "advice": self.advice,
            "items": rows,
        }


def rank_correlation(left: np.ndarray, right: np.ndarray) -> float:
    """Returns Spearman's correlation, 0 where one side does not vary."""
    if len(left) < 3 or left.std() < 1e-12 or right.std() < 1e-12:
        return 0.0
    return float(stats.spearmanr(left, right).statistic)


def table_of(dataset: Dataset | None, rows: np.ndarray, **columns: Any) -> pd.DataFrame:
    """Returns a table of items, with further columns; an empty one without a dataset."""
    if dataset is None:
        return pd.DataFrame()
    ids = dataset.items[ITEM_ID].to_numpy()
    frame = pd.DataFrame({ITEM_ID: [str(ids[row]) for row in rows], "item": [dataset.labels[row] for row in rows]})
    for name, values in columns.items():
        frame[name] = values
    if CATEGORIES in dataset.items and len(rows):
        frame[CATEGORIES] = [", ".join(names) for names in dataset.items[CATEGORIES].iloc[rows]]
    return frame
