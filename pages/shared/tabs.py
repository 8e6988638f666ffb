"""The tabs of the pages. The session holds what an open tab shows, so its name depends on the language; addresses do not."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.shared.language import N_, _, everywhere

TABS: Mapping[str, Sequence[str]] = {
    "tab": (
        N_("A and B"), N_("Sweep"), N_("Bring it in"), N_("Fairness"), N_("Many people"), N_("Cold to warm"), N_("Share"),
    ),
    "explain_tab": (N_("Parts"), N_("Words"), N_("Against another item"), N_("Why not that one?"), N_("Does it hold?")),
    "explore_tab": (N_("Map"), N_("Diagnosis"), N_("Two encoders")),
    "evaluate_tab": (
        N_("Curve"), N_("For whom"), N_("Fairness"), N_("Views"), N_("Calibration"), N_("One person"), N_("Training runs"),
        N_("Measures"), N_("Fine-tuning"),
    ),
}  # fmt: skip
"""Session key to the names of the tabs."""


def draw_tabs(key: str, n: int | None = None) -> Sequence[Any]:
    """Draws the first n tabs of a page, all of them if none is given; only the open one runs."""
    return st.tabs([_(name) for name in TABS[key][:n]], on_change="rerun", key=key)


def tab_called(key: str, shown: str) -> str:
    """Returns the English name of a tab for what it shows in any language; what is no tab stays as it is."""
    return next((name for name in TABS[key] if shown in everywhere(name)), shown)
