"""A list for other programs: CSV that no spreadsheet runs, and JSON as the exact format."""

import json
import re

import pandas as pd

from recsys.schema import Recommendations

_BEFORE = re.compile(r"^[\s\0-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060\ufeff]+")
"""What a spreadsheet may skip before it looks whether a cell is a formula."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def to_csv(found: Recommendations) -> str:
    """Returns the list as CSV with one column per facet.

    A text cell that a spreadsheet could take for a formula gets an apostrophe in front, and so does one that already
    starts with an apostrophe, so that dropping one apostrophe always gives the text back. Numbers stay numbers.
    """
    table = found.table.rename(columns={facet.key: facet.label for facet in found.facets})
    safe = {
        name: table[name].map(neutralise) for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])
    }
    table = table.assign(**safe)
    return str(table.rename(columns=neutralise).to_csv(index=False))


def neutralise(text: object) -> str:
    """Returns the text with an apostrophe in front where a spreadsheet could take it for a formula."""
    found = str(text)
    return f"'{found}" if found.startswith(_FORMULA) or _BEFORE.sub("", found).startswith(_FORMULA) else found


def original(cell: str) -> str:
    """Returns the text that ``neutralise`` made a cell of."""
    return cell[1:] if cell.startswith("'") else cell


def to_json(found: Recommendations, **about: object) -> str:
    """Returns the profile, its list and whatever else is said about it as JSON."""
    value = {**about, "profile": found.profile.to_dict(), "warnings": list(found.warnings)}
    return json.dumps(value | {"recommendations": found.to_records()}, ensure_ascii=False, indent=1)
