"""A ranked list as cards or as a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.shared import figures
from pages.shared.going import explain_item
from pages.shared.language import N_, _
from pages.shared.retelling import retold
from pages.shared.stages import stage
from pages.shared.widgets import plain, show_table
from recsys.recommender import Recommender
from recsys.schema import CATEGORIES, ITEM_ID, YEAR, Dataset, Facet, Recommendations
from recsys.views.view import IMAGE

_PER_PAGE = 20
"""Session key of the item whose explanation was asked for on a card: its item_id."""
PROBABILITY = N_(
    "How likely a like is, calibrated on users held out from training: of a hundred items with 30 %, such people went on to "
    "like about thirty."
)


@stage("cards")
def draw_cards(found: Recommendations, recommender: Recommender) -> None:
    """Draws one bordered card per item, at most twenty at a time, each with its reason and a way to its explanation."""
    is_dark = st.context.theme.type == "dark"
    with stage("reasons"):
        reasons = recommender.reasons(found)
    pages = -(-len(found) // _PER_PAGE)
    page = st.pagination(pages, key="page") if pages > 1 else 1
    contributions = found.contributions.to_numpy()
    by_view = found.by_view.sum(axis=1)
    has_views = len(recommender.scorer.views) > 1
    sides = figures.largest_sides([*contributions.tolist(), *(by_view.tolist() if has_views else [])])
    shown = range((page - 1) * _PER_PAGE, min(page * _PER_PAGE, len(found)))
    with st.grid("auto", min_column_width=280):
        for n in shown:
            row, values = found.table.iloc[n], contributions[n].tolist()
            with st.container(border=True, height="stretch"):
                _draw_heading(row, recommender, is_dark=is_dark)
                bar = figures.score_bar(values, found.facets, sides=sides, is_dark=is_dark)
                st.image(bar, width="stretch", alt=_spoken(row["score"], values, found.facets))
                if has_views:
                    shares = dict(zip(found.views, by_view[n].tolist(), strict=True))
                    told = ", ".join(f"{_(figures.VIEW_NAMES[view])} {value:+.3f}" for view, value in shares.items())
                    st.image(figures.view_bar(shares, sides=sides, is_dark=is_dark), width="stretch", alt=told)
                _draw_reason(row, found, n, reasons[n])


@stage("legend")
def draw_legend(facets: tuple[Facet, ...], views: Sequence[str] = ()) -> None:
    """Draws what the colours of the bars stand for; of views where there are several."""
    is_dark = st.context.theme.type == "dark"
    with st.container(gap=None):
        with st.container(horizontal=True, gap="small"):
            if views:
                st.caption(_("Of the person"), width="content")
            for name, picture in figures.legend_pictures(facets, is_dark=is_dark):
                st.image(picture, alt=name)
        if views:
            with st.container(horizontal=True, gap="small"):
                st.caption(_("Of the item (thin bar)"), width="content")
                for name, picture in figures.view_legend_pictures(views, is_dark=is_dark):
                    st.image(picture, alt=name)


def draw_picture(recommender: Recommender, item_row: int, title: str, *, is_dark: bool, width: int = 48) -> None:
    """Draws the thumbnail of an item, or its initials where it has no picture."""
    shown = recommender.media(IMAGE, item_row)
    st.image(shown if shown is not None else figures.tile(title, is_dark=is_dark), width=width, alt="")


def _draw_heading(row: pd.Series, recommender: Recommender, *, is_dark: bool) -> None:
    dataset = recommender.dataset
    item_row = dataset.item_row(row[ITEM_ID])
    item = dataset.items.iloc[item_row]
    facts = [str(item[YEAR])] if YEAR in item and pd.notna(item[YEAR]) else []
    facts += [", ".join(item[CATEGORIES])] if CATEGORIES in item and len(item[CATEGORIES]) else []
    with st.container(horizontal=True, gap="small", vertical_alignment="center", wrap=False):
        draw_picture(recommender, item_row, row["title"], is_dark=is_dark)
        with st.container(gap=None):
            st.markdown(f"**{row['rank']}. {plain(row['title']) or _('Untitled')}**")
            st.caption(plain(" · ".join(facts)) or _("No further facts"))


def _draw_reason(row: pd.Series, found: Recommendations, number: int, reason: str) -> None:
    score, probability = row["score"], row["probability"]
    st.caption(plain(retold(reason)))
    if pd.notna(probability):
        st.markdown(_("{probability:.0%} likely to be liked").format(probability=probability).replace("%", " %"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        with st.popover(f"{score:.3f}", help=_("The numbers behind the bar")):
            split = split_of(found, number)
            names = [name for name in split.columns if name != "part"]
            show_table(split, column_config=_signed(names), alt=_("Parts of the score"))
            st.caption(_("They add up to the score, {score:.4f}.").format(score=score))
            if pd.notna(probability):
                st.caption(_(PROBABILITY))
        if st.button(_("Why?"), key=f"why-{row[ITEM_ID]}", help=_("Parts, words, and what would change it")):
            explain_item(row[ITEM_ID])


def split_of(found: Recommendations, number: int) -> pd.DataFrame:
    """Returns one row for each part of one item's score: what it adds, and through which views of the item."""
    values = found.contributions.iloc[number].to_numpy()
    split = pd.DataFrame({"part": [retold(facet.label) for facet in found.facets], "contribution": values})
    for place, view in enumerate(found.views):
        if view != "prior" and found.by_view[number, :, place].any():
            split[_(figures.VIEW_NAMES[view])] = found.by_view[number, :, place]
    return split


def _spoken(score: float, values: list[float], facets: tuple[Facet, ...]) -> str:
    parts = ", ".join(f"{retold(facet.label)} {value:+.3f}" for value, facet in zip(values, facets, strict=True))
    return _("Score {score:.3f}: {parts}").format(score=score, parts=parts or _("no parts"))


@stage("table")
def draw_table(found: Recommendations, dataset: Dataset) -> None:
    """Draws the list as a table with one column per part of the score."""
    labels = {facet.key: retold(facet.label) for facet in found.facets}
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
        "rank": st.column_config.NumberColumn(_("Rank"), width="small"),
        ITEM_ID: None,
        "title": st.column_config.TextColumn(_("Title"), pinned=True),
        "year": st.column_config.NumberColumn(_("Year"), format="%d", width="small"),
        "categories": st.column_config.ListColumn(_("Categories")),
        "score": st.column_config.ProgressColumn(_("Score"), format="%.3f", min_value=lowest, max_value=highest),
        "probability": st.column_config.NumberColumn(_("Probability"), format="%.0f %%", help=_(PROBABILITY)),
    }
    show_table(table, column_config=config, alt=_("Recommended items with the parts of their scores"))


def _signed(names: object) -> dict:
    return {name: st.column_config.NumberColumn(format="%+.3f") for name in names}  # type: ignore[attr-defined]
