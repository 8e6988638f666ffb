"""Thousands of profiles at once: what is shown to them, what never is, and where a profile changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recsys.errors import DataError
from recsys.export import neutralise
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, TITLE, Dataset, Profile
from recsys.whatif.lists import overlap
from recsys.whatif.panel import ListConfig, Panel, Progress
from recsys.whatif.profile_table import NamedProfiles

DEAD_FROM = 0.8
"""A cell of the profile space is dead where its lists share this much or more with the usual list, on average."""
MAX_PAIRED = 200
"""Of so many profiles at most every pair is shown."""
_BLOCK = 250
_ROUNDING = 1e-9
_BAND = 10


@dataclass(frozen=True, eq=False)
class Grid:
    """The lists of many profiles.

    Overlap is ``whatif.overlap``: the share of items that two lists share, of the longer one; lists are shorter than ``k`` only
    where fewer items may be shown. Means over pairs are exact: they are counted from how many lists show each item.

    Attributes:
        top: ``(n, k)`` item_rows, best first, -1 where fewer may be shown.
        scores: ``(n, k)`` float64, ``NaN`` where ``top`` is -1.
        may_show: ``(n_items,)`` of bool, what passes the filters; a profile's liked items are left out for that profile alone.
        usual: item_rows of the list that an empty profile gets; where that says nothing, as there is no prior to rank by,
            the k items that most lists show.
        own_usual: ``(n,)``, overlap of each list with the usual one, from which the items that the profile likes are left out
            and replaced by the next.
    """

    named: NamedProfiles
    k: int
    top: np.ndarray
    scores: np.ndarray
    may_show: np.ndarray
    usual: np.ndarray
    own_usual: np.ndarray

    def __len__(self) -> int:
        return len(self.named)

    @cached_property
    def shown(self) -> np.ndarray:
        """``(n_items,)`` int, how many lists show each item."""
        return _counts(self.top, len(self.may_show))

    @property
    def coverage(self) -> float:
        """Share of the items that may be shown that some list shows; ``NaN`` where none may be."""
        n = int(self.may_show.sum())
        return float((self.shown > 0).sum() / n) if n else float("nan")

    @property
    def never_shown(self) -> np.ndarray:
        """item_rows that may be shown and are in no list, in the order of the catalog."""
        return np.flatnonzero(self.may_show & (self.shown == 0))

    @property
    def most_shown(self) -> np.ndarray:
        """item_rows that any list shows, those of most lists first."""
        return _by_count(self.shown)

    @cached_property
    def mean_overlap(self) -> float:
        """Mean overlap of every two profiles' lists; ``NaN`` for a single profile."""
        return float(_mean_overlaps(self.top, np.zeros(len(self), int), 1)[0, 0])

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row per cell of the profile space: age band by gender by first interest, each only where it varies.

        Columns: ``cell`` (its label), then ``age``, ``gender`` and ``interest`` as far as they vary, ``n`` (profiles),
        ``n_items`` (distinct items shown), ``overlap`` (mean, with the usual list), ``score`` (mean of the best ones, ``NaN``
        where nothing is shown), ``is_dead`` (the overlap is ``DEAD_FROM`` or more: these profiles change nothing or nearly
        nothing).
        """
        keys, cell_of = self._cells
        frame = pd.DataFrame({"cell": self._labels})
        for place, axis in enumerate(self._facets):
            frame[axis] = [_word(axis, key[place]) for key in keys]
        is_there = self.top.ravel() >= 0
        shown = np.stack([np.repeat(cell_of, self.k), self.top.ravel()])[:, is_there]
        best = self.scores[:, 0]
        n, n_best = (np.bincount(cell_of[which], minlength=len(keys)) for which in (slice(None), ~np.isnan(best)))
        totals = np.bincount(cell_of, np.nan_to_num(best), len(keys))
        overlap = np.bincount(cell_of, self.own_usual, len(keys)) / n
        return frame.assign(
            n=n,
            n_items=np.bincount(np.unique(shown, axis=1)[0], minlength=len(keys)),
            overlap=overlap,
            score=np.where(n_best > 0, totals / np.maximum(n_best, 1), np.nan),
            is_dead=overlap >= DEAD_FROM - _ROUNDING,
        )

    def cell_overlap(self, limit: int = 60) -> tuple[list[str], np.ndarray]:
        """Returns the labels of the largest cells, in the order of ``cells``, and ``(m, m)``: the mean overlap of a list of one
        and a list of another; within a cell over distinct pairs, ``NaN`` for a cell of one profile."""
        n, cell_of = self.cells["n"].to_numpy(), self._cells[1]
        chosen = np.sort(np.argsort(-n, kind="stable")[:limit])
        place = np.full(len(n), -1)
        place[chosen] = np.arange(len(chosen))
        kept = place[cell_of] >= 0
        return [self._labels[row] for row in chosen], _mean_overlaps(self.top[kept], place[cell_of][kept], len(chosen))

    def profile_overlap(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Returns the names and ``(n, n)``, the overlap of every two lists.

        Raises:
            DataError: for more than ``MAX_PAIRED`` profiles.
        """
        if len(self) > MAX_PAIRED:
            fix = f"Compare at most {MAX_PAIRED}, or the cells of the profile space."
            raise DataError("These are too many profiles to compare each with each", len(self), fix=fix)
        found = _mean_overlaps(self.top, np.arange(len(self)), len(self))
        np.fill_diagonal(found, 1.0)
        return self.named.names, found

    def lists_csv(self, dataset: Dataset) -> str:
        """Returns every list as CSV: name, rank, item_id, title, score; no cell that a spreadsheet would run."""
        profile, rank = np.nonzero(self.top >= 0)
        rows = self.top[profile, rank]
        table = {
            "name": _safe(self.named.names)[profile],
            "rank": rank + 1,
            "item_id": _safe(dataset.items[ITEM_ID])[rows],
            "title": _safe(dataset.items[TITLE])[rows],
            "score": self.scores[profile, rank],
        }
        return str(pd.DataFrame(table).to_csv(index=False))

    def items_csv(self, dataset: Dataset) -> str:
        """Returns every item that may be shown as CSV, those of most lists first: item_id, title, times_shown."""
        rows = _by_count(np.where(self.may_show, self.shown, -1), least=0)
        ids, titles = (_safe(dataset.items[name])[rows] for name in (ITEM_ID, TITLE))
        table = pd.DataFrame({"item_id": ids, "title": titles, "times_shown": self.shown[rows]})
        return str(table.to_csv(index=False))

    def to_dict(self, dataset: Dataset) -> dict[str, Any]:
        """Returns the grid as plain JSON values; unknown numbers are ``None``."""
        ids = dataset.items[ITEM_ID].to_numpy()
        cells = self.cells.astype(object).where(self.cells.notna(), None)
        return {
            "k": self.k,
            "n_profiles": len(self),
            "n_items": int(self.may_show.sum()),
            "coverage": _or_none(self.coverage),
            "mean_overlap": _or_none(self.mean_overlap),
            "usual": [str(ids[row]) for row in self.usual],
            "never_shown": [str(ids[row]) for row in self.never_shown],
            "most_shown": [
                {"item_id": str(ids[row]), "title": dataset.labels[row], "times_shown": int(self.shown[row])}
                for row in self.most_shown
            ],
            "cells": cells.to_dict("records"),
            "lists": [
                {
                    "name": name,
                    "profile": profile.to_dict(),
                    "items": [str(ids[row]) for row in top if row >= 0],
                    "scores": scores[top >= 0].tolist(),
                }
                for name, profile, top, scores in zip(
                    self.named.names, self.named.profiles, self.top, self.scores, strict=True
                )
            ],
        }

    @cached_property
    def _facets(self) -> dict[str, list[Any]]:
        """Axis of the profile space to one value per profile; only axes that vary."""
        found: dict[str, list[Any]] = {
            "age": [None if profile.age is None else int(profile.age // _BAND) for profile in self.named.profiles],
            "gender": [profile.gender for profile in self.named.profiles],
            "interest": [profile.interests[0] if profile.interests else None for profile in self.named.profiles],
        }
        return {axis: values for axis, values in found.items() if len(set(values)) > 1}

    @cached_property
    def _cells(self) -> tuple[list[tuple[Any, ...]], np.ndarray]:
        """The cells as values on the axes, and ``(n,)``, the cell of each profile."""
        keys = list(zip(*self._facets.values(), strict=True)) if self._facets else [()] * len(self)
        ranks = [_ranks(axis, values) for axis, values in self._facets.items()]
        cells = sorted(set(keys), key=lambda key: [rank[value] for rank, value in zip(ranks, key, strict=True)])
        place = {key: n for n, key in enumerate(cells)}
        return cells, np.array([place[key] for key in keys])

    @cached_property
    def _labels(self) -> list[str]:
        told = [map(_word, self._facets, key) for key in self._cells[0]]
        return [" · ".join(words) or "everyone" for words in told]


def rank_grid(
    recommender: Recommender,
    named: NamedProfiles,
    config: ListConfig | None = None,
    *,
    progress: Progress | None = None,
) -> Grid:
    """Ranks all profiles, block by block so that memory stays bounded; each list equals the one its profile gets by itself.

    Args:
        progress: called with ``("rank profiles", done, in all)`` before every block of 250, and at the end.

    Raises:
        DataError: for no profiles, or a gender or an attribute that the dataset does not know.
        UnknownItemError: for a liked item that is not in the catalog.
    """
    config = config or ListConfig()
    if not len(named):
        raise DataError("There are no profiles to rank", fix="Give at least one profile.")
    for profile in named.profiles:
        recommender.check_known(profile)
    shape = len(named), config.k
    top, scores = np.full(shape, -1, np.int64), np.full(shape, np.nan)
    for start in range(0, len(named), _BLOCK):
        if progress:
            progress("rank profiles", start, len(named))
        panel = Panel.from_profiles(recommender, named.profiles[start : start + _BLOCK], config)
        hits = recommender.index.search(panel.queries, config.k, allowed=panel.allowed)
        for place, (rows, values) in enumerate(zip(hits.rows, hits.scores, strict=True), start):
            top[place, : len(rows)], scores[place, : len(rows)] = rows, values
    may_show = recommender.allowed(Profile(), keep=config.keep)
    order = _usual_order(recommender, named, config, may_show, _counts(top, len(may_show)))
    if progress:
        progress("rank profiles", len(named), len(named))
    own_usual = _overlap_with(order, top, recommender.dataset, named)
    return Grid(named, config.k, top, scores, may_show, order[: config.k], own_usual)


def _usual_order(
    recommender: Recommender, named: NamedProfiles, config: ListConfig, may_show: np.ndarray, shown: np.ndarray
) -> np.ndarray:
    """The usual list, and as many more items as anyone likes."""
    query = np.asarray(recommender.scorer.queries([Profile()], popularity=config.popularity))
    if not query.any():
        return _by_count(shown)
    more = max(len(profile.liked) for profile in named.profiles)
    return recommender.index.search(query, config.k + more, allowed=[may_show]).rows[0]


def _overlap_with(order: np.ndarray, top: np.ndarray, dataset: Dataset, named: NamedProfiles) -> np.ndarray:
    """``(n,)``: the overlap of each list with the best k of an order, without what the profile likes."""
    k, lengths = top.shape[1], (top >= 0).sum(axis=1)
    longer = np.maximum(lengths, len(order[:k]))
    found = np.isin(top, order[:k]).sum(axis=1) / np.maximum(longer, 1)
    found[longer == 0] = 1.0
    for place, profile in enumerate(named.profiles):
        if profile.liked:
            liked = [dataset.item_rows[item_id] for item_id in profile.liked]
            found[place] = overlap(top[place, : lengths[place]], order[~np.isin(order, liked)][:k])
    return found


def _counts(top: np.ndarray, n_items: int) -> np.ndarray:
    return np.bincount(top[top >= 0], minlength=n_items)


def _by_count(shown: np.ndarray, least: int = 1) -> np.ndarray:
    """item_rows that so many lists show at least, those of most lists first, ties in the order of the catalog."""
    order = np.argsort(-shown, kind="stable")
    return order[shown[order] >= least]


def _mean_overlaps(top: np.ndarray, group_of: np.ndarray, n_groups: int) -> np.ndarray:
    """``(n_groups, n_groups)``: mean overlap of the lists of every two groups, within a group over distinct pairs.

    Two lists of one length share as many items as both show, so that sums over pairs are products of counts of
    items. Groups are divided by the lengths of their lists, and put together again.
    """
    is_there = top >= 0
    lengths = is_there.sum(axis=1)
    parts, part_of, n = np.unique(np.stack([group_of, lengths]), axis=1, return_inverse=True, return_counts=True)
    places = np.repeat(part_of, lengths), top[is_there]
    counts = sparse.csr_matrix((np.ones(is_there.sum()), places), shape=(len(n), int(top.max()) + 2))
    pairs = np.outer(n, n) - np.diag(n)
    shared = (counts @ counts.T).toarray() - np.diag(n * parts[1])
    longer = np.maximum.outer(parts[1], parts[1])
    totals = np.where(longer > 0, shared / np.maximum(longer, 1), pairs)
    joined = sparse.csr_matrix((np.ones(len(n)), (parts[0], np.arange(len(n)))), shape=(n_groups, len(n)))
    sums, n_pairs = (joined @ (joined @ matrix).T for matrix in (totals, pairs))
    return np.where(n_pairs > 0, sums / np.maximum(n_pairs, 1), np.nan)


def _ranks(axis: str, values: Sequence[Any]) -> dict[Any, int]:
    """The order of the values of an axis: ages ascending, the others as they come; unknown is last."""
    distinct = list(dict.fromkeys(values))
    known = [value for value in distinct if value is not None]
    return {value: n for n, value in enumerate([*(sorted(known) if axis == "age" else known), None])}


def _word(axis: str, value: Any) -> str:
    if value is None:
        return {"age": "age unknown", "gender": "gender unknown", "interest": "no interest"}[axis]
    return f"{value * _BAND}–{value * _BAND + _BAND - 1}" if axis == "age" else str(value)


def _safe(texts: Iterable[object]) -> np.ndarray:
    return np.array([neutralise(text) for text in texts], object)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
