"""The explorer: a map of items and people, what it is coloured by, and what a click or a lasso opens."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import resources
from pages.shared.atlases import Opened, draw_fitting, open_or_preview
from pages.shared.drawer import draw_drawer, draw_selection, draw_table
from pages.shared.form import one_line
from pages.shared.frame import Page
from pages.shared.map_figures import OTHER, Colours, Layers, draw_map
from recsys.projection import Place, spaces_of
from recsys.schema import CATEGORIES, ITEM_ID, YEAR, Recommendations

_SPACES = {"text": "What texts say (BERT)", "taste": "What people like (learned)"}
_TRAIL, _SELECTED, _CHOSEN = "_map_trail", "_map_selected", "_map_item"
_LONGEST_TRAIL, _MOST_SELECTED, _MOST_SAVED = 20, 5_000, 12


def draw_explorer(page: Page) -> None:
    """Draws the controls, the map and what is open below it."""
    spaces = spaces_of(page.recommender.scorer)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        space = st.selectbox(
            "Map of",
            spaces,
            format_func=lambda name: _SPACES[name],
            key="map_space",
            persist_state="session",
            width=230,
        )
        dimensions = st.segmented_control(
            "View", ("Flat", "3-D"), default="Flat", key="map_view", required=True, persist_state="session"
        )
        colour = st.selectbox("Colour", _colours(page), key="map_colour", persist_state="session", width=200)
        search = st.text_input("Search", key="map_search", persist_state="session", placeholder="A title", width=180)
    with st.container(horizontal=True):
        by_popularity = st.toggle("Size by popularity", key="map_sizes", persist_state="session")
        with_labels = st.toggle("Group names", value=True, key="map_labels", persist_state="session")
        with_people = st.toggle("People of the dataset", key="map_people", persist_state="session")
        with_trail = st.toggle(
            "Trail",
            value=True,
            key="map_trail",
            persist_state="session",
            help="Where the person was before the last changes.",
        )
    opened = open_or_preview(page, space or spaces[0], 3 if dimensions == "3-D" else 2)
    if opened.is_preview:
        draw_fitting(page, space or spaces[0], 3 if dimensions == "3-D" else 2)
    found = page.recommender.recommend(
        page.profile, k=page.k, keep=page.keep, popularity=page.controls.popularity, diversity=page.controls.diversity
    )
    place = opened.atlas.place(page.profile)
    layers = _layers(
        page, opened, place, found, search, with_people=with_people, with_labels=with_labels, with_trail=with_trail
    )
    figure = draw_map(
        opened.atlas.items.coordinates,
        _names(page),
        _coloured(page, opened, colour),
        layers,
        sizes=_sizes(page) if by_popularity else None,
        is_dark=st.context.theme.type == "dark",
    )
    st.plotly_chart(
        figure,
        key=f"map-{space}-{dimensions}",
        on_select=lambda: _remember(f"map-{space}-{dimensions}"),
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, "displaylogo": False},
        alt=f"Map of {len(page.dataset.items):,} items, the person as a star. The table below holds the same.",
    )
    _tell_trust(page, opened, place, layers)
    draw_selection(page, opened, st.session_state.get(_SELECTED, []), place)
    draw_drawer(page, opened, _CHOSEN)
    draw_table(page, opened, place, found)


def _remember(key: str) -> None:
    """Copies a selection: Streamlit drops its own whenever the figure changes."""
    points = st.session_state[key]["selection"]["points"]
    rows = [row for point in points if (row := row_of(point)) is not None]
    if len(rows) == 1:
        st.session_state[_CHOSEN] = rows[0]
        st.session_state[_SELECTED] = []
    elif rows:
        st.session_state[_SELECTED] = list(dict.fromkeys(rows))[:_MOST_SELECTED]


def row_of(point: Mapping[str, Any]) -> int | None:
    """Returns the item_row of a selected point, ``None`` for what is no item; the browser sends it in several shapes."""
    found = point.get("customdata")
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, list | tuple):
        found = found[0] if found else None
    return found if isinstance(found, int) and found >= 0 else None


def _layers(
    page: Page,
    opened: Opened,
    place: Place,
    found: Recommendations,
    search: str | None,
    *,
    with_people: bool,
    with_labels: bool,
    with_trail: bool,
) -> Layers:
    atlas, dataset = opened.atlas, page.dataset
    star = place.spot if place.is_somewhere else None
    saved = {
        preset.name: spot.spot
        for preset in resources.saved_profiles(dataset.name).all()[:_MOST_SAVED]
        if (spot := atlas.place(preset.profile)).is_somewhere
    }
    wanted = (search or "").strip().lower()
    hits = [row for row, label in enumerate(dataset.labels) if wanted and wanted in label.lower()]
    chosen = st.session_state.get(_CHOSEN)
    labels = list(zip(atlas.clusters.labels, atlas.clusters.centres, strict=True)) if with_labels else []
    return Layers(
        star=star,
        listed=[dataset.item_row(item_id) for item_id in found.table[ITEM_ID]],
        trail=_trail(page, opened, star) if with_trail else (),
        saved=saved,
        people=opened.people if with_people else None,
        found=hits[:500],
        chosen=chosen if chosen is not None and chosen < len(dataset.items) else None,
        labels=labels,
    )


def _trail(page: Page, opened: Opened, star: np.ndarray | None) -> list[np.ndarray]:
    """Remembers where the person was on this map, and returns the spots before the present one."""
    key = (
        page.dataset.name,
        page.recommender.scorer.name,
        opened.atlas.space.name,
        len(opened.atlas.items.coordinates[0]),
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
    dataset = page.dataset
    names = ["Category"] if dataset.categories else []
    names += ["Group on the map", "Score for this person", "Popularity"]
    names += ["Year"] if YEAR in dataset.items else []
    names += [name.capitalize() for name in dataset.item_attributes]
    return [*names, "Hubness", "Map trust"]


def _coloured(page: Page, opened: Opened, colour: str | None) -> Colours:
    dataset, atlas = page.dataset, opened.atlas
    numbers = {
        "Score for this person": lambda: page.recommender.score_all(page.profile).values,
        "Popularity": lambda: np.log10(1 + dataset.popularity.astype(float)),
        "Year": lambda: dataset.items[YEAR].astype("Float64").to_numpy(float, na_value=np.nan),
        "Hubness": lambda: np.log10(1 + opened.hubness.astype(float)),
        "Map trust": lambda: atlas.trust.kept,
    }
    titles = {
        "Popularity": "likes (log10)",
        "Hubness": "in nearest ten of (log10)",
        "Map trust": "true neighbours kept",
    }
    if colour in numbers:
        return Colours(titles.get(colour, colour), values=np.asarray(numbers[colour](), float))
    if colour == "Group on the map":
        labels = np.array([*atlas.clusters.labels, OTHER], dtype=object)
        return Colours(colour, groups=labels[atlas.clusters.numbers])
    for name in dataset.item_attributes:
        if colour == name.capitalize():
            return Colours(colour, groups=dataset.items[name].fillna(OTHER).astype(str).to_numpy(object))
    firsts = [names[0] if len(names) else OTHER for names in dataset.items[CATEGORIES]] if dataset.categories else []
    return Colours("Category", groups=np.array(firsts or [OTHER] * len(dataset.items), dtype=object))


def _sizes(page: Page) -> np.ndarray:
    likes = page.dataset.popularity.astype(float)
    return 4 + 12 * np.sqrt(likes / max(float(likes.max()), 1.0))


def _names(page: Page) -> list[str]:
    dataset = page.dataset
    if len(dataset.items) > 20_000 or CATEGORIES not in dataset.items:
        return list(dataset.labels)
    pairs = zip(dataset.labels, dataset.items[CATEGORIES], strict=True)
    return [f"{label} – {', '.join(names)}" if len(names) else label for label, names in pairs]


def _tell_trust(page: Page, opened: Opened, place: Place, layers: Layers) -> None:
    trust = opened.atlas.trust
    parts = []
    if not opened.is_preview:
        parts.append(
            f"**How far to trust this map:** of an item's 15 true neighbours it keeps {trust.mean_kept:.0%} near it; "
            f"trustworthiness {trust.trustworthiness:.2f}, continuity {trust.continuity:.2f} (1 is perfect, 0.5 is chance)."
        )
    if layers.star is None:
        parts.append("This person is nowhere on the map: nothing is said that the scorer can place.")
    else:
        told = f"Around this person it keeps {place.kept:.0%} of the {len(place.neighbours)} items nearest to them in truth."
        parts.append(f"{told} Distances between far groups mean little.")
    st.caption(" ".join(parts).replace("%", "\u00a0%"))
