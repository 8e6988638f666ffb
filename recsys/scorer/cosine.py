"""Zero-shot: the profile as one sentence, its cosine with the item's text."""

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.encoder import Encoder
from recsys.schema import Dataset, Profile
from recsys.scorer.protocol import SENTENCE, FacetVectors, ProfileText, TextMap
from recsys.scorer.shapley import first_last_shapley, shapley_values
from recsys.views.text import profile_text

_EXACT_UP_TO = 7


class CosineScorer:
    """Similarity of words, not of taste: needs nothing but a catalog.

    A score is the cosine of the profile's sentence with the item's text, in [-1, 1]; an empty profile scores 0 everywhere.
    Contributions are exact Shapley values over the facets up to seven facets, first-last beyond.
    """

    name = "cosine"

    def __init__(self, item_vectors: np.ndarray, *, dataset: Dataset, encoder: Encoder) -> None:
        self.item_vectors = item_vectors
        self.item_map = TextMap(np.zeros(encoder.dim))
        self._dataset = dataset
        self._encoder = encoder

    def queries(self, profiles: Sequence[Profile], *, popularity: float = 1.0) -> np.ndarray:
        """Returns ``(n_profiles, dim)``; zero for an empty profile."""
        return self._encode([profile_text(profile, self._dataset) for profile in profiles])

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        encoded = iter(self._encoder.encode([text for text in texts if text]))
        zero = np.zeros(self._encoder.dim, np.float32)
        rows = [next(encoded) if text else zero for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self._encoder.dim), np.float32)

    def facet_vectors(self, profile: Profile, *, popularity: float = 1.0) -> FacetVectors:
        """Returns the Shapley value of each facet for the profile's embedding; their sum is the query."""
        facets = profile.facets
        keys = [facet.key for facet in facets]

        def game(subsets: Sequence[tuple[int, ...]]) -> np.ndarray:
            return self.queries([profile.keeping(keys[player] for player in subset) for subset in subsets])

        exact = len(facets) <= _EXACT_UP_TO
        vectors = (shapley_values if exact else first_last_shapley)(game, len(facets))
        return FacetVectors(facets, vectors, "exact" if exact else "first-last")

    def texts(self, profile: Profile) -> tuple[ProfileText, ...]:
        """Returns the sentence of the profile."""
        text = profile_text(profile, self._dataset)
        return (ProfileText(SENTENCE, text, self.item_map),) if text else ()

    def reworded(self, profile: Profile, wordings: Sequence[Mapping[str, str]]) -> np.ndarray:
        """Returns the queries of other sentences."""
        own = profile_text(profile, self._dataset)
        return self._encode([wording.get(SENTENCE, own) for wording in wordings])

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Returns ``NaN``: a cosine says nothing about how likely a like is."""
        return np.full(np.shape(scores), np.nan)
