"""What an item's content says before anybody has interacted with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.schema import YEAR, Dataset
from recsys.scorer.basis import hat_basis

_SAMPLE = 20_000
_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


@dataclass(frozen=True)
class Content:
    """Items as numbers: text embedding, categories, and the year on a hat basis; all centred on the items.

    Attributes:
        text: ``(n_items, dim)`` float64, embeddings less their mean.
        centre: ``(dim,)``, that mean.
        facts: ``(n_items, p)`` float64, categories and year.
    """

    text: np.ndarray
    centre: np.ndarray
    facts: np.ndarray

    @classmethod
    def from_dataset(cls, dataset: Dataset, item_vectors: np.ndarray) -> "Content":
        """Takes the content of every item, cold ones included."""
        text = np.asarray(item_vectors, np.float64)
        facts = [dataset.category_matrix * 0.5]
        if YEAR in dataset.items and dataset.items[YEAR].notna().any():
            years = dataset.items[YEAR].astype("Float64").to_numpy(float, na_value=np.nan)
            knots = np.unique(np.nanquantile(years, np.linspace(0, 1, 9)))
            facts.append(np.nan_to_num(hat_basis(years, knots), nan=1 / len(knots)))
        joined = np.hstack(facts)
        centre = text.mean(axis=0)
        return cls(text - centre, centre, joined - joined.mean(axis=0))

    def predict(self, values: np.ndarray, weights: np.ndarray, *, seed: int) -> np.ndarray:
        """Returns ``(n_items,)``: the values as a ridge predicts them from all content.

        Args:
            weights: ``(n_items,)``, how much each value counts; items of weight 0 are predicted only.
        """
        columns = np.hstack([self.text, self.facts])
        return np.asarray(_ridge_cv(columns, values, weights, seed).predict(columns))

    def map_text(self, values: np.ndarray, weights: np.ndarray, *, seed: int) -> np.ndarray:
        """Returns ``(dim, k)``: maps centred text embeddings to ``(n_items, k)`` values."""
        if not values.shape[1]:
            return np.zeros((self.text.shape[1], 0))
        return np.asarray(_ridge_cv(self.text, values, weights, seed).coef_).reshape(values.shape[1], -1).T


def _ridge_cv(columns: np.ndarray, values: np.ndarray, weights: np.ndarray, seed: int) -> Any:
    """A ridge whose penalty is chosen by generalised cross-validation on at most 20,000 items."""
    from sklearn.linear_model import Ridge, RidgeCV

    known = np.flatnonzero(weights > 0)
    if len(known) > _SAMPLE:
        known = np.sort(np.random.default_rng(seed).choice(known, _SAMPLE, replace=False))
    scale = weights[known] / weights[known].mean()
    if len(known) <= 2 * len(_PENALTIES):
        return Ridge(_PENALTIES[-1]).fit(columns[known], values[known], scale)
    return RidgeCV(_PENALTIES).fit(columns[known], values[known], scale)
