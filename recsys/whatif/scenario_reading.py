"""Reading a scenario file strictly: every fault names its place, and nothing but our errors comes out."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from recsys.errors import DataError, shorten
from recsys.saved_profiles import MAX_NAME, MAX_SAVED
from recsys.schema import Profile
from recsys.settings import MAX_K, MAX_WEIGHT
from recsys.views.view import VIEWS

MAX_BYTES = 1_000_000
MAX_PROFILES = MAX_SAVED + 2
"""``A`` and ``B`` as well."""
FIX = "Open the file as it was saved, or save the scenario again."
_MAX_DEPTH = 16
_MAX_YEAR = 10_000
_LONGEST_TIME = 40
_KINDS: Mapping[type, str] = {str: "a text", dict: "an object", list: "a list"}


def parsed(text: str | bytes) -> Any:
    """Returns the values of a JSON file without repeated names, infinite numbers, broken Unicode or deep nesting.

    Raises:
        DataError: for anything else, or a file larger than ``MAX_BYTES``.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    if len(raw) > MAX_BYTES:
        raise DataError("The scenario file is too large", f"{len(raw):,} bytes", fix=f"It may have {MAX_BYTES:,}.")
    try:
        values = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else shorten(str(error))
        raise DataError(f"The scenario file is not JSON ({reason})", fix=FIX) from None
    check_plain(values, "the file")
    return values


def profile_of(value: Any, place: str) -> Profile:
    """Returns a profile that keeps its own rules."""
    expect(value, dict, place)
    check_keys(value, ("age", "gender", "attributes", "interests", "liked"), place)
    if value["age"] is not None and not _is_number(value["age"]):
        raise fault(f"{place}.age", "a number", value["age"])
    if value["gender"] is not None:
        expect(value["gender"], str, f"{place}.gender")
    expect(value["attributes"], dict, f"{place}.attributes")
    expect_texts(list(value["attributes"].values()), f"{place}.attributes")
    for name in ("interests", "liked"):
        expect_texts(value[name], f"{place}.{name}")
    try:
        return Profile.from_dict(value)
    except DataError as error:
        raise DataError(f"{error.what}, in {shorten(place)} of the scenario", error.value, fix=error.fix) from None


def check_controls(controls: Mapping[str, Any]) -> None:
    """Raises for anything but k, two shares, an item filter, and perhaps weights of views and unused facts, in range."""
    rest = {name: value for name, value in controls.items() if name not in ("views", "unused")}
    check_keys(rest, ("k", "popularity", "diversity", "keep"), "controls")
    expect_texts(controls.get("unused", []), "controls.unused")
    views = controls.get("views", {})
    expect(views, dict, "controls.views")
    for name, weight in views.items():
        if name not in VIEWS or not _is_number(weight) or not 0 <= weight <= MAX_WEIGHT:
            raise fault(f"controls.views.{name}", f"a view of items with a weight from 0 to {MAX_WEIGHT:g}", weight)
    if type(controls["k"]) is not int or not 1 <= controls["k"] <= MAX_K:
        raise fault("controls.k", f"a whole number from 1 to {MAX_K}", controls["k"])
    for name in ("popularity", "diversity"):
        if not _is_number(controls[name]) or not 0 <= controls[name] <= 1:
            raise fault(f"controls.{name}", "a number from 0 to 1", controls[name])
    keep, place = controls["keep"], "controls.keep"
    expect(keep, dict, place)
    check_keys(keep, ("categories", "years", "attributes"), place)
    expect_texts(keep["categories"], f"{place}.categories")
    expect(keep["attributes"], dict, f"{place}.attributes")
    for name, values in keep["attributes"].items():
        expect_texts(values, f"{place}.attributes.{name}")
    years = keep["years"]
    if years is not None and not (isinstance(years, list) and len(years) == 2 and all(map(_is_year, years))):
        raise fault(f"{place}.years", "a first and a last year", years)


def check_names(profiles: Mapping[str, Any], lists: Mapping[str, Any], hashes: Mapping[str, Any]) -> None:
    """Raises unless the three have the same names, at least one, none too long."""
    if not 1 <= len(profiles) <= MAX_PROFILES:
        raise fault("profiles", f"an object of 1 to {MAX_PROFILES}", len(profiles))
    for name in profiles:
        if not 1 <= len(name) <= MAX_NAME:
            raise fault("a name in profiles", f"1 to {MAX_NAME} characters long", name)
    for place, other in (("lists", lists), ("hashes", hashes)):
        check_keys(other, tuple(profiles), place)


def check_time(made: str) -> None:
    """Raises for what is no time in ISO form."""
    try:
        datetime.fromisoformat(made if len(made) <= _LONGEST_TIME else "")
    except ValueError:
        raise fault("made", "a time like 2025-01-31T12:00:00+00:00", made) from None


def fault(place: str, wanted: str, value: object) -> DataError:
    """Returns the error for one place."""
    return DataError(f"The scenario does not hold: {shorten(place)} is not {wanted}", value, fix=FIX)


def expect(value: Any, kind: type, place: str) -> None:
    """Raises for a value of another kind."""
    if not isinstance(value, kind):
        raise fault(place, _KINDS[kind], value)


def expect_texts(value: Any, place: str) -> None:
    """Raises for anything but a list of texts."""
    expect(value, list, place)
    for n, text in enumerate(value):
        expect(text, str, f"{place}[{n}]")


def check_keys(value: Mapping[str, Any], wanted: Sequence[str], place: str) -> None:
    """Raises for a name too few or too many."""
    expect(value, dict, place)
    for name in wanted:
        if name not in value:
            raise fault(place, "complete, there is no", name)
    for name in value:
        if name not in wanted:
            raise fault(place, "known to have a part named", name)


def check_plain(value: Any, place: str) -> None:
    """Raises for what JSON in UTF-8 cannot carry, or what is nested too deeply."""
    left = [(value, place, 0)]
    while left:
        one, at, depth = left.pop()
        if depth > _MAX_DEPTH:
            raise fault(at, f"nested at most {_MAX_DEPTH} deep", depth)
        if isinstance(one, dict):
            left += [(key, f"a name in {at}", depth) for key in one]
            if not all(isinstance(key, str) for key in one):
                raise fault(at, "an object with texts for names", one)
            left += [(part, f"{at}.{key}", depth + 1) for key, part in one.items()]
        elif isinstance(one, list | tuple):
            left += [(part, f"{at}[{n}]", depth + 1) for n, part in enumerate(one)]
        elif isinstance(one, str):
            if any("\ud800" <= letter <= "\udfff" for letter in one):
                raise fault(ascii(at), "valid Unicode", ascii(one))
        elif not (one is None or isinstance(one, bool | int) or (isinstance(one, float) and np.isfinite(one))):
            raise fault(at, "a JSON value", one)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_year(value: Any) -> bool:
    return type(value) is int and abs(value) <= _MAX_YEAR
