"""Zero-shot without words: how similar items are to those that the person likes."""

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.schema import Profile
from recsys.scorer.cosine import CosineScorer
from recsys.scorer.protocol import FacetVectors, ProfileText
from recsys.views.view import TEXT


class LikedScorer(CosineScorer):
    """The cosine scorer for vectors whose encoder is not known: no text of a profile can be read, so its liked items speak alone.

    A score is the mean similarity of an item with the liked ones, which is exactly a sum over them: by vectors of unit length
    their mean cosine, in [-1, 1], by others their mean inner product. Further views add what they add for liked items. A profile
    that likes nothing scores 0 everywhere.
    """

    def queries(self, profiles: Sequence[Profile], *, popularity: float = 1.0) -> np.ndarray:
        """Returns ``(n_profiles, out)``; zero for a profile without liked items."""
        found = np.zeros((len(profiles), self._encoder.dim))
        for row, profile in enumerate(profiles):
            found[row] = sum(self._liked(profile).values(), start=np.zeros(self._encoder.dim))
        return self._beside(self.weights[TEXT] * found, profiles)

    def _liked(self, profile: Profile) -> dict[str, np.ndarray]:
        """What each liked item asks for, ``(dim,)`` by the facet's key, before any weight."""
        rows = [self._dataset.item_row(item_id) for item_id in profile.liked]
        own = np.asarray(self.item_vectors[rows, : self._encoder.dim], np.float64) / max(1, len(rows))
        return {f"liked:{item_id}": vector for item_id, vector in zip(profile.liked, own, strict=True)}

    def facet_vectors(self, profile: Profile, *, popularity: float = 1.0) -> FacetVectors:
        """Returns the part of each facet; all but those of liked items are zero."""
        facets = profile.facets
        keys = [facet.key for facet in facets]
        vectors = np.zeros((len(facets), self.item_vectors.shape[1]))
        for key, vector in self._liked(profile).items():
            vectors[keys.index(key), : len(vector)] = self.weights[TEXT] * vector
        for block, key, part in self._asked(profile):
            vectors[keys.index(key), block.columns] += self.weights[block.view] * part
        return FacetVectors(facets, vectors, "exact")

    def texts(self, profile: Profile) -> tuple[ProfileText, ...]:
        """Returns none: no text is read."""
        return ()

    def reworded(self, profile: Profile, wordings: Sequence[Mapping[str, str]]) -> np.ndarray:
        """Returns the query of the profile for each wording, as words change nothing."""
        return np.repeat(self.queries([profile]), len(wordings), axis=0)
