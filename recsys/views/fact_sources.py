"""Where facts come from: each relation of a graph, or each text column of the items."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.schema import CATEGORIES, HEAD, ITEM_ROLES, RELATION, TAIL, TITLE, Dataset
from recsys.views.relation import readable, reversed_relation

_LEAST = 2
"""Items that share a fact; one that only one item has links it to nothing."""
_LONGEST = 80
"""Characters of a value; what is longer is a text, not a name."""


@dataclass(frozen=True, eq=False)
class FactSource:
    """The facts of one relation.

    Attributes:
        relation: its name.
        rows: ``(n,)`` item_rows.
        codes: ``(n,)`` which fact each of these items has; no pair of both is there twice.
        names: ``(n_facts,)`` of ``str``, by code; empty for what has no name.
        hubs: ``(n_facts,)`` the item_row that each fact leads to, -1 for none.
    """

    relation: str
    rows: np.ndarray
    codes: np.ndarray
    names: np.ndarray
    hubs: np.ndarray


def sources_of(dataset: Dataset) -> list[FactSource]:
    """Returns the facts of a graph, or, without one, of the attributes and categories; each shared by two items or more."""
    found = _of_graph(dataset) if len(dataset.graph) else _of_attributes(dataset.items.reset_index(drop=True))
    return [source for source in found if len(source.names)]


def _of_attributes(items: pd.DataFrame) -> Iterator[FactSource]:
    for name in items.columns:
        column = items[name]
        if name == CATEGORIES:
            column = column.explode()
        elif name in ITEM_ROLES or not _is_text(column):
            continue
        texts = column.dropna().astype(str).str.strip()
        texts = texts[texts.str.len().between(1, _LONGEST)]
        codes, values = pd.factorize(texts)
        yield _source(str(name), texts.index.to_numpy(), codes, np.asarray(values, object))


def _is_text(column: pd.Series) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _is_text(column.cat.categories.to_series())
    return bool(pd.api.types.is_string_dtype(column) and not pd.api.types.is_bool_dtype(column))


def _of_graph(dataset: Dataset) -> Iterator[FactSource]:
    """For every relation first what its heads share, to which the tail belongs if it is an item; then what its tails share."""
    graph = dataset.graph
    codes, entities = pd.factorize(pd.concat([graph[HEAD], graph[TAIL]], ignore_index=True))
    heads, tails = codes[: len(graph)], codes[len(graph) :]
    items = pd.Series(entities).map(dataset.item_rows).fillna(-1).to_numpy(np.int32)
    titles = dataset.items[TITLE].to_numpy(object)
    names = np.array(
        [titles[row] if row >= 0 else readable(entity) for row, entity in zip(items, entities, strict=True)]
    )
    for relation, places in sorted(graph.groupby(RELATION).indices.items()):
        head, tail = heads[places], tails[places]
        hubs = np.unique(tail[items[tail] >= 0])
        members = np.concatenate([items[head], items[hubs]]), np.concatenate([tail, hubs])
        yield _source(str(relation), *members, names, items)
        yield _source(reversed_relation(str(relation)), items[tail], head, names)


def _source(
    relation: str, rows: np.ndarray, codes: np.ndarray, names: np.ndarray, hubs: np.ndarray | None = None
) -> FactSource:
    """Keeps each pair of an item (its row not negative) and a fact once, and only facts that are shared."""
    keys = np.unique(codes[rows >= 0].astype(np.int64) * (1 << 32) + rows[rows >= 0])
    codes, rows = keys >> 32, (keys & ((1 << 32) - 1)).astype(np.int32)
    shared = np.bincount(codes, minlength=len(names)) >= _LEAST
    places = np.cumsum(shared) - 1
    kept = shared[codes]
    found = np.full(len(names), -1, np.int32) if hubs is None else hubs.astype(np.int32)
    return FactSource(relation, rows[kept], places[codes[kept]].astype(np.int32), names[shared], found[shared])
