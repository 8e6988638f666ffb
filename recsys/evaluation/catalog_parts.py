"""Parts of a catalog, named in a few signs: ``year<1990``, ``category!=Action``."""

import re
from collections.abc import Callable

import numpy as np

from recsys.errors import ConfigError, DataError
from recsys.schema import CATEGORIES, YEAR, Dataset

_PART = re.compile(r"\s*(year|category)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*")


def part_of(dataset: Dataset, text: str) -> np.ndarray:
    """Returns ``(n_items,)`` of bool: the part of a catalog that a text names, as ``year<1990`` or ``category!=Action``.

    Raises:
        ConfigError: for a text that names no part.
        DataError: for a category or year that leaves nothing, or nothing else.
    """
    found = _PART.fullmatch(text)
    if found is None or (found[1] == "category") != (found[2] in ("=", "!=")):
        fix = "Name a dataset, or write for example year<1990 or category!=Action."
        raise ConfigError("This is no dataset and no part of a catalog", text, fix=fix)
    mask = _category(dataset, found[2], found[3]) if found[1] == "category" else _year(dataset, found[2], found[3])
    if not mask.any() or not rest_of(dataset, text, mask).any():
        raise DataError("All items or none are in this part of the catalog", text, fix="Choose one that splits it.")
    return mask


def _category(dataset: Dataset, sign: str, name: str) -> np.ndarray:
    has = np.array([name in names for names in dataset.items[CATEGORIES]]) if CATEGORIES in dataset.items else None
    if has is None or not has.any():
        known = ", ".join(dataset.categories[:8]) or "none"
        raise DataError("The catalog has no such category", name, fix=f"Its most frequent are: {known}.")
    return has if sign == "=" else ~has


def _year(dataset: Dataset, sign: str, text: str) -> np.ndarray:
    if YEAR not in dataset.items or not re.fullmatch(r"-?\d{1,6}", text):
        fix = "Write a whole number, and use a catalog with years; or split by category."
        raise DataError("The catalog cannot be split by this year", text, fix=fix)
    years, year = _years(dataset), int(text)
    compare: dict[str, Callable[[np.ndarray, int], np.ndarray]]
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    return np.asarray(compare[sign](years, year))


def rest_of(dataset: Dataset, text: str, mask: np.ndarray) -> np.ndarray:
    """Returns ``(n_items,)`` of bool: what is not in the part; an item without a year is on neither side of one.

    Args:
        mask: of the part that ``text`` names.
    """
    return ~mask & ~np.isnan(_years(dataset)) if text.strip().startswith("year") else ~mask


def _years(dataset: Dataset) -> np.ndarray:
    return np.asarray(dataset.items[YEAR].astype("Float64").to_numpy(float, na_value=np.nan))
