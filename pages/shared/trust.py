"""Does the explanation hold? The score as the words are deleted that are said to carry it."""

import streamlit as st

from pages.shared import part_charts
from pages.shared.explaining import draw_strip, explain
from pages.shared.frame import Page
from pages.shared.language import _
from pages.shared.widgets import plain
from recsys.explanation import EXACT
from recsys.schema import Explanation


def draw_check(page: Page, explanation: Explanation) -> None:
    """Draws the deletion curve of the person's words at once, and again when their exact values give the order."""
    place = st.empty()
    with place.container():
        _draw_check(page, explanation, turn=0)
    if page.recommender.explainer.can_be_exact(page.profile, page.dataset.item_row(explanation.item_id)):
        better = explain(page, explanation.item_id, tier=EXACT)
        with place.container():  # the same place again, which needs names of its own within one run
            _draw_check(page, better, turn=1)


def _draw_check(page: Page, explanation: Explanation, *, turn: int) -> None:
    found = page.recommender.delete_words(explanation)
    if len(found.labels) < 2:
        st.info(
            _("The deletion check needs at least two words that BERT reads. Add an interest in the sidebar."),
            icon=":material/notes:",
        )
        draw_strip(explanation)
        return
    st.markdown(_("**The person's words are deleted one by one, and the item is scored again each time.**"))
    figure = part_charts.deletion(found, is_dark=st.context.theme.type == "dark")
    order = ", ".join(found.labels)
    told = _("Score as words are deleted in this order: {order}").format(order=order)
    st.plotly_chart(figure, config={"displayModeBar": False}, key=f"deletion-{turn}", alt=told)
    gap = found.advantage
    verdict = (
        _("The score falls faster than in random order: the words that are said to matter do.")
        if gap > 0
        else _("The score does not fall faster than in random order: do not rely on the order of the words here.")
    )
    told = _("On average it lies {gap} below the random orders.")
    if gap < 0:
        told = _("On average it lies {gap} above the random orders.")
    st.markdown(f"{verdict} {told.format(gap=plain(f'{abs(gap):.4f}'))}")
    st.caption(
        _(
            "A word is deleted from the text as written, and the text is read again by BERT. The more the blue line "
            "hangs below the grey one, the more faithful the words are."
        )
    )
    draw_strip(explanation)
