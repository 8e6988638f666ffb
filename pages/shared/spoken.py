"""The language of the catalog, where the encoder does not read it."""

import streamlit as st

from pages.shared.retelling import retold
from pages.shared.widgets import plain
from recsys.recommender import Recommender


def draw_language(recommender: Recommender) -> None:
    """Draws a warning with the offer of another encoder, where the catalog is in a language that the encoder does not read."""
    found = recommender.mismatch
    if found is not None:
        st.warning(f"{plain(retold(found.message))} {plain(retold(found.advice))}", icon=":material/translate:")
