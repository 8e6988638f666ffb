"""Profiles read from a table that somebody else wrote."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from recsys.errors import ColdlensError, DataError, shorten
from recsys.export import neutralise
from recsys.schema import Dataset, Profile
from recsys.settings import MAX_PROFILES
from recsys.whatif.profile_table import (
    AGE,
    GENDER,
    INTERESTS,
    LIKED,
    NAME,
    OWN_COLUMNS,
    NamedProfiles,
    checked_name,
    column_of,
    is_text,
    known_value,
)

_DELIMITERS = ",;\t"
_SPLIT = re.compile(r"((?:\\\\|\\\||[^|])*)(?:\||\Z)")
_ESCAPED = re.compile(r"\\([\\|])")
_LONGEST_LINE = 1 << 17
_MOST_CHARACTERS = 64 << 20
_TOLD = 3


def read_profiles(source: Path | bytes, dataset: Dataset, *, most: int = MAX_PROFILES) -> NamedProfiles:
    r"""Reads profiles from a CSV file, or from its content: UTF-8, separated by commas, semicolons or tabs.

    The first row names the columns; all are optional, and an empty cell means unknown:

    - ``name``: of the profile; ``row 5`` where it is left out.
    - ``age``: in years. ``gender``: a value of the dataset.
    - ``interests``, ``liked``: several texts or item_ids, separated by ``|``; a ``|`` inside one is written ``\|``.
    - every user attribute of the dataset, by its name, or as ``attribute:NAME`` where that is one of the names above.

    Rows without any value are skipped. Reading stops at the first row too many, however long the file is.

    Args:
        most: so many profiles are read at most.

    Raises:
        DataError: for anything that does not fit; it tells how many faults there are, and the first three by row (the header is
            row 1) and column.
    """
    faults = _Faults(shorten(source.name, 40) if isinstance(source, Path) else "")
    try:
        with _opened(source) as stream:
            found = _read(stream, dataset, most, faults)
    except OSError as error:
        fix = "Name a CSV file that can be read."
        raise DataError(f"The profiles cannot be read ({error.strerror or error})", source, fix=fix) from None
    faults.tell()
    if not found:
        raise DataError("There are no profiles", faults.source or None, fix="Give each profile a row under the header.")
    return NamedProfiles(tuple(found), tuple(found.values()))


@dataclass
class _Faults:
    """What is wrong with a file: how much, and the first few in words."""

    source: str
    count: int = 0
    first: list[str] = field(default_factory=list)
    fix: str = ""

    def add(self, row: int, column: str | None, error: ColdlensError) -> None:
        self.count += 1
        if len(self.first) < _TOLD:
            place = f"row {row}" + ("" if column is None else f", column {shorten(column, 30) or 'without a name'}")
            value = "" if error.value is None else f": “{shorten(error.value, 40)}”"
            self.first.append(f"{place}: {error.what[0].lower()}{error.what[1:]}{value}")
            self.fix = self.fix or error.fix

    def tell(self) -> None:
        """Raises one error for all of them, if there are any."""
        if not self.count:
            return
        fix = self.fix
        if self.count > 1:
            fix += f" There are {self.count:,} faults in all; the next: {'; '.join(self.first[1:])}."
        value = ", ".join(filter(None, (self.source, self.first[0])))
        raise DataError("The profiles cannot be read", value, fix=fix)


@dataclass(frozen=True)
class _Columns:
    """The columns that a file for one dataset may have: our own, and those of its user attributes."""

    dataset: Dataset

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """Column to attribute."""
        return {column_of(name): name for name in self.dataset.user_attributes}

    @cached_property
    def names(self) -> tuple[str, ...]:
        return (*OWN_COLUMNS, *self.attributes)

    def delimiter(self, header: str) -> str:
        """Returns the delimiter that makes most known columns of a line."""

        def fitness(delimiter: str) -> tuple[int, int]:
            cells = next(csv.reader([header], delimiter=delimiter), [])
            return sum(_plain(cell).strip() in self.names for cell in cells), len(cells)

        return max(_DELIMITERS, key=fitness)

    def check(self, header: Sequence[str], faults: _Faults) -> None:
        """Adds what is wrong with a header."""
        listed = f"The columns are: {', '.join(self.names)}; separate them by commas, semicolons or tabs."
        if not any(header):
            faults.add(
                1, None, DataError("There are no column names", fix=f"Name the columns in the first row. {listed}")
            )
            return
        for n, column in enumerate(header):
            if column not in self.names:
                faults.add(1, column, DataError("There is no such column", fix=listed))
            elif column in header[:n]:
                faults.add(1, column, DataError("The column stands there twice", fix="Keep one of the two."))

    def profile(self, row: int, cells: Mapping[str, str], faults: _Faults) -> tuple[str, Profile]:
        """Returns one row as a profile, without the cells that are at fault."""
        values: dict[str, Any] = {}
        for column, cell in cells.items():
            try:
                values[column] = self._value(column, _plain(cell))
            except ColdlensError as error:
                faults.add(row, column, error)
        own = {column: value for column, value in values.items() if column in (AGE, GENDER, INTERESTS, LIKED)}
        facts = {name: values[column] for column, name in self.attributes.items() if values.get(column)}
        return values.get(NAME) or f"row {row}", Profile(attributes=facts, **own)

    def _value(self, column: str, text: str) -> Any:
        if column in self.attributes:
            name = self.attributes[column]
            return known_value(text, self.dataset.user_attributes[name], name)
        if column == INTERESTS:
            return Profile(interests=_parts(text)).interests
        if column == LIKED:
            return self._liked(text)
        if column == GENDER and self.dataset.genders:
            return known_value(text, self.dataset.genders, GENDER)
        if not text.strip():
            return None
        return checked_name(text) if column == NAME else _years(text) if column == AGE else text.strip()

    def _liked(self, text: str) -> tuple[str, ...]:
        rows = self.dataset.item_rows
        parts = [part if part in rows else part.strip() for part in _parts(text)]
        ids = Profile(liked=tuple(filter(None, parts))).liked
        for item_id in ids:
            self.dataset.item_row(item_id)
        return ids


def _opened(source: Path | bytes) -> io.TextIOWrapper:
    """Bytes that are not UTF-8 become surrogates, so that the row they stand in can be told."""
    file = source.open("rb") if isinstance(source, Path) else io.BytesIO(source)
    return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")  # type: ignore[arg-type]


def _read(stream: io.TextIOWrapper, dataset: Dataset, most: int, faults: _Faults) -> dict[str, Profile]:
    columns = _Columns(dataset)
    rows = _rows(stream, columns, faults)
    header = [_plain(text).strip() for text in next(rows, (1, []))[1]]
    if not faults.count:
        columns.check(header, faults)
    faults.tell()
    found: dict[str, Profile] = {}
    places: dict[str, int] = {}
    n_rows = 0
    for row, cells in rows:
        n_rows += any(cell.strip() for cell in cells)
        if n_rows > most:
            fix = f"Keep at most {most:,}, for example by dividing the file."
            raise DataError("There are too many profiles", f"more than {most:,}, from row {row} on", fix=fix)
        if len(cells) != len(header) and any(cells):
            numbers = f"{len(cells)} cells, {len(header)} columns"
            fix = "Give every row one cell for each column, and put a text that holds the separator in double quotes."
            faults.add(row, None, DataError("The row does not fit the header", numbers, fix=fix))
        elif any(cell.strip() for cell in cells):
            name, profile = columns.profile(row, dict(zip(header, cells, strict=True)), faults)
            if name in found:
                fix = f"Give every profile a name of its own; row {places[name]} has this one."
                faults.add(row, NAME, DataError("The name is taken", name, fix=fix))
            found.setdefault(name, profile)
            places.setdefault(name, row)
    return found


def _rows(stream: io.TextIOWrapper, columns: _Columns, faults: _Faults) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers, up to the first that is no text or no CSV: nothing after it can be trusted."""
    row, lines = 0, _lines(stream)
    try:
        first = next(lines, "")
        reader = csv.reader(chain([first], lines), delimiter=columns.delimiter(first), strict=True)
        for row, cells in enumerate(reader, 1):
            if not all(map(is_text, cells)):
                fix = "Save the file as “CSV UTF-8”; a workbook or another encoding cannot be read."
                faults.add(row, None, DataError("The text is not UTF-8", fix=fix))
                return
            yield row, cells
    except csv.Error as error:
        fix = "Close every double quote, write a double quote inside a cell twice, and keep cells short."
        faults.add(row + 1, None, DataError(f"This is not CSV ({error})", fix=fix))


def _lines(stream: io.TextIOWrapper) -> Iterator[str]:
    """The lines; neither a line without an end nor a file without an end fills the memory."""
    total = 0
    while line := stream.readline(_LONGEST_LINE + 1):
        total += len(line)
        if len(line) > _LONGEST_LINE or total > _MOST_CHARACTERS:
            raise csv.Error("the line or the file is too long")
        yield line


def _plain(cell: str) -> str:
    """Takes away the apostrophe that ``neutralise`` put in front."""
    rest = cell[1:]
    return rest if cell.startswith("'") and neutralise(rest) != rest else cell


def _years(text: str) -> float | None:
    return Profile(age=text.strip().replace("_", "?")).age  # type: ignore[arg-type]  # Python would read 2_7 as 27


def _parts(text: str) -> tuple[str, ...]:
    return tuple(_ESCAPED.sub(r"\1", part) for part in _SPLIT.findall(text))
