"""What an item's content says before anybody has interacted with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.schema import YEAR, Dataset
from recsys.scorer.basis import hat_basis
from recsys.views.view import ItemView

_SAMPLE = 20_000
_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_SCALES = (0.3, 1.0, 3.0)
_WIDEST = 128
"""Columns that a view enters a ridge with, at most: its main directions."""
Scales = Mapping[str, float]
"""For each view how large its columns are beside the text's: a ridge charges small columns more. 0 leaves the view out."""


@dataclass(frozen=True, eq=False)
class ViewColumns:
    """A view of all items as columns of a ridge.

    Attributes:
        name: of the view.
        values: ``(n_items, p)`` float64, centred on the items that have the view, zero for those that lack it.
        centre: ``(dim,)``, the mean vector of the items that have it.
        directions: ``(dim, p)``, the main directions of the centred vectors, of unit length.
    """

    name: str
    values: np.ndarray
    centre: np.ndarray
    directions: np.ndarray

    @classmethod
    def from_view(cls, view: ItemView) -> "ViewColumns":
        """Takes the main directions of a view, at most 128."""
        known = np.flatnonzero(view.has)
        sample = known[:: max(1, len(known) // _SAMPLE)]
        centre = np.asarray(view.vectors[known].mean(axis=0, dtype=np.float64)) if len(known) else np.zeros(view.dim)
        shown = np.asarray(view.vectors[sample], np.float64) - centre
        values, vectors = np.linalg.eigh(shown.T @ shown)
        kept = np.flatnonzero(values > 1e-9 * max(values.max(initial=0.0), 1e-300))[::-1][:_WIDEST]
        directions = vectors[:, kept]
        columns = np.zeros((len(view.vectors), len(kept)))
        columns[known] = (np.asarray(view.vectors[known], np.float64) - centre) @ directions
        return cls(view.name, columns, centre, directions)


@dataclass(frozen=True, eq=False)
class Content:
    """Items as numbers: text embedding, further views, categories, and the year on a hat basis; all centred on the items.

    Attributes:
        text: ``(n_items, dim)`` float64, embeddings divided by ``scale``, less their mean.
        centre: ``(dim,)``, that mean.
        facts: ``(n_items, p)`` float64, categories and year.
        views: those beside the text.
        scale: lets embeddings of any length, as a dataset may bring them, be as long as those of an encoder: penalties are made
            for that. 1 for an encoder's.
    """

    text: np.ndarray
    centre: np.ndarray
    facts: np.ndarray
    views: tuple[ViewColumns, ...] = ()
    scale: float = 1.0

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        item_vectors: np.ndarray,
        views: Mapping[str, ItemView] | None = None,
        *,
        scale: float = 1.0,
    ) -> "Content":
        """Takes the content of every item, cold ones included."""
        text = np.asarray(item_vectors, np.float64) / scale
        facts = [dataset.category_matrix * 0.5]
        if YEAR in dataset.items and dataset.items[YEAR].notna().any():
            years = dataset.items[YEAR].astype("Float64").to_numpy(float, na_value=np.nan)
            knots = np.unique(np.nanquantile(years, np.linspace(0, 1, 9)))
            facts.append(np.nan_to_num(hat_basis(years, knots), nan=1 / len(knots)))
        joined = np.hstack(facts)
        centre = text.mean(axis=0)
        columns = tuple(map(ViewColumns.from_view, (views or {}).values()))
        return cls(text - centre, centre, joined - joined.mean(axis=0), columns, scale)

    def predict(self, values: np.ndarray, weights: np.ndarray, *, seed: int, scales: Scales) -> np.ndarray:
        """Returns ``(n_items,)``: the values as a ridge predicts them from all content.

        Args:
            weights: ``(n_items,)``, how much each value counts; items of weight 0 are predicted only.
        """
        columns = np.hstack([self.text, self.facts, *self._scaled(scales)])
        return np.asarray(_ridge_cv(columns, values, weights, seed).predict(columns))

    def map_views(
        self, values: np.ndarray, weights: np.ndarray, *, seed: int, scales: Scales
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Fits values ``(n_items, k)`` on all views at once.

        Returns:
            The map of centred text embeddings, ``(dim, k)``, and for each further view that of its columns, ``(p, k)``.
        """
        if not values.shape[1]:
            return self.split(np.zeros((self.joined(scales).shape[1], 0)), scales)
        found = _ridge_cv(self.joined(scales), values, weights, seed).coef_
        return self.split(np.asarray(found).reshape(values.shape[1], -1).T, scales)

    def fit_text(self, values: np.ndarray, weights: np.ndarray, *, seed: int) -> tuple[np.ndarray, float]:
        """Fits values ``(n_items,)`` on the text alone.

        Returns:
            Coefficients ``(dim,)`` of centred text embeddings, and the intercept.
        """
        found = _ridge_cv(self.text, values, weights, seed)
        return np.asarray(found.coef_), float(found.intercept_)

    def choose_scales(
        self, values: np.ndarray, weights: np.ndarray, *, seed: int, with_facts: bool
    ) -> dict[str, float]:
        """Returns the scale of each view, one after the other, by which items that were left out are told best.

        Source: leave-one-out errors of a ridge in closed form, as `RidgeCV` has them (G. Golub, M. Heath, G. Wahba, 1979).
        """
        scales = dict.fromkeys((view.name for view in self.views), 0.0)
        base = [self.text, self.facts] if with_facts else [self.text]
        if not values.size or int((weights > 0).sum()) <= 2 * len(_PENALTIES):
            return scales
        best = _left_out_score(np.hstack([*base, *self._scaled(scales)]), values, weights, seed)
        for view in self.views:
            for scale in _SCALES:
                tried = scales | {view.name: scale}
                found = _left_out_score(np.hstack([*base, *self._scaled(tried)]), values, weights, seed)
                if found > best:
                    best, scales = found, tried
        return scales

    def joined(self, scales: Scales) -> np.ndarray:
        """Returns the columns of all views, ``(n_items, dim + p + ...)``; those of further views scaled."""
        return np.hstack([self.text, *self._scaled(scales)]) if self.views else self.text

    def split(self, coefficients: np.ndarray, scales: Scales) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Takes coefficients of ``joined`` apart: the text's, and those of each view for its own, unscaled columns."""
        widths = [self.text.shape[1], *(self._width(view, scales) for view in self.views)]
        parts = np.split(coefficients, np.cumsum(widths)[:-1])
        found = {}
        for view, part in zip(self.views, parts[1:], strict=True):
            is_used = len(part) > 0
            none = np.zeros((view.values.shape[1], coefficients.shape[1]))
            found[view.name] = scales[view.name] * part if is_used else none
        return parts[0], found

    def from_views(self, maps: Mapping[str, np.ndarray]) -> np.ndarray | float:
        """Returns ``(n_items, k)``, what the further views add under their maps; 0 where there are none."""
        return sum((view.values @ maps[view.name] for view in self.views), start=0.0)

    def in_view(self, maps: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the maps of columns as maps of a view's own, centred vectors, ``(dim, k)``."""
        return {view.name: view.directions @ maps[view.name] for view in self.views}

    def _scaled(self, scales: Scales) -> list[np.ndarray]:
        return [scales[view.name] * view.values[:, : self._width(view, scales)] for view in self.views]

    def _width(self, view: ViewColumns, scales: Scales) -> int:
        return view.values.shape[1] if scales[view.name] else 0


def _ridge_cv(columns: np.ndarray, values: np.ndarray, weights: np.ndarray, seed: int) -> Any:
    """A ridge whose penalty is chosen by generalised cross-validation on at most 20,000 items."""
    from sklearn.linear_model import Ridge, RidgeCV

    known, scale = _known(weights, seed)
    if len(known) <= 2 * len(_PENALTIES):
        return Ridge(_PENALTIES[-1]).fit(columns[known], values[known], scale)
    return RidgeCV(_PENALTIES).fit(columns[known], values[known], scale)


def _left_out_score(columns: np.ndarray, values: np.ndarray, weights: np.ndarray, seed: int) -> float:
    return float(_ridge_cv(columns, values, weights, seed).best_score_)


def _known(weights: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    known = np.flatnonzero(weights > 0)
    if len(known) > _SAMPLE:
        known = np.sort(np.random.default_rng(seed).choice(known, _SAMPLE, replace=False))
    return known, weights[known] / weights[known].mean()
