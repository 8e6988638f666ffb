"""What is wrong with the embeddings, and how another encoder would see the catalog."""

from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.shared import resources
from pages.shared.atlases import version_of
from pages.shared.frame import Page
from pages.shared.language import N_, _
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.diagnostics import Comparison, Finding, LsaEncoder, compare_encoders, open_rival
from recsys.encoder import Encoder, TransformerEncoder
from recsys.recommender import Recommender

_LSA = N_("TF-IDF (LSA), needs no download")
_RANDOM = N_("The same BERT with random weights")
_OWN = N_("Another encoder: name or folder; or a file of vectors")
_HELD_OUT = N_("Held out inside the training users, the additive scorer fitted on each.")


@st.cache_resource(show_spinner=False, max_entries=4)
def _findings(_recommender: Recommender, dataset: str, scorer: str, version: str) -> list[Finding]:
    return _recommender.diagnose()


def draw_diagnosis(page: Page) -> None:
    """Draws every finding, those to look at first."""
    with st.spinner(_("Looking at every text and its neighbours")):
        found = _findings(page.recommender, page.dataset.name, page.recommender.scorer.name, version_of(page))
    n = sum(finding.is_issue for finding in found)
    st.markdown(
        _("**{n} of {n_found} findings need a look.** They are about the text embeddings of {name}.").format(
            n=n, n_found=len(found), name=plain(page.recommender.encoder.name)
        )
    )
    for finding in sorted(found, key=lambda finding: not finding.is_issue):
        _draw_finding(finding)
    st.code(f"recsys diagnose {page.dataset.name} --json", language="sh")


def _draw_finding(finding: Finding) -> None:
    icon = ":material/error:" if finding.is_issue else ":material/check_circle:"
    state = _("look at this") if finding.is_issue else _("fine")
    with st.expander(f"{retold(finding.title)} – {state}", icon=icon, expanded=finding.is_issue):
        with st.container(horizontal=True, gap="large"):
            for name, value in finding.figures.items():
                shown = "–" if np.isnan(value) else f"{value:,.0f}" if float(value).is_integer() else f"{value:.3f}"
                st.metric(retold(name.capitalize()), shown)
        st.markdown(plain(retold(finding.meaning)))
        if finding.is_issue:
            st.markdown(f":material/build: {plain(retold(finding.advice))}")
        if len(finding.items):
            show_table(finding.items, alt=_("Items of: {title}").format(title=retold(finding.title)))


def draw_comparison(page: Page) -> None:
    """Draws a choice of a second encoder, and what tells it apart from the first."""
    st.markdown(
        _("**{name}** against another encoder, on the same texts.").format(name=plain(page.recommender.encoder.name))
    )
    with st.form("encoders", border=False):
        has_weights = isinstance(page.recommender.explainer.encoder, TransformerEncoder)
        choices = (_LSA, _RANDOM, _OWN) if has_weights else (_LSA, _OWN)
        choice = st.radio(_("Against"), choices, key="other_encoder", format_func=_)
        name = st.text_input(
            _("Name, folder or file"),
            key="other_encoder_name",
            placeholder=_("for example ./models/my-encoder or ./mine.npy"),
        )
        started = st.form_submit_button(_("Compare"), icon=":material/compare_arrows:")
    if started:
        with st.spinner(_("Encoding the catalog again, and fitting both where likes are known")):
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
        rival = open_rival(name or " ", page.dataset, texts, settings)
        return compare_encoders(page.dataset, texts, (found.encoder, np.asarray(found.embeddings)), rival)
    return compare_encoders(
        page.dataset, texts, (found.encoder, np.asarray(found.embeddings)), (other, other.encode(texts, bulk=True))
    )


def _draw_result(page: Page, found: Comparison) -> None:
    first, second = found.names
    with st.container(horizontal=True, gap="large"):
        st.metric(_("Nearest ten shared"), f"{found.overlap.mean():.0%}".replace("%", "\u00a0%"))
        for name, value in found.quality.items():
            shown, told = (
                (f"{value:.3f}", _(_HELD_OUT)) if np.isfinite(value) else ("–", _("Too few users to hold some out."))
            )
            st.metric(_("nDCG@10, {name}").format(name=name), shown, help=told)
    left, right = st.columns(2)
    for place, name, coordinates in ((left, first, found.first), (right, second, found.second)):
        with place:
            st.markdown(f"**{plain(name)}**")
            st.plotly_chart(
                _flat(coordinates, found.overlap, page.dataset.labels),
                key=f"encoder-{name}",
                alt=_("Map by {name}").format(name=name),
            )
    rest = f"{found.disparity:.0%}".replace("%", "\u00a0%")
    st.caption(
        _(
            "Principal components; the right map was turned, mirrored and scaled onto the left one (Procrustes), "
            "{rest} of it does not fit. Blue points keep their neighbours, orange ones have others. The quality is "
            "one figure without an interval: for the difference of two encoders, evaluate both."
        ).format(rest=rest)
    )
    st.markdown(_("**Items that moved most**"))
    config = {"neighbours shared": st.column_config.NumberColumn(format="percent")}
    show_table(found.moved, column_config=config, alt=_("Items whose neighbours differ most"))


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
