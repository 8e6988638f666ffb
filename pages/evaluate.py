"""How far can we trust it?"""

import streamlit as st

from pages.shared import resources
from pages.shared.frame import open_page
from pages.shared.laboratory import draw_details, draw_headline, draw_repeat, draw_start
from pages.shared.language import _
from recsys.recommender import default_scorer

with open_page(_("How far can we trust it?")) as page:
    kept = resources.evaluations(page.recommender)
    if default_scorer(page.dataset) != "additive":
        st.info(_("This dataset has no likes of other people, so nothing can be evaluated."), icon=":material/science:")
        st.stop()
    if not kept:
        st.info(
            _(
                "No evaluation has been made yet. It hides people from every method, lets each learn from the others, and asks "
                "what the hidden ones went on to like."
            ),
            icon=":material/science:",
        )
    draw_start(page, kept)
    if kept:
        number = st.selectbox(
            _("Evaluation"),
            range(len(kept)),
            format_func=lambda n: _("{protocol}, {folds} folds, seed {seed}, {n_rivals} rivals ({made})").format(
                protocol=kept[n].plan.protocol,
                folds=kept[n].plan.folds,
                seed=kept[n].plan.seed,
                n_rivals=len(kept[n].plan.rivals),
                made=kept[n].about["made"],
            ),
        )
        draw_headline(kept[number])
        draw_details(page, kept[number])
        draw_repeat(kept[number])
