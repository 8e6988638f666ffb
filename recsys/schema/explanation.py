"""Explanation: one score taken apart into named parts, words, and pairs of words."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from recsys.errors import DataError
from recsys.schema.profile import Facet, Profile

COMPLETE = 1e-6
"""Parts may miss the score by this much; an explanation that misses it by more must not be drawn."""
AVERAGE_ITEM = "the average item"
Side = Literal["profile", "item"]


@dataclass(frozen=True)
class ViewShare:
    """What one view of the item adds to a part; ``view`` may also be ``learned``, what no view explains."""

    view: str
    contribution: float
    average: float


@dataclass(frozen=True)
class Part:
    """The prior or one facet, and what it adds to the score.

    Attributes:
        contribution: signed; the contributions of an explanation sum to its total.
        average: what it adds to the average item of the catalog.
        score_without: the score of the item for the profile without this facet, scored again (for the prior: at popularity
            weight 0); it need not be the score less the contribution, as the remaining facets may weigh more.
        rank_without: the rank of the item then.
        views: what each view adds to it; empty for the prior, else they sum to the contribution.
    """

    facet: Facet
    contribution: float
    average: float
    score_without: float
    rank_without: int
    views: tuple[ViewShare, ...] = ()


@dataclass(frozen=True)
class Word:
    """A word of a text: ``start`` and ``end`` are its characters in the text, ``contribution`` what it adds to the score."""

    text: str
    start: int
    end: int
    contribution: float
    is_read: bool = True


@dataclass(frozen=True)
class ExplainedText:
    """A text of the profile or of the item, as written, with its words in order.

    Attributes:
        key: the facet's key, ``sentence`` for the sentence of a whole profile, ``item`` for the text of the item.
        tier: ``exact`` or ``first-last``, how the Shapley values of its words were found.
    """

    side: Side
    key: str
    text: str
    words: tuple[Word, ...]
    tier: str


@dataclass(frozen=True)
class Line:
    """A row or a column of the matrix: a word, or a part that has no words."""

    label: str
    key: str
    is_word: bool


@dataclass(frozen=True, eq=False)
class WordMatrix:
    """What each part of the profile (rows) adds to the score through each part of the item (columns).

    Attributes:
        values: ``(n_rows, n_columns)`` float64; they sum to the score less its prior.
        averages: ``(n_rows,)``, what each row adds to the average item of the catalog.
    """

    rows: tuple[Line, ...]
    columns: tuple[Line, ...]
    values: np.ndarray
    averages: np.ndarray

    @property
    def total(self) -> float:
        """The sum of all cells."""
        return float(self.values.sum())

    @property
    def row_totals(self) -> np.ndarray:
        """``(n_rows,)``."""
        return np.asarray(self.values.sum(axis=1))

    @property
    def column_totals(self) -> np.ndarray:
        """``(n_columns,)``."""
        return np.asarray(self.values.sum(axis=0))

    def strongest_pairs(self, n: int = 5) -> tuple[tuple[tuple[int, int, float], ...], float]:
        """Returns the n pairs of words with the largest absolute values, and their share of all word pairs' absolute sum."""
        rows = [number for number, line in enumerate(self.rows) if line.is_word]
        columns = [number for number, line in enumerate(self.columns) if line.is_word]
        pairs = [(r, c, float(self.values[r, c])) for r in rows for c in columns]
        pairs.sort(key=lambda pair: -abs(pair[2]))
        total = sum(abs(value) for _, _, value in pairs)
        best = tuple(pairs[:n])
        return best, sum(abs(value) for _, _, value in best) / total if total else 0.0


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why an item has its score for a profile.

    Attributes:
        parts: the prior (where the scorer has one) and every facet.
        texts: the texts of the profile that BERT reads, then the text of the item, each with its words.
        matrix: parts of the profile by parts of the item.
        total: the score; above the average item where ``is_centred``.
        rank: of the item among all that may be shown to this profile.
        average: the score of the average item.
        completeness_error: the largest miss of any sum that must hold: parts to total, cells to total, margins to bars.
        method: how parts and words were found, in words.
        tier: ``exact`` where every word's Shapley value is, else ``first-last``.
        warnings: sentences that a reader should know.
        is_centred: whether the average item was taken off everything.
    """

    profile: Profile
    item_id: str
    title: str
    scorer: str
    parts: tuple[Part, ...]
    texts: tuple[ExplainedText, ...]
    matrix: WordMatrix
    total: float
    rank: int
    average: float
    completeness_error: float
    method: str
    tier: str
    warnings: tuple[str, ...] = ()
    popularity: float = 1.0
    is_centred: bool = False

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of every text, in order."""
        return tuple(word for text in self.texts for word in text.words)

    @property
    def by_view(self) -> dict[str, float]:
        """What each view of the item adds to the score; with the prior they sum to it."""
        found: dict[str, float] = {}
        for part in self.parts:
            for share in part.views:
                found[share.view] = found.get(share.view, 0.0) + share.contribution
        return found

    @property
    def is_complete(self) -> bool:
        """Whether everything adds up; if not, it must not be drawn."""
        return self.completeness_error <= COMPLETE

    def checked(self) -> "Explanation":
        """Returns itself, for drawing.

        Raises:
            DataError: if its parts do not add up to the score.
        """
        check_complete(self.completeness_error, self.title)
        return self

    @property
    def prior(self) -> float:
        """The contribution of the prior, zero where the scorer has none."""
        return sum(part.contribution for part in self.parts if part.facet.kind == "prior")

    def above_average(self) -> "Explanation":
        """Returns the explanation with the average item of the catalog taken off every part, word of the profile and row.

        It takes the same number off every item of a profile, so it keeps their order, and answers why an item is
        recommended rather than why its score is high.
        """
        parts = tuple(map(_part_less, self.parts))
        taken = self.matrix.averages
        column = Line(f"less {AVERAGE_ITEM}", "average", False)
        values = np.hstack([self.matrix.values, -taken[:, None]])
        matrix = replace(
            self.matrix, columns=(*self.matrix.columns, column), values=values, averages=np.zeros_like(taken)
        )
        by_key: dict[str, list[float]] = {}
        for line, value in zip(matrix.rows, taken, strict=True):
            by_key.setdefault(line.key, []).append(float(value))
        made = replace(
            self,
            parts=parts,
            texts=tuple(_less(text, by_key) if text.side == "profile" else text for text in self.texts),
            matrix=matrix,
            total=self.total - self.average,
            average=0.0,
            is_centred=True,
        )
        misses = [sum(p.contribution for p in parts) - made.total, matrix.total + made.prior - made.total]
        return replace(made, completeness_error=float(np.max([self.completeness_error, *np.abs(misses)])))

    def to_dict(self) -> dict[str, Any]:
        """Returns the explanation as plain JSON values."""
        return {
            "item_id": self.item_id,
            "title": self.title,
            "profile": self.profile.to_dict(),
            "scorer": self.scorer,
            "popularity": self.popularity,
            "total": self.total,
            "rank": self.rank,
            "average": self.average,
            "is_centred": self.is_centred,
            "completeness_error": self.completeness_error,
            "method": self.method,
            "tier": self.tier,
            "warnings": list(self.warnings),
            "views": self.by_view,
            "parts": [_part_values(part) for part in self.parts],
            "words": [_text_values(text) for text in self.texts],
            "matrix": {
                "rows": [line.label for line in self.matrix.rows],
                "columns": [line.label for line in self.matrix.columns],
                "values": self.matrix.values.tolist(),
            },
        }


def check_complete(error: float, title: str) -> None:
    """Refuses sums that miss by more than ``COMPLETE``; so does ``NaN``.

    Raises:
        DataError: that says by how much, and for which item.
    """
    if not error <= COMPLETE:
        fix = f"This is a fault of Coldlens, not of your input: no sum may miss by more than {COMPLETE:g}. Please report it."
        raise DataError(
            "The parts do not add up to the score, so they are not shown", f"{error:.2e} for {title}", fix=fix
        )


def _part_less(part: Part) -> Part:
    views = tuple(ViewShare(share.view, share.contribution - share.average, 0.0) for share in part.views)
    return replace(part, contribution=part.contribution - part.average, average=0.0, views=views)


def _less(text: ExplainedText, averages: dict[str, list[float]]) -> ExplainedText:
    taken = iter(averages.get(text.key, []))
    words = tuple(
        replace(word, contribution=word.contribution - next(taken)) if word.is_read else word for word in text.words
    )
    return replace(text, words=words)


def _part_values(part: Part) -> dict[str, Any]:
    return {
        "key": part.facet.key,
        "kind": part.facet.kind,
        "label": part.facet.label,
        "contribution": part.contribution,
        "average": part.average,
        "score_without": part.score_without,
        "rank_without": part.rank_without,
        "views": {share.view: share.contribution for share in part.views},
    }


def _text_values(text: ExplainedText) -> dict[str, Any]:
    words = [
        {"text": w.text, "start": w.start, "end": w.end, "contribution": w.contribution, "is_read": w.is_read}
        for w in text.words
    ]
    return {"side": text.side, "key": text.key, "text": text.text, "tier": text.tier, "words": words}
