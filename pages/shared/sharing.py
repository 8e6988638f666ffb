"""Copy link and export."""

import streamlit as st

from pages.shared import resources
from pages.shared.form import read_profile
from pages.shared.frame import Page
from pages.shared.language import _
from pages.shared.link import SECOND, make_link
from pages.shared.stages import stage
from pages.shared.widgets import show_error
from recsys.errors import ColdlensError
from recsys.export import to_csv, to_json
from recsys.saved_profiles import LINK_DAYS
from recsys.schema import Recommendations

_MADE, _FAILED = "_made_links", "_link_error"
"""Session keys: the links that this visitor has made and not revoked, and why the last one could not be made."""


@stage("sharing")
def draw_sharing(page: Page, found: Recommendations) -> None:
    """Draws the popovers that copy the link and export the list."""
    with st.container(horizontal=True, width="content", gap="small"):
        draw_link(page)
        with st.popover(_("Export"), icon=":material/download:"):
            name = f"coldlens-{page.dataset.name}"
            st.download_button("CSV", to_csv(found), f"{name}.csv", "text/csv", on_click="ignore")
            st.download_button(
                "JSON", to_json(found, **about(page, found)), f"{name}.json", "application/json", on_click="ignore"
            )


def draw_link(page: Page, *, is_comparing: bool = False) -> None:
    """Draws the popover with the address of what is on the screen."""
    with st.popover(_("Copy link"), icon=":material/link:", key="copy_link"):
        if not resources.settings().profile_in_link:
            _draw_private_link(page, is_comparing)
            return
        told = _("The link carries the invented profile, the scorer, the list's controls and the filters.")
        if is_comparing:
            told = _(
                "The link carries both invented profiles, what is open on this page, the scorer, the list's controls and the "
                "filters."
            )
        st.caption(told)
        st.code(
            make_link(st.context.url or "", st.session_state.to_dict(), page.dataset, is_comparing=is_comparing),
            language=None,
            wrap_lines=True,
        )


def _draw_private_link(page: Page, is_comparing: bool) -> None:
    """Draws the making and the revoking of an address whose profiles stay here."""
    state, shelf = st.session_state, resources.linked_profiles(page.dataset.name)
    second = [read_profile(state, page.dataset, SECOND)] if is_comparing else []
    made: list[tuple[str, str]] = state.setdefault(_MADE, [])

    def make() -> None:
        try:
            person = shelf.keep([page.profile, *second])
        except ColdlensError as error:
            state[_FAILED] = error
            return
        address = make_link(
            st.context.url or "", state.to_dict(), page.dataset, is_comparing=is_comparing, person=person
        )
        made.append((person, address))

    def revoke(person: str) -> None:
        shelf.revoke(person)
        made[:] = [one for one in made if one[0] != person]

    st.caption(
        _(
            "The link carries a random id instead of the profile, which stays on this server: for {link_days} "
            "days, or until you revoke the link."
        ).format(link_days=LINK_DAYS)
    )
    st.button(_("Make a link"), on_click=make, icon=":material/add_link:")
    if _FAILED in state:
        show_error(state.pop(_FAILED))
    for person, address in reversed(made):
        st.code(address, language=None, wrap_lines=True)
        st.button(_("Revoke"), on_click=revoke, args=(person,), key=f"revoke-{person}", icon=":material/link_off:")


def about(page: Page, found: Recommendations) -> dict[str, object]:
    """Returns what somebody needs to make the same list again, besides the profile."""
    return {
        "dataset": page.dataset.name,
        "scorer": page.recommender.scorer.name,
        "encoder": page.recommender.encoder.name,
        "popularity": found.popularity,
        "diversity": found.diversity,
    }
