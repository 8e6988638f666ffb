"""What can be done with a dataset, by what is known in it."""

from dataclasses import dataclass

from recsys.schema import Dataset

_FEW = 20
"""People with likes below whom an evaluation says next to nothing."""


@dataclass(frozen=True)
class Possible:
    """One thing that can be done, or not.

    Attributes:
        what: the thing.
        is_possible: whether it can be done.
        why: what it uses, or what is missing.
    """

    what: str
    is_possible: bool
    why: str


def possible(dataset: Dataset) -> list[Possible]:
    """Returns what can be done with a dataset, and what cannot."""
    likes, users = len(dataset.likes), len(dataset.users)
    n_people = int(dataset.likes["user_id"].nunique()) if likes else 0
    people = [name for name, known in (("age", dataset.age_range), ("gender", dataset.genders)) if known]
    people += [str(name) for name in dataset.user_attributes]
    filters = [name for name, known in (("categories", dataset.categories), ("year", "year" in dataset.items)) if known]
    filters += [str(name) for name in dataset.item_attributes]
    return [
        Possible("Lists by the words of a profile (cosine)", True, "needs titles only"),
        Possible(
            "Lists learned from what people liked (additive)",
            bool(likes and users),
            f"learns from {likes:,} likes" if likes and users else "needs interactions of other users",
        ),
        Possible("Interests in free words and liked items", True, "needs titles only"),
        Possible(
            "Age, gender and attributes in the form",
            bool(people),
            ", ".join(people) or "needs a table of users with an age, a gender or other columns",
        ),
        Possible(
            "Filters of the list", bool(filters), ", ".join(filters) or "needs categories, years or other columns"
        ),
        Possible("People on the map", bool(users), f"{users:,} users" if users else "needs users"),
        Possible(
            "Evaluation on held-out people",
            n_people >= _FEW,
            f"{n_people:,} people with likes" if n_people >= _FEW else f"needs likes of at least {_FEW} people",
        ),
    ]
