"""Rivals that look at neighbours: items liked together, and users who liked the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import sparse

from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.features import known_only, liked_matrix
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.schema import Dataset, Profile

ALL = 0
"""As a number of neighbours."""


class ItemKnn:
    """Items liked together with the liked ones, each count divided by both items' popularity to a power.

    Equal powers of 1/2 are the cosine. Source: Deshpande and Karypis 2004, with shrinkage as in Dacrema et al. 2019.
    """

    name = "item knn"
    grid: tuple[Parameters, ...] = tuple(
        {"liked power": a, "item power": b, "neighbours": neighbours, "shrinkage": shrinkage}
        for (a, b), neighbours, shrinkage in product(
            ((0.5, 0.5), (1.0, 0.0), (0.5, 0.25), (1.0, 0.25), (0.5, 0.0)), (ALL, 200, 50), (0, 10)
        )
    )

    def can_use(self, level: Level) -> bool:
        """Where there are liked items."""
        return level.n_liked > 0

    def fit(self, material: Material, parameters: Parameters) -> "_Linear":
        """Counts which items are liked together."""
        likes = material.histories.all_likes
        counts = sparse.coo_matrix(likes.T @ likes)
        popularity = np.asarray(likes.sum(axis=0)).ravel()
        apart = counts.row != counts.col
        liked, item, together = counts.row[apart], counts.col[apart], counts.data[apart]
        liked_part = popularity[liked] ** float(parameters["liked power"])
        item_part = popularity[item] ** float(parameters["item power"])
        values = together / (liked_part * item_part) * together / (together + float(parameters["shrinkage"]))
        similar = sparse.csr_matrix((values, (liked, item)), shape=counts.shape)
        return _Linear(material.histories.dataset, _strongest(similar, int(parameters["neighbours"])), popularity)


@dataclass(frozen=True)
class _Linear:
    """``similar[j, i]`` is what liking j says about i."""

    dataset: Dataset
    similar: sparse.csr_matrix
    popularity: np.ndarray

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``; ``NaN`` for items that nobody liked, and for profiles without liked items."""
        scores = (liked_matrix(profiles, self.dataset) @ self.similar).toarray()
        return known_only(scores, profiles=profiles, popularity=self.popularity)


class UserKnn:
    """What the users with the most similar likes liked.

    Similarity is the number of likes in common over the user's number of likes to a power; 1/2 is the cosine (the new user's own
    length changes no ranking). Source: Herlocker et al. 1999, with the asymmetric cosine of Aiolli 2013.
    """

    name = "user knn"
    grid: tuple[Parameters, ...] = tuple(
        {"length power": power, "neighbours": neighbours}
        for power, neighbours in product((0.5, 0.25, 0.0), (200, 50, ALL))
    )

    def can_use(self, level: Level) -> bool:
        """Where there are liked items."""
        return level.n_liked > 0

    def fit(self, material: Material, parameters: Parameters) -> "_Users":
        """Keeps the likes."""
        likes = material.histories.all_likes
        lengths = np.maximum(np.asarray(likes.sum(axis=1)).ravel(), 1) ** float(parameters["length power"])
        unit = sparse.csr_matrix(sparse.diags(1 / lengths) @ likes)
        return _Users(material.histories.dataset, likes, unit, int(parameters["neighbours"]))


@dataclass(frozen=True)
class _Users:
    dataset: Dataset
    likes: sparse.csr_matrix
    unit: sparse.csr_matrix
    neighbours: int

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``; ``NaN`` for items that nobody liked, and for profiles without liked items."""
        similar = sparse.csr_matrix(liked_matrix(profiles, self.dataset) @ self.unit.T)
        scores = (_strongest(similar, self.neighbours) @ self.likes).toarray()
        popularity = np.asarray(self.likes.sum(axis=0)).ravel()
        return known_only(scores, profiles=profiles, popularity=popularity)


def _strongest(matrix: sparse.csr_matrix, n: int) -> sparse.csr_matrix:
    """Returns the matrix with only the n largest entries of each row; the earlier of equal ones stays."""
    if n == ALL or matrix.nnz == 0:
        return matrix
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    place = np.arange(matrix.nnz) - matrix.indptr[rows]
    kept = order[place < n]
    return sparse.csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)
