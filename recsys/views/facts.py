"""Facts: what items have in common, from a graph or from attributes, and how much each common fact says.

A fact is a relation and what it leads to: the director m.0bln8, the brand Velomarsh. Rare facts weigh more.
Source: K. Spärck Jones, A statistical interpretation of term specificity, Journal of Documentation 28(1), 1972.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from recsys.schema import TITLE, Dataset
from recsys.views.fact_sources import sources_of
from recsys.views.relation import link_words, word_of

LEAST_WORTH = 0.002
"""Of the cosine of two items: a fact that adds less, such as a language that nearly all have, is not worth a word or a line."""


@dataclass(frozen=True)
class ItemFact:
    """A fact of one item, or one that two items share.

    Attributes:
        relation: as in the data.
        word: the relation in words, ``director``.
        name: what it leads to, ``Velomarsh``; empty where the data has only an identifier for it.
        weight: in (0, 1]. Of one item: the squares of the weights of all its facts sum to 1. Of two: the product of both
            weights; those of all facts that they share sum to their cosine.
        n_items: how many items have it.
        link: of two items that are linked directly, what the first is to the second: ``sequel of``. Else empty.
    """

    relation: str
    word: str
    name: str
    weight: float
    n_items: int
    link: str = ""

    @property
    def label(self) -> str:
        """How it is called: ``brand Velomarsh``, or only ``director``."""
        return f"{self.word} {self.name}".strip()


@dataclass(frozen=True)
class FactPath:
    """Two items and the fact that they share, to be drawn as a line.

    Attributes:
        item_row: where it begins.
        other_row: where it ends.
        labels: of the three nodes: item, fact, other item. That of a fact is its name, or its word where it has no name;
            empty for two items that are linked directly, for which one line is drawn.
        edge: the label of the lines: ``director``, or ``sequel of``.
        weight: see ``ItemFact``.
    """

    item_row: int
    other_row: int
    labels: tuple[str, str, str]
    edge: str
    weight: float


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of a catalog that at least two of its items share, but not all.

    Attributes:
        matrix: ``(n_items, n_facts)`` float32, the weight of a fact in an item; rows have unit length, or are zero for an item
            without facts. The product of two rows is the cosine of two items.
        relations: the relations.
        relation_of: ``(n_facts,)`` the position of the relation of each fact in ``relations``.
        names: ``(n_facts,)`` of ``str``; empty where there is only an identifier.
        hubs: ``(n_facts,)`` the item_row that a fact leads to, which itself has that fact too; -1 where it is no item.
        counts: ``(n_facts,)`` how many items have it.
        titles: of all items.
    """

    matrix: sparse.csr_array
    relations: tuple[str, ...]
    relation_of: np.ndarray
    names: np.ndarray
    hubs: np.ndarray
    counts: np.ndarray
    titles: Sequence[str]

    @cached_property
    def key(self) -> str:
        """SHA-256 of the matrix."""
        digest = hashlib.sha256(str(self.matrix.shape).encode())
        for array in (self.matrix.indptr, self.matrix.indices, self.matrix.data):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def shared(self, item_row: int, other_row: int) -> tuple[ItemFact, ...]:
        """Returns what two items share, strongest first; nothing for an item with itself."""
        if item_row == other_row:
            return ()
        columns, weights = self._of(item_row)
        others, other_weights = self._of(other_row)
        both, here, there = np.intersect1d(columns, others, assume_unique=True, return_indices=True)
        found = zip(both, weights[here] * other_weights[there], strict=True)
        return _sorted(self._fact(column, weight, item_row, other_row) for column, weight in found)

    def strongest(self, item_row: int, *, n: int = 5) -> tuple[ItemFact, ...]:
        """Returns the facts of an item that weigh most, strongest first.

        Facts that no other item shares are left out, and so is that other items lead to this one.
        """
        columns, weights = self._of(item_row)
        away = self.hubs[columns] != item_row
        columns, weights = columns[away], weights[away]
        return _sorted(self._fact(column, weight) for column, weight in zip(columns, weights, strict=True))[:n]

    def paths(self, item_row: int, other_rows: Sequence[int], *, n: int = 8) -> tuple[FactPath, ...]:
        """Returns the ``n`` strongest paths from an item over one fact to one of the others, strongest first.

        Facts below ``LEAST_WORTH`` make no path.
        """
        shared = [(other, fact) for other in other_rows for fact in self.shared(item_row, other)]
        found = [self._path(item_row, other, fact) for other, fact in shared if fact.weight >= LEAST_WORTH]
        return tuple(sorted(found, key=lambda path: -path.weight)[:n])

    def _path(self, item_row: int, other_row: int, fact: ItemFact) -> FactPath:
        middle = "" if fact.link else fact.name or fact.word
        labels = (self.titles[item_row], middle, self.titles[other_row])
        return FactPath(item_row, other_row, labels, fact.link or fact.word, fact.weight)

    def _of(self, item_row: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(*self.matrix.indptr[item_row : item_row + 2])
        return self.matrix.indices[part], self.matrix.data[part]

    def _fact(self, column: int, weight: float, item_row: int = -1, other_row: int = -1) -> ItemFact:
        relation, link = self.relations[self.relation_of[column]], ""
        if other_row >= 0 and self.hubs[column] in (item_row, other_row):
            link = link_words(relation)[int(self.hubs[column] == item_row)]
        return ItemFact(relation, word_of(relation), self.names[column], float(weight), int(self.counts[column]), link)


def _sorted(facts: Iterable[ItemFact]) -> tuple[ItemFact, ...]:
    """Of equally strong facts a direct link comes first."""
    return tuple(sorted(facts, key=lambda fact: (-fact.weight, not fact.link, fact.relation, fact.name)))


def facts_of(dataset: Dataset) -> Facts:
    """Collects the facts of a catalog: those of its graph, or, without a graph, its attributes and categories.

    A text column of the items that has no other role is an attribute, however many values it has; numbers and years are
    no facts.
    """
    sources = sources_of(dataset)
    n_items, titles = len(dataset.items), tuple(dataset.items[TITLE])
    relations = tuple(dict.fromkeys(source.relation for source in sources))
    starts = np.cumsum([0, *(len(source.names) for source in sources)])
    rows = _joined([source.rows for source in sources], np.int32)
    columns = _joined([source.codes + start for source, start in zip(sources, starts, strict=False)], np.int32)
    relation_of = _joined([np.full(len(s.names), relations.index(s.relation)) for s in sources], np.int32)
    counts = np.bincount(columns, minlength=int(starts[-1]))
    idf = np.log(max(1, len(np.unique(rows))) / np.maximum(counts, 1)).astype(np.float32)
    matrix = sparse.csr_array((idf[columns], (rows, columns)), shape=(n_items, int(starts[-1])))
    matrix.eliminate_zeros()
    names = np.concatenate([np.zeros(0, object), *(source.names for source in sources)])
    hubs = _joined([source.hubs for source in sources], np.int32)
    return Facts(_unit(matrix), relations, relation_of, names, hubs, counts, titles)


def _joined(arrays: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays]).astype(dtype, copy=False)


def _unit(matrix: sparse.csr_array) -> sparse.csr_array:
    """Brings the rows to unit length, in place."""
    lengths = np.sqrt(np.add.reduceat(np.append(matrix.data**2, 0), matrix.indptr[:-1])) if matrix.shape[0] else 1
    n_facts = np.diff(matrix.indptr)
    matrix.data /= np.repeat(np.where(n_facts > 0, lengths, 1), n_facts)
    return matrix
