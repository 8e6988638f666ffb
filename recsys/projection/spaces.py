"""The spaces that a map can be made of, and where a profile lies in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from recsys.schema import Profile
from recsys.scorer import Scorer

Space = Literal["text", "image", "audio", "graph", "taste"]


@dataclass(frozen=True, eq=False)
class ItemSpace:
    """Items, and the vectors that profiles have among them.

    A score is ``prior + z . (e - origin)`` plus, in the text space, what the item has beyond its text: so the items with the
    smallest angle to ``z`` are those that the profile speaks for.

    Attributes:
        name: a view: ``text``, the embeddings of BERT, or a further one; or ``taste``, the scorer's item vectors without their
            prior.
        vectors: ``(n_items, dim)`` float32.
        origin: ``(dim,)``, the item that says nothing.
    """

    name: str
    vectors: np.ndarray
    origin: np.ndarray
    scorer: Scorer

    def profile_vectors(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, dim)`` float64, zero for a profile that says nothing; one does not depend on the others."""
        queries = [np.asarray(self.scorer.queries([profile]), np.float64) for profile in profiles]
        rows = np.concatenate(queries) if queries else np.zeros((0, self.scorer.item_vectors.shape[1]))
        if self.name == "text":
            matrix = self.scorer.item_map.matrix
            return rows if matrix is None else rows @ np.asarray(matrix, np.float64).T
        if self.name in self.scorer.views:
            return self.scorer.view_query(rows, self.name)
        return rows[:, : self.vectors.shape[1]]

    def similarity(self, vector: np.ndarray) -> np.ndarray:
        """Returns ``(n_items,)``, the cosine of a profile's vector with every item as seen from the origin."""
        length = float(np.linalg.norm(vector))
        if length == 0:
            return np.zeros(len(self.vectors))
        return np.asarray(self._directions @ (vector / length).astype(np.float32), np.float64)

    @cached_property
    def _directions(self) -> np.ndarray:
        shifted = np.asarray(self.vectors, np.float32) - self.origin.astype(np.float32)
        return np.asarray(shifted / np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), 1e-12))


def spaces_of(scorer: Scorer) -> tuple[str, ...]:
    """Returns the spaces that differ for a scorer: its views, and what it has learned if it has."""
    return scorer.views if scorer.name == "cosine" else (*scorer.views, "taste")


def open_space(name: str, scorer: Scorer, embeddings: np.ndarray) -> ItemSpace:
    """Returns a space by its name, the text where the scorer has no such space; items that lack a view are zeros in it."""
    if name == "text" or name not in spaces_of(scorer):
        return ItemSpace("text", embeddings, np.asarray(scorer.item_map.origin), scorer)
    if name in scorer.views:
        vectors, origin = scorer.view_space(name)
        return ItemSpace(name, vectors, origin, scorer)
    silent = np.flatnonzero(scorer.queries([Profile()])[0])
    kept = np.setdiff1d(np.arange(scorer.item_vectors.shape[1]), silent)
    vectors = np.ascontiguousarray(scorer.item_vectors[:, kept])
    return ItemSpace("taste", vectors, np.zeros(vectors.shape[1]), scorer)
