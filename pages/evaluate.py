"""How far can we trust it?"""

import streamlit as st

from pages.shared.frame import open_page
from pages.shared.laboratory import draw_laboratory
from pages.shared.language import _
from pages.shared.transfers import draw_transfers

with open_page(_("How far can we trust it?")) as page:
    if not page.dataset.popularity.any():
        st.info(
            _(
                "This dataset has no likes of other people, so nothing can be evaluated on it. How lists fare that are learned "
                "elsewhere is measured where likes are known."
            ),
            icon=":material/science:",
        )
        st.stop()
    draw_laboratory(page)
    draw_transfers(page)
