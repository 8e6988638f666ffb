"""Which language a reader is spoken to in: chosen in the sidebar, kept in the session and in the address."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.language import CHINESE, ENGLISH, LANGUAGES, _, ask_for_language
from pages.shared.link import words_in
from pages.shared.tabs import TABS, tab_called

LANGUAGE = "lang"
"""Session key of the language, and its part of an address: ``zh``, or what a language is called, as the address bar has it."""


def speak() -> None:
    """Has every text of the pages be in the language of whoever it is drawn for."""
    ask_for_language(_of_reader)


def _of_reader() -> str:
    """The language of the session; before it has one, that of its address, then of its browser."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    chosen = st.session_state.get(LANGUAGE)
    return chosen if chosen in LANGUAGES else _named(st.query_params.get(LANGUAGE, "")) or of_browser(st.context.locale)


def _named(text: str) -> str | None:
    return next((code for code, name in LANGUAGES.items() if text in (code, name)), None)


def of_browser(locale: str | None) -> str:
    """Returns the language for what a browser asks for, such as ``zh-CN``."""
    return CHINESE if (locale or "").lower().startswith("zh") else ENGLISH


def draw_language() -> None:
    """Draws the choice; a reader finds it in any language.

    A bound selectbox writes what it shows into the address and knows only that there (Streamlit 1.67), so the short name
    of an address that somebody typed is put into it first.
    """
    typed = st.query_params.get(LANGUAGE, "")
    if LANGUAGE not in st.session_state and typed in LANGUAGES:
        st.query_params[LANGUAGE] = LANGUAGES[typed]
        st.rerun()
    first = of_browser(
        st.context.locale
    )  # what is the first choice is not in the address, so it must not follow the choice
    st.selectbox(
        "Language / 语言", list(LANGUAGES), index=list(LANGUAGES).index(first), key=LANGUAGE, bind="query-params",
        format_func=LANGUAGES.__getitem__, on_change=_switch,
    )  # fmt: skip


def _switch() -> None:
    """Keeps the open tabs when the language changes, and has the address repeat every choice in the new words.

    Tabs have no values but what they show; every other choice Streamlit reads as its widget showed it before, and keeps it
    under its key. The address follows only what is set (Streamlit 1.67), and with the old words in it Back would lose them.
    """
    for key in TABS:
        if key in st.session_state:
            st.session_state[key] = _(tab_called(key, str(st.session_state[key])))
    for key in st.query_params:
        if words_in(key) and key in st.session_state:
            st.session_state[key] = st.session_state[key]
