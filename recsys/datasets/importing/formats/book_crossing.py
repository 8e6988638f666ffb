r"""Book-Crossing, as its authors gave it out (BX-Books.csv …) and as a widespread copy has it (Books.csv …).

The original is ``;``, Latin-1, every cell quoted, ``\"`` for a quote in a cell, NULL for an unknown age. The copy is comma,
UTF-8, and carries the backslashes of the original and a few rows in which the author is part of the title.

Source: C.-N. Ziegler et al., Improving Recommendation Lists Through Topic Diversification, WWW 2005.
"""

import html
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.formats.format import Format, Layout, filled, first_line, header, siblings
from recsys.datasets.importing.plan import Source, Table, TablePlan
from recsys.datasets.importing.tables import ROW, File
from recsys.settings import Limits

_NAMES = (("bx-books.csv", "bx-users.csv", "bx-book-ratings.csv"), ("books.csv", "users.csv", "ratings.csv"))
_HEADERS = (
    {"ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher"},
    {"User-ID", "Location", "Age"},
    {"User-ID", "ISBN", "Book-Rating"},
)
_LIKED_FROM = 8.0
"""Of 10, as 4 is of 5; about half of the explicit ratings are from here on."""
_ABOUT = {
    "title": "Book-Crossing",
    "domain": "books",
    "licence": "free for research use when the paper is cited",
    "source": "C.-N. Ziegler, S. M. McNee, J. A. Konstan and G. Lausen, "
    "Improving Recommendation Lists Through Topic Diversification, WWW 2005",
    "item_template": "{title}[ by {author}][ ({year})]",
    "profile_template": "A[ {age}-year-old] reader[ from {country}][ who likes {interests}][, who enjoyed {liked}].",
    "liked_from": _LIKED_FROM,
}


def _cp1252_table() -> dict[int, str]:
    """Control characters that are in truth the punctuation of Windows; bytes without a meaning there stay."""
    found = {}
    for code in range(0x80, 0xA0):
        try:
            found[code] = bytes([code]).decode("cp1252")
        except UnicodeDecodeError:
            continue
    return found


_PUNCTUATION = _cp1252_table()


def _cleaned(texts: pd.Series) -> pd.Series:
    """Without backslashes before quotes, HTML entities, and a quote that has no other."""
    found = texts.fillna("").str.replace('\\"', '"', regex=False).str.translate(_PUNCTUATION).map(html.unescape)
    return found.where(found.str.count('"') % 2 == 0, found.str.strip('"'))


def _unshifted(frame: pd.DataFrame) -> pd.DataFrame:
    r"""Puts rows right in which the title has swallowed the author (``Title\";Author"``) and all further cells moved."""
    is_shifted = frame["Book-Title"].str.contains('";', regex=False) & frame["Book-Author"].str.fullmatch(r"\d{4}")
    if not is_shifted.any():
        return frame
    rows = frame[is_shifted]
    parts = rows["Book-Title"].str.partition('";')
    moved = {
        "Book-Title": parts[0].str.rstrip("\\"),
        "Book-Author": parts[2].str.strip('"'),
        "Year-Of-Publication": rows["Book-Author"],
        "Publisher": rows["Year-Of-Publication"],
    }
    return frame.assign(**{name: column.reindex(frame.index).fillna(frame[name]) for name, column in moved.items()})


def _books(frame: pd.DataFrame) -> pd.DataFrame:
    """Year 0 is unknown; other years that are none stay for the checks."""
    frame = _unshifted(frame)
    years = frame["Year-Of-Publication"].replace("0", "")
    texts = {name: _cleaned(frame[name]) for name in ("Book-Title", "Book-Author", "Publisher")}
    renamed = frame.assign(**{"Year-Of-Publication": years}, **texts).rename(
        columns={"Book-Author": "author", "Publisher": "publisher"}
    )
    return filled(renamed, ("ISBN", "Book-Title", "Year-Of-Publication", "author", "publisher", ROW))


def _people(frame: pd.DataFrame) -> pd.DataFrame:
    """The country is what stands behind the last comma of ``city, state, country``."""
    last = frame["Location"].fillna("").str.translate(_PUNCTUATION).map(html.unescape).str.rsplit(",", n=1).str[-1]
    country = last.str.strip(' ."').replace("n/a", "").str.title().replace({"Usa": "USA", "Uk": "UK"})
    is_told = frame["Location"].fillna("").str.contains(",", regex=False)
    return frame[["User-ID", "Age", ROW]].assign(
        Age=frame["Age"].replace("NULL", ""), country=country.where(is_told, "")
    )


def _ratings(frame: pd.DataFrame) -> pd.DataFrame:
    """Rating 0 says that somebody had the book, and not how it was."""
    return frame.assign(**{"Book-Rating": frame["Book-Rating"].replace("0", "")})


_BOOKS = Layout(
    TablePlan(
        kind="items",
        roles={"item_id": "ISBN", "title": "Book-Title", "year": "Year-Of-Publication"},
        attributes=("author", "publisher"),
    ),
    shape=_books,
)
_USERS = Layout(
    TablePlan(kind="users", roles={"user_id": "User-ID", "age": "Age"}, attributes=("country",)), shape=_people
)
_RATINGS = Layout(
    TablePlan(
        kind="interactions",
        roles={"user_id": "User-ID", "item_id": "ISBN", "rating": "Book-Rating"},
    ),
    shape=_ratings,
)


def _table(layout: Layout, file: File, limits: Limits) -> Table:
    dialect = CsvDialect(";", '"', "\\", "latin-1") if ";" in first_line(file) else CsvDialect()
    return replace(layout, dialect=dialect).table(file, limits)


def _open(files: Sequence[File], limits: Limits) -> Source:
    found = _found(files)
    tables = tuple(_table(layout, file, limits) for layout, file in zip((_BOOKS, _USERS, _RATINGS), found, strict=True))
    return Source(tables, dict(_ABOUT))


def _found(files: Sequence[File]) -> tuple[File, ...]:
    for names in _NAMES:
        found = siblings(files, *names)
        if found and all(_has(file, columns) for file, columns in zip(found, _HEADERS, strict=True)):
            return found
    return ()


def _has(file: File, columns: set[str]) -> bool:
    return columns <= set(header(file, ";")) or columns <= set(header(file, ","))


FORMAT = Format("Book-Crossing", lambda files: bool(_found(files)), _open)
