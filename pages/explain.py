"""Why this item, and why not that one?"""

import streamlit as st

from pages.shared.explaining import choose_item, draw_export, draw_head, draw_parts, draw_words, explain
from pages.shared.frame import open_page, show_status
from pages.shared.language import N_, _
from pages.shared.other_item import draw_contrast, draw_why_not
from pages.shared.tabs import draw_tabs
from pages.shared.trust import draw_check
from pages.shared.viewing import draw_facts, draw_view_parts
from pages.shared.widgets import show_warnings

with open_page(_("Why this item, and why not that one?")) as page:
    found = page.recommender.recommend(
        page.profile, k=page.k, keep=page.keep, popularity=page.controls.popularity, diversity=page.controls.diversity
    )
    item_id = choose_item(page, found)
    explanation = explain(page, item_id)
    show_warnings(explanation.warnings)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        above = st.segmented_control(
            _("Numbers"), (N_("Raw"), N_("Above the average item")), default="Raw", key="numbers", persist_state="session",
            required=True, label_visibility="collapsed", format_func=_,
        )  # fmt: skip
        centred = above != "Raw"
        shown = explanation.above_average().checked() if centred else explanation
        draw_export(page, shown)
    draw_head(page, explanation, found)
    parts, words, other, why_not, check = draw_tabs("explain_tab")
    if parts.open:
        with parts:
            draw_parts(shown)
            draw_view_parts(page, shown)
            draw_facts(page, page.dataset.item_row(item_id))
    if words.open:
        with words:
            draw_words(page, explanation, centred=centred)
    if other.open:
        with other:
            draw_contrast(page, explanation, found)
    if why_not.open:
        with why_not:
            draw_why_not(page, found)
    if check.open:
        with check:
            draw_check(page, explanation)
    show_status(page, found)
