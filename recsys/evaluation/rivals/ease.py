"""EASE: a linear model of which likes go together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import ConfigError
from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.features import known_only, liked_matrix
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.schema import Dataset, Profile

MAX_ITEMS = 20_000
"""A dense matrix of items by items is solved."""
_DOUBLE_UP_TO = 5_000


class Ease:
    """Embarrassingly shallow autoencoder: likes times an item-by-item matrix with a zero diagonal. Source: Steck 2019."""

    name = "ease"
    grid: tuple[Parameters, ...] = tuple(
        {"lambda": weight} for weight in (1000, 100, 300, 3000, 10000, 30000, 100000, 300000)
    )

    def can_use(self, level: Level) -> bool:
        """Where there are liked items."""
        return level.n_liked > 0

    def fit(self, material: Material, parameters: Parameters) -> "_Ease":
        """Solves for the matrix.

        Raises:
            ConfigError: for a catalog of more than 20,000 items.
        """
        likes = material.histories.all_likes
        n_items = likes.shape[1]
        if n_items > MAX_ITEMS:
            fix = f"Leave it out, or use a catalog of at most {MAX_ITEMS:,} items."
            raise ConfigError("The catalog is too large for the rival 'ease'", n_items, fix=fix)
        gram = (likes.T @ likes).toarray().astype(np.float64 if n_items <= _DOUBLE_UP_TO else np.float32)
        popularity = gram.diagonal().copy()
        gram[np.diag_indices(n_items)] += float(parameters["lambda"])
        inverse = np.linalg.inv(gram)
        weights = inverse / -inverse.diagonal()
        np.fill_diagonal(weights, 0)
        return _Ease(material.histories.dataset, weights, popularity)


@dataclass(frozen=True)
class _Ease:
    dataset: Dataset
    weights: np.ndarray
    popularity: np.ndarray

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``; ``NaN`` for items that nobody liked, and for profiles without liked items."""
        scores = np.asarray(liked_matrix(profiles, self.dataset) @ self.weights)
        return known_only(scores, profiles=profiles, popularity=self.popularity)
