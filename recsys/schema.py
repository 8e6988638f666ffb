"""The nouns: Profile, Dataset, ItemFilter, Recommendations, and the names of their columns."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from recsys.errors import DataError, UnknownItemError
from recsys.settings import MAX_AGE, MAX_INTEREST_LENGTH, MAX_INTERESTS, MAX_LIKED

ITEM_ID, USER_ID = "item_id", "user_id"
TITLE, DESCRIPTION, CATEGORIES, YEAR = "title", "description", "categories", "year"
AGE, GENDER = "age", "gender"
RATING, TIMESTAMP = "rating", "timestamp"
ITEM_ROLES = (ITEM_ID, TITLE, DESCRIPTION, CATEGORIES, YEAR, "price", "image", "audio")
USER_ROLES = (USER_ID, AGE, GENDER)
LIKED_FROM = 4.0
"""A rating from here on counts as a like; an interaction without a rating always does."""

FacetKind = Literal["prior", "age", "gender", "attribute", "interest", "liked"]


@dataclass(frozen=True)
class Facet:
    """One part of a profile, or the prior.

    Attributes:
        key: unique within a profile and stable, for example ``interest:science fiction``.
        kind: what it is a part of.
        label: how it is written on the screen.
    """

    key: str
    kind: FacetKind
    label: str


PRIOR = Facet("prior", "prior", "Prior")


@dataclass(frozen=True)
class Profile:
    """All that is known of a (hypothetical) new user; every part may be missing.

    Attributes:
        age: years, 0 to 120.
        gender: a value of the dataset.
        attributes: attribute name to value, for example ``{"occupation": "student"}``.
        interests: free texts, as typed; at most 20 of at most 200 characters. Repeats are dropped.
        liked: item_ids; at most 100. Repeats are dropped.

    Raises:
        DataError: for an impossible age, or too many or too long parts.
    """

    age: float | None = None
    gender: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    interests: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "age", _checked_age(self.age))
        object.__setattr__(self, "gender", self.gender or None)
        kept = {str(name): str(value) for name, value in sorted(self.attributes.items()) if value}
        object.__setattr__(self, "attributes", MappingProxyType(kept))
        object.__setattr__(self, "interests", _checked_interests(self.interests))
        object.__setattr__(self, "liked", _checked_liked(self.liked))

    def __hash__(self) -> int:
        return hash((self.age, self.gender, tuple(self.attributes.items()), self.interests, self.liked))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and self.to_dict() == other.to_dict()

    def __reduce__(self) -> tuple[Any, ...]:
        return (Profile.from_dict, (self.to_dict(),))

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known."""
        return not self.facets

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """The parts that are present, in a fixed order: age, gender, attributes, interests, liked items."""
        parts = [] if self.age is None else [Facet("age", "age", f"Age {self.age:g}")]
        parts += [Facet("gender", "gender", f"Gender {self.gender}")] if self.gender else []
        parts += [Facet(f"attribute:{a}", "attribute", f"{a.capitalize()} {v}") for a, v in self.attributes.items()]
        parts += [Facet(f"interest:{text}", "interest", f"“{text}”") for text in self.interests]
        parts += [Facet(f"liked:{item_id}", "liked", f"Liked {item_id}") for item_id in self.liked]
        return tuple(parts)

    def keeping(self, keys: Iterable[str]) -> "Profile":
        """Returns the profile with only the facets of these keys."""
        kept = set(keys)
        return Profile(
            age=self.age if "age" in kept else None,
            gender=self.gender if "gender" in kept else None,
            attributes={a: v for a, v in self.attributes.items() if f"attribute:{a}" in kept},
            interests=tuple(text for text in self.interests if f"interest:{text}" in kept),
            liked=tuple(item_id for item_id in self.liked if f"liked:{item_id}" in kept),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the profile as plain JSON values."""
        return {
            "age": self.age,
            "gender": self.gender,
            "attributes": dict(self.attributes),
            "interests": list(self.interests),
            "liked": list(self.liked),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Profile":
        """Returns the profile that ``to_dict`` wrote; missing keys mean unknown."""
        return cls(
            age=values.get("age"),
            gender=values.get("gender"),
            attributes=dict(values.get("attributes") or {}),
            interests=tuple(values.get("interests") or ()),
            liked=tuple(values.get("liked") or ()),
        )


def _checked_age(age: object) -> float | None:
    if age is None:
        return None
    fix = f"Give a number of years from 0 to {MAX_AGE}, or leave the age out."
    try:
        years = float(str(age))
    except ValueError:
        raise DataError("The age is not a number", age, fix=fix) from None
    if not 0 <= years <= MAX_AGE:
        raise DataError("The age is impossible", age, fix=fix)
    return years


def _checked_interests(interests: Iterable[str]) -> tuple[str, ...]:
    texts = tuple(dict.fromkeys(" ".join(str(text).split()) for text in interests))
    texts = tuple(text for text in texts if text)
    if len(texts) > MAX_INTERESTS:
        raise DataError("There are too many interests", len(texts), fix=f"Keep at most {MAX_INTERESTS}.")
    for text in texts:
        if len(text) > MAX_INTEREST_LENGTH:
            fix = f"Shorten it to at most {MAX_INTEREST_LENGTH} characters (it has {len(text)})."
            raise DataError("An interest is too long", text, fix=fix)
    return texts


def _checked_liked(liked: Iterable[str]) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(str(item_id) for item_id in liked))
    if len(ids) > MAX_LIKED:
        raise DataError("There are too many liked items", len(ids), fix=f"Keep at most {MAX_LIKED}.")
    return ids


@dataclass(frozen=True)
class Preset:
    """A ready-made profile with a name."""

    name: str
    profile: Profile


@dataclass(frozen=True)
class DatasetInfo:
    """What ``dataset.toml`` says.

    Attributes:
        item_template: how an item becomes a text; see ``recsys.views.text.Template``.
        profile_template: how a profile becomes one sentence for the cosine scorer.
        words: how stored values read in a sentence, per column: ``{"gender": {"F": "female"}}``.
        simulated: whether users and interactions were made by a simulator.
    """

    title: str
    domain: str = "unknown"
    language: str = "en"
    licence: str = "unknown"
    source: str = ""
    item_template: str = "{title}[ ({year})][. {categories}][. {description}]"
    profile_template: str = (
        "A[ {age}-year-old][ {gender}][ {occupation|person}][ who likes {interests}][, who enjoyed {liked}]."
    )
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    presets: tuple[Preset, ...] = ()
    simulated: bool = False


@dataclass(frozen=True)
class Dataset:
    """Items, and optionally users and interactions; ids are ``str``, frames are never changed in place.

    Attributes:
        items: sorted by item_id; ``categories`` holds tuples of ``str``; row number = item_row.
        users: may be empty; ``age`` is float with ``NaN`` for unknown.
        interactions: may be empty; ``rating`` and ``timestamp`` are optional columns.
        folder: where it is kept; artifacts made from it go to ``folder / "artifacts"``. ``None`` for in-memory ones.
    """

    name: str
    info: DatasetInfo
    items: pd.DataFrame
    users: pd.DataFrame
    interactions: pd.DataFrame
    folder: Path | None = None

    @cached_property
    def item_rows(self) -> Mapping[str, int]:
        """item_id to item_row."""
        return {item_id: row for row, item_id in enumerate(self.items[ITEM_ID])}

    def item_row(self, item_id: str) -> int:
        """Returns the row of an item.

        Raises:
            UnknownItemError: if the catalog has no such item.
        """
        try:
            return self.item_rows[item_id]
        except KeyError:
            fix = f"Use an item_id of '{self.name}', for example '{self.items[ITEM_ID].iloc[0]}'."
            raise UnknownItemError("There is no such item in the catalog", item_id, fix=fix) from None

    def title_of(self, item_id: str) -> str:
        """Returns the title of an item."""
        return str(self.items[TITLE].iloc[self.item_row(item_id)])

    @cached_property
    def age_range(self) -> tuple[float, float] | None:
        """Youngest and oldest age among the users, or ``None`` if no age is known."""
        if AGE not in self.users or self.users[AGE].isna().all():
            return None
        return float(self.users[AGE].min()), float(self.users[AGE].max())

    @cached_property
    def user_attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Every further categorical column of the users, with its values, most frequent first."""
        names = [name for name in self.users.columns if name not in USER_ROLES]
        return {name: _values(self.users[name]) for name in names}

    @cached_property
    def genders(self) -> tuple[str, ...]:
        """The genders among the users, most frequent first; empty if unknown."""
        return _values(self.users[GENDER]) if GENDER in self.users else ()

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories of the catalog, most frequent first."""
        return _values(self.items[CATEGORIES].explode()) if CATEGORIES in self.items else ()

    @cached_property
    def item_attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Every further categorical column of the items with at most 200 values."""
        names = [name for name in self.items.columns if name not in ITEM_ROLES]
        found = {name: _values(self.items[name]) for name in names}
        return {name: values for name, values in found.items() if 1 < len(values) <= 200}

    @cached_property
    def popularity(self) -> np.ndarray:
        """Number of likes per item_row, ``(n_items,)``."""
        liked = self.likes[ITEM_ID].map(self.item_rows).dropna().astype(int)
        return np.bincount(liked, minlength=len(self.items))

    @cached_property
    def likes(self) -> pd.DataFrame:
        """The interactions that are likes: rating >= 4, or all where there are no ratings."""
        frame = self.interactions
        return frame[frame[RATING] >= LIKED_FROM] if RATING in frame else frame

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the content of all three frames."""
        digest = hashlib.sha256()
        for frame in (self.items, self.users, self.interactions):
            digest.update(fingerprint_of_frame(frame).encode())
        return digest.hexdigest()

    def without_users(self, user_ids: Iterable[str]) -> "Dataset":
        """Returns a new in-memory dataset without these users and without their interactions."""
        gone = set(user_ids)
        users = self.users[~self.users[USER_ID].isin(gone)].reset_index(drop=True)
        interactions = self.interactions[~self.interactions[USER_ID].isin(gone)].reset_index(drop=True)
        return replace(self, users=users, interactions=interactions)


def fingerprint_of_frame(frame: pd.DataFrame) -> str:
    """Returns a SHA-256 over column names and every value, in order."""
    digest = hashlib.sha256(json.dumps(list(frame.columns)).encode())
    for name in frame.columns:
        column = frame[name]
        if name == CATEGORIES:
            column = column.map("\x1f".join)
        digest.update(pd.util.hash_pandas_object(column, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _values(column: pd.Series) -> tuple[str, ...]:
    texts = column.dropna().astype(str)
    counts = texts[texts != ""].value_counts()
    order = sorted(counts.index, key=lambda value: (-counts[value], value))
    return tuple(order)


@dataclass(frozen=True)
class ItemFilter:
    """Which items may be shown; an empty part lets everything pass.

    Attributes:
        categories: at least one of these.
        years: first and last year, inclusive; items without a year are dropped.
        attributes: column to allowed values.
    """

    categories: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def mask(self, dataset: Dataset) -> np.ndarray:
        """Returns ``(n_items,)`` of ``bool``.

        Raises:
            DataError: for a category or attribute that the catalog does not have.
        """
        items = dataset.items
        allowed = np.ones(len(items), dtype=bool)
        if self.categories:
            _check_known("category", self.categories, dataset.categories)
            wanted = set(self.categories)
            allowed &= items[CATEGORIES].map(lambda found: not wanted.isdisjoint(found)).to_numpy(bool)
        if self.years is not None:
            if YEAR not in items:
                raise DataError("The catalog has no years to filter by", self.years, fix="Leave the years out.")
            allowed &= items[YEAR].between(*self.years).fillna(False).to_numpy(bool)
        for name, values in self.attributes.items():
            _check_known("item attribute", (name,), tuple(dataset.item_attributes))
            allowed &= items[name].astype(str).isin(values).to_numpy(bool)
        return allowed


def _check_known(noun: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            listed = ", ".join(known[:8]) or "none"
            raise DataError(f"The catalog has no such {noun}", value, fix=f"Choose one of: {listed}.")


@dataclass(frozen=True)
class Recommendations:
    """A ranked list for one profile.

    Attributes:
        table: one row per item: rank, item_id, title, score, probability (``NaN`` if not calibrated), then one column
            per facet key; each row's facet columns sum to its score.
        facets: the facets of those columns, in order.
        warnings: sentences about the profile that a reader should know.
        timings: stage to milliseconds.
    """

    profile: Profile
    table: pd.DataFrame
    facets: tuple[Facet, ...]
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def contributions(self) -> pd.DataFrame:
        """The facet columns alone, ``(k, n_facets)``."""
        return self.table[[facet.key for facet in self.facets]]

    def to_records(self) -> list[dict[str, Any]]:
        """Returns the list as plain JSON values: rank, item_id, title, score, probability, contributions."""
        parts = self.contributions.to_dict("records")
        rows: list[dict[Any, Any]] = self.table[["rank", ITEM_ID, TITLE, "score", "probability"]].to_dict("records")
        for row, contributions in zip(rows, parts, strict=True):
            row["probability"] = None if pd.isna(row["probability"]) else row["probability"]
            row["contributions"] = contributions
        return rows


@dataclass(frozen=True)
class Scores:
    """The score of every item for one profile; ``values`` is ``(n_items,)``, row = item_row."""

    item_ids: tuple[str, ...]
    values: np.ndarray

    def rank_of(self, item_row: int) -> int:
        """Returns the rank from 1; ties go to the smaller item_id."""
        own = self.values[item_row]
        return 1 + int((self.values > own).sum()) + int((self.values[:item_row] == own).sum())
