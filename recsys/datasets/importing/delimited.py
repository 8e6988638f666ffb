"""Delimited text, read by the csv module in its strict mode; where nothing is quoted, its lines are split instead, which is the
same and faster."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from recsys.datasets.importing.batches import (
    BATCH_CHARACTERS,
    BATCH_ROWS,
    ROW,
    Batch,
    Fault,
    check_columns,
    column_name,
    text_column,
)
from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.files import File
from recsys.datasets.importing.lines import Lines
from recsys.errors import DataError
from recsys.settings import Limits

_STAND_IN = "\x1f"
"""Stands for a delimiter of several characters, which the csv module does not know."""


def read_csv(file: File, dialect: CsvDialect, limits: Limits, *, columns: tuple[str, ...] = ()) -> Iterator[Batch]:
    """Reads delimited text; a row with another number of cells than the header is a fault.

    Args:
        columns: the names, for a file without a header.

    Raises:
        DataError: if there is no header, or it has empty, repeated or too many names.
    """
    lines = Lines(file, dialect.encoding, limits)
    try:
        rows = _Rows(file, lines, dialect, limits)
        header = columns or _header(file, rows, dialect, limits)
        yield from _batches(rows, header)
    finally:
        lines.close()


class _Rows:
    """The rows of a file; one that cannot be taken apart becomes a fault; of a quote that is never closed, its first line."""

    def __init__(self, file: File, lines: Lines, dialect: CsvDialect, limits: Limits) -> None:
        self.lines, self._dialect, self._limits = lines, dialect, limits
        self.faults: list[Fault] = []
        self.size_of_faults = 0
        self._lines = lines.read()
        for _ in range(dialect.skip):
            next(self._lines, None)
        self._again: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        self._gaps: list[int] = []
        try:
            if set("\r\n") & set(f"{dialect.delimiter}{dialect.quote}{dialect.escape}"):
                raise ValueError("a line end is none")
            self._reader = self._new_reader()
        except (TypeError, ValueError, csv.Error) as error:
            fix = "Choose one character (or several, for the delimiter), all different."
            raise DataError(
                f"The file cannot be read with these marks ({error})", f"{file.name}, {dialect}", fix=fix
            ) from None

    def _new_reader(self) -> Any:
        marks = self._dialect
        keywords: dict[str, Any] = {"quotechar": marks.quote, "doublequote": True} if marks.quote else {}
        csv.field_size_limit(self._limits.line_characters)
        return csv.reader(
            self._source(),
            delimiter=_STAND_IN if len(marks.delimiter) > 1 else marks.delimiter,
            quoting=csv.QUOTE_MINIMAL if marks.quote else csv.QUOTE_NONE,
            escapechar=marks.escape or None,
            strict=True,
            **keywords,
        )

    def _source(self) -> Iterator[str]:
        delimiter = self._dialect.delimiter
        while True:
            if self._again:
                number, line = self._again.popleft()
            else:
                found = next(self._lines, None)
                self._take_faults()
                if found is None:
                    return
                number, line = self.lines.number, found
            self._taken.append((number, line))
            yield line.replace(delimiter, _STAND_IN) if len(delimiter) > 1 else line

    def _take_faults(self) -> None:
        if self.lines.faults:
            found = self.lines.take_faults()
            self.refuse(*found)
            self._gaps += [fault.row for fault in found]

    def next_row(self) -> tuple[int, list[str]] | None:
        """Returns the next (line where it starts, cells), ``None`` at the end; blank lines are no rows."""
        while True:
            self._taken.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                return None
            except csv.Error as error:
                is_open = "expected after" not in str(error)
                fix = "Close the quote, double the quotes inside a cell, or choose another quote character."
                told = str(error).replace(_STAND_IN, self._dialect.delimiter).replace("\t", "\\t")
                self._blame(1 if is_open else len(self._taken), f"The row cannot be taken apart ({told})", fix)
                continue
            first, last = self._taken[0][0], self._taken[-1][0]
            if self._gaps and any(first < gap < last for gap in self._gaps):
                what = "A line in the middle of the row cannot be read"
                self._blame(len(self._taken), what, "Correct that line.")
                continue
            if not self._again:
                self._gaps.clear()
            if any(cells):
                return first, cells
            if len(cells) > 1:
                self.refuse(Fault(first, "", "The row is empty", "Fill it in, or delete the line."))

    def refuse(self, *faults: Fault) -> None:
        """Adds faults to those of the next batch."""
        self.faults += faults
        self.size_of_faults += sum(len(fault.value) for fault in faults)

    def take_faults(self) -> tuple[Fault, ...]:
        """Returns the faults since the last call."""
        found, self.faults, self.size_of_faults = tuple(self.faults), [], 0
        return found

    def put_back(self) -> None:
        """Lets the row that was returned last be read again."""
        self._again.extendleft(reversed(self._taken))
        self._reader = self._new_reader()

    def _blame(self, n: int, what: str, fix: str) -> None:
        """Makes one fault of the first lines of the row; the others are read again."""
        text = "".join(line for _, line in self._taken[:n]).rstrip("\r\n")
        self.refuse(Fault(self._taken[0][0], text, what, fix))
        self._again.extendleft(reversed(self._taken[n:]))
        self._reader = self._new_reader()

    def plain_block(self, width: int) -> tuple[int, list[Sequence[str]]] | None:
        """Returns (first line, columns of cells) of the rest of the block, if each of its lines is a row.

        That is: nothing is quoted or escaped, no line is blank, empty, too long or unreadable, and each has ``width`` cells.
        """
        if self._again:
            return None
        while self.lines.has_ended_block:
            if not self.lines.next_block():
                return None
        text = self.lines.rest_of_block()
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        text = text.removesuffix("\n")
        if "\r" in text or "\n\n" in text or text.startswith("\n") or text.endswith("\n") or not text:
            return None
        found = text.split("\n")
        if not self.lines.are_short(found) or not self.lines.is_readable(text):
            return None
        marks = self._dialect
        if (marks.quote and marks.quote in text) or (marks.escape and marks.escape in text):
            return None
        columns = self._split(found, width)
        if columns is None:
            return None
        first = self.lines.number + 1
        self.lines.skip_rest(len(found))
        return first, columns

    def _split(self, lines: list[str], width: int) -> list[Sequence[str]] | None:
        delimiter = self._dialect.delimiter
        if any(line.count(delimiter) != width - 1 for line in lines) or delimiter * (width - 1) in lines:
            return None
        cells = delimiter.join(lines).split(delimiter)
        return [cells[n::width] for n in range(width)]


def _header(file: File, rows: _Rows, dialect: CsvDialect, limits: Limits) -> tuple[str, ...]:
    """The names of the columns. Without a header they are numbered, and the first row is read again."""
    found = rows.next_row()
    if rows.faults and (found is None or (dialect.has_header and rows.faults[0].row < found[0])):
        fault = rows.faults[0]
        raise DataError(f"The header cannot be read: {fault.what}", f"{file.name}, row {fault.row}", fix=fault.fix)
    if found is None:
        raise DataError("The file is empty", file.name, fix="Give a file with a header and at least one row.")
    cells = found[1]
    if dialect.has_header:
        names = [column_name(cell) for cell in cells]
        while names and not names[-1]:
            names.pop()
        return check_columns(file, names, limits)
    rows.put_back()
    return check_columns(file, [f"column {n + 1}" for n in range(len(cells))], limits)


@dataclass
class _Kept:
    """Rows on their way into a batch."""

    rows: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    size: int = 0


def _batches(rows: _Rows, header: tuple[str, ...]) -> Iterator[Batch]:
    width, kept, is_new_block = len(header), _Kept(), True
    while True:
        if is_new_block or rows.lines.has_ended_block:
            is_new_block = False
            block = rows.plain_block(width)
            if block is not None:
                if kept.rows or rows.faults:
                    yield _batch(rows, header, kept)
                    kept = _Kept()
                first, columns = block
                numbers = np.arange(first, first + len(columns[0]), dtype=np.int64)
                yield Batch(_frame(header, columns, numbers), (), rows.lines.share)
                continue
        found = rows.next_row()
        if found is None:
            break
        _keep(found, width, kept, rows)
        if len(kept.rows) + len(rows.faults) >= BATCH_ROWS or kept.size + rows.size_of_faults > BATCH_CHARACTERS:
            yield _batch(rows, header, kept)
            kept = _Kept()
    yield _batch(rows, header, kept)


def _keep(found: tuple[int, list[str]], width: int, kept: _Kept, rows: _Rows) -> None:
    row, cells = found
    if len(cells) > width and not any(cells[width:]):
        cells = cells[:width]
    if len(cells) == width:
        kept.rows.append(row)
        kept.cells.append(cells)
        kept.size += sum(map(len, cells))
    else:
        fix = "Give it as many cells as the header has, and quote cells in which the delimiter stands."
        rows.refuse(Fault(row, " | ".join(cells), f"The row has {len(cells)} cells and not {width}", fix))


def _batch(rows: _Rows, header: tuple[str, ...], kept: _Kept) -> Batch:
    columns = list(zip(*kept.cells, strict=True)) if kept.cells else [()] * len(header)
    return Batch(_frame(header, columns, np.array(kept.rows, np.int64)), rows.take_faults(), rows.lines.share)


def _frame(header: tuple[str, ...], columns: Sequence[Sequence[str]], numbers: np.ndarray) -> pd.DataFrame:
    found = {name: text_column(cells) for name, cells in zip(header, columns, strict=True)}
    return pd.DataFrame({**found, ROW: numbers})
