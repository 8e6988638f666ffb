"""Measures: frozen values that carry their definition; conventions follow TREC.

A user whom the ranking forgets still counts, with 0.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from recsys.errors import ConfigError

_N_BINS = 10


@dataclass(frozen=True)
class Ranked:
    """Scores and what they should have found.

    Attributes:
        scores: ``(n_users, n_items)``, higher is better.
        mask: ``(n_users, n_items)`` of bool, what may be ranked.
        targets: per user the item_rows to be found, each once; one that may not be ranked counts as missed.
    """

    scores: np.ndarray
    mask: np.ndarray
    targets: Sequence[np.ndarray]

    @cached_property
    def rankings(self) -> np.ndarray:
        """``(n_users, n_items)`` item_rows, best first, -1 beyond the last; ties by item_row, ``NaN`` last, others never."""
        n_items = self.scores.shape[1]
        order = np.argsort(-self.scores, axis=1)  # not stable, but several times faster; ties are settled below
        best_first = np.take_along_axis(self.scores, order, axis=1)
        step = (best_first[:, 1:] != best_first[:, :-1]) & ~np.isnan(best_first[:, :-1])
        place = np.concatenate([np.zeros((len(order), 1), np.int64), np.cumsum(step, axis=1)], axis=1)
        nowhere = n_items * n_items
        keys = np.where(np.take_along_axis(self.mask, order, axis=1), place * n_items + order, nowhere)
        keys.sort(axis=1)
        return np.where(keys < nowhere, keys % max(1, n_items), -1)

    @cached_property
    def hits(self) -> np.ndarray:
        """``(n_users, n_items)`` of bool: whether the item at this rank is a target."""
        wanted = np.zeros(self.mask.shape, bool)
        wanted[np.repeat(np.arange(len(wanted)), self.n_targets), np.concatenate([*self.targets, np.zeros(0, int)])] = (
            True
        )
        return np.take_along_axis(wanted, np.maximum(self.rankings, 0), axis=1) & (self.rankings >= 0)

    @cached_property
    def n_targets(self) -> np.ndarray:
        """``(n_users,)`` of int."""
        return np.array([len(rows) for rows in self.targets], dtype=int)


@dataclass(frozen=True)
class Measure:
    """What all measures have: a family, and for most the length of the list that they look at.

    Attributes:
        k: length of the list, ``None`` for a measure of everything.
    """

    family: ClassVar[str]
    definition: ClassVar[str]
    k: int | None = None

    @property
    def name(self) -> str:
        """As in the results, for example ``nDCG@10``."""
        return self.family if self.k is None else f"{self.family}@{self.k}"

    @property
    def formula(self) -> str:
        """The definition in one line."""
        return self.definition.format(k=self.k)

    def __str__(self) -> str:
        return self.name


class RankingMeasure(Measure, ABC):
    """Compares a ranking with the targets."""

    @abstractmethod
    def per_user(self, ranked: Ranked) -> np.ndarray:
        """Returns ``(n_users,)``, in [0, 1]; 0 for a user without targets."""


class NDCG(RankingMeasure):
    """Normalised discounted cumulative gain with binary gain. Source: Järvelin and Kekäläinen 2002."""

    family = "nDCG"
    definition = "sum of 1/log2(rank+1) over the targets in the first {k}, over the largest such sum possible"

    def per_user(self, ranked: Ranked) -> np.ndarray:
        """See ``RankingMeasure``."""
        discounts = 1 / np.log2(np.arange(2, _length(self) + 2))
        first = ranked.hits[:, : self.k]
        best = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(ranked.n_targets, _length(self))]
        return _share(first @ discounts[: first.shape[1]], best)


class Recall(RankingMeasure):
    """Recall."""

    family = "R"
    definition = "number of targets in the first {k} over the number of targets"

    def per_user(self, ranked: Ranked) -> np.ndarray:
        """See ``RankingMeasure``."""
        return _share(ranked.hits[:, : self.k].sum(axis=1), ranked.n_targets)


class Success(RankingMeasure):
    """Whether anything was found."""

    family = "Success"
    definition = "1 if a target is in the first {k}, else 0"

    def per_user(self, ranked: Ranked) -> np.ndarray:
        """See ``RankingMeasure``."""
        return ranked.hits[:, : self.k].any(axis=1).astype(float)


class ReciprocalRank(RankingMeasure):
    """Reciprocal rank over the full ranking."""

    family = "RR"
    definition = "1 over the rank of the first target in the full ranking, 0 if there is none"

    def per_user(self, ranked: Ranked) -> np.ndarray:
        """See ``RankingMeasure``."""
        return ranked.hits.any(axis=1) / (1.0 + ranked.hits.argmax(axis=1))


class Coverage(Measure):
    """How much of the catalog is shown; a property of all lists together."""

    family = "coverage"
    definition = "share of the candidate items that are among the first {k} of at least one user"

    def overall(self, ranked: Ranked) -> float:
        """Returns the share, in [0, 1]; ``NaN`` without candidates."""
        shown = np.unique(ranked.rankings[:, : self.k])
        candidates = ranked.mask.any(axis=0).sum()
        return float((shown >= 0).sum() / candidates) if candidates else float("nan")


class Novelty(Measure):
    """How unusual the shown items are, in bits. Source: Zhou et al. 2010."""

    family = "novelty"
    definition = "mean of -log2((likes+1)/(users+1)) over the first {k}, likes and users in training"

    def per_user(self, ranked: Ranked, *, popularity: np.ndarray, n_users: int) -> np.ndarray:
        """Returns ``(n_users,)`` in bits, ``NaN`` for an empty list.

        Args:
            popularity: ``(n_items,)``, number of training users who liked each item.
            n_users: number of training users.
        """
        rows = ranked.rankings[:, : self.k]
        bits = -np.log2((popularity + 1) / (n_users + 1))
        shown = rows >= 0
        return _ratio((bits[rows] * shown).sum(axis=1), shown.sum(axis=1))


class Diversity(Measure):
    """How different the shown items are from each other. Source: Ziegler et al. 2005 (as a mean distance)."""

    family = "diversity"
    definition = "mean of 1 - cosine of the item embeddings over all pairs of the first {k}"

    def per_user(self, ranked: Ranked, *, item_vectors: np.ndarray) -> np.ndarray:
        """Returns ``(n_users,)`` in [0, 2], ``NaN`` for a list of fewer than two items.

        Args:
            item_vectors: ``(n_items, dim)``, of unit length.
        """
        rows = ranked.rankings[:, : self.k]
        shown = rows >= 0
        vectors = np.asarray(item_vectors, np.float64)[rows] * shown[:, :, None]
        n_shown = shown.sum(axis=1)
        cosines = (vectors.sum(axis=1) ** 2).sum(axis=1) - (vectors**2).sum(axis=(1, 2))
        return 1 - _ratio(cosines, n_shown * (n_shown - 1))


class CalibrationError(Measure):
    """Expected calibration error over bins of equal count. Source: Naeini et al. 2015, Nguyen and O'Connor 2015."""

    family = "calibration error"
    definition = f"mean over {_N_BINS} bins of equal count of |mean probability - share of likes|"

    def overall(self, probabilities: np.ndarray, outcomes: np.ndarray) -> float:
        """Returns the error, in [0, 1]; equal probabilities share a bin, unknown ones (``NaN``) are left out.

        Args:
            probabilities: of any shape.
            outcomes: of the same shape, 1 where it came true.
        """
        known = np.isfinite(probabilities)
        found, came_true = np.asarray(probabilities)[known], np.asarray(outcomes)[known].astype(float)
        if not len(found):
            return float("nan")
        _, place, counts = np.unique(found, return_inverse=True, return_counts=True)
        bins = ((np.cumsum(counts) - counts) * _N_BINS // len(found))[place]
        gaps = np.bincount(bins, found - came_true, minlength=_N_BINS)
        return float(np.abs(gaps).sum() / len(found))


_WITH_K = {kind.family: kind for kind in (NDCG, Recall, Success, Coverage, Novelty, Diversity)}
_WITHOUT_K = {kind.family: kind for kind in (ReciprocalRank, CalibrationError)}


def parse_measure(name: str) -> Measure:
    """Returns the measure of a name, for example ``nDCG@10``.

    Raises:
        ConfigError: for an unknown measure, or a length below 1.
    """
    if name in _WITHOUT_K:
        return _WITHOUT_K[name]()
    found = re.fullmatch(r"(\w+)@([1-9][0-9]*)", name, re.ASCII)
    if not found or found[1] not in _WITH_K:
        known = ", ".join([*(f"{family}@10" for family in _WITH_K), *_WITHOUT_K])
        raise ConfigError(
            "There is no such measure", name, fix=f"Use one of: {known}; any length from 1 may follow the @."
        )
    return _WITH_K[found[1]](int(found[2]))


def _length(measure: Measure) -> int:
    assert measure.k is not None
    return measure.k


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return part / np.where(whole > 0, whole, 1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
