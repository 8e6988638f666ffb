"""Many profiles by name: read from a table, or every combination of some facets."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from recsys.errors import DataError, shorten
from recsys.export import neutralise
from recsys.schema import ITEM_ID, Dataset, Profile
from recsys.settings import MAX_INTEREST_LENGTH, MAX_PROFILES

NAME, AGE, GENDER, INTERESTS, LIKED = OWN_COLUMNS = ("name", "age", "gender", "interests", "liked")
_SEPARATOR = "|"
_LISTED = 8
_LONGEST_NAME = 200


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
        names = tuple(checked_name(name) for name in self.names)
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
        known_value(gender or "", dataset.genders, GENDER)
    for name, value in (attributes or {}).items():
        known_value(value, _values_of(name, dataset), name)
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


def checked_name(name: str) -> str:
    """Returns a name without surplus spaces.

    Raises:
        DataError: if it is empty, too long or not valid Unicode.
    """
    found = " ".join(name.split())
    if not found or len(found) > _LONGEST_NAME:
        raise DataError("The name of a profile does not fit", found, fix=f"Give it 1 to {_LONGEST_NAME} characters.")
    if not is_text(found):
        raise DataError("A name is not valid Unicode", ascii(found), fix="Type it again, as UTF-8.")
    return found


def _csv(named: NamedProfiles, columns: Sequence[str]) -> str:
    attributes = sorted({name for profile in named.profiles for name in profile.attributes})
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([*columns, *(neutralise(column_of(name)) for name in attributes)])
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


def column_of(attribute: str) -> str:
    """Returns the column of an attribute in a table."""
    return f"attribute:{attribute}" if attribute in OWN_COLUMNS else attribute


def _joined(texts: Iterable[str]) -> str:
    return _SEPARATOR.join(text.replace("\\", "\\\\").replace(_SEPARATOR, "\\|") for text in texts)


def is_text(cell: str) -> bool:
    """Whether a cell is valid Unicode."""
    return cell.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in cell)


def known_value(text: str, values: Sequence[str], noun: str) -> str | None:
    """Returns a value of the dataset, ``None`` for an empty text.

    Raises:
        DataError: for any other.
    """
    if text in values:
        return text
    if text.strip() in values or not text.strip():
        return text.strip() or None
    some = ", ".join(shorten(value, 40) for value in values[:_LISTED]) or "none"
    fix = f"Use {'one of' if len(values) <= _LISTED else 'a value of the dataset, such as'}: {some}; or leave it empty."
    raise DataError(f"The dataset has no such {shorten(noun, 40)}", text, fix=fix)
