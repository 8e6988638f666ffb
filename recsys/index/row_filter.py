"""Which item_rows a search may return, in the words of Milvus."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

ROW = "row"
"""Field of a collection: the item_row."""
LISTED = 10_000
"""Rows that one filter lists at most; 10,000 are about 60 kB of text."""


@dataclass(frozen=True, eq=False)
class RowFilter:
    """A part of the catalog and what may be shown of it.

    Attributes:
        template: an expression of Milvus with names in braces; empty where everything may be shown.
        values: what stands for the names.
        n_allowed: rows that it lets through.
    """

    template: str
    values: dict[str, list[int]]
    n_allowed: int

    @property
    def expression(self) -> str:
        """The same with the values in the text, for servers that know no templates."""
        return self.template.format(**{name: str(rows) for name, rows in self.values.items()})


def row_filters(allowed: np.ndarray | None, n_items: int) -> Iterator[RowFilter]:
    """Yields filters that together let through what is allowed, each row once; none where nothing is.

    One filter where the shorter list of the two, rows that may be shown and rows that may not, is at most ``LISTED`` long;
    otherwise the catalog is cut, so that no filter lists more.

    Args:
        allowed: ``(n_items,)`` of bool, or ``None`` for all items.
    """
    if allowed is None:
        if n_items:
            yield RowFilter("", {}, n_items)
        return
    is_listed_in = 2 * int(allowed.sum()) <= n_items
    listed = np.flatnonzero(allowed if is_listed_in else ~allowed)
    starts = [0, *listed[LISTED::LISTED].tolist(), n_items]
    for start, end in pairwise(starts):
        n_allowed = int(allowed[start:end].sum())
        if n_allowed:
            rows = listed[np.searchsorted(listed, start) : np.searchsorted(listed, end)].tolist()
            yield _filter(rows, is_listed_in, n_allowed, (start, end) if len(starts) > 2 else None)


def _filter(rows: list[int], is_listed_in: bool, n_allowed: int, within: tuple[int, int] | None) -> RowFilter:
    if is_listed_in:
        return RowFilter(f"{ROW} in {{rows}}", {"rows": rows}, n_allowed)
    parts = [f"{ROW} not in {{rows}}"] if rows else []
    if within:
        parts = [f"{ROW} >= {within[0]} and {ROW} < {within[1]}", *parts]
    return RowFilter(" and ".join(parts), {"rows": rows} if rows else {}, n_allowed)
