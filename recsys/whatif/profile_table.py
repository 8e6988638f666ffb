"""Many profiles by name: read from a table, or every combination of some facets."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import ColdlensError, DataError, shorten
from recsys.export import neutralise
from recsys.schema import ITEM_ID, Dataset, Profile
from recsys.settings import MAX_INTEREST_LENGTH, MAX_PROFILES

NAME, AGE, GENDER, INTERESTS, LIKED = OWN_COLUMNS = ("name", "age", "gender", "interests", "liked")
_DELIMITERS = ",;\t"
_SEPARATOR = "|"
_SPLIT = re.compile(r"((?:\\\\|\\\||[^|])*)(?:\||\Z)")
_ESCAPED = re.compile(r"\\([\\|])")
_LONGEST_NAME = 200
_LONGEST_LINE = 1 << 17
_MOST_CHARACTERS = 64 << 20
_TOLD, _LISTED = 3, 8


@dataclass(frozen=True)
class NamedProfiles:
    """Profiles, each under a name of its own; surplus spaces of the names go.

    Raises:
        DataError: for a name that is empty, repeated or longer than 200 characters.
    """

    names: tuple[str, ...]
    profiles: tuple[Profile, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.profiles):
            numbers = f"{len(self.names)} names, {len(self.profiles)} profiles"
            raise DataError("Names and profiles do not pair up", numbers, fix="Give every profile one name.")
        names = tuple(_checked_name(name) for name in self.names)
        if len(set(names)) < len(names):
            repeated = Counter(names).most_common(1)[0][0]
            raise DataError("Two profiles have the same name", repeated, fix="Give every profile a name of its own.")
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        return len(self.names)

    def to_csv(self) -> str:
        """Returns the table that ``read_profiles`` reads back to the same.

        A cell that a spreadsheet could take for a formula gets an apostrophe in front, which ``read_profiles`` takes away.
        """
        return _csv(self, OWN_COLUMNS)


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


def template_csv(dataset: Dataset) -> str:
    """Returns an example that ``read_profiles`` reads: three profiles in the dataset's own columns and values."""
    ages = np.linspace(*dataset.age_range, 5)[1:4].round().tolist() if dataset.age_range else [None] * 3
    interests = [name[:MAX_INTEREST_LENGTH] for name in dataset.categories[:3]]
    ids = dataset.items[ITEM_ID].to_numpy()[np.argsort(-dataset.popularity, kind="stable")[:2]].tolist()
    said = [tuple(interests[:2]), tuple(interests[2:]), ()]
    liked = [(), tuple(ids[:1]), tuple(ids)]
    profiles = tuple(
        Profile(
            age=ages[n],
            gender=_nth(dataset.genders, n),
            attributes={name: _nth(values, n) or "" for name, values in dataset.user_attributes.items()},
            interests=said[n],
            liked=liked[n],
        )
        for n in range(3)
    )
    known = {AGE: dataset.age_range, GENDER: dataset.genders}
    columns = [name for name in OWN_COLUMNS if known.get(name, True)]
    return _csv(NamedProfiles(("Example 1", "Example 2", "Example 3"), profiles), columns)


def generate_profiles(
    dataset: Dataset,
    *,
    ages: Sequence[float | None],
    genders: Sequence[str | None],
    interests: Sequence[tuple[str, ...]],
    attributes: Mapping[str, str] | None = None,
) -> NamedProfiles:
    """Returns every combination, the interests running fastest, under names like ``27 · F · drama``.

    Args:
        ages: years; ``None`` is an unknown age, and stands in the names only beside known ones. Repeats are dropped.
        genders: values of the dataset, or ``None``.
        interests: sets of interests; ``()`` is none.
        attributes: the same for all.

    Raises:
        DataError: for more than 10,000 combinations, or none, or a value that the dataset does not know.
    """
    years, sexes, sets = dict.fromkeys(ages), dict.fromkeys(genders), dict.fromkeys(map(tuple, interests))
    n = len(years) * len(sexes) * len(sets)
    counts = f"{len(years):,} ages × {len(sexes):,} genders × {len(sets):,} interests = {n:,}"
    if not n:
        fix = "Give at least one age, one gender and one set of interests; unknown counts as one."
        raise DataError("There is nothing to combine", counts, fix=fix)
    if n > MAX_PROFILES:
        raise DataError("There are too many combinations", counts, fix=f"Leave some out, to at most {MAX_PROFILES:,}.")
    for gender in sexes if dataset.genders else ():
        _known(gender or "", dataset.genders, GENDER)
    for name, value in (attributes or {}).items():
        _known(value, _values_of(name, dataset), name)
    words = [_words(years, "age unknown"), _words(sexes, "gender unknown"), _words(sets, "no interests")]
    found: dict[str, Profile] = {}
    for age, gender, texts in product(years, sexes, sets):
        told = (words[0][age], words[1][gender], words[2][texts])
        profile = Profile(age=age, gender=gender, attributes=attributes or {}, interests=texts)
        found[_new_name(" · ".join(filter(None, told)) or "anyone", found)] = profile
    return NamedProfiles(tuple(found), tuple(found.values()))


def _words(values: Iterable[Any], unknown: str) -> dict[Any, str]:
    """How the values of one facet stand in a name; a facet that is unknown for all stands in none."""
    found = {value: _word(value) or unknown for value in values}
    return dict.fromkeys(found, "") if list(found.values()) == [unknown] else found


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return shorten(", ".join(value), 80)
    return "" if value is None else f"{value:g}" if isinstance(value, int | float) else shorten(str(value), 40)


def _new_name(name: str, taken: Mapping[str, Any]) -> str:
    if name not in taken:
        return name
    return next(again for n in range(2, len(taken) + 3) if (again := f"{name} ({n})") not in taken)


def _values_of(attribute: str, dataset: Dataset) -> tuple[str, ...]:
    if attribute not in dataset.user_attributes:
        listed = ", ".join(dataset.user_attributes) or "none"
        raise DataError("The dataset has no such user attribute", attribute, fix=f"The attributes are: {listed}.")
    return dataset.user_attributes[attribute]


def _nth(values: Sequence[str], n: int) -> str | None:
    return values[n % len(values)] if values else None


def _checked_name(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > _LONGEST_NAME:
        raise DataError("The name of a profile does not fit", found, fix=f"Give it 1 to {_LONGEST_NAME} characters.")
    if not _is_text(found):
        raise DataError("A name is not valid Unicode", ascii(found), fix="Type it again, as UTF-8.")
    return found


# --- writing


def _csv(named: NamedProfiles, columns: Sequence[str]) -> str:
    attributes = sorted({name for profile in named.profiles for name in profile.attributes})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([*columns, *(neutralise(_column_of(name)) for name in attributes)])
    for name, profile in zip(named.names, named.profiles, strict=True):
        own = {
            NAME: neutralise(name),
            AGE: "" if profile.age is None else repr(profile.age).removesuffix(".0"),
            GENDER: neutralise(profile.gender or ""),
            INTERESTS: neutralise(_joined(profile.interests)),
            LIKED: neutralise(_joined(profile.liked)),
        }
        rest = [neutralise(profile.attributes.get(attribute, "")) for attribute in attributes]
        writer.writerow([*(own[column] for column in columns), *rest])
    return stream.getvalue()


def _column_of(attribute: str) -> str:
    return f"attribute:{attribute}" if attribute in OWN_COLUMNS else attribute


def _joined(texts: Iterable[str]) -> str:
    return _SEPARATOR.join(text.replace("\\", "\\\\").replace(_SEPARATOR, "\\|") for text in texts)


# --- reading


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
        return {_column_of(name): name for name in self.dataset.user_attributes}

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
            return _known(text, self.dataset.user_attributes[name], name)
        if column == INTERESTS:
            return Profile(interests=_parts(text)).interests
        if column == LIKED:
            return self._liked(text)
        if column == GENDER and self.dataset.genders:
            return _known(text, self.dataset.genders, GENDER)
        if not text.strip():
            return None
        return _checked_name(text) if column == NAME else _years(text) if column == AGE else text.strip()

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
            if not all(map(_is_text, cells)):
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


def _is_text(cell: str) -> bool:
    return cell.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in cell)


def _plain(cell: str) -> str:
    """Takes away the apostrophe that ``neutralise`` put in front."""
    rest = cell[1:]
    return rest if cell.startswith("'") and neutralise(rest) != rest else cell


def _years(text: str) -> float | None:
    return Profile(age=text.strip().replace("_", "?")).age  # type: ignore[arg-type]  # Python would read 2_7 as 27


def _known(text: str, values: Sequence[str], noun: str) -> str | None:
    if text in values:
        return text
    if text.strip() in values or not text.strip():
        return text.strip() or None
    some = ", ".join(shorten(value, 40) for value in values[:_LISTED]) or "none"
    fix = f"Use {'one of' if len(values) <= _LISTED else 'a value of the dataset, such as'}: {some}; or leave it empty."
    raise DataError(f"The dataset has no such {shorten(noun, 40)}", text, fix=fix)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(_ESCAPED.sub(r"\1", part) for part in _SPLIT.findall(text))
