"""How far can we trust it?"""

import streamlit as st

from pages.shared import resources
from pages.shared.frame import open_page
from pages.shared.laboratory import draw_details, draw_headline, draw_repeat, draw_start
from recsys.recommender import default_scorer

with open_page("How far can we trust it?") as page:
    kept = resources.evaluations(page.recommender)
    if default_scorer(page.dataset) != "additive":
        st.info("This dataset has no likes of other people, so nothing can be evaluated.", icon=":material/science:")
        st.stop()
    if not kept:
        st.info(
            "No evaluation has been made yet. It hides people from every method, lets each learn from the others, and asks "
            "what the hidden ones went on to like.",
            icon=":material/science:",
        )
    draw_start(page, kept)
    if kept:
        number = st.selectbox(
            "Evaluation",
            range(len(kept)),
            format_func=lambda n: (
                f"{kept[n].plan.protocol}, {kept[n].plan.folds} folds, seed {kept[n].plan.seed}, "
                f"{len(kept[n].plan.rivals)} rivals ({kept[n].about['made']})"
            ),
        )
        draw_headline(kept[number])
        draw_details(page, kept[number])
        draw_repeat(kept[number])
