"""Profile and its facets: all that is known of a (hypothetical) new user."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from recsys.errors import DataError
from recsys.settings import MAX_AGE, MAX_INTEREST_LENGTH, MAX_INTERESTS, MAX_LIKED

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


PRIOR = Facet("prior", "prior", "Popularity")


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
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise DataError("An interest is not valid Unicode", ascii(text), fix="Type it again, as UTF-8.")
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
