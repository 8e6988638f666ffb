"""The fitted maps of a dataset: opened once, a preview at once, and fitted in a process of their own meanwhile."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.shared import resources
from pages.shared.frame import Page
from pages.shared.jobs import Job, jobs
from pages.shared.widgets import show_error
from recsys.diagnostics import occurrences
from recsys.errors import ArtifactError
from recsys.projection import (
    Atlas,
    Clusters,
    MapConfig,
    Trust,
    fit_pca,
    nearest_items,
    open_atlas,
    open_space,
    people_of,
    place_people,
)

_KEPT = 8
_UNWANTED = "_map_cancelled"


@dataclass(frozen=True, eq=False)
class Opened:
    """A map that can be drawn; a preview is the flat picture of principal components, which is there at once.

    Attributes:
        people: ``(n_users, n_components)``, empty in a preview.
        near: ``(n_items, k)``, the true neighbours of every item in the space.
    """

    atlas: Atlas
    people: np.ndarray
    near: np.ndarray
    is_preview: bool

    @property
    def hubness(self) -> np.ndarray:
        """``(n_items,)``: in how many items' nearest ten each item stands."""
        return occurrences(self.near[:, :10], len(self.near))


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _open(_page: Page, dataset: str, scorer: str, space: str, n_components: int, version: str) -> Opened | None:
    found = _page.recommender
    opened, texts = open_space(space, found.scorer, found.embeddings), found.explainer.item_texts
    config = MapConfig(n_components=n_components)
    if found.dataset.folder is None:
        return None
    atlas = open_atlas(opened, config, texts, found.dataset.folder)
    people = place_people(atlas, people_of(found.dataset), texts, found.dataset.folder)
    return Opened(atlas, people, _near(opened.vectors), False)


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _preview(_page: Page, dataset: str, scorer: str, space: str, n_components: int, version: str) -> Opened:
    found = _page.recommender
    opened = open_space(space, found.scorer, found.embeddings)
    items = fit_pca(opened.vectors, n_components)
    n = len(opened.vectors)
    trust = Trust(float("nan"), float("nan"), np.full(n, np.nan), n)
    atlas = Atlas(opened, items, trust, Clusters(np.full(n, -1), (), np.zeros((0, n_components))))
    return Opened(atlas, np.zeros((0, n_components)), _near(opened.vectors), True)


def _near(vectors: np.ndarray) -> np.ndarray:
    n = len(vectors)
    return nearest_items(vectors, min(15, n - 1)) if n > 1 else np.zeros((n, 0), np.int64)


def _version(page: Page) -> str:
    """Changes when the dataset or its embeddings do, and with them everything that was learned."""
    return f"{page.dataset.fingerprint} {page.recommender.embeddings_key}"


def open_or_preview(page: Page, space: str, n_components: int) -> Opened:
    """Returns the fitted map, or a preview while there is none; a first visit starts fitting both."""
    arguments = (page.dataset.name, page.recommender.scorer.name, space, n_components, _version(page))
    try:
        found = _open(page, *arguments)
        if found is not None:
            return found
    except ArtifactError:
        _start(page, space)
    return _preview(page, *arguments)


def _name(page: Page, space: str) -> str:
    return f"map of {page.dataset.name}, {space}, {page.recommender.scorer.name}"


def _start(page: Page, space: str) -> None:
    name = _name(page, space)
    if resources.settings().background and jobs().get(name) is None and st.session_state.get(_UNWANTED) != name:
        start_fitting(page, space)


def start_fitting(page: Page, space: str) -> None:
    """Starts fitting the maps of a space in the background."""
    command = ["project", page.dataset.name, "--space", space, "--scorer", page.recommender.scorer.name]
    jobs().start(_name(page, space), command)


@st.fragment(run_every=1.0)
def draw_fitting(page: Page, space: str, n_components: int) -> None:
    """Says how far the fitting is, lets the reader cancel it, and draws the page anew when it is done."""
    job = jobs().get(_name(page, space))
    if job is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info("This is a preview: the two main directions of the space.", icon=":material/map:", width="stretch")
            st.button("Fit the map", on_click=start_fitting, args=(page, space), icon=":material/play_arrow:")
        return
    error = job.error()
    if error is not None:
        jobs().cancel(_name(page, space), job)
        show_error(error)
        st.button("Try again", on_click=start_fitting, args=(page, space))
    elif n_components == 2 and str(job.progress().get("step", "")).startswith("3-D"):
        st.rerun()  # the flat map is there; the other one goes on
    elif job.is_running:
        _draw_progress(page, space, job)
    else:
        st.rerun()


def _draw_progress(page: Page, space: str, job: Job) -> None:
    told = job.progress()
    with st.container(horizontal=True, vertical_alignment="center"):
        share = told.get("done", 0) / max(1, told.get("total", 1))
        st.progress(
            min(1.0, share), text=f"A preview until the map is fitted – {told.get('step', 'starting')}", width="stretch"
        )
        st.button("Cancel", on_click=lambda: _cancel(page, space, job), icon=":material/close:")


def _cancel(page: Page, space: str, job: Job) -> None:
    jobs().cancel(_name(page, space), job)
    st.session_state[_UNWANTED] = _name(page, space)
