"""What would we show this person?"""

import streamlit as st

from pages.shared.brought import draw_liked_only, reads_interests
from pages.shared.cards import draw_cards, draw_legend, draw_table
from pages.shared.evidence import draw_evidence
from pages.shared.frame import open_page, show_status
from pages.shared.influence import draw_influence
from pages.shared.language import N_, _
from pages.shared.sharing import draw_sharing
from pages.shared.stages import add_stages, stage
from pages.shared.widgets import plain, show_warnings

with open_page(_("What would we show this person?")) as page:
    asked = page.controls
    with stage("recommend"):
        found = page.recommender.recommend(
            page.profile, k=asked.k, keep=asked.keep, popularity=asked.popularity, diversity=asked.diversity
        )
        add_stages(found.timings)
    show_warnings(found.warnings)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        view = st.segmented_control(
            _("View"), (N_("Cards"), N_("Table")), default="Cards", key="view", persist_state="session", required=True,
            label_visibility="collapsed", format_func=_,
        )  # fmt: skip
        draw_sharing(page, found)
    if len(found) == 0:
        st.info(
            _("No item passes the filters. Widen the categories or years in the sidebar."), icon=":material/filter_alt:"
        )
    else:
        if page.has_prior:
            draw_influence(page, found)
            draw_evidence(page)
        if asked.diversity:
            st.caption(_("Ranks are not in the order of the scores: items like those above them stand further down."))
        if page.has_prior or view == "Cards":
            draw_legend(found.facets, found.views if len(page.recommender.scorer.views) > 1 else ())
        if view == "Table":
            draw_table(found, page.dataset)
        else:
            draw_cards(found, page.recommender)
    if not page.has_prior:
        if page.profile.is_empty:
            st.info(_("Every score is 0: the profile is empty, and items stand in the order of their ids."))
        if not reads_interests(page.dataset):
            draw_liked_only()
        else:
            st.info(
                _(
                    "This list comes from zero-shot cosine: similarity of words, not of taste. It can show what the encoder "
                    "understands, not what people like."
                ),
                icon=":material/balance:",
            )
            with st.expander(_("The sentence that BERT reads"), icon=":material/notes:"):
                st.markdown(plain(page.recommender.sentence(page.profile)) or _("Nothing: the profile is empty."))
                st.caption(_("Made by the template of the dataset:"))
                st.code(page.dataset.info.profile_template, language=None, wrap_lines=True)
    show_status(page, found)
