"""k-anonymity: values of the rarest people are left out until everybody looks like at least k - 1 others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.errors import DataError, MissingExtraError

UNKNOWN = "(unknown)"
"""Stands for a missing value, which is a value like any other here: a person can stand out by having said nothing."""


@dataclass(frozen=True)
class Suppressed:
    """Users after suppression.

    Attributes:
        users: the table; what was left out is missing.
        changed: column to the number of values left out.
        n_rows: users of whom anything was left out.
    """

    users: pd.DataFrame
    changed: dict[str, int]
    n_rows: int


def suppress(users: pd.DataFrame, columns: Sequence[str], k: int, rng: np.random.Generator) -> Suppressed:
    """Leaves out values until every combination that occurs in the columns occurs at least k times.

    People whose combination is too rare lose one column after the other, the one with the most values first, until what is
    left is frequent enough. Where too few are left without anything, others join them.

    Source: L. Sweeney, Achieving k-anonymity privacy protection using generalization and suppression, 2002.

    Args:
        rng: chooses who joins.

    Raises:
        DataError: for fewer users than k.
    """
    if 0 < len(users) < k:
        raise DataError("There are fewer users than k", f"{len(users)} users, k = {k}", fix="Choose a smaller k.")
    codes = np.stack([_codes(users[name]) for name in columns], axis=1) if columns else np.zeros((len(users), 0), int)
    missing = np.array([_missing_code(users[name]) for name in columns], int)
    before = codes.copy()
    for column in np.argsort([-len(np.unique(part)) for part in codes.T], kind="stable"):
        codes[_sizes(codes) < k, column] = missing[column]
    _fill_up(codes, missing, k, rng)
    is_changed = codes != before
    found = users.copy()
    for place, name in enumerate(columns):
        found[name] = found[name].where(~is_changed[:, place], None if found[name].dtype == object else np.nan)
    counts = dict(zip(columns, is_changed.sum(axis=0).tolist(), strict=True))
    return Suppressed(found, counts, int(is_changed.any(axis=1).sum()))


def _fill_up(codes: np.ndarray, missing: np.ndarray, k: int, rng: np.random.Generator) -> None:
    """Has others join those without any value, while there are some of those but fewer than k."""
    while 0 < (n_bare := int((codes == missing).all(axis=1).sum())) < k and codes.shape[1]:
        number, sizes = np.unique(codes, axis=0, return_inverse=True, return_counts=True)[1:]
        number = number.ravel()
        bare = number[np.flatnonzero((codes == missing).all(axis=1))[0]]
        order = [group for group in np.argsort(-sizes, kind="stable") if group != bare]
        wanted = k - n_bare
        is_large = sizes[order[0]] - wanted >= k
        chosen = np.flatnonzero(number == (order[0] if is_large else order[-1]))
        codes[rng.permutation(chosen)[:wanted] if is_large else chosen] = missing


def _codes(column: pd.Series) -> np.ndarray:
    """Values as numbers; a missing one is the last."""
    codes, known = pd.factorize(column)
    return np.where(codes < 0, len(known), codes)


def _missing_code(column: pd.Series) -> int:
    return int(column.nunique())


def _sizes(codes: np.ndarray) -> np.ndarray:
    """How many have the same combination, for each row."""
    if not codes.shape[1]:
        return np.full(len(codes), len(codes))
    number, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)[1:]
    return np.asarray(counts[number.ravel()])


def measured(users: pd.DataFrame, columns: Sequence[str], sensitive: Sequence[str]) -> dict[str, int | dict[str, int]]:
    """Returns what pyCANON says: ``k``, and for each sensitive column ``l``, its fewest values among people alike in the others.

    Source: J. Sainz-Pardo Diaz, A. Lopez Garcia, A Python library to check the level of anonymity of a dataset, 2022.

    Raises:
        MissingExtraError: without the extra ``privacy``.
    """
    try:
        from pycanon import anonymity
    except ImportError:
        fix = "Install it with `pip install 'coldlens[privacy]'`."
        raise MissingExtraError("The check of k-anonymity is not installed", "pycanon", fix=fix) from None
    table = users[list(columns)].astype(object).where(users[list(columns)].notna(), UNKNOWN).astype(str)
    table = table.reset_index(drop=True)
    if not columns:
        return {"k": len(users), "l": {}}
    found: dict[str, int] = {}
    for name in sensitive:
        others = [column for column in columns if column != name]
        found[name] = int(anonymity.l_diversity(table, others, [name])) if others else int(table[name].nunique())
    return {"k": int(anonymity.k_anonymity(table, list(columns))), "l": found}
