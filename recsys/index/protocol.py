"""What an index is: it holds the item vectors, finds the best of them for a query, and says where an item stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Hits:
    """The best items of several queries.

    Attributes:
        rows: per query the item_rows, best first; fewer than k where fewer items may be shown.
        scores: per query the scores of those rows, float64.
    """

    rows: tuple[np.ndarray, ...]
    scores: tuple[np.ndarray, ...]


class Index(Protocol):
    """Inner-product search over the items of a catalog.

    Whatever finds the candidates, those that are returned are scored in float64 and ties go to the smaller item_row. Scores
    and ranks are exact in every kind of index; a search may miss items where its kind says so.
    """

    @property
    def vectors(self) -> np.ndarray:
        """``(n_items, dim)`` float32."""
        ...

    @property
    def about(self) -> str:
        """What a reader should know of the search, for the status line; empty for an exact one on this machine."""
        ...

    @property
    def notice(self) -> str:
        """What a reader should know of the last search; empty where it went as it should."""
        ...

    def __len__(self) -> int: ...

    def scores(self, queries: np.ndarray) -> np.ndarray:
        """Returns ``(n_queries, n_items)`` float32, the score of every item."""
        ...

    def search(self, queries: np.ndarray, k: int, *, allowed: Sequence[np.ndarray | None] | None = None) -> Hits:
        """Returns the k best items of each query.

        Args:
            queries: ``(n_queries, dim)``.
            k: at least 1; larger than the catalog gives the whole catalog.
            allowed: per query ``(n_items,)`` of bool, or ``None`` for all items.
        """
        ...

    def rescore(self, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns the float64 scores of some rows, each computed on its own."""
        ...

    def rank_of(self, query: np.ndarray, item_row: int, *, allowed: np.ndarray | None = None) -> int:
        """Returns the rank from 1 of an item among the allowed ones and itself."""
        ...

    def ranks_of(
        self, queries: np.ndarray, rows: np.ndarray, *, allowed: Sequence[np.ndarray | None] | None = None
    ) -> np.ndarray:
        """Returns ``(n_queries, n_rows)`` int: for each query what ``rank_of`` gives each of some items."""
        ...
