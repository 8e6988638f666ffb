"""An item by its views: what each adds to the score, the facts it shares, its picture and its sound."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import figures
from pages.shared.frame import Page
from pages.shared.language import _
from pages.shared.path_figure import draw_paths
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.schema import Explanation
from recsys.views.fact_words import describe
from recsys.views.view import AUDIO, GRAPH, IMAGE

_MOST_PATHS, _MOST_TOLD, _SIMILAR = 10, 5, 5
_PICTURE = 96
"""Pixels of the width of a picture."""


def draw_view_parts(page: Page, explanation: Explanation) -> None:
    """Draws which part of the score came through which view of the item, where there are several."""
    if len(page.recommender.scorer.views) < 2 or not explanation.by_view:
        return
    rows = [
        {
            "part": retold(part.facet.label),
            **{_(figures.VIEW_NAMES[share.view]): share.contribution for share in part.views},
        }
        for part in explanation.parts
        if part.views
    ]
    rows.append(
        {"part": _("Sum"), **{_(figures.VIEW_NAMES[view]): value for view, value in explanation.by_view.items()}}
    )
    st.markdown(_("**Through which view of the item**"))
    is_dark = st.context.theme.type == "dark"
    with st.container(horizontal=True, gap="small"):
        for name, picture in figures.view_legend_pictures([*explanation.by_view], is_dark=is_dark):
            st.image(picture, alt=name)
    sides = figures.largest_sides([list(explanation.by_view.values())])
    told = ", ".join(f"{_(figures.VIEW_NAMES[view])} {value:+.3f}" for view, value in explanation.by_view.items())
    st.image(figures.view_bar(explanation.by_view, sides=sides, is_dark=is_dark), width="stretch", alt=told)
    config = {name: st.column_config.NumberColumn(format="%+.4f") for name in rows[-1] if name != "part"}
    show_table(pd.DataFrame(rows), column_config=config, alt=_("Parts of the score by view of the item"))
    if explanation.prior:
        st.caption(_("With popularity, which no view adds to, the last row is the score."))


def draw_facts(page: Page, item_row: int) -> None:
    """Draws which facts an item shares with the person's liked items, or, without any, with the items most like it."""
    if GRAPH in page.recommender.views:
        st.markdown(_("**Facts that it shares**"))
        _draw_shared(page, item_row)


def draw_folded_facts(page: Page, item_row: int) -> None:
    """Draws the same where there is little room, once it is asked for."""
    if GRAPH not in page.recommender.views:
        return
    with st.expander(_("Facts that it shares"), icon=":material/hub:", key="folded_facts", on_change="rerun") as folded:
        if folded.open:
            _draw_shared(page, item_row)


def _draw_shared(page: Page, item_row: int) -> None:
    facts, dataset = page.recommender.facts, page.dataset
    liked = [dataset.item_row(item_id) for item_id in page.profile.liked]
    others = [row for row in liked if _in_common(page, item_row, row)]
    if liked and not others:
        st.caption(_("It shares no fact with the liked items. These are the items that share most with it."))
    elif not liked:
        st.caption(_("The person likes no item yet. These are the items that share most with it."))
    shown = others or _most_alike(page, item_row)
    if not shown:
        st.caption(_("The data knows no fact of this item that another item shares."))
        return
    told = [_in_common(page, item_row, row) for row in shown[:_MOST_TOLD]]
    st.markdown("\n".join(f"- {plain(_capital(retold(text)))}" for text in told))
    paths = facts.paths(item_row, shown, n=_MOST_PATHS)
    spoken = "; ".join(f"{retold(path.edge)} {path.labels[1]} {path.labels[2]}" for path in paths)
    st.plotly_chart(
        draw_paths(paths, is_dark=st.context.theme.type == "dark"),
        config={"displayModeBar": False},
        alt=_("Paths over shared facts: {spoken}").format(spoken=spoken),
        key=f"paths-{item_row}",
    )


def _most_alike(page: Page, item_row: int) -> Sequence[int]:
    vectors = page.recommender.views[GRAPH].vectors
    similarity = np.asarray(vectors @ vectors[item_row])
    similarity[item_row] = -1.0
    best = np.argsort(-similarity, kind="stable")[:_SIMILAR]
    return [int(row) for row in best if similarity[row] > 0 and _in_common(page, item_row, int(row))]


def _in_common(page: Page, item_row: int, other_row: int) -> str:
    """What two items share, in words; empty where it is not worth a word."""
    return describe(page.recommender.facts.shared(item_row, other_row), page.dataset.labels[other_row])


def draw_picture(page: Page, item_row: int) -> None:
    """Draws the picture of an item, where it has one."""
    picture = page.recommender.media(IMAGE, item_row)
    if picture is not None:
        st.image(picture, width=_PICTURE, alt=_("Picture of {labels}").format(labels=page.dataset.labels[item_row]))


def draw_sound(page: Page, item_row: int) -> None:
    """Draws a player for the sound of an item, and why its picture or its sound is missing."""
    sound = page.recommender.media(AUDIO, item_row)
    if sound is not None:
        st.audio(sound, format=page.recommender.views[AUDIO].mime)
    item_id = str(page.dataset.items["item_id"].iloc[item_row])
    for view in page.recommender.views.values():
        if item_id in view.faults:
            st.caption(f":material/broken_image: {plain(retold(view.faults[item_id]))}")


def draw_strongest_facts(page: Page, item_row: int) -> None:
    """Names the rarest facts of an item."""
    if GRAPH in page.recommender.views and (found := page.recommender.facts.strongest(item_row)):
        told = plain(", ".join(fact.label for fact in found))
        st.caption(_("Rarest facts that others share: {facts}.").format(facts=told))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
