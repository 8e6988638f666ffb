"""Takes one score apart: into facets, into words, and into pairs of words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder, brought, reads_text
from recsys.explanation.item_words import ItemWords
from recsys.explanation.word_vectors import EXACT, FIRST_LAST, WordVectors, words_of
from recsys.index import Index
from recsys.schema import (
    ITEM_ID,
    PRIOR,
    Dataset,
    ExplainedText,
    Explanation,
    Facet,
    Line,
    Part,
    Profile,
    ViewShare,
    Word,
    WordMatrix,
)
from recsys.scorer import SENTENCE, FacetVectors, ProfileText, Scorer, TextMap
from recsys.scorer.protocol import LEARNED as LEARNED_PART
from recsys.settings import MAX_INTEREST_LENGTH
from recsys.views.text import item_texts
from recsys.views.view import TEXT, VIEW_WORDS

_REMEMBERED = 512
_SCALED = 20
_ITEM = "item"
LEARNED = "learned from likes"
"""Column of what an item's vector has beyond its text."""
VECTOR = "its vector"
"""Column of a vector that came with the dataset, where no text is read."""
_NO_TEXT = 1e-5
_SHOWN = {name: words for name, words in VIEW_WORDS.items() if name != "text"}
"""Views beside the text, as columns are called."""


@dataclass(frozen=True, eq=False)
class _Side:
    """Named vectors that add up to a query or to an item, and the texts that some of them are words of."""

    lines: tuple[Line, ...]
    vectors: np.ndarray
    texts: tuple[tuple[str, WordVectors], ...]


_Row = tuple[Line, np.ndarray, ProfileText | None]
"""A line, what it asks for, and the text that it has words of."""


class Explainer:
    """Explains the scores of one scorer on one catalog; words are taken apart once for each text, for all items at once.

    Args:
        encoder: encodes without remembering; the words of a text are remembered here instead.
        embeddings: ``(n_items, dim)``, the text embeddings of the items.
    """

    def __init__(
        self, dataset: Dataset, *, scorer: Scorer, index: Index, encoder: Encoder, embeddings: np.ndarray
    ) -> None:
        self.scorer = scorer
        self.index = index
        self.encoder = encoder
        self.embeddings = embeddings
        self.dataset = dataset
        self._known: dict[tuple[str, str], WordVectors] = {}

    @cached_property
    def item_texts(self) -> list[str]:
        """The text of every item, in item_row order."""
        return item_texts(self.dataset)

    @cached_property
    def item_words(self) -> ItemWords:
        """The words of every item."""
        store = ArtifactStore(self.dataset.folder / "artifacts") if self.dataset.folder else None
        return ItemWords(self.item_texts, self.embeddings, encoder=self.encoder, store=store)

    @cached_property
    def mean_vector(self) -> np.ndarray:
        """The vector of the average item, ``(out,)`` float64."""
        return np.asarray(sum(self.mean_parts.values()))

    @cached_property
    def mean_parts(self) -> Mapping[str, np.ndarray]:
        """What each view adds to the vector of the average item."""
        return self.scorer.mean_parts()

    def explain(
        self,
        profile: Profile,
        item_row: int,
        *,
        facets: tuple[Facet, ...],
        allowed: np.ndarray,
        popularity: float = 1.0,
        tier: str = EXACT,
        warnings: tuple[str, ...] = (),
    ) -> Explanation:
        """Explains the score of an item for a profile.

        Args:
            facets: as the scorer has them, under the names to be shown.
            allowed: ``(n_items,)`` of bool, the items among which it is ranked; it is ranked itself in any case.
            tier: ``first-last`` for an answer at once, ``exact`` for exact Shapley values of words where there are few enough.
        """
        parts = self.scorer.facet_vectors(profile, popularity=popularity)
        vector = np.asarray(self.index.vectors[item_row], np.float64)
        query = self.scorer.queries([profile], popularity=popularity)
        total = float(self.index.rescore(query[0], np.array([item_row]))[0])
        rows, columns = self.profile_side(profile, parts, tier), self.item_side(item_row, tier)
        matrix = WordMatrix(
            rows.lines, columns.lines, rows.vectors @ columns.vectors.T, rows.vectors @ self.mean_vector
        )
        made = self._parts(profile, item_row, parts, facets, allowed, popularity)
        tiers = [words.tier for _, words in (*rows.texts, *columns.texts)]
        lowest = EXACT if all(found == EXACT for found in tiers) else FIRST_LAST
        return Explanation(
            profile=profile,
            item_id=str(self.dataset.items[ITEM_ID].iloc[item_row]),
            title=self.dataset.labels[item_row],
            scorer=self.scorer.name,
            parts=made,
            texts=(
                *(_explained("profile", key, words, matrix.rows, matrix.row_totals) for key, words in rows.texts),
                *(_explained("item", key, words, matrix.columns, matrix.column_totals) for key, words in columns.texts),
            ),
            matrix=matrix,
            total=total,
            rank=self.index.rank_of(query[0], item_row, allowed=allowed),
            average=float(query[0].astype(np.float64) @ self.mean_vector),
            completeness_error=_error(made, matrix, total, rows.vectors @ vector),
            method=self._method(parts.method, lowest),
            tier=lowest,
            warnings=(*warnings, *_cut(rows), *_cut(columns)),
            popularity=popularity,
        )

    def profile_side(self, profile: Profile, parts: FacetVectors, tier: str) -> _Side:
        """Returns the query, less its prior, as words where a text is behind it and as whole facets elsewhere."""
        read = {text.key: text for text in self.scorer.texts(profile)}
        if SENTENCE in read:
            by_text = np.zeros_like(parts.vectors)
            by_text[:, self._text_columns] = parts.vectors[:, self._text_columns]
            whole = by_text.sum(axis=0)
            named: list[_Row] = [(Line(SENTENCE, SENTENCE, False), whole, read[SENTENCE])]
            beyond = zip(parts.facets, parts.vectors - by_text, strict=True)
            named += [
                (Line(f"{self._label(facet)}, beyond the text", f"beyond {facet.key}", False), vector, None)
                for facet, vector in beyond
                if vector.any()
            ]
            return self._joined(named, tier)
        rows = [
            (facet, vector) for facet, vector in zip(parts.facets, parts.vectors, strict=True) if facet.kind != "prior"
        ]
        named = [(Line(self._label(facet), facet.key, False), vector, read.get(facet.key)) for facet, vector in rows]
        return self._joined(named, tier)

    @cached_property
    def _text_columns(self) -> np.ndarray | slice:
        """Columns of item vectors that an item's text reaches."""
        matrix = self.scorer.item_map.matrix
        return slice(None) if matrix is None else np.flatnonzero(np.asarray(matrix).any(axis=0))

    def _joined(self, rows: Sequence[_Row], tier: str) -> _Side:
        lines: list[Line] = []
        vectors: list[np.ndarray] = []
        texts: list[tuple[str, WordVectors]] = []
        for line, vector, text in rows:
            words = self._words(text.text, tier) if text else None
            if text is None or words is None or not len(words.vectors):
                lines.append(line)
                vectors.append(vector[None])
                continue
            own = _entering(words, text.map)
            lines += _word_lines(words, line.key)
            vectors.append(own + (vector - own.sum(axis=0)) / len(own))
            texts.append((line.key, words))
        width = self.index.vectors.shape[1]
        return _Side(tuple(lines), np.concatenate(vectors) if vectors else np.zeros((0, width)), tuple(texts))

    def item_side(self, item_row: int, tier: str = FIRST_LAST) -> _Side:
        """Returns an item's vector as the words of its text, its further views, and what was learned beyond them.

        Where no text is read, the vector that came with the item stands in the place of its words.
        """
        if not reads_text(self.encoder):
            return self._unread_side(item_row)
        words = self.item_words.of(item_row, tier=tier)
        own = _entering(words, self.scorer.item_map)
        whole = np.asarray(self.index.vectors[item_row], np.float64)
        views = {name: part[0] for name, part in self._view_parts(item_row).items() if name in _SHOWN}
        beyond = whole - own.sum(axis=0) - sum(views.values(), start=np.zeros_like(whole))
        beyond[self._prior_columns] = 0.0
        lines = _word_lines(words, _ITEM) + [Line(_SHOWN[name], name, False) for name in views]
        if len(own) and np.abs(beyond).max() <= _NO_TEXT * np.abs(whole).max():
            return _Side(tuple(lines), np.vstack([own + beyond / len(own), *views.values()]), ((_ITEM, words),))
        columns = np.vstack([own, *views.values(), beyond])
        return _Side((*lines, Line(LEARNED, "learned", False)), columns, ((_ITEM, words),))

    def _unread_side(self, item_row: int) -> _Side:
        parts = {name: part[0] for name, part in self._view_parts(item_row).items() if name != PRIOR.key}
        named = {TEXT: VECTOR, LEARNED_PART: LEARNED, **_SHOWN}
        return _Side(tuple(Line(named[name], name, False) for name in parts), np.stack(list(parts.values())), ())

    def _view_parts(self, item_row: int) -> Mapping[str, np.ndarray]:
        return self.scorer.item_parts(np.array([item_row]))

    @property
    def _prior_columns(self) -> np.ndarray:
        """Columns of item vectors through which only the prior speaks."""
        empty = self.scorer.queries([Profile()])[0]
        return np.flatnonzero(empty)

    @cached_property
    def scale(self) -> float:
        """How much a word of any item may well add: colours and bars reach their full size here, the same for all items.

        Half of what one of the catalog's categories, as the only interest, adds to one item in a hundred; where no text is
        read, what one of the first items does that is liked alone.
        """
        texts = self.dataset.categories[:_SCALED] or tuple(self.item_texts[:_SCALED])
        profiles = [Profile(interests=(text[:MAX_INTEREST_LENGTH],)) for text in texts if text.strip()]
        if not reads_text(self.encoder):
            profiles = [Profile(liked=(item_id,)) for item_id in self.dataset.items[ITEM_ID].iloc[:_SCALED]]
        if not profiles:
            return 1.0
        scores = self.index.scores(self.scorer.queries(profiles, popularity=0.0))
        return float(np.quantile(np.abs(scores), 0.99)) / 2 or 1.0

    def _words(self, text: str, tier: str) -> WordVectors:
        """Returns the words of a text, the exact ones where they are known, and remembers them."""
        for key in ((text, EXACT), (text, tier)):
            found = self._known.get(key)
            if found is not None:
                return found
        found = words_of(text, self.encoder, tier=tier, bulk=tier == EXACT)  # 1,024 texts average the rounding out
        self._known[text, tier] = found
        while len(self._known) > _REMEMBERED:
            self._known.pop(next(iter(self._known)), None)
        return found

    def can_be_exact(self, profile: Profile, item_row: int) -> bool:
        """Whether the exact tier would tell more about the words of either side than the quick one."""
        own = [self._words(text.text, FIRST_LAST) for text in self.scorer.texts(profile)]
        items = (self.item_words.of(item_row),) if reads_text(self.encoder) else ()
        return any(words.can_be_exact for words in (*own, *items))

    def _method(self, facets: str, words: str) -> str:
        came = brought(self.encoder)
        if came is not None and came.reader is None:
            told = "Facets: an exact sum by construction; no words, as it is not known what made the vectors."
        elif self.scorer.name == "cosine":
            told = f"Facets: {facets} Shapley values; words: {words} vector-valued Shapley values."
        else:
            told = f"Facets: an exact sum by construction; words: {words} vector-valued Shapley values."
        return told if came is None else f"{told} Vectors that came with the dataset, {came.told}."

    def _label(self, facet: Facet) -> str:
        if facet.kind != "liked":
            return facet.label
        return f"Liked {self.dataset.labels[self.dataset.item_row(facet.key.removeprefix('liked:'))]}"

    def _parts(
        self,
        profile: Profile,
        item_row: int,
        parts: FacetVectors,
        facets: tuple[Facet, ...],
        allowed: np.ndarray,
        popularity: float,
    ) -> tuple[Part, ...]:
        """The contribution of each facet, with its receipt: the item's score and rank for the profile without it."""
        keys = [facet.key for facet in profile.facets]
        others = [profile.keeping(k for k in keys if k != key) for key in keys]
        without = dict(zip(keys, self.scorer.queries(others, popularity=popularity), strict=True))
        if facets and facets[0].kind == "prior":
            without[facets[0].key] = self.scorer.queries([profile], popularity=0.0)[0]
        vector = np.asarray(self.index.vectors[item_row], np.float64)
        here = np.array([item_row])
        shares = {name: part[0] for name, part in self._view_parts(item_row).items() if name != PRIOR.key}
        found = []
        for facet, own in zip(facets, parts.vectors, strict=True):
            query = without[facet.key]
            score = float(self.index.rescore(query, here)[0])
            rank = self.index.rank_of(query, item_row, allowed=allowed)
            views = tuple(
                ViewShare(name, float(own @ share), float(own @ self.mean_parts[name]))
                for name, share in shares.items()
            )
            whole = float(own @ vector), float(own @ self.mean_vector)
            found.append(Part(facet, *whole, score, rank, () if facet.kind == "prior" else views))
        return tuple(found)


def _entering(words: WordVectors, entering: TextMap) -> np.ndarray:
    """What the words add in the scorer's space, ``(n_read, out)``; what the empty text says is spread evenly over them."""
    if not len(words.vectors):
        return np.zeros((0, entering(words.empty[None]).shape[1]))
    return entering.shift(words.vectors) + entering(words.empty[None]) / len(words.vectors)


def _word_lines(words: WordVectors, key: str) -> list[Line]:
    read = words.pieces[: len(words.vectors)]
    return [Line(words.text[piece.start : piece.end], key, True) for piece in read]


def _explained(side: str, key: str, words: WordVectors, lines: tuple[Line, ...], totals: np.ndarray) -> ExplainedText:
    own = iter([float(total) for line, total in zip(lines, totals, strict=True) if line.key == key and line.is_word])
    n = len(words.vectors)
    found = tuple(
        Word(words.text[p.start : p.end], p.start, p.end, next(own) if place < n else 0.0, place < n)
        for place, p in enumerate(words.pieces)
    )
    return ExplainedText("profile" if side == "profile" else "item", key, words.text, found, words.tier)


def _error(parts: tuple[Part, ...], matrix: WordMatrix, total: float, bars: np.ndarray) -> float:
    """The largest miss of: parts to score, cells to score less prior, cells to bars of rows, rows of a facet to its part."""
    own = {part.facet.key: part.contribution for part in parts}
    prior = sum(part.contribution for part in parts if part.facet.kind == "prior")
    misses = [abs(sum(own.values()) - total), abs(matrix.total + prior - total)]
    misses += list(np.abs(matrix.row_totals - bars))
    misses += [abs(sum(v.contribution for v in part.views) - part.contribution) for part in parts if part.views]
    for key in {line.key for line in matrix.rows} & set(own):
        rows = [n for n, line in enumerate(matrix.rows) if line.key == key]
        misses.append(abs(float(matrix.row_totals[rows].sum()) - own[key]))
    return float(np.max(misses))


def _cut(side: _Side) -> list[str]:
    """Warns of texts that the encoder does not read to their end."""
    cut = [words for _, words in side.texts if len(words.vectors) < len(words.pieces)]
    return [
        f"The encoder reads only the beginning of “{words.text[:40]}…”: {len(words.pieces) - len(words.vectors)} of its "
        f"{len(words.pieces)} parts were cut and count as zero."
        for words in cut
    ]
