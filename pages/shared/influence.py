"""The influence meter: how much of a list is due to the profile, and an alarm where nothing is."""

import streamlit as st

from pages.shared import figures
from pages.shared.frame import Page
from pages.shared.stages import stage
from recsys.schema import Influence, Recommendations

_HELP = (
    "What lifts these items above the average item of the catalog: each kind's share of the absolute contributions. "
    "Popularity is the prior, the part of a score that is the same for everybody."
)


@stage("influence")
def draw_influence(page: Page, found: Recommendations) -> None:
    """Draws the meter of a list that is not empty; the scorer must have a prior."""
    influence = page.recommender.influence(found, keep=page.keep)
    lifts = any(influence.shares.values())
    if influence.changes_nothing and not page.profile.is_empty:
        st.warning(alarm(page.controls.popularity, is_filtered=page.controls.is_filtered), icon=":material/warning:")
    elif not lifts:
        st.info("Nothing given tells items apart, so they stand in the order of the catalog.", icon=":material/info:")
    elif page.profile.is_empty:
        st.info("Nothing is known, so this is what everybody gets.", icon=":material/info:")
    if lifts:
        told = spoken(influence)
        st.image(figures.influence_bar(influence.shares), alt=f"Influence on the list: {told}")
        st.caption(f"This list: {told}; {compared(influence)}.", help=_HELP)


def alarm(popularity: float, *, is_filtered: bool) -> str:
    """Returns what is said of a profile that changes nothing, and what to do."""
    ways = ["Add interests or liked items"]
    ways += ["lower the popularity weight"] if popularity > 0 else []
    ways += ["widen the filters"] if is_filtered else []
    listed = ways[0] if len(ways) == 1 else f"{', '.join(ways[:-1])}, or {ways[-1]}"
    return f"This profile changes nothing: everybody would get this list. {listed}."


def spoken(influence: Influence) -> str:
    """Returns the shares in words, those that round to zero left out."""
    found = figures.percentages(influence.shares)
    return ", ".join(f"{percent}\u00a0% {figures.NAMES[kind]}" for kind, percent in found.items() if percent)


def compared(influence: Influence) -> str:
    """Returns how many of the items everybody would get."""
    n, shared = len(influence.shown), influence.n_shared
    order = ", in another order" if shared == n and not influence.changes_nothing else ""
    return f"{shared} of {n} items {'is' if shared == 1 else 'are'} what everybody gets{order}"
