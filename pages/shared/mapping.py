"""The explorer: a map of items and people, what it is coloured by, and what a click or a lasso opens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import resources
from pages.shared.atlases import Opened, draw_fitting, open_or_preview, version_of
from pages.shared.brought import SPACE
from pages.shared.drawer import draw_drawer, draw_selection, draw_table
from pages.shared.form import one_line
from pages.shared.frame import Page
from pages.shared.hovering import draw_hovers
from pages.shared.language import N_, _, language, ngettext
from pages.shared.map_figures import DRAWN, OTHER, Colours, Layers, draw_map, rows_inside
from pages.shared.retelling import retold
from pages.shared.widgets import plain
from recsys.projection import Place, Trust, spaces_of
from recsys.schema import CATEGORIES, ITEM_ID, YEAR, Recommendations
from recsys.views.view import TEXT, VIEW_WORDS

_SPACES = {
    "text": N_("What texts say (BERT)"),
    "image": N_("What pictures show"),
    "audio": N_("What sounds are like"),
    "graph": N_("Which facts are shared"),
    "taste": N_("What people like (learned)"),
}
_TRAIL, _SELECTED, _CHOSEN = "_map_trail", "_map_selected", "_map_item"
_LONGEST_NAME = 80
_LONGEST_TRAIL, _MOST_FOUND, _MOST_SAVED = 20, 500, 12


@dataclass(frozen=True)
class _Choice:
    """What the reader wants to see."""

    space: str
    n_components: int
    colour: str
    search: str
    by_popularity: bool
    with_labels: bool
    with_people: bool
    with_trail: bool

    @property
    def chart(self) -> str:
        """The key of the chart."""
        return f"map-{self.space}-{self.n_components}"


def draw_explorer(page: Page) -> None:
    """Draws the controls, the map and what is open below it."""
    choice = _draw_choice(page)
    opened = open_or_preview(page, choice.space, choice.n_components)
    if opened.is_preview:
        draw_fitting(page, choice.space, choice.n_components)
    found = page.recommender.recommend(
        page.profile, k=page.k, keep=page.keep, popularity=page.controls.popularity, diversity=page.controls.diversity
    )
    place = opened.place(page.profile)
    hits = _hits(page, choice.search)
    layers = _layers(page, opened, choice, place, found, hits)
    _draw_figure(page, opened, choice, layers)
    _tell_missing(page, choice.space)
    _tell_search(choice.search, hits)
    _tell_trust(page, opened, place)
    draw_selection(page, opened, st.session_state.get(_SELECTED, []), place)
    draw_drawer(page, opened, _CHOSEN)
    draw_table(page, opened, place, found, hits)
    draw_hovers(page, choice.chart, found, place, layers.chosen)


def _draw_choice(page: Page) -> _Choice:
    spaces = spaces_of(page.recommender.scorer)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        space = st.selectbox(
            _("Map of"),
            spaces,
            format_func=lambda name: _(
                SPACE if name == TEXT and page.dataset.item_vectors is not None else _SPACES[name]
            ),
            key="map_space",
            persist_state="session",
            width=230,
        )
        dimensions = st.segmented_control(
            _("View"),
            (N_("Flat"), N_("3-D")),
            default="Flat",
            key="map_view",
            required=True,
            persist_state="session",
            format_func=_,
        )
        colours = _colours(page)
        colour = st.selectbox(_("Colour"), colours, key="map_colour", persist_state="session", width=200, format_func=_)
        search = st.text_input(
            _("Search"), key="map_search", persist_state="session", placeholder=_("A title"), width=180
        )
    with st.container(horizontal=True):
        by_popularity = st.toggle(_("Size by popularity"), key="map_sizes", persist_state="session")
        with_labels = st.toggle(_("Group names"), value=True, key="map_labels", persist_state="session")
        with_people = False
        if len(page.dataset.users):
            with_people = st.toggle(
                _("People of the dataset"),
                key="map_people",
                persist_state="session",
                help=_("Where its users stand, at most 5,000 of them; each by row, never by name."),
            )
        with_trail = st.toggle(
            _("Trail"),
            value=True,
            key="map_trail",
            persist_state="session",
            help=_("Where the person was before the last changes."),
        )
    return _Choice(
        space or spaces[0],
        3 if dimensions == "3-D" else 2,
        colour or colours[0],
        (search or "").strip(),
        by_popularity,
        with_labels,
        with_people,
        with_trail,
    )


def _draw_figure(page: Page, opened: Opened, choice: _Choice, layers: Layers) -> None:
    coordinates = opened.drawn
    figure = draw_map(
        coordinates,
        _names(page, page.dataset.name, version_of(page), language()),
        _coloured(page, opened, choice.colour),
        layers,
        sizes=_sizes(page) if choice.by_popularity else None,
        is_dark=st.context.theme.type == "dark",
    )
    key = choice.chart
    st.plotly_chart(
        figure,
        key=key,
        on_select=lambda: _remember(st.session_state[key]["selection"], coordinates),
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, "displaylogo": False},
        alt=_("Map of {n_items:,} items, the person as a star. The table below holds the same.").format(
            n_items=len(page.dataset.items)
        ),
    )


def _remember(selection: Mapping[str, Any], coordinates: np.ndarray) -> None:
    """Copies a selection: Streamlit drops its own whenever the figure changes."""
    rows = [row for point in selection["points"] if (row := row_of(point)) is not None]
    shapes = [*(selection.get("lasso") or []), *(selection.get("box") or [])]
    if shapes and len(coordinates) > DRAWN:  # only a sample is drawn, but all that lies inside was meant
        rows = rows_inside(coordinates, shapes).tolist()
    if len(rows) == 1:
        st.session_state[_CHOSEN] = rows[0]
        st.session_state[_SELECTED] = []
    elif rows:
        st.session_state[_SELECTED] = list(dict.fromkeys(rows))


def row_of(point: Mapping[str, Any]) -> int | None:
    """Returns the item_row of a selected point, ``None`` for what is no item; the browser sends it in several shapes."""
    found = point.get("customdata")
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, list | tuple):
        found = found[0] if found else None
    return found if isinstance(found, int) and found >= 0 else None


def _layers(
    page: Page, opened: Opened, choice: _Choice, place: Place, found: Recommendations, hits: list[int]
) -> Layers:
    dataset = page.dataset
    star = place.spot if place.is_somewhere else None
    chosen = st.session_state.get(_CHOSEN)
    return Layers(
        star=star,
        listed=[dataset.item_row(item_id) for item_id in found.table[ITEM_ID]],
        neighbours=place.neighbours.tolist(),
        trail=_trail(page, opened, star) if choice.with_trail else (),
        saved=_saved(page, opened),
        people=opened.people if choice.with_people else None,
        told=_called(opened, page.dataset.name, version_of(page), len(opened.told), language())
        if choice.with_people
        else (),
        found=hits[:_MOST_FOUND],
        chosen=chosen if chosen is not None and chosen < len(dataset.items) else None,
        labels=[(retold(text), spot) for text, spot in opened.labels] if choice.with_labels else [],
    )


def _saved(page: Page, opened: Opened) -> dict[str, np.ndarray]:
    """Where the saved profiles lie, without what the dataset no longer has."""
    found = {}
    for preset in resources.saved_profiles(page.dataset.name).all()[:_MOST_SAVED]:
        liked = tuple(item_id for item_id in preset.profile.liked if item_id in page.dataset.item_rows)
        place = opened.place(replace(preset.profile, liked=liked))
        if place.is_somewhere:
            found[preset.name] = place.spot
    return found


def _hits(page: Page, search: str) -> list[int]:
    wanted = search.casefold()
    return [row for row, label in enumerate(page.dataset.labels) if wanted and wanted in label.casefold()]


def _tell_missing(page: Page, space: str) -> None:
    """Says what made the vectors of a view, and which items have none."""
    view = page.recommender.views.get(space)
    if view is None:
        return
    n = int((~view.has).sum())
    told = _("Vectors of this view: {made_by}.").format(made_by=plain(retold(view.made_by)))
    missing = ngettext(
        "{n:,} item has no {view} and stand together at the left.",
        "{n:,} items have no {view} and stand together at the left.",
        n,
    )
    st.caption(f"{told} {missing.format(n=n, view=_(VIEW_WORDS[space])) if n else ''}")


def _tell_search(search: str, hits: list[int]) -> None:
    if not search:
        return
    if not hits:
        st.caption(_(":material/search_off: No title holds “{search}”.").format(search=plain(search)))
        return
    told = _(":material/search: {n:,} of the titles hold “{search}”, ringed on the map. The table lists them.")
    if len(hits) > _MOST_FOUND:
        told = _(
            ":material/search: {n:,} of the titles hold “{search}”, ringed on the map; the first {most} are marked. The table "
            "lists them."
        )
    st.caption(told.format(n=len(hits), search=plain(search), most=_MOST_FOUND))


def _trail(page: Page, opened: Opened, star: np.ndarray | None) -> list[np.ndarray]:
    """Remembers where the person was on this map, and returns the spots before the present one."""
    key = (
        page.dataset.name,
        version_of(page),
        page.recommender.scorer.name,
        opened.atlas.space.name,
        opened.atlas.items.coordinates.shape[1],
        opened.is_preview,
    )
    trails: dict[Any, list[tuple[str, np.ndarray]]] = st.session_state.setdefault(_TRAIL, {})
    trail = trails.setdefault(key, [])
    name = one_line(page.profile, page.dataset)
    if star is not None and (not trail or trail[-1][0] != name):
        trail.append((name, star))
        del trail[:-_LONGEST_TRAIL]
    return [spot for _, spot in trail[:-1]]


def _colours(page: Page) -> list[str]:
    """Returns what the points can be coloured by."""
    dataset = page.dataset
    names = [N_("Category")] if dataset.categories else []
    names += [N_("Group on the map"), N_("Score for this person"), N_("Popularity")]
    names += [N_("Year")] if YEAR in dataset.items else []
    names += [name.capitalize() for name in dataset.item_attributes]
    return [*names, N_("Hubness"), N_("Map trust")]


def _coloured(page: Page, opened: Opened, colour: str) -> Colours:
    """Returns the colours of one of them."""
    dataset, atlas = page.dataset, opened.atlas
    numbers = {
        "Score for this person": lambda: page.recommender.score_all(page.profile).values,
        "Popularity": lambda: dataset.popularity,
        "Year": lambda: dataset.items[YEAR].astype("Float64").to_numpy(float, na_value=np.nan),
        "Hubness": lambda: opened.hubness,
        "Map trust": lambda: atlas.trust.kept,
    }
    titles = {
        "Popularity": _("likes"),
        "Hubness": _("in the nearest ten of"),
        "Map trust": _("true neighbours kept"),
    }
    if colour in numbers:
        values = np.asarray(numbers[colour](), float)
        return Colours(titles.get(colour) or _(colour), values=values, is_log=colour in ("Popularity", "Hubness"))
    if colour == "Group on the map":
        labels = np.array([*map(retold, atlas.clusters.labels), OTHER], dtype=object)
        return Colours(_(colour), groups=labels[atlas.clusters.numbers])
    for name in dataset.item_attributes:
        if colour == name.capitalize():
            return Colours(colour, groups=dataset.items[name].fillna(OTHER).astype(str).to_numpy(object))
    firsts = [names[0] if len(names) else OTHER for names in dataset.items[CATEGORIES]] if dataset.categories else []
    return Colours(_("Category"), groups=np.array(firsts or [OTHER] * len(dataset.items), dtype=object))


def _sizes(page: Page) -> np.ndarray:
    """Returns ``(n_items,)``, pixels that grow with the likes."""
    likes = page.dataset.popularity.astype(float)
    return 4 + 12 * np.sqrt(likes / max(float(likes.max()), 1.0))


@st.cache_resource(show_spinner=False, max_entries=4)
def _names(_page: Page, dataset: str, version: str, language: str) -> tuple[str, ...]:
    """What hovering shows of each item in a language: what it is called, its categories, its likes."""
    found = _page.dataset
    categories = found.items[CATEGORIES] if CATEGORIES in found.items else [()] * len(found.items)
    likes = (
        [_("{n:,} likes").format(n=n) if n else "" for n in found.popularity]
        if len(found.likes)
        else [""] * len(found.items)
    )
    lines = zip(found.labels, (", ".join(names) for names in categories), likes, strict=True)
    return tuple("\n".join(_short(part) for part in parts if part) for parts in lines)


@st.cache_resource(show_spinner=False, max_entries=4)
def _called(_opened: Opened, dataset: str, version: str, n_people: int, language: str) -> tuple[str, ...]:
    """What hovering shows of the people of the dataset in a language."""
    return tuple(" · ".join(map(retold, text.split(" · "))) for text in _opened.told)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"


def _tell_trust(page: Page, opened: Opened, place: Place) -> None:
    trust = opened.atlas.trust
    parts = []
    if not opened.is_preview:
        told = _trust_in_words(trust, len(page.dataset.items))
        parts.append(_("**How far to trust this map:** {told}").format(told=told))
    if not place.is_somewhere:
        parts.append(_("This person is nowhere on the map: nothing is said that the scorer can place."))
    else:
        told = _(
            "Around this person this map keeps {kept:.0%} of the {n} items nearest to them in truth. Distances between far "
            "groups mean little."
        )
        parts.append(told.format(kept=place.kept, n=len(place.neighbours)))
    st.caption(" ".join(parts).replace("%", "\u00a0%"))


def _trust_in_words(trust: Trust, n_items: int) -> str:
    if not trust.k:
        return _("there are too few items to measure it.")
    sampled = ""
    if trust.n_sampled < n_items:
        sampled = _(", both measured on {n:,} items").format(n=trust.n_sampled)
    return _(
        "of an item's {k} true neighbours it keeps {kept:.0%} near it. Trustworthiness {trustworthiness:.2f}: what is near on "
        "the map is near in truth; continuity {continuity:.2f}: what is near in truth is near on the map (1 is perfect, 0.5 is "
        "chance{sampled})."
    ).format(
        k=trust.k, kept=trust.mean_kept, trustworthiness=trust.trustworthiness, continuity=trust.continuity, sampled=sampled
    )  # fmt: skip
