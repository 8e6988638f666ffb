"""How good lists were for people like this one, who were held out from training."""

import streamlit as st

from pages.shared import resources
from pages.shared.frame import Page
from pages.shared.language import N_, _
from pages.shared.stages import stage
from pages.shared.widgets import plain
from recsys.evaluation import OURS, Nearest, nearest, private_name
from recsys.privacy import PRIVATE, told_of
from recsys.transfer import TRANSFERRED

_HELP = N_(
    "The share of the best possible list (nDCG@10) that these people would have got when they were new, judged by what they "
    "went on to like. The nearest in age, gender and attributes, at the level of the evaluation that reveals as much."
)
_METHODS = {"additive": OURS, "fine-tuned": "fine-tuned", "federated": "federated", "cosine": "bert cosine"}
"""What each scorer is called in the laboratory; the private one by what it promises, the federated one is not judged."""


@stage("evidence")
def draw_evidence(page: Page) -> None:
    """Draws one line beside the list: the held-out measure of the nearest test users, or where to get it."""
    if page.controls.popularity != 1 or page.controls.diversity:
        return  # what was measured is the list as learned
    scorer = page.recommender.scorer.name
    if scorer == TRANSFERRED:
        st.caption(
            _(
                "How good this is for people like them cannot be said here, as it was learned elsewhere. How such lists fare "
                "where likes are known is measured on the Evaluate page, by the protocol transfer."
            )
        )
        return
    method = private_name(told_of(page.dataset) or "") if scorer == PRIVATE else _METHODS[scorer]
    kept = [
        found
        for found in resources.evaluations(page.recommender)
        if found.plan.protocol == "cold-user" and method in found.methods
    ]
    found = nearest(kept[0], page.dataset, page.profile, method=method) if kept else None
    if found is None and kept:
        st.caption(
            _(
                "How good this is for people like them cannot be said: the profile tells neither age nor gender nor attributes."
            )
        )
        return
    if found is None:
        st.caption(
            _(
                "How good this is for people like them has not been measured yet: run an evaluation on the Evaluate page."
            )
        )
        return
    st.caption(f":material/verified: {plain(told(found))}", help=_(_HELP))


def told(found: Nearest) -> str:
    """Returns the evidence in words."""
    value, everyone = found.value, found.everyone
    return _(
        "How good for people like them: {measure} {mean:.2f} [{low:.2f}, {high:.2f}] over the {n} nearest of {n_everyone} people "
        "held out (all of them: {mean_everyone:.2f})."
    ).format(
        measure=found.measure, mean=value.mean, low=value.low, high=value.high, n=value.n, n_everyone=everyone.n,
        mean_everyone=everyone.mean,
    )  # fmt: skip
