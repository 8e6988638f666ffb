"""Zero-shot: the profile as one sentence, its cosine with the item's text, and what further views add."""

import copy
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from recsys.encoder import Encoder
from recsys.schema import Dataset, Profile
from recsys.scorer.late import LateBlock, block_query, late_blocks
from recsys.scorer.protocol import SENTENCE, FacetVectors, ProfileText, TextMap
from recsys.scorer.shapley import first_last_shapley, shapley_values
from recsys.views.text import profile_text
from recsys.views.view import TEXT, ItemView

_EXACT_UP_TO = 7


class CosineScorer:
    """Similarity of words, not of taste: needs nothing but a catalog.

    A score is the cosine of the profile's sentence with the item's text, in [-1, 1], plus what further views add: there,
    interests meet what a picture or sound shows, and liked items those that look, sound or are linked like them. A view's
    scores spread as widely as the text's, so that a weight of 1 lets it count as much. An empty profile scores 0 everywhere.
    Contributions to the text are exact Shapley values over the facets up to seven facets, first-last beyond; those to other
    views are exact sums.

    Args:
        item_vectors: ``(n_items, dim)``, the text embeddings.
        views: beside the text, by name.
        weights: of views, 1 where none is given.
    """

    name = "cosine"

    def __init__(
        self,
        item_vectors: np.ndarray,
        *,
        dataset: Dataset,
        encoder: Encoder,
        views: Mapping[str, ItemView] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self._blocks = late_blocks(views or {}, item_vectors, dataset, encoder)
        wide = [np.asarray(block.scale * block.vectors, np.float32) for block in self._blocks]
        self.item_vectors = np.hstack([item_vectors, *wide]) if wide else item_vectors
        matrix = np.eye(encoder.dim, self.item_vectors.shape[1]) if wide else None
        self.item_map = TextMap(np.zeros(encoder.dim), matrix)
        self.views = (TEXT, *dict.fromkeys(block.view for block in self._blocks))
        self.weights: Mapping[str, float] = dict.fromkeys(self.views, 1.0) | dict(weights or {})
        self._dataset = dataset
        self._encoder = encoder

    def with_views(self, weights: Mapping[str, float]) -> "CosineScorer":
        """Returns the same scorer with other weights of views; they weigh what profiles ask for, so items stay as they are."""
        made = copy.copy(self)
        made.weights = dict.fromkeys(self.views, 1.0) | dict(weights)
        return made

    def queries(self, profiles: Sequence[Profile], *, popularity: float = 1.0) -> np.ndarray:
        """Returns ``(n_profiles, out)``; zero for an empty profile."""
        sentences = self._encode([profile_text(profile, self._dataset) for profile in profiles])
        return self._beside(self.weights[TEXT] * sentences, profiles)

    def _beside(self, sentences: np.ndarray, profiles: Sequence[Profile]) -> np.ndarray:
        """Queries of the text, ``(n, dim)``, with what the profiles ask for in further views beside them."""
        if not self._blocks:
            return sentences
        found = np.zeros((len(profiles), self.item_vectors.shape[1]))
        found[:, : sentences.shape[1]] = sentences
        for row, profile in enumerate(profiles):
            for block, _, part in self._asked(profile):
                found[row, block.columns] += self.weights[block.view] * part
        return found

    def _asked(self, profile: Profile) -> Iterator[tuple[LateBlock, str, np.ndarray]]:
        """What each facet, by its key, asks for in each further block."""
        if self._blocks:
            read = [text for text in profile.interests if not self._encoder.check(text).is_unknown]
            for block in self._blocks:
                for key, part in block_query(block, profile, self._dataset, readable=read).items():
                    yield block, key, part

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        encoded = iter(self._encoder.encode([text for text in texts if text]))
        zero = np.zeros(self._encoder.dim, np.float32)
        rows = [next(encoded) if text else zero for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self._encoder.dim), np.float32)

    def facet_vectors(self, profile: Profile, *, popularity: float = 1.0) -> FacetVectors:
        """Returns the Shapley value of each facet for the sentence's embedding, and its own part in further views."""
        facets = profile.facets
        keys = [facet.key for facet in facets]

        def game(subsets: Sequence[tuple[int, ...]]) -> np.ndarray:
            kept = [profile.keeping(keys[player] for player in subset) for subset in subsets]
            return self.weights[TEXT] * self._encode([profile_text(part, self._dataset) for part in kept])

        exact = len(facets) <= _EXACT_UP_TO
        told = (shapley_values if exact else first_last_shapley)(game, len(facets))
        vectors = np.zeros((len(facets), self.item_vectors.shape[1]))
        vectors[:, : told.shape[1]] = told
        for block, key, part in self._asked(profile):
            vectors[keys.index(key), block.columns] += self.weights[block.view] * part
        return FacetVectors(facets, vectors, "exact" if exact else "first-last")

    def texts(self, profile: Profile) -> tuple[ProfileText, ...]:
        """Returns the sentence of the profile."""
        text = profile_text(profile, self._dataset)
        reading = TextMap(self.item_map.origin, self.item_map.matrix, self.weights[TEXT])
        return (ProfileText(SENTENCE, text, reading),) if text else ()

    def reworded(self, profile: Profile, wordings: Sequence[Mapping[str, str]]) -> np.ndarray:
        """Returns the queries of other sentences; what the profile asks for in further views stays."""
        own = profile_text(profile, self._dataset)
        sentences = self._encode([wording.get(SENTENCE, own) for wording in wordings])
        return self._beside(self.weights[TEXT] * sentences, [profile] * len(wordings))

    def item_parts(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the columns of each view; the weights are with the profiles."""
        whole = np.asarray(self.item_vectors[rows], np.float64)
        parts = {view: np.zeros_like(whole) for view in self.views}
        dim = self._encoder.dim
        parts[TEXT][:, :dim] = whole[:, :dim]
        for block in self._blocks:
            parts[block.view][:, block.columns] = whole[:, block.columns]
        return parts

    def mean_parts(self) -> dict[str, np.ndarray]:
        """Returns the mean of the columns of each view."""
        mean = np.asarray(self.item_vectors.mean(axis=0, dtype=np.float64))
        found = {}
        for view in self.views:
            found[view] = np.zeros_like(mean)
            columns = self.view_columns(view)
            found[view][columns] = mean[columns]
        return found

    def view_query(self, queries: np.ndarray, view: str) -> np.ndarray:
        """Returns what queries ask for in a view, in its columns of the item vectors; see ``view_columns``."""
        return np.asarray(queries, np.float64)[:, self.view_columns(view)]

    def view_space(self, view: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the columns of the view, which are centred."""
        columns = self.view_columns(view)
        return np.ascontiguousarray(self.item_vectors[:, columns]), np.zeros(len(columns))

    def view_columns(self, view: str) -> np.ndarray:
        """Returns the columns of the item vectors that belong to a view."""
        own = [np.arange(self._encoder.dim)] if view == TEXT else []
        own += [np.arange(block.columns.start, block.columns.stop) for block in self._blocks if block.view == view]
        return np.concatenate(own)

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Returns ``NaN``: a cosine says nothing about how likely a like is."""
        return np.full(np.shape(scores), np.nan)
