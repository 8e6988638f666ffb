"""Rivals that read: words in common, and the meaning of texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.encoder import Encoder, reads_text
from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.schema import Dataset, Profile
from recsys.segmenter import bare_words
from recsys.views.text import item_texts, profile_text


class TfIdf:
    """Cosine of TF-IDF vectors: the words of the interests and of the liked items' texts with those of each item's text."""

    name = "tf-idf"
    grid: tuple[Parameters, ...] = (
        {"sublinear": 0, "words": 1},
        {"sublinear": 0, "words": 2},
        {"sublinear": 1, "words": 1},
        {"sublinear": 1, "words": 2},
    )

    def can_use(self, level: Level) -> bool:
        """Where there are words: interests or liked items."""
        return level.has_interests or level.n_liked > 0

    def fit(self, material: Material, parameters: Parameters) -> "_Words | NothingKnown":
        """Weighs the words of the catalog; no likes are used."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        dataset = material.histories.dataset
        longest = int(parameters["words"])
        vectorizer = TfidfVectorizer(
            sublinear_tf=bool(parameters["sublinear"]),
            ngram_range=(1, longest),
            tokenizer=bare_words,
            token_pattern=None,
        )
        texts = item_texts(dataset)
        if not any(re.search(r"\w", text) for text in texts):
            return NothingKnown(len(texts))
        return _Words(dataset, texts, vectorizer, vectorizer.fit_transform(texts))


@dataclass(frozen=True)
class NothingKnown:
    """What TF-IDF makes of a catalog without a word."""

    n_items: int

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)`` of ``NaN``."""
        return np.full((len(profiles), self.n_items), np.nan)


@dataclass(frozen=True)
class _Words:
    dataset: Dataset
    texts: list[str]
    vectorizer: Any
    items: Any

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``, cosines in [0, 1]; ``NaN`` for a profile without a known word."""
        if not profiles:
            return np.zeros((0, len(self.texts)))
        queries = self.vectorizer.transform([self._query(profile) for profile in profiles])
        scores = (queries @ self.items.T).toarray()
        scores[queries.getnnz(axis=1) == 0] = np.nan
        return scores

    def _query(self, profile: Profile) -> str:
        liked = (self.texts[self.dataset.item_row(item_id)] for item_id in profile.liked)
        return ". ".join([*profile.interests, *liked])


class BertCosine:
    """Zero-shot: cosine of sentence embeddings of the profile and of each item's text.

    The query is the profile's sentence, or the mean embedding of the interests, of the liked items, or of both halves; a profile
    that lacks these is asked by its sentence. Vectors that came without their encoder are asked by the liked items alone.
    Source: Reimers and Gurevych 2019 for the encoder.
    """

    name = "bert cosine"
    grid: tuple[Parameters, ...] = (
        {"what": "sentence"},
        {"what": "interests"},
        {"what": "liked"},
        {"what": "interests and liked"},
    )

    def can_use(self, level: Level) -> bool:
        """Always: every level makes a sentence."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> "_Meaning":
        """Keeps the embeddings; no likes are used."""
        what = str(parameters["what"])
        return _Meaning(material.histories.dataset, np.asarray(material.item_vectors), material.encoder, what)


@dataclass(frozen=True)
class _Meaning:
    dataset: Dataset
    item_vectors: np.ndarray
    encoder: Encoder
    what: str

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``, cosines in [-1, 1]; ``NaN`` for an empty profile."""
        if not profiles:
            return np.zeros((0, len(self.item_vectors)))
        queries = np.stack([self._query(profile) for profile in profiles])
        norms = np.linalg.norm(queries, axis=1, keepdims=True)
        return queries / np.where(norms > 0, norms, np.nan) @ self.item_vectors.T

    def _query(self, profile: Profile) -> np.ndarray:
        parts = []
        can_read = reads_text(self.encoder)
        if can_read and profile.interests and "interests" in self.what:
            parts.append(_direction(self.encoder.encode(profile.interests)))
        if profile.liked and ("liked" in self.what or not can_read):
            parts.append(_direction(self.item_vectors[[self.dataset.item_row(i) for i in profile.liked]]))
        if not parts:
            text = profile_text(profile, self.dataset) if can_read else ""
            parts.append(self.encoder.encode([text])[0] if text else np.zeros(self.item_vectors.shape[1], np.float32))
        return np.sum(parts, axis=0)


def _direction(vectors: np.ndarray) -> np.ndarray:
    mean = vectors.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
