"""What can be done with a dataset, by what is known in it."""

from dataclasses import dataclass
from typing import Literal

from recsys.schema import ITEM_ROLES, RATING, USER_ROLES, Dataset
from recsys.schema.columns import MOST_VALUES

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
    wanting = "needs interactions of other users"
    if users and not likes and RATING in dataset.interactions:
        wanting = f"needs likes: none of the {len(dataset.interactions):,} ratings reaches {dataset.info.liked_from:g}"
    people = [name for name, known in (("age", dataset.age_range), ("gender", dataset.genders)) if known]
    people += [str(name) for name in dataset.user_attributes]
    filters = [name for name, known in (("categories", dataset.categories), ("year", "year" in dataset.items)) if known]
    filters += [str(name) for name in dataset.item_attributes]
    return [
        Possible("Lists by the words of a profile (cosine)", True, "needs titles only"),
        Possible(
            "Lists learned from what people liked (additive)",
            bool(likes and users),
            f"learns from {likes:,} likes" if likes and users else wanting,
        ),
        Possible("Interests in free words and liked items", True, "needs titles only"),
        Possible(
            "Age, gender and attributes in the form",
            bool(people),
            _told(people, "needs a table of users with an age, a gender or other columns", _varied(dataset, "users")),
        ),
        Possible(
            "Filters of the list",
            bool(filters),
            _told(filters, "needs categories, years or other columns", _varied(dataset, "items")),
        ),
        Possible("People on the map", bool(users), f"{users:,} users" if users else "needs users"),
        Possible(
            "Evaluation on held-out people",
            n_people >= _FEW,
            f"{n_people:,} people with likes" if n_people >= _FEW else f"needs likes of at least {_FEW} people",
        ),
    ]


def _varied(dataset: Dataset, table: Literal["items", "users"]) -> list[str]:
    """Further columns with too many values to choose from."""
    frame, roles, known = (
        (dataset.items, ITEM_ROLES, dataset.item_attributes)
        if table == "items"
        else (dataset.users, USER_ROLES, dataset.user_attributes)
    )
    rest = [str(name) for name in frame if name not in roles and name not in known]
    return [name for name in rest if frame[name].nunique() > MOST_VALUES]


def _told(names: list[str], wanting: str, varied: list[str]) -> str:
    """What is there, and which columns are not, as nobody could choose among their values."""
    beyond = f"not {', '.join(varied)}: more than {MOST_VALUES} different values" if varied else ""
    return "; ".join(filter(None, (", ".join(names), beyond))) or wanting
