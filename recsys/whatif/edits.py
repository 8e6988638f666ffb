"""Single edits of a profile: everything that one hand movement can change."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from recsys.schema import ITEM_ID, Dataset, Profile
from recsys.settings import MAX_INTERESTS, MAX_LIKED

PROTECTED = ("age", "gender")
"""Facets that no edit touches unless the reader asks: they belong to the fairness view."""
AGES = range(10, 81)


@dataclass(frozen=True)
class Edit:
    """One change of a profile.

    Attributes:
        key: what it changes, for example ``attribute:occupation``; two edits of one key exclude each other.
        label: what to do, in words.
        kind: what it changes, for counting: ``add interest``, ``drop interest``, ``like``, ``unlike``, ``attribute``, ``age``,
            ``gender``.
    """

    key: str
    kind: str
    label: str
    value: str | None

    def apply(self, profile: Profile) -> Profile:
        """Returns the edited profile."""
        kind, name = self.kind, self.key.partition(":")[2]
        if kind == "add interest":
            return replace(profile, interests=(*profile.interests, name))
        if kind == "drop interest":
            return replace(profile, interests=tuple(text for text in profile.interests if text != name))
        if kind == "like":
            return replace(profile, liked=(*profile.liked, name))
        if kind == "unlike":
            return replace(profile, liked=tuple(item_id for item_id in profile.liked if item_id != name))
        if kind == "attribute":
            return replace(profile, attributes={**profile.attributes, name: self.value or ""})
        if kind == "age":
            return replace(profile, age=None if self.value is None else float(self.value))
        return replace(profile, gender=self.value)


def single_edits(
    profile: Profile,
    dataset: Dataset,
    *,
    interests: Sequence[str],
    likeable: Iterable[int],
    locked: Collection[str] = PROTECTED,
) -> list[Edit]:
    """Returns every single edit: add or drop an interest, like or unlike an item, another attribute value, and, where they
    are not locked, another age (10 to 80, or unknown) or gender.

    Args:
        interests: those that may be added.
        likeable: item_rows that may be liked.
        locked: keys of facets that stay as they are: ``age``, ``gender``, ``attribute:NAME``, ``interest:TEXT``, ``liked:ID``,
            or the kinds ``interests`` and ``liked`` as a whole.
    """
    found = [
        *(() if "interests" in locked else _interests(profile, interests)),
        *(() if "liked" in locked else _likes(profile, dataset, likeable)),
        *_attributes(profile, dataset),
        *_protected(profile, dataset),
    ]
    return [edit for edit in found if edit.key not in locked]


def _interests(profile: Profile, interests: Sequence[str]) -> Iterator[Edit]:
    for text in profile.interests:
        yield Edit(f"interest:{text}", "drop interest", f"Drop the interest “{text}”", None)
    said = {text.lower() for text in profile.interests}
    if len(profile.interests) < MAX_INTERESTS:
        for text in interests:
            if text.lower() not in said:
                yield Edit(f"interest:{text}", "add interest", f"Add the interest “{text}”", text)


def _likes(profile: Profile, dataset: Dataset, likeable: Iterable[int]) -> Iterator[Edit]:
    for item_id in profile.liked:
        yield Edit(f"liked:{item_id}", "unlike", f"No longer like {dataset.labels[dataset.item_row(item_id)]}", None)
    if len(profile.liked) < MAX_LIKED:
        ids = dataset.items[ITEM_ID].to_numpy()
        for row in likeable:
            if ids[row] not in profile.liked:
                yield Edit(f"liked:{ids[row]}", "like", f"Like {dataset.labels[row]}", str(ids[row]))


def _attributes(profile: Profile, dataset: Dataset) -> Iterator[Edit]:
    for name, values in dataset.user_attributes.items():
        own = profile.attributes.get(name)
        for value in (*values, None):
            if value != own:
                label = f"Make the {name} “{value}”" if value else f"Leave the {name} unknown"
                yield Edit(f"attribute:{name}", "attribute", label, value)


def _protected(profile: Profile, dataset: Dataset) -> Iterator[Edit]:
    if dataset.age_range:
        for age in (*AGES, None):
            if age != profile.age:
                label = "Leave the age unknown" if age is None else f"Make the age {age}"
                yield Edit("age", "age", label, None if age is None else str(age))
    for gender in (*dataset.genders, None) if dataset.genders else ():
        if gender != profile.gender:
            yield Edit(
                "gender", "gender", f"Make the gender {gender}" if gender else "Leave the gender unknown", gender
            )
