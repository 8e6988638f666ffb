"""What a scorer is: every score is one inner product, and every query is a sum of facet vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsys.schema import Facet, Profile


@dataclass(frozen=True)
class FacetVectors:
    """A query taken apart: ``vectors`` is ``(n_facets, dim)`` float64 and sums to the query.

    The contribution of facet ``f`` to item ``i`` is ``vectors[f] @ item_vectors[i]``.
    ``method`` names how they were found: ``exact`` or ``first-last``.
    """

    facets: tuple[Facet, ...]
    vectors: np.ndarray
    method: str


SENTENCE = "sentence"
"""Key of the text of a whole profile, where a scorer reads it as one sentence."""


LEARNED = "learned"
"""Name of the part of an item's vector that no view explains."""


@dataclass(frozen=True, eq=False)
class TextMap:
    """How the embedding of a text enters the scorer's space: as ``weight * (embedding - origin) @ matrix``.

    Attributes:
        origin: ``(dim,)``, the embedding that says nothing.
        matrix: ``(dim, out)``, or ``None`` for the identity.
    """

    origin: np.ndarray
    matrix: np.ndarray | None = None
    weight: float = 1.0

    def shift(self, differences: np.ndarray) -> np.ndarray:
        """Maps differences of embeddings, ``(n, dim)`` to ``(n, out)`` float64."""
        wide = np.asarray(differences, np.float64)
        return self.weight * (wide if self.matrix is None else wide @ np.asarray(self.matrix, np.float64))

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """Maps embeddings, ``(n, dim)`` to ``(n, out)`` float64."""
        return self.shift(np.asarray(embeddings, np.float64) - self.origin)


@dataclass(frozen=True, eq=False)
class ProfileText:
    """A text of a profile that the encoder reads; ``key`` is its facet's, or ``SENTENCE``."""

    key: str
    text: str
    map: TextMap


class Scorer(Protocol):
    """Scores as ``query(profile) @ item_vectors[item_row]``.

    Attributes:
        name: ``cosine``, ``additive``, ``fine-tuned``, ``private``, ``federated`` or ``transferred``.
        item_vectors: ``(n_items, out)`` float32.
        item_map: how the text embedding of an item enters its vector; the rest comes from other views or is learned.
        views: names of the views that it reads, the text first.
        weights: how much each view counts; 1 is as it was learned, 0 switches it off.
    """

    name: str
    item_vectors: np.ndarray
    item_map: TextMap
    views: tuple[str, ...]
    weights: Mapping[str, float]

    def with_views(self, weights: Mapping[str, float]) -> "Scorer":
        """Returns the same scorer with other weights of views; a view that is not named counts 1."""
        ...

    def item_parts(self, rows: np.ndarray) -> Mapping[str, np.ndarray]:
        """Takes the vectors of some items apart by view, with their weights.

        Returns:
            ``(n_rows, out)`` float64 for each view, then for ``LEARNED`` and the prior where the scorer has them; they sum
            to the item vectors.
        """
        ...

    def mean_parts(self) -> Mapping[str, np.ndarray]:
        """Returns the mean of ``item_parts`` over the catalog, ``(out,)`` float64 each."""
        ...

    def view_query(self, queries: np.ndarray, view: str) -> np.ndarray:
        """Returns ``(n, dim)`` float64: what queries ask for in the space of a view beside the text, whatever its weight."""
        ...

    def view_space(self, view: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the items in the space of a view beside the text, ``(n_items, dim)`` float32, and its origin ``(dim,)``.

        Items that lack the view are zeros.
        """
        ...

    def queries(self, profiles: Sequence[Profile], *, popularity: float = 1.0) -> np.ndarray:
        """Returns ``(n_profiles, out)``; an empty profile gives the prior alone."""
        ...

    def facet_vectors(self, profile: Profile, *, popularity: float = 1.0) -> FacetVectors:
        """Takes one query apart into its facets."""
        ...

    def texts(self, profile: Profile) -> tuple[ProfileText, ...]:
        """Returns the texts of a profile that the encoder reads, in the order of their facets."""
        ...

    def reworded(self, profile: Profile, wordings: Sequence[Mapping[str, str]]) -> np.ndarray:
        """Returns the query ``(n_wordings, out)`` of the profile with other texts under their keys; empty ones say nothing."""
        ...

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Returns the calibrated probability of a like for each score, ``NaN`` where the scorer is not calibrated."""
        ...
