"""What is open below the map: one item, a selection, and the table that holds the same as the map."""

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared.atlases import Opened
from pages.shared.form import offered_items
from pages.shared.frame import Page
from pages.shared.going import explain_item
from pages.shared.language import N_, _, heading
from pages.shared.retelling import retold
from pages.shared.viewing import draw_folded_facts, draw_picture, draw_sound, draw_strongest_facts
from pages.shared.widgets import plain, show_table
from recsys.export import neutralise
from recsys.projection import Place
from recsys.schema import CATEGORIES, ITEM_ID, Recommendations

_NEIGHBOURS = 10
_ROWS = (N_("This person's list"), N_("Nearest to this person"), N_("Found titles"), N_("All items"))
_HIDDEN = (ITEM_ID, "title", CATEGORIES)


def draw_drawer(page: Page, opened: Opened, key: str) -> None:
    """Draws the opened item: facts, true neighbours, and the ways to explain or like it."""
    dataset = page.dataset
    chosen = st.session_state.get(key)
    if chosen is not None and chosen >= len(dataset.items):
        chosen = None
    label = None if chosen is None else dataset.labels[chosen]
    options = offered_items(dataset, label)

    def choose() -> None:
        wanted = st.session_state["map_open"]
        st.session_state[key] = None if wanted is None else dataset.labelled_rows[wanted]

    st.session_state["map_open"] = label
    st.selectbox(
        _("Open an item"), options, key="map_open", on_change=choose, placeholder=_("Click a point, or choose here")
    )
    if chosen is None:
        return
    with st.container(border=True):
        left, right = st.columns((2, 3))
        with left:
            _draw_facts(page, opened, chosen)
        with right:
            _draw_neighbours(page, opened, chosen)
        draw_folded_facts(page, chosen)


def _draw_facts(page: Page, opened: Opened, row: int) -> None:
    dataset = page.dataset
    item = dataset.items.iloc[row]
    with st.container(horizontal=True, gap="small", vertical_alignment="center", wrap=False):
        draw_picture(page, row)
        with st.container(gap=None):
            st.markdown(f"**{plain(dataset.labels[row])}**")
            if CATEGORIES in item and len(item[CATEGORIES]):
                st.caption(plain(", ".join(item[CATEGORIES])))
    draw_sound(page, row)
    scores = page.recommender.score_all(page.profile)
    facts = {_("score"): f"{scores.values[row]:.4f}", _("rank by score"): f"{scores.rank_of(row):,}"}
    facts |= {_("likes"): f"{dataset.popularity[row]:,}"} if len(dataset.likes) else {}
    if not opened.is_preview:
        facts[_("in the nearest ten of")] = _("{n:,.0f} items").format(n=opened.hubness[row])
    if not np.isnan(opened.atlas.trust.kept[row]):
        facts[_("true neighbours kept here")] = f"{opened.atlas.trust.kept[row]:.0%}".replace("%", "\u00a0%")
    facts |= {
        heading(name): str(item[name])
        for name in item.index
        if name not in _HIDDEN and pd.notna(item[name]) and str(item[name])
    }
    show_table(pd.DataFrame({"fact": list(facts), "value": list(facts.values())}), alt=_("Facts of the item"))
    draw_strongest_facts(page, row)
    item_id = str(item[ITEM_ID])
    with st.container(horizontal=True, gap="small"):
        if st.button(_("Explain"), icon=":material/psychology:", key="map_explain"):
            explain_item(item_id)
        if item_id in page.profile.liked:
            st.button(
                _("No longer like it"), icon=":material/heart_minus:", on_click=_unlike, args=(dataset.labels[row],)
            )
        else:
            st.button(
                _("Like it"), icon=":material/favorite:", on_click=_like, args=(dataset.labels[row],), key="map_like"
            )


def _like(label: str) -> None:
    st.session_state["liked"] = [*(st.session_state.get("liked") or []), label]


def _unlike(label: str) -> None:
    st.session_state["liked"] = [one for one in st.session_state.get("liked") or [] if one != label]


def _draw_neighbours(page: Page, opened: Opened, row: int) -> None:
    dataset = page.dataset
    st.markdown(_("**True neighbours**, by cosine in the original space"))
    near = opened.near(row, _NEIGHBOURS)
    vectors = opened.atlas.space.vectors
    own = np.asarray(vectors[row], np.float64)
    others = np.asarray(vectors[near], np.float64)
    lengths = np.linalg.norm(others, axis=1) * max(float(np.linalg.norm(own)), 1e-12)
    cosines = others @ own / np.maximum(lengths, 1e-12)
    distance = np.linalg.norm(opened.atlas.items.coordinates - opened.atlas.items.coordinates[row], axis=1)
    places = np.argsort(np.argsort(distance, kind="stable"), kind="stable")
    table = pd.DataFrame(
        {"item": [dataset.labels[n] for n in near], "cosine": cosines, "place on the map": places[near]}
    )
    config = {"cosine": st.column_config.NumberColumn(format="%.3f")}
    show_table(table, column_config=config, alt=_("True neighbours of the item"))


def draw_selection(page: Page, opened: Opened, rows: list[int], place: Place) -> None:
    """Draws what a lasso or box holds: counts by category, scores, CSV."""
    rows = [row for row in rows if row < len(page.dataset.items)]
    if not rows:
        return
    table = items_table(page, opened, np.array(rows))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                _("**{n_rows:,} items selected**, mean score {mean:.4f}").format(
                    n_rows=len(rows), mean=table["score"].mean()
                )
            )
            with st.container(horizontal=True, width="content", gap="small"):
                st.download_button("CSV", _csv(table), "coldlens-selection.csv", "text/csv", on_click="ignore")
                st.button(_("Clear selection"), on_click=_clear, icon=":material/deselect:")
        left, right = st.columns((1, 2))
        if page.dataset.categories:
            counts = page.dataset.items[CATEGORIES].iloc[rows].explode().value_counts().rename_axis("category")
            with left:
                show_table(counts.rename("items").reset_index(), alt=_("Selected items by category"))
        with right:
            _draw_items(table, _("Selected items"))


def _clear() -> None:
    st.session_state["_map_selected"] = []


def draw_table(page: Page, opened: Opened, place: Place, found: Recommendations, hits: list[int]) -> None:
    """Draws the map as a table: the list, the nearest items, what was searched, or everything; the way in for the keyboard."""
    with st.expander(_("The map as a table"), icon=":material/table:", key="map_table", on_change="rerun") as table:
        if not table.open:
            return
        listed = [page.dataset.item_row(item_id) for item_id in found.table[ITEM_ID]]
        which = st.segmented_control(
            _("Rows"), _ROWS, default=_ROWS[0], required=True, label_visibility="collapsed", key="map_rows", format_func=_,
        )  # fmt: skip
        rows = dict(zip(_ROWS, (np.array(listed, int), place.neighbours, np.array(hits, int)), strict=False))
        chosen = rows.get(which or "", np.arange(len(page.dataset.items)))
        _draw_items(items_table(page, opened, chosen), _("Items of the map"))


def items_table(page: Page, opened: Opened, rows: np.ndarray) -> pd.DataFrame:
    """Returns items with their score, group, hubness and trust."""
    atlas, dataset = opened.atlas, page.dataset
    labels = np.array([*map(retold, atlas.clusters.labels), ""], dtype=object)
    frame = pd.DataFrame(
        {
            ITEM_ID: dataset.items[ITEM_ID].to_numpy()[rows],
            "item": [dataset.labels[row] for row in rows],
            "score": page.recommender.score_all(page.profile).values[rows],
            "likes": dataset.popularity[rows],
            "group": labels[atlas.clusters.numbers[rows]],
            "in nearest ten of": opened.hubness[rows],
            "true neighbours kept": atlas.trust.kept[rows],
        }
    )
    if CATEGORIES in dataset.items:
        frame.insert(2, CATEGORIES, [", ".join(names) for names in dataset.items[CATEGORIES].iloc[rows]])
    return frame


def _draw_items(table: pd.DataFrame, told: str) -> None:
    config = {
        "score": st.column_config.NumberColumn(format="%.4f"),
        "true neighbours kept": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
    }
    show_table(table, column_config=config, alt=told)


def _csv(table: pd.DataFrame) -> str:
    safe = {str(name): table[name].map(neutralise) for name in table if not pd.api.types.is_numeric_dtype(table[name])}
    return str(table.assign(**safe).to_csv(index=False))
