"""A ranked list as cards or as a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.shared import figures
from pages.shared.going import explain_item
from pages.shared.widgets import plain
from recsys.schema import CATEGORIES, ITEM_ID, YEAR, Dataset, Facet, Recommendations

_PER_PAGE = 20
"""Session key of the item whose explanation was asked for on a card: its item_id."""
PROBABILITY = (
    "How likely a like is, calibrated on users held out from training: of a hundred items with 30 %, such people went on to "
    "like about thirty."
)


def draw_cards(found: Recommendations, dataset: Dataset, reasons: Sequence[str]) -> None:
    """Draws one bordered card per item, at most twenty at a time, each with its reason and a way to its explanation."""
    is_dark = st.context.theme.type == "dark"
    pages = -(-len(found) // _PER_PAGE)
    page = st.pagination(pages, key="page") if pages > 1 else 1
    contributions = found.contributions.to_numpy()
    sides = figures.largest_sides(contributions.tolist())
    shown = range((page - 1) * _PER_PAGE, min(page * _PER_PAGE, len(found)))
    with st.grid("auto", min_column_width=280):
        for n in shown:
            row, values = found.table.iloc[n], contributions[n].tolist()
            with st.container(border=True, height="stretch"):
                _draw_heading(row, dataset, is_dark=is_dark)
                bar = figures.score_bar(values, found.facets, sides=sides, is_dark=is_dark)
                st.image(bar, width="stretch", alt=_spoken(row["score"], values, found.facets))
                _draw_reason(row, values, found.facets, reasons[n])


def draw_legend(facets: tuple[Facet, ...]) -> None:
    """Draws what the colours of the bars stand for."""
    with st.container(horizontal=True, gap="small"):
        for name, picture in figures.legend_pictures(facets, is_dark=st.context.theme.type == "dark"):
            st.image(picture, alt=name)


def _draw_heading(row: pd.Series, dataset: Dataset, *, is_dark: bool) -> None:
    item = dataset.items.iloc[dataset.item_row(row[ITEM_ID])]
    facts = [str(item[YEAR])] if YEAR in item and pd.notna(item[YEAR]) else []
    facts += [", ".join(item[CATEGORIES])] if CATEGORIES in item and len(item[CATEGORIES]) else []
    with st.container(horizontal=True, gap="small", vertical_alignment="center", wrap=False):
        st.image(figures.tile(row["title"], is_dark=is_dark), width=48, alt="")
        with st.container(gap=None):
            st.markdown(f"**{row['rank']}. {plain(row['title']) or 'Untitled'}**")
            st.caption(plain(" · ".join(facts)) or "No further facts")


def _draw_reason(row: pd.Series, values: list[float], facets: tuple[Facet, ...], reason: str) -> None:
    score, probability = row["score"], row["probability"]
    st.caption(plain(reason))
    if pd.notna(probability):
        st.markdown(f"{probability:.0%} likely to be liked".replace("%", " %"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        with st.popover(f"{score:.3f}", help="The numbers behind the bar"):
            split = pd.DataFrame({"part": [facet.label for facet in facets], "contribution": values})
            st.dataframe(split, hide_index=True, column_config=_signed(["contribution"]), alt="Parts of the score")
            st.caption(f"They add up to the score, {score:.4f}.")
            if pd.notna(probability):
                st.caption(PROBABILITY)
        if st.button("Why?", key=f"why-{row[ITEM_ID]}", help="Parts, words, and what would change it"):
            explain_item(row[ITEM_ID])


def _spoken(score: float, values: list[float], facets: tuple[Facet, ...]) -> str:
    parts = ", ".join(f"{facet.label} {value:+.3f}" for value, facet in zip(values, facets, strict=True))
    return f"Score {score:.3f}: {parts or 'no parts'}"


def draw_table(found: Recommendations, dataset: Dataset) -> None:
    """Draws the list as a table with one column per part of the score."""
    labels = {facet.key: facet.label for facet in found.facets}
    table = found.table.rename(columns=labels)
    table["probability"] *= 100
    if table["probability"].isna().all():
        table = table.drop(columns=["probability"])
    items = dataset.items.iloc[[dataset.item_row(item_id) for item_id in table[ITEM_ID]]]
    facts = {name: items[name].to_list() for name in (YEAR, CATEGORIES) if name in items}
    for place, (name, values) in enumerate(facts.items()):
        table.insert(3 + place, name, [list(v) for v in values] if name == CATEGORIES else values)
    lowest, highest = min(0.0, float(table["score"].min())), max(1e-9, float(table["score"].max()))
    config = _signed(labels.values()) | {
        "rank": st.column_config.NumberColumn("Rank", width="small"),
        ITEM_ID: None,
        "title": st.column_config.TextColumn("Title", pinned=True),
        "year": st.column_config.NumberColumn("Year", format="%d", width="small"),
        "categories": st.column_config.ListColumn("Categories"),
        "score": st.column_config.ProgressColumn("Score", format="%.3f", min_value=lowest, max_value=highest),
        "probability": st.column_config.NumberColumn("Probability", format="%.0f %%", help=PROBABILITY),
    }
    st.dataframe(table, hide_index=True, column_config=config, alt="Recommended items with the parts of their scores")


def _signed(names: object) -> dict:
    return {name: st.column_config.NumberColumn(format="%+.3f") for name in names}  # type: ignore[attr-defined]
