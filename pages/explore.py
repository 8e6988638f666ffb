"""Where do people and items sit?"""

import streamlit as st

from pages.shared.diagnosis import draw_comparison, draw_diagnosis
from pages.shared.frame import open_page
from pages.shared.mapping import draw_explorer

with open_page("Where do people and items sit?") as page:
    explorer, diagnosis, encoders = st.tabs(("Map", "Diagnosis", "Two encoders"), on_change="rerun", key="explore_tab")
    if explorer.open:
        with explorer:
            draw_explorer(page)
    if diagnosis.open:
        with diagnosis:
            draw_diagnosis(page)
    if encoders.open:
        with encoders:
            draw_comparison(page)
