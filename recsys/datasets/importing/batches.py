"""What every reader gives: some rows of a table at a time, with the rows between them that could not be read."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.datasets.importing.files import File
from recsys.errors import DataError
from recsys.settings import Limits

ROW = "\0row"
"""Column of a batch: the line (or row of a Parquet file) from 1. No file can have a column of that name."""
NESTED = "\ufdd0nested"
"""Stands in a batch for a value that is neither text, a number nor a list of those."""
BATCH_ROWS, BATCH_CHARACTERS = 1 << 16, 1 << 25
_EXACT = 2**53


@dataclass(frozen=True)
class Fault:
    """A row that could not be read."""

    row: int
    value: str
    what: str
    fix: str


@dataclass(frozen=True)
class Batch:
    """Some rows of a table, in the order of the file.

    Attributes:
        frame: text columns (missing is ``None`` or ``""``; a list of text where the file has lists) and the column ``ROW``.
        faults: rows between them that could not be read.
        share: how much of the file has been read, in [0, 1].
    """

    frame: pd.DataFrame
    faults: tuple[Fault, ...] = ()
    share: float = 1.0


def shaped(batches: Iterator[Batch], shape: Callable[[pd.DataFrame], pd.DataFrame]) -> Iterator[Batch]:
    """Passes every frame through a function that may rename, split and repeat rows, and keeps the column ``ROW``."""
    for batch in batches:
        yield replace(batch, frame=shape(batch.frame))


def check_columns(file: File, names: Sequence[str], limits: Limits) -> tuple[str, ...]:
    """Returns the names of the columns.

    Raises:
        DataError: if a name is empty or repeated, or there are too many.
    """
    if len(names) > limits.columns:
        fix = "Leave some out, or raise COLDLENS_MAX_COLUMNS."
        raise DataError(f"The file has more than {limits.columns:,} columns", f"{file.name}, {len(names):,}", fix=fix)
    for number, name in enumerate(names):
        if not name:
            fix = "Give every column a name in the first row, or say that there is no header."
            raise DataError("A column has no name", f"{file.name}, column {number + 1}", fix=fix)
        if name in names[:number]:
            value = f"{file.name}, column '{name}'"
            raise DataError("Two columns have the same name", value, fix="Rename one of them.")
    return tuple(names)


def column_name(text: str) -> str:
    """Returns the name of a column on one line and without control characters; none can be ``ROW``."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def number_text(value: int | float) -> str:
    """Returns a number as text; a whole one without a point. One that is too large to be exact has an exponent."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value)) if abs(value) < _EXACT else f"{value:.16e}"
    return str(value)


def text_column(values: Sequence[str | None] | pa.Array) -> Any:
    """Returns a column of text, from a list or an Arrow array."""
    array = values if isinstance(values, pa.Array) else pa.array(values, pa.large_string())
    return pd.StringDtype(na_value=np.nan).__from_arrow__(array)  # type: ignore[attr-defined]
