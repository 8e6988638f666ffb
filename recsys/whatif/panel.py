"""Many profiles ranked at once: one matrix of queries, one product with the items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import ItemFilter, Profile
from recsys.settings import MAX_K

Progress = Callable[[str, int, int], None]
"""Called with (step, done, in all)."""
_BLOCK = 500


@dataclass(frozen=True)
class ListConfig:
    """How lists are made, the same for all profiles that are compared; they are ranked by score alone.

    Attributes:
        k: their length.
        keep: what may be in them.
        popularity: weight of the prior, 0 to 1.

    Raises:
        DataError: for a k or a popularity out of range.
    """

    k: int = 10
    keep: ItemFilter = field(default_factory=ItemFilter)
    popularity: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MAX_K:
            raise DataError("The length of the list is out of range", self.k, fix=f"Choose k from 1 to {MAX_K}.")
        if not 0 <= self.popularity <= 1:
            raise DataError(
                "The popularity weight is out of range", self.popularity, fix="Choose a number from 0 to 1."
            )


@dataclass(frozen=True, eq=False)
class Panel:
    """Profiles with their queries; whatever is read from it equals what ``Recommender`` answers for each alone.

    Attributes:
        profiles: they themselves.
        queries: ``(n_profiles, dim)``.
        allowed: per profile ``(n_items,)`` of bool, what may be shown; one and the same array where nothing is liked.
    """

    recommender: Recommender
    profiles: tuple[Profile, ...]
    queries: np.ndarray
    allowed: tuple[np.ndarray, ...]
    config: ListConfig

    @classmethod
    def from_profiles(
        cls,
        recommender: Recommender,
        profiles: Sequence[Profile],
        config: ListConfig | None = None,
        *,
        progress: Progress | None = None,
    ) -> "Panel":
        """Encodes the profiles, block by block so that progress can be told.

        Raises:
            DataError: for a gender or an attribute that the dataset does not know.
            UnknownItemError: for a liked item that is not in the catalog.
        """
        config = config or ListConfig()
        for profile in profiles:
            recommender.check_known(profile)
        parts = []
        for start in range(0, len(profiles), _BLOCK):
            if progress:
                progress("read profiles", start, len(profiles))
            block = profiles[start : start + _BLOCK]
            parts.append(np.asarray(recommender.scorer.queries(block, popularity=config.popularity)))
        width = recommender.scorer.item_vectors.shape[1]
        queries = np.concatenate(parts) if parts else np.zeros((0, width))
        shown = recommender.allowed(Profile(), keep=config.keep)
        rows = recommender.dataset.item_rows
        allowed = tuple(_without(shown, [rows[item_id] for item_id in profile.liked]) for profile in profiles)
        return cls(recommender, tuple(profiles), queries, allowed, config)

    def __len__(self) -> int:
        return len(self.profiles)

    @cached_property
    def top(self) -> np.ndarray:
        """``(n_profiles, k)`` item_rows, best first, -1 where fewer may be shown."""
        return self.ranked()

    def ranked(self, progress: Progress | None = None) -> np.ndarray:
        """Returns ``top``, telling progress."""
        k = self.config.k
        found = np.full((len(self), k), -1, np.int64)
        for start in range(0, len(self), _BLOCK):
            if progress:
                progress("rank items", start, len(self))
            block = slice(start, start + _BLOCK)
            hits = self.recommender.index.search(self.queries[block], k, allowed=self.allowed[block])
            for place, rows in enumerate(hits.rows, start):
                found[place, : len(rows)] = rows
        return found

    def ranks(self, rows: np.ndarray) -> np.ndarray:
        """Returns ``(n_profiles, n_rows)`` int, the rank of each item for each profile."""
        return self.recommender.index.ranks_of(self.queries, rows, allowed=self.allowed)

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Returns ``(n_profiles, n_rows)`` float64."""
        found = [self.recommender.index.rescore(query, rows) for query in self.queries]
        return np.stack(found) if found else np.zeros((0, len(rows)))


def _without(shown: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    if not rows:
        return shown
    left = shown.copy()
    left[list(rows)] = False
    return left
