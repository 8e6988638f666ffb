"""What a scorer is: every score is one inner product, and every query is a sum of facet vectors."""

from collections.abc import Sequence
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


class Scorer(Protocol):
    """Scores as ``query(profile) @ item_vectors[item_row]``.

    Attributes:
        name: ``cosine``, ``additive`` or ``fine-tuned``.
        item_vectors: ``(n_items, dim)`` float32.
    """

    name: str
    item_vectors: np.ndarray

    def queries(self, profiles: Sequence[Profile], *, popularity: float = 1.0) -> np.ndarray:
        """Returns ``(n_profiles, dim)``; an empty profile gives the prior alone."""
        ...

    def facet_vectors(self, profile: Profile, *, popularity: float = 1.0) -> FacetVectors:
        """Takes one query apart into its facets."""
        ...

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Returns the calibrated probability of a like for each score, ``NaN`` where the scorer is not calibrated."""
        ...
