"""Groups on a map, named by what sets their texts apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_WORD = r"(?u)\b[^\W\d_][^\W\d_'’-]{2,}\b"
_NAMED, _SHARED = 3, 3
"""Words in a label, and in how many of the group's texts each must stand."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of items.

    Attributes:
        numbers: ``(n_items,)``, the group of each item, -1 for none.
        labels: one for each group.
        centres: ``(n_clusters, n_components)``, where the label stands: the median of the group.
    """

    numbers: np.ndarray
    labels: tuple[str, ...]
    centres: np.ndarray


def find_clusters(coordinates: np.ndarray, texts: Sequence[str], *, most: int = 18) -> Clusters:
    """Groups a map by density (HDBSCAN) and names each group by c-TF-IDF; the largest ``most`` groups are kept.

    Source: M. Grootendorst, BERTopic, 2022 (class-based TF-IDF).
    """
    n = len(coordinates)
    size = max(8, n // 60)
    if n < 2 * size:
        return Clusters(np.full(n, -1), (), np.zeros((0, coordinates.shape[1])))
    from sklearn.cluster import HDBSCAN

    found = HDBSCAN(min_cluster_size=size, min_samples=5, copy=True).fit_predict(np.asarray(coordinates, np.float64))
    counts = np.bincount(found[found >= 0]) if (found >= 0).any() else np.zeros(0, int)
    kept = sorted(np.argsort(-counts, kind="stable")[:most].tolist())
    numbers = np.full(n, -1)
    for number, old in enumerate(kept):
        numbers[found == old] = number
    centres = [np.median(coordinates[numbers == number], axis=0) for number in range(len(kept))]
    labels = name_clusters(numbers, texts, len(kept))
    return Clusters(numbers, labels, np.array(centres).reshape(len(kept), coordinates.shape[1]))


def name_clusters(numbers: np.ndarray, texts: Sequence[str], n: int) -> tuple[str, ...]:
    """Returns for each group the words that are frequent in it and rare elsewhere."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    joined = [" ".join(text for text, own in zip(texts, numbers, strict=True) if own == number) for number in range(n)]
    if not any(re.search(_WORD, text) for text in joined):
        return tuple(f"Group {number + 1}" for number in range(n))
    counter = CountVectorizer(token_pattern=_WORD, stop_words=list(ENGLISH_STOP_WORDS))
    try:
        counts = counter.fit_transform(joined).toarray().astype(float)
    except ValueError:  # nothing but stop words
        return tuple(f"Group {number + 1}" for number in range(n))
    frequency = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weights = frequency * np.log1p(counts.sum() / len(counts) / np.maximum(counts.sum(axis=0), 1))
    words = counter.get_feature_names_out()
    labels: list[str] = []
    for number, row in enumerate(weights):
        shared = np.where(_n_texts(counter, texts, numbers == number) >= _SHARED, row, 0.0)
        best = [str(words[at]) for at in np.argsort(-shared, kind="stable")[:_NAMED] if shared[at] > 0]
        label = " · ".join(best) or f"Group {number + 1}"
        before = sum(known.split(" (")[0] == label for known in labels)
        labels.append(f"{label} ({before + 1})" if before else label)  # two groups under one name would pass for one
    return tuple(labels)


def _n_texts(counter: Any, texts: Sequence[str], own: np.ndarray) -> np.ndarray:
    """In how many texts of a group each word stands."""
    mine = counter.transform([text for text, is_own in zip(texts, own, strict=True) if is_own])
    return np.asarray((mine > 0).sum(axis=0)).ravel()
