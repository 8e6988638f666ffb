"""The fitted maps of a dataset: opened once, a preview at once, and fitted in a process of their own meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import streamlit as st

from pages.shared import resources
from pages.shared.frame import Page
from pages.shared.jobs import Job, jobs
from pages.shared.language import N_, _
from pages.shared.retelling import retold
from pages.shared.widgets import show_error
from recsys.diagnostics import occurrences
from recsys.errors import ArtifactError
from recsys.projection import (
    Atlas,
    Clusters,
    MapConfig,
    Place,
    Trust,
    fit_pca,
    nearest_to,
    open_atlas,
    open_people,
    open_space,
    people_of,
    rows_of_people,
    vectors_of_people,
)
from recsys.schema import Dataset, Profile

_KEPT = 8
_HUB_OF = 10
_UNWANTED = "_map_cancelled"
_NOT_THERE = ArtifactError(
    N_("The map was fitted, but it is not there"), fix=N_("The dataset may have changed meanwhile; fit it again.")
)


@dataclass(frozen=True, eq=False)
class Opened:
    """A map that can be drawn; a preview is the flat picture of principal components, which is there at once.

    Attributes:
        people: ``(n_users, n_components)``, empty in a preview.
        told: who each of them is, ``n_users`` of plain text.
    """

    atlas: Atlas
    people: np.ndarray
    told: tuple[str, ...]
    is_preview: bool

    @cached_property
    def hubness(self) -> np.ndarray:
        """``(n_items,)``: in how many items' nearest ten each item stands, ``NaN`` in a preview.

        A preview is there at once, and to find the neighbours of every item of a large catalog takes minutes.
        """
        near = self.atlas.near
        if self.is_preview:
            return np.full(len(near), np.nan)
        return occurrences(near[:, :_HUB_OF], len(near)).astype(float)

    @cached_property
    def has(self) -> np.ndarray:
        """``(n_items,)`` of bool: which items say anything in this space; a film without a picture says nothing."""
        return np.asarray((self.atlas.space.vectors != 0).any(axis=1))

    @cached_property
    def drawn(self) -> np.ndarray:
        """``(n_items, n_components)``: coordinates, but items that say nothing stand close to the left of all others.

        The map may have put them anywhere, mostly so far away that little room is left for the others.
        """
        spots = self.atlas.items.coordinates
        if self.has.all() or not self.has.any():
            return spots
        found, rest = spots.copy(), spots[~self.has]
        low, high = spots[self.has].min(axis=0), spots[self.has].max(axis=0)
        corner = low - np.eye(len(low))[0] * (rest.max(axis=0) - rest.min(axis=0) + 0.05 * (high - low))
        found[~self.has] = rest - rest.min(axis=0) + corner
        return found

    @cached_property
    def labels(self) -> list[tuple[str, np.ndarray]]:
        """The names of groups and where they stand, without groups of which most say nothing."""
        clusters = self.atlas.clusters
        named = zip(clusters.labels, clusters.centres, strict=True)
        return [label for number, label in enumerate(named) if self.has[clusters.numbers == number].mean() > 0.5]

    @cached_property
    def place(self) -> Callable[[Profile], Place]:
        """Returns where a profile lies; saved ones are asked for at every run."""
        return lru_cache(maxsize=256)(self.atlas.place)

    def near(self, row: int, k: int) -> np.ndarray:
        """Returns the true neighbours of an item in the space, best first."""
        return nearest_to(self.atlas.space.vectors, row, k) if self.is_preview else self.atlas.near[row, :k]


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _open(_page: Page, dataset: str, scorer: str, space: str, n_components: int, version: str) -> Opened | None:
    found = _page.recommender
    opened, texts = open_space(space, found.base.scorer, found.embeddings), found.explainer.item_texts
    config = MapConfig(n_components=n_components)
    if found.dataset.folder is None:
        return None
    atlas = open_atlas(opened, config, texts, found.dataset.folder)
    profiles = people_of(found.dataset)
    vectors = vectors_of_people(found.dataset, opened)
    people = open_people(atlas, profiles, texts, found.dataset.folder, vectors=vectors)
    return Opened(atlas, people, told_people(found.dataset, profiles), False)


def told_people(dataset: Dataset, profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Returns what hovering over the dataset's users says: each by row, with facts that do not say who they are."""
    rows = rows_of_people(dataset)
    return tuple(_told(dataset.user_called(row), profile) for row, profile in zip(rows, profiles, strict=True))


def _told(called: str, profile: Profile) -> str:
    facts = [facet.label for facet in profile.facets if facet.kind in ("age", "gender", "attribute")]
    return " · ".join([called, *facts])


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _preview(_page: Page, dataset: str, scorer: str, space: str, n_components: int, version: str) -> Opened:
    found = _page.recommender
    opened = open_space(space, found.base.scorer, found.embeddings)
    items = fit_pca(opened.vectors, n_components)
    n = len(opened.vectors)
    trust = Trust(float("nan"), float("nan"), np.full(n, np.nan), n)
    clusters = Clusters(np.full(n, -1), (), np.zeros((0, n_components)))
    atlas = Atlas(opened, items, trust, clusters, np.zeros((n, 0), np.int64))
    return Opened(atlas, np.zeros((0, n_components)), (), True)


def version_of(page: Page) -> str:
    """Changes when the dataset or its embeddings do, and with them all that was learned, or with another private fit."""
    return f"{page.dataset.fingerprint} {page.recommender.base.answers_key}"


def open_or_preview(page: Page, space: str, n_components: int) -> Opened:
    """Returns the fitted map, or a preview while there is none; a first visit starts fitting both."""
    found = _fitted(page, space, n_components)
    if found is not None:
        return found
    _start(page, space)
    return _preview(page, *_arguments(page, space, n_components))


def _fitted(page: Page, space: str, n_components: int) -> Opened | None:
    try:
        return _open(page, *_arguments(page, space, n_components))
    except ArtifactError:
        return None


def _arguments(page: Page, space: str, n_components: int) -> tuple[str, str, str, int, str]:
    return page.dataset.name, page.recommender.scorer.name, space, n_components, version_of(page)


def _name(page: Page, space: str) -> str:
    """Names a job after all that its map depends on: the ended job of an older dataset must not pass for this one's."""
    return f"map of {page.dataset.name}, {space}, {page.recommender.scorer.name}, {version_of(page)}"


def _start(page: Page, space: str) -> None:
    name = _name(page, space)
    if resources.settings().background and jobs().get(name) is None and st.session_state.get(_UNWANTED) != name:
        start_fitting(page, space)


def start_fitting(page: Page, space: str) -> None:
    """Starts fitting the maps of a space in the background."""
    command = ["project", page.dataset.name, "--space", space, "--scorer", page.recommender.scorer.name]
    jobs().start(_name(page, space), command)


def draw_fitting(page: Page, space: str, n_components: int) -> None:
    """Says how far the fitting is, or offers it; what runs every second may meet a run of the page, so only a job is watched."""
    if jobs().get(_name(page, space)) is not None:
        _watch_fitting(page, space, n_components)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(_("This is a preview: the two main directions of the space."), icon=":material/map:", width="stretch")
        st.button(_("Fit the map"), on_click=start_fitting, args=(page, space), icon=":material/play_arrow:")


@st.fragment(run_every=1.0)
def _watch_fitting(page: Page, space: str, n_components: int) -> None:
    """Says how far the fitting is, lets the reader cancel it, and draws the page anew when it is done."""
    job = jobs().get(_name(page, space))
    if job is None:
        st.rerun()  # it was cancelled
    is_flat_done = n_components == 2 and str(job.progress().get("step", "")).startswith("3-D")
    if (is_flat_done or not job.is_running) and _fitted(page, space, n_components) is not None:
        st.rerun()  # of a flat map, the other one goes on
    if job.is_running:
        _draw_progress(page, space, job)
        return
    show_error(job.error() or _NOT_THERE)  # it stays until the reader has read it
    st.button(_("Try again"), on_click=start_fitting, args=(page, space), icon=":material/refresh:")


def _draw_progress(page: Page, space: str, job: Job) -> None:
    told = job.progress()
    with st.container(horizontal=True, vertical_alignment="center"):
        share = told.get("done", 0) / max(1, told.get("total", 1))
        st.progress(
            min(1.0, share),
            text=_("A preview until the map is fitted – {step}").format(step=retold(told.get("step", "starting"))),
            width="stretch",
        )
        st.button(_("Cancel"), on_click=lambda: _cancel(page, space, job), icon=":material/close:")


def _cancel(page: Page, space: str, job: Job) -> None:
    jobs().cancel(_name(page, space), job)
    st.session_state[_UNWANTED] = _name(page, space)
