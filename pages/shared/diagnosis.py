"""What is wrong with the embeddings, and how another encoder would see the catalog."""

from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.shared import resources
from pages.shared.atlases import version_of
from pages.shared.frame import Page
from pages.shared.widgets import plain
from recsys.diagnostics import Comparison, Finding, LsaEncoder, compare_encoders
from recsys.encoder import Encoder, TransformerEncoder, open_encoder
from recsys.recommender import Recommender

_LSA = "TF-IDF (LSA), needs no download"
_RANDOM = "The same BERT with random weights"
_OWN = "Another encoder: name or folder"
_HELD_OUT = "Held out inside the training users, the additive scorer fitted on each."


@st.cache_resource(show_spinner=False, max_entries=4)
def _findings(_recommender: Recommender, dataset: str, scorer: str, version: str) -> list[Finding]:
    return _recommender.diagnose()


def draw_diagnosis(page: Page) -> None:
    """Draws every finding, those to look at first."""
    with st.spinner("Looking at every text and its neighbours"):
        found = _findings(page.recommender, page.dataset.name, page.recommender.scorer.name, version_of(page))
    n = sum(finding.is_issue for finding in found)
    st.markdown(
        f"**{n} of {len(found)} findings need a look.** They are about the text embeddings of "
        f"{plain(page.recommender.encoder.name)}."
    )
    for finding in sorted(found, key=lambda finding: not finding.is_issue):
        _draw_finding(finding)
    st.code(f"recsys diagnose {page.dataset.name} --json", language="sh")


def _draw_finding(finding: Finding) -> None:
    icon = ":material/error:" if finding.is_issue else ":material/check_circle:"
    state = "look at this" if finding.is_issue else "fine"
    with st.expander(f"{finding.title} – {state}", icon=icon, expanded=finding.is_issue):
        with st.container(horizontal=True, gap="large"):
            for name, value in finding.figures.items():
                shown = "–" if np.isnan(value) else f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}"
                st.metric(name.capitalize(), shown)
        st.markdown(plain(finding.meaning))
        if finding.is_issue:
            st.markdown(f":material/build: {plain(finding.advice)}")
        if len(finding.items):
            st.dataframe(finding.items, hide_index=True, alt=f"Items of: {finding.title}")


def draw_comparison(page: Page) -> None:
    """Draws a choice of a second encoder, and what tells it apart from the first."""
    st.markdown(f"**{plain(page.recommender.encoder.name)}** against another encoder, on the same texts.")
    with st.form("encoders", border=False):
        has_weights = isinstance(page.recommender.explainer.encoder, TransformerEncoder)
        choices = (_LSA, _RANDOM, _OWN) if has_weights else (_LSA, _OWN)
        choice = st.radio("Against", choices, key="other_encoder")
        name = st.text_input("Name or folder", key="other_encoder_name", placeholder="for example ./models/my-encoder")
        started = st.form_submit_button("Compare", icon=":material/compare_arrows:")
    if started:
        with st.spinner("Encoding the catalog again, and fitting both where likes are known"):
            st.session_state["_comparison"] = (version_of(page), _compare(page, choice or _LSA, name.strip()))
    kept = st.session_state.get("_comparison")
    if kept and kept[0] == version_of(page):
        _draw_result(page, kept[1])


def _compare(page: Page, choice: str, name: str) -> Comparison:
    found, settings = page.recommender, resources.settings()
    texts = found.explainer.item_texts
    own = found.explainer.encoder
    other: Encoder
    if choice == _LSA:
        other = LsaEncoder(texts)
    elif choice == _RANDOM and isinstance(own, TransformerEncoder):
        other = own.randomised(seed=0)
    else:
        other = open_encoder(name or " ", device=settings.device, precision=settings.precision)
    return compare_encoders(
        page.dataset, texts, (found.encoder, np.asarray(found.embeddings)), (other, other.encode(texts, bulk=True))
    )


def _draw_result(page: Page, found: Comparison) -> None:
    first, second = found.names
    with st.container(horizontal=True, gap="large"):
        st.metric("Nearest ten shared", f"{found.overlap.mean():.0%}".replace("%", "\u00a0%"))
        for name, value in found.quality.items():
            shown, told = (
                (f"{value:.3f}", _HELD_OUT) if np.isfinite(value) else ("–", "Too few users to hold some out.")
            )
            st.metric(f"nDCG@10, {name}", shown, help=told)
    left, right = st.columns(2)
    for place, name, coordinates in ((left, first, found.first), (right, second, found.second)):
        with place:
            st.markdown(f"**{plain(name)}**")
            st.plotly_chart(
                _flat(coordinates, found.overlap, page.dataset.labels), key=f"encoder-{name}", alt=f"Map by {name}"
            )
    rest = f"{found.disparity:.0%}".replace("%", "\u00a0%")
    st.caption(
        "Principal components; the right map was turned, mirrored and scaled onto the left one (Procrustes), "
        f"{rest} of it does not fit. Blue points keep their neighbours, orange ones have others. The quality is one figure "
        "without an interval: for the difference of two encoders, evaluate both."
    )
    st.markdown("**Items that moved most**")
    config = {"neighbours shared": st.column_config.NumberColumn(format="percent")}
    st.dataframe(found.moved, hide_index=True, column_config=config, alt="Items whose neighbours differ most")


def _flat(coordinates: np.ndarray, overlap: np.ndarray, labels: tuple[str, ...]) -> go.Figure:
    figure = go.Figure()
    marker = {"size": 4, "color": overlap, "colorscale": [(0, "#D55E00"), (1, "#0072B2")], "cmin": 0, "cmax": 1}
    figure.add_scattergl(
        x=coordinates[:, 0], y=coordinates[:, 1], mode="markers", marker=marker, 
        text=[escape(label) for label in labels],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(height=420, margin={"l": 4, "r": 4, "t": 4, "b": 4})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
