"""The second person of the Compare page, B: starts as a copy of A, the person in the sidebar."""

from collections.abc import MutableMapping
from typing import Any

import streamlit as st

from pages.shared import resources
from pages.shared.form import (
    draw_demographics,
    draw_starts,
    draw_tastes,
    one_line,
    put_profile,
    put_second,
    read_profile,
)
from pages.shared.frame import Page
from pages.shared.language import _
from pages.shared.link import ADDRESS, ATTRIBUTE, LISTED_KEYS, PROFILE_KEYS, SECOND, SECOND_FOR, VIEW_KEYS
from pages.shared.tabs import tab_called
from recsys.schema import Profile

_KEPT = {"persist_state": "session"}


def draw_second(page: Page) -> Profile:
    """Draws the form of B, and returns who B is."""
    state = st.session_state
    if state.get(SECOND_FOR) != page.dataset.name:
        _begin(state, page)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            told = st.empty()
            _draw_copying(page)
        with st.expander(_("Change B"), icon=":material/edit:", key="second_open", expanded=True):
            left, right = st.columns(2, gap="medium")
            with left:
                draw_starts(page.dataset, resources.saved_profiles(page.dataset.name), SECOND, _("Start B from"))
                draw_demographics(page.dataset, SECOND, **_KEPT)
            with right:
                draw_tastes(page.dataset, SECOND, **_KEPT)
        second = read_profile(state, page.dataset, SECOND)
        first_line, second_line = one_line(page.profile, page.dataset), one_line(second, page.dataset)
        told.markdown(
            _("**A** (sidebar): {first_line}\n\n**B**: {second_line}").format(
                first_line=first_line, second_line=second_line
            ),
            width="stretch",
        )
    return second


def _begin(state: MutableMapping[Any, Any], page: Page) -> None:
    """Fills the form, and what else the page shows, from the address that was opened; else B is a copy of A."""
    opened = state.pop(ADDRESS, {})
    put_profile(state, page.profile, page.dataset, SECOND)
    put_second(state, opened, page.dataset)
    for key in VIEW_KEYS:
        if key in opened:
            state[key] = [value for value in opened[key] if value] if key in LISTED_KEYS else opened[key][0]
    if "tab" in opened:
        state["tab"] = _(tab_called("tab", opened["tab"][0]))
    state[SECOND_FOR] = page.dataset.name


def _draw_copying(page: Page) -> None:
    dataset = page.dataset

    def copy() -> None:
        put_profile(st.session_state, page.profile, dataset, SECOND)

    def swap() -> None:
        state = st.session_state  # as they are: what is wrong with one of them is told when it is drawn
        for key in (*PROFILE_KEYS, *(f"{ATTRIBUTE}{name}" for name in dataset.user_attributes)):
            if key in state and f"{SECOND}{key}" in state:
                state[key], state[f"{SECOND}{key}"] = state[f"{SECOND}{key}"], state[key]

    st.button(_("Copy A to B"), icon=":material/content_copy:", on_click=copy)
    st.button(_("Swap A and B"), icon=":material/swap_horiz:", on_click=swap)
