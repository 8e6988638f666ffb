"""What data is this about?"""

import streamlit as st

from pages.shared.bringing import draw_bringing
from pages.shared.building import draw_building
from pages.shared.frame import open_page
from pages.shared.present import draw_present

_VIEWS = ("This dataset", "Bring your own", "Build")

with open_page("What data is this about?") as page:
    view = st.segmented_control(
        "View", _VIEWS, default=_VIEWS[0], key="datasets_view", persist_state="session", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if view == "Bring your own":
        draw_bringing()
    elif view == "Build":
        draw_building(page.dataset.name)
    else:
        draw_present(page.recommender)
