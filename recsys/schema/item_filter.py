"""ItemFilter: which items may be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys.errors import DataError
from recsys.schema.columns import CATEGORIES, YEAR
from recsys.schema.dataset import Dataset


@dataclass(frozen=True)
class ItemFilter:
    """Which items may be shown; an empty part lets everything pass.

    Attributes:
        categories: at least one of these.
        years: first and last year, inclusive; items without a year are dropped.
        attributes: column to allowed values.
    """

    categories: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def mask(self, dataset: Dataset) -> np.ndarray:
        """Returns ``(n_items,)`` of ``bool``.

        Raises:
            DataError: for a category or attribute that the catalog does not have.
        """
        items = dataset.items
        allowed = np.ones(len(items), dtype=bool)
        if self.categories:
            _check_known("category", self.categories, dataset.categories)
            wanted = set(self.categories)
            allowed &= items[CATEGORIES].map(lambda found: not wanted.isdisjoint(found)).to_numpy(bool)
        if self.years is not None:
            if YEAR not in items:
                raise DataError("The catalog has no years to filter by", self.years, fix="Leave the years out.")
            allowed &= items[YEAR].between(*self.years).fillna(False).to_numpy(bool)
        for name, values in self.attributes.items():
            _check_known("item attribute", (name,), tuple(dataset.item_attributes))
            allowed &= items[name].astype(str).isin(values).to_numpy(bool)
        return allowed


def _check_known(noun: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            listed = ", ".join(known[:8]) or "none"
            raise DataError(f"The catalog has no such {noun}", value, fix=f"Choose one of: {listed}.")
