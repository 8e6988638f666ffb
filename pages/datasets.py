"""What data is this about?"""

import streamlit as st

from pages.shared.bringing import draw_bringing
from pages.shared.building import draw_building
from pages.shared.carrying import draw_carrying
from pages.shared.frame import open_page
from pages.shared.language import N_, _
from pages.shared.present import draw_present

_VIEWS = (N_("This dataset"), N_("Bring your own"), N_("Build"), N_("Learn elsewhere"))

with open_page(_("What data is this about?")) as page:
    view = st.segmented_control(
        _("View"), _VIEWS, default=_VIEWS[0], key="datasets_view", persist_state="session", required=True,
        label_visibility="collapsed", format_func=_,
    )  # fmt: skip
    if view == "Bring your own":
        draw_bringing()
    elif view == "Build":
        draw_building(page.dataset.name)
    elif view == "Learn elsewhere":
        draw_carrying(page.dataset)
    else:
        draw_present(page.recommender)
