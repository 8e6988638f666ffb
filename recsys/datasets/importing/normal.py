"""Values as a dataset keeps them, from the text of a file; what cannot be read becomes missing, and the checks say so."""

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.datasets.importing.plan import Dates, TablePlan

_MISSING = ("", "null", "na", "n/a", "nan", "none", "-", "—", "\\n", "?", "unknown")
_RANGE = re.compile(r"^\s*(\d{1,3})\s*(?:-|–|to|bis)\s*(\d{1,3})\s*$", re.I)
_OPEN = re.compile(r"^\s*(?:(\d{1,3})\s*\+|(?:over|über|>)\s*(\d{1,3}))\s*$", re.I)
_BELOW = re.compile(r"^\s*(?:under|unter|<)\s*(\d{1,3})\s*$", re.I)
_NUMBER = re.compile(r"(?P<before>[^\d.,]{0,6})(?P<digits>[.,]?\d(?:[\d.,\u00a0\u202f ’']*\d)?)[.,]?[^\d.,]{0,6}\.?")
"""A number, perhaps with a currency or a unit before or behind it."""
_WORD = re.compile(r"[^\W\d_]{4}")
_SPACED, _SPACES = re.compile(r"\d{1,3}(?:[\u00a0\u202f ’']\d{3})+(?:[.,]\d+)?"), re.compile(r"[\u00a0\u202f ’']")
_THOUSAND = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_NUMERIC_DATE = re.compile(r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})\b")
_LATEST = 1e12
"""Seconds beyond which a number is no time."""
_BEYOND = 5.0
"""Years that an open band such as 65+ is taken to lie above its start."""


def texts(column: pd.Series) -> pd.Series:
    """Returns a column as text on one line, without control characters; missing is ``""``."""
    found = column.map(lambda v: " ".join(v) if isinstance(v, list) else v) if column.dtype == object else column
    found = found.astype("str").fillna("")
    if found.str.contains(r"[\x00-\x1f\x7f]", regex=True).any():
        found = found.str.replace(r"[\x00-\x1f\x7f]+", " ", regex=True)
    return found.str.strip()


def is_missing(column: pd.Series) -> pd.Series:
    """Says for each text whether it stands for nothing."""
    return column.str.lower().isin(_MISSING)


def numbers(column: pd.Series, *, comma_groups: bool = False) -> pd.Series:
    """Returns float64; ``1.234,5`` and ``1,5`` are read as Europeans write them, currency signs are dropped, the rest is ``NaN``.

    Args:
        comma_groups: whether ``1,234`` is more than a thousand (a price) and not a little more than one.
    """
    plain = _plain_numbers(column)
    rest = plain.isna() & ~is_missing(column)
    if rest.any():
        plain[rest] = [_number(value, comma_groups) for value in column[rest]]
    return plain.where(np.isfinite(plain.to_numpy(float)))


def _plain_numbers(column: pd.Series) -> pd.Series:
    """Returns float64, ``NaN`` for what is not written as programs write numbers."""
    if column.dtype != object:
        array = pa.array(column, pa.large_string())
        try:
            found = pc.cast(pc.if_else(pc.equal(array, ""), None, array), pa.float64())
            return pd.Series(found.to_numpy(zero_copy_only=False).copy(), index=column.index, dtype="float64")
        except pa.ArrowInvalid:
            pass
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _number(text: str, comma_groups: bool) -> float:
    match = _NUMBER.fullmatch(text.strip())
    if match is None or _WORD.search(text):
        return np.nan
    digits = _SPACES.sub("", match["digits"]) if _SPACED.fullmatch(match["digits"]) else match["digits"]
    marks = [mark for mark in ",." if mark in digits]
    if len(marks) == 2:
        group, point = sorted(marks, key=digits.rfind)
        is_group = True
    else:
        group = point = marks[0] if marks else "."
        is_group = digits.count(group) > 1 or (comma_groups and _THOUSAND.fullmatch(digits) is not None)
    whole, fraction = (digits, "") if is_group and len(marks) < 2 else digits.rpartition(point)[::2]
    if not (is_group or point in digits):
        whole, fraction = digits, ""
    if is_group and not _is_in_groups(whole, group):
        return np.nan
    try:
        return float(f"{whole.replace(group, '') if is_group else whole}.{fraction}") * _sign(match["before"])
    except ValueError:
        return np.nan


def _is_in_groups(whole: str, mark: str) -> bool:
    first, *others = whole.split(mark)
    return 0 < len(first) <= 3 and all(len(part) == 3 for part in others)


def _sign(before: str) -> int:
    return -1 if "-" in before or "−" in before else 1


def years(column: pd.Series) -> pd.Series:
    """Returns years as float64, also of a date that starts or ends with one."""
    found = numbers(column)
    rest = found.isna() | (found.abs() > 9999)
    if rest.any():
        written = column.str.extract(r"^\s*(\d{4})[-./]\d|[./ ](\d{4})\s*$")
        found[rest] = pd.to_numeric(written[0].fillna(written[1]), errors="coerce").astype("float64")[rest]
    return found.where(found == found.round())


def ages(column: pd.Series, plan: TablePlan) -> pd.Series:
    """Returns ages in years; of a band its middle, of an open one five years beyond its start."""
    if plan.ages == "band":
        return column.map({value: _band(value) for value in column.unique()}).astype("float64")
    return plan.year_of_ages - years(column) if plan.ages == "birth year" else numbers(column)


def _band(text: str) -> float:
    if match := _RANGE.match(text):
        return (float(match[1]) + float(match[2])) / 2
    if match := _OPEN.match(text):
        return float(match[1] or match[2]) + _BEYOND
    if match := _BELOW.match(text):
        return max(0.0, float(match[1]) - _BEYOND)
    try:
        return float(text)
    except ValueError:
        return np.nan


def times(column: pd.Series, dates: Dates = "day first") -> pd.Series:
    """Returns seconds since 1970 as Int64, from seconds, milliseconds, or written dates (UTC unless they say otherwise).

    Args:
        dates: how 01/02/2025 is meant.
    """
    plain = _plain_numbers(column)
    plain = plain.where(plain.abs() < 1e11, plain / 1000)
    is_compact = (
        column.str.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])").fillna(False).astype(bool)
    )
    seconds = plain.where((plain.abs() < _LATEST) & ~is_compact).round()
    rest = is_compact | (plain.isna() & ~is_missing(column))
    if rest.any():
        seconds[rest] = _dates(column[rest], dates)
    return seconds.astype("Int64")


def _dates(column: pd.Series, dates: Dates) -> np.ndarray:
    """Seconds as float64, ``NaN`` for what is no date with a year."""
    is_numeric = column.str.match(_NUMERIC_DATE.pattern).to_numpy(bool)
    iso = column.astype(object)
    iso[is_numeric] = [_iso(text, dates) for text in column[is_numeric]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of time zones that pandas does not know; they become missing
        found = pd.to_datetime(iso, errors="coerce", utc=True, format="ISO8601")
        rest = (found.isna() & column.str.contains(r"\d{4}")).to_numpy(bool) & ~is_numeric
        if rest.any():
            found[rest] = pd.Series([_written_date(text) for text in column[rest]], dtype=found.dtype).array
    values = found.dt.as_unit("s").astype("int64").astype("float64").to_numpy(copy=True)
    values[found.isna().to_numpy()] = np.nan
    return np.asarray(values)


def _iso(text: str, dates: Dates) -> str:
    """``2.1.25 10:00`` becomes ``2025-01-02 10:00``; years of two digits are those from 1970 to 2069."""
    match = _NUMERIC_DATE.match(text)
    assert match is not None
    day, month = (match[1], match[2]) if dates == "day first" else (match[2], match[1])
    year = match[3] if len(match[3]) == 4 else f"{19 if int(match[3]) >= 70 else 20}{match[3]}"
    return f"{year}-{month:0>2}-{day:0>2}{text[match.end() :].rstrip()}"


def _written_date(text: str) -> Any:
    """``24 Dec 2025 10:00``; what is none is ``NaT``."""
    try:
        return pd.to_datetime(text[:60], errors="coerce", utc=True, format="mixed")
    except (ValueError, OverflowError, TypeError):
        return pd.NaT


def guess_dates(column: pd.Series) -> Dates:
    """Returns how dates such as 01/02/2025 are meant: day first, unless one of them cannot be."""
    heads = column.dropna().astype(str).str.extract(_NUMERIC_DATE.pattern)
    first, second = (pd.to_numeric(heads[n], errors="coerce") for n in (0, 1))
    return "month first" if (second > 12).any() and not (first > 12).any() else "day first"


def categories(column: pd.Series, separator: str) -> list[tuple[str, ...]]:
    """Returns tuples of text, each value once, in order."""
    mark = separator.strip() or separator
    return [_categories(value, mark) for value in column]


def _categories(value: Any, mark: str) -> tuple[str, ...]:
    found = value.split(mark) if isinstance(value, str) else value
    parts = found if isinstance(found, list) else []
    cleaned = (" ".join("".join(c if c.isprintable() else " " for c in str(part)).split()) for part in parts)
    return tuple(dict.fromkeys(part for part in cleaned if part and part.lower() not in _MISSING))
