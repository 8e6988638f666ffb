"""Why X above Y: what tells two items apart for the same profile."""

from dataclasses import dataclass

import numpy as np

from recsys.schema import Explanation, Facet
from recsys.schema.explanation import check_complete


@dataclass(frozen=True)
class Difference:
    """What one facet, or one word of the profile, adds to the first item more than to the second."""

    key: str
    label: str
    kind: str
    first: float
    second: float

    @property
    def value(self) -> float:
        """How much more it adds to the first."""
        return self.first - self.second


@dataclass(frozen=True)
class Contrast:
    """Two explanations of the same profile against each other.

    Attributes:
        parts: one for the prior and each facet; they sum to ``gap``.
        words: one for each word of the profile; with the parts that have no words they sum to ``gap``.
        gap: the score of the first item less that of the second.
        completeness_error: by how much either sum misses the gap.
    """

    first: Explanation
    second: Explanation
    parts: tuple[Difference, ...]
    words: tuple[Difference, ...]
    gap: float
    completeness_error: float

    def checked(self) -> "Contrast":
        """Returns itself, for drawing.

        Raises:
            DataError: if its differences do not add up to the gap.
        """
        check_complete(self.completeness_error, f"{self.first.title} against {self.second.title}")
        return self


def contrast(first: Explanation, second: Explanation) -> Contrast:
    """Returns what tells two items apart; both explanations must be of the same profile, scorer and tier."""
    assert first.profile == second.profile and first.scorer == second.scorer
    parts = tuple(
        _difference(one.facet, one.contribution, two.contribution)
        for one, two in zip(first.parts, second.parts, strict=True)
    )
    rows = zip(first.matrix.rows, first.matrix.row_totals, second.matrix.row_totals, strict=True)
    words = tuple(
        Difference(line.key, line.label, "word" if line.is_word else "facet", float(one), float(two))
        for line, one, two in rows
    )
    gap = first.total - second.total
    prior = first.prior - second.prior
    misses = [sum(part.value for part in parts) - gap, sum(word.value for word in words) + prior - gap]
    return Contrast(first, second, parts, words, gap, float(np.abs(misses).max()))


def _difference(facet: Facet, first: float, second: float) -> Difference:
    return Difference(facet.key, facet.label, facet.kind, first, second)
