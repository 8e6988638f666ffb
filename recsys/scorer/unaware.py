"""A scorer that is not told some facts of the person: whatever they are, its answers stay the same, to the bit."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from recsys.schema import Profile
from recsys.scorer.protocol import FacetVectors, ProfileText, Scorer


class UnawareScorer:
    """Takes some facts off every profile before the scorer that it wraps sees it.

    Their facets are then not among those of a query. What other facets say of them stays: an occupation or an interest may tell
    an age.

    Args:
        informed: the scorer that is told everything.
        ignored: keys of facets: ``age``, ``gender``, ``attribute:NAME``.
    """

    def __init__(self, informed: Scorer, ignored: Iterable[str]) -> None:
        self.informed = informed
        self.ignored = frozenset(ignored)
        self.name = informed.name
        self.item_vectors = informed.item_vectors
        self.item_map = informed.item_map
        self.views = informed.views
        self.weights = informed.weights

    def seen(self, profile: Profile) -> Profile:
        """Returns what is left of a profile."""
        return profile.keeping(facet.key for facet in profile.facets if facet.key not in self.ignored)

    def with_views(self, weights: Mapping[str, float]) -> "UnawareScorer":
        """Returns the same scorer with other weights of views."""
        return UnawareScorer(self.informed.with_views(weights), self.ignored)

    def queries(self, profiles: Sequence[Profile], *, popularity: float = 1.0) -> np.ndarray:
        """Returns ``(n_profiles, out)``."""
        return self.informed.queries([self.seen(profile) for profile in profiles], popularity=popularity)

    def facet_vectors(self, profile: Profile, *, popularity: float = 1.0) -> FacetVectors:
        """Returns the part of each facet that is left."""
        return self.informed.facet_vectors(self.seen(profile), popularity=popularity)

    def texts(self, profile: Profile) -> tuple[ProfileText, ...]:
        """Returns the texts that are left."""
        return self.informed.texts(self.seen(profile))

    def reworded(self, profile: Profile, wordings: Sequence[Mapping[str, str]]) -> np.ndarray:
        """Returns the queries of other wordings, ``(n_wordings, out)``."""
        return self.informed.reworded(self.seen(profile), wordings)

    def item_parts(self, rows: np.ndarray) -> Mapping[str, np.ndarray]:
        """Takes the vectors of some items apart by view."""
        return self.informed.item_parts(rows)

    def mean_parts(self) -> Mapping[str, np.ndarray]:
        """Returns the mean of ``item_parts`` over the catalog."""
        return self.informed.mean_parts()

    def view_query(self, queries: np.ndarray, view: str) -> np.ndarray:
        """Returns what queries ask for in the space of a view."""
        return self.informed.view_query(queries, view)

    def view_space(self, view: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the items in the space of a view, and its origin."""
        return self.informed.view_space(view)

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Returns the calibrated probability of a like for each score."""
        return self.informed.probability(scores)
