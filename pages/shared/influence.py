"""The influence meter: how much of a list is due to the profile, and an alarm where nothing is."""

import streamlit as st

from pages.shared import figures
from pages.shared.frame import Page
from pages.shared.language import N_, _, ngettext
from pages.shared.stages import stage
from recsys.schema import Influence, Recommendations

_HELP = N_(
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
        st.info(
            _("Nothing given tells items apart, so they stand in the order of the catalog."), icon=":material/info:"
        )
    elif page.profile.is_empty:
        st.info(_("Nothing is known, so this is what everybody gets."), icon=":material/info:")
    if lifts:
        told = spoken(influence)
        st.image(figures.influence_bar(influence.shares), alt=_("Influence on the list: {told}").format(told=told))
        st.caption(_("This list: {told}; {compared}.").format(told=told, compared=compared(influence)), help=_(_HELP))


def alarm(popularity: float, *, is_filtered: bool) -> str:
    """Returns what is said of a profile that changes nothing, and what to do."""
    ways = {
        (False, False): N_("Add interests or liked items."),
        (True, False): N_("Add interests or liked items, or lower the popularity weight."),
        (False, True): N_("Add interests or liked items, or widen the filters."),
        (True, True): N_("Add interests or liked items, lower the popularity weight, or widen the filters."),
    }[popularity > 0, is_filtered]
    return f"{_('This profile changes nothing: everybody would get this list.')} {_(ways)}"


def spoken(influence: Influence) -> str:
    """Returns the shares in words, those that round to zero left out."""
    found = figures.percentages(influence.shares)
    return ", ".join(f"{percent}\u00a0% {_(figures.NAMES[kind])}" for kind, percent in found.items() if percent)


def compared(influence: Influence) -> str:
    """Returns how many of the items everybody would get."""
    n, shared = len(influence.shown), influence.n_shared
    if shared == n and not influence.changes_nothing:
        told = ngettext(
            "{shared} of {n} items is what everybody gets, in another order",
            "{shared} of {n} items are what everybody gets, in another order",
            shared,
        )
    else:
        told = ngettext(
            "{shared} of {n} items is what everybody gets", "{shared} of {n} items are what everybody gets", shared
        )
    return told.format(shared=shared, n=n)
