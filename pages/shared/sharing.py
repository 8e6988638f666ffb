"""Copy link and export."""

import streamlit as st

from pages.shared.frame import Page
from pages.shared.link import make_link
from pages.shared.stages import stage
from recsys.export import to_csv, to_json
from recsys.schema import Recommendations


@stage("sharing")
def draw_sharing(page: Page, found: Recommendations) -> None:
    """Draws the popovers that copy the link and export the list."""
    with st.container(horizontal=True, width="content", gap="small"):
        draw_link(page)
        with st.popover("Export", icon=":material/download:"):
            name = f"coldlens-{page.dataset.name}"
            st.download_button("CSV", to_csv(found), f"{name}.csv", "text/csv", on_click="ignore")
            st.download_button(
                "JSON", to_json(found, **about(page, found)), f"{name}.json", "application/json", on_click="ignore"
            )


def draw_link(page: Page, *, is_comparing: bool = False) -> None:
    """Draws the popover with the address of what is on the screen."""
    with st.popover("Copy link", icon=":material/link:"):
        who = "both invented profiles, what is open on this page" if is_comparing else "the invented profile"
        st.caption(f"The link carries {who}, the scorer, the list's controls and the filters.")
        st.code(
            make_link(st.context.url or "", st.session_state.to_dict(), page.dataset, is_comparing=is_comparing),
            language=None,
            wrap_lines=True,
        )


def about(page: Page, found: Recommendations) -> dict[str, object]:
    """Returns what somebody needs to make the same list again, besides the profile."""
    return {
        "dataset": page.dataset.name,
        "scorer": page.recommender.scorer.name,
        "encoder": page.recommender.encoder.name,
        "popularity": found.popularity,
        "diversity": found.diversity,
    }
