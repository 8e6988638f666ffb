"""Going from one page to another with the address whole."""

from typing import NoReturn

import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner import RerunData, RerunException, get_script_run_ctx

from pages.shared.language import _
from recsys.errors import ConfigError

_WANTED = "_explain_item"


def explain_item(item_id: str) -> NoReturn:
    """Opens the Explain page with an item.

    `st.switch_page` would clear the address first (Streamlit 1.67), and every bound widget would write its part back as a
    visit of its own: Back would then lead to half an address.

    Raises:
        ConfigError: if the app has no such page.
    """
    st.session_state[_WANTED] = item_id
    context = get_script_run_ctx()
    pages = context.pages_manager.get_pages().values() if context else ()
    found = [page["page_script_hash"] for page in pages if page["url_pathname"] == "explain"]
    if context is None or not found:
        raise ConfigError(
            _("The app has no page to explain on"), "explain", fix=_("Start it with: streamlit run app.py")
        )
    states = WidgetStates(widgets=context.session_state.get_widget_states())  # what is not named would be forgotten
    raise RerunException(RerunData(query_string=context.query_string, widget_states=states, page_script_hash=found[0]))


def wanted_item() -> str | None:
    """Returns the item that another page has asked to explain, once."""
    found: str | None = st.session_state.pop(_WANTED, None)
    return found
