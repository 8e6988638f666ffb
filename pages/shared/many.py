"""Many people at once: generated or from a table, what they are shown and what never is."""

import hashlib

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import compare_charts, uploads
from pages.shared.frame import Page
from pages.shared.language import N_, _
from pages.shared.link import UNKNOWN
from pages.shared.widgets import plain, show_error, show_table
from recsys.errors import ColdlensError
from recsys.schema import ITEM_ID, Profile
from recsys.settings import MAX_AGE, MAX_INTEREST_LENGTH, MAX_PROFILES
from recsys.whatif import (
    DEAD_FROM,
    MAX_PAIRED,
    Grid,
    NamedProfiles,
    generate_profiles,
    rank_grid,
    template_csv,
)

_RESULT = "_grid"
_MANY, _NONE = 200, N_("none")
_AGES, _EVERY = (10, 80), 5
_SLOW = 1_000
"""From so many people on, a scorer that reads each of them as a sentence makes a reader wait for minutes."""


def draw_many(page: Page) -> None:
    """Draws the choice of people, and what all their lists together show."""
    sources = (N_("Every combination"), N_("From a table"))
    if st.session_state.get("grid_source") not in sources:
        st.session_state["grid_source"] = sources[0]
    source = st.segmented_control(
        _("People"), sources, key="grid_source", required=True, persist_state="session", format_func=_
    )
    if page.controls.diversity:
        st.caption(_("Lists here are ranked by score alone; diversity is left out."))
    is_generated = source == sources[0]
    try:
        named, key = _generated(page) if is_generated else _uploaded(page)
    except ColdlensError as error:
        show_error(error)
        return
    if named is not None:
        _run(page, named, key)
    kept = st.session_state.get(_RESULT)
    if kept and kept[0] == key:
        _draw_grid(page, kept[1])
    elif kept and is_generated:
        st.info(_("The last grid was made of other people, or with other data or controls. Rank them again."))


def _world(page: Page) -> str:
    """Changes with everything that lists depend on but the people."""
    return f"{page.dataset.fingerprint} {page.recommender.answers_key} {page.lists}"


def _generated(page: Page) -> tuple[NamedProfiles | None, str]:
    dataset, state = page.dataset, st.session_state
    _begin(page)
    shared = dict(page.profile.attributes)
    if shared:
        st.caption(
            _("All of them, as A: {join}.").format(
                join=plain(", ".join(f"{name} {value}" for name, value in shared.items()))
            )
        )
    key = f"generated {shared} {_world(page)}"
    with st.form("grid_form"):
        if dataset.age_range:
            with st.container(horizontal=True):
                st.slider(_("Ages"), 0, MAX_AGE, key="grid_ages", persist_state="session")
                st.number_input(_("Every so many years"), 1, 50, key="grid_every", persist_state="session")
        if dataset.genders:
            st.multiselect(
                _("Genders"), [*dataset.genders, UNKNOWN], key="grid_genders", persist_state="session",
                format_func=lambda name: _(UNKNOWN) if name == UNKNOWN else name,
            )  # fmt: skip
        st.multiselect(
            _("Interests, one for each person"), list(dict.fromkeys([_NONE, *dataset.categories, *state["grid_interests"]])),
            key="grid_interests", accept_new_options=True, persist_state="session",
            format_func=lambda text: _(_NONE) if text == _NONE else text,
        )  # fmt: skip
        if not st.form_submit_button(_("Rank them all"), icon=":material/play_arrow:"):
            return None, key
    (first, last), every = state["grid_ages"], int(state["grid_every"])
    genders = [None if value == UNKNOWN else value for value in state["grid_genders"]]
    named = generate_profiles(
        dataset,
        ages=[float(age) for age in range(first, last + 1, every)] if dataset.age_range else [None],
        genders=genders if dataset.genders else [None],
        interests=[() if text == _NONE else (text,) for text in state["grid_interests"]],
        attributes=shared,
    )
    return named, key


def _begin(page: Page) -> None:
    """Fills the form where it is new, or holds what an address said that cannot be."""
    state, dataset = st.session_state, page.dataset
    ages = [int(value) for value in state.get("grid_ages", ()) if str(value).isdecimal() and int(value) <= MAX_AGE]
    state["grid_ages"] = (min(ages), max(ages)) if len(ages) == 2 else _AGES
    every = str(state.get("grid_every", ""))
    state["grid_every"] = int(every) if every.isdecimal() and 1 <= int(every) <= 50 else _EVERY
    genders = state.get("grid_genders", dataset.genders)
    state["grid_genders"] = [value for value in genders if value in (*dataset.genders, UNKNOWN)]
    if "grid_interests" not in state:
        state["grid_interests"] = [_NONE, *(name[:MAX_INTEREST_LENGTH] for name in dataset.categories[:18])]


def _uploaded(page: Page) -> tuple[NamedProfiles | None, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        file = st.file_uploader(
            _("A CSV file of at most {max_profiles:,} people").format(max_profiles=MAX_PROFILES),
            type="csv",
            key="grid_file",
            width="stretch",
        )
        st.download_button(
            _("An example"), template_csv(page.dataset), "coldlens-people.csv", "text/csv", on_click="ignore",
            icon=":material/download:", help=_("With the columns that this dataset knows. Several interests or liked items: a|b"),
        )  # fmt: skip
    if file is None:
        return None, ""
    content = file.getvalue()
    key = f"{hashlib.sha256(content).hexdigest()} {_world(page)}"
    kept = st.session_state.get(_RESULT)
    if kept and kept[0] == key:
        return None, key
    found = uploads.reread("people", content, str(page.dataset.folder or page.dataset.name))
    return NamedProfiles(tuple(found["names"]), tuple(map(Profile.from_dict, found["profiles"]))), key


def _run(page: Page, named: NamedProfiles, key: str) -> None:
    slow = ""
    if not page.has_prior and len(named) > _SLOW:
        slow = _(" – with this scorer BERT reads a sentence for each of them")
    bar = st.progress(0.0, text=_("Ranking all items for {n:,} people").format(n=len(named)) + slow)

    def report(step: str, done: int, total: int) -> None:
        bar.progress(
            done / max(total, 1),
            text=_("Ranked all items for {done:,} of {total:,} people").format(done=done, total=total) + slow,
        )

    st.session_state[_RESULT] = (key, rank_grid(page.recommender, named, page.lists, progress=report))
    bar.empty()


def _draw_grid(page: Page, grid: Grid) -> None:
    dead = int(grid.cells["is_dead"].sum())
    never = len(grid.never_shown)
    with st.container(horizontal=True, gap="large"):
        st.metric(_("People"), f"{len(grid):,}")
        st.metric(
            _("Items that somebody sees"),
            _percent(grid.coverage),
            help=_("Of all items that may be shown: catalog coverage."),
        )
        st.metric(_("Never shown"), f"{never:,}")
        st.metric(
            _("Shared by two people"),
            _percent(grid.mean_overlap),
            help=_("Mean share of the top {k} over all pairs of people.").format(k=grid.k),
        )
        st.metric(
            _("Dead zones"),
            _("{n} of {total}").format(n=dead, total=len(grid.cells)),
            help=_("Groups whose lists are {dead_from:.0%} or more what everybody gets.").format(dead_from=DEAD_FROM),
        )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            _("All lists (CSV)"),
            lambda: grid.lists_csv(page.dataset),
            "coldlens-lists.csv",
            "text/csv",
            on_click="ignore",
        )
        st.download_button(
            _("All items (CSV)"),
            lambda: grid.items_csv(page.dataset),
            "coldlens-items.csv",
            "text/csv",
            on_click="ignore",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(_("**Most shown**"))
        _draw_items(page, grid, grid.most_shown[:_MANY])
    with right:
        told = _("**Never shown**, the first {n}").format(n=_MANY) if never > _MANY else _("**Never shown**")
        st.markdown(told)
        _draw_items(page, grid, grid.never_shown[:_MANY])
    _draw_cells(grid)
    _draw_overlaps(grid)


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.0%}".replace("%", "\u00a0%")


def _draw_items(page: Page, grid: Grid, rows: np.ndarray) -> None:
    dataset = page.dataset
    table = pd.DataFrame(
        {
            ITEM_ID: dataset.items[ITEM_ID].to_numpy()[rows],
            "item": [dataset.labels[row] for row in rows],
            "lists": grid.shown[rows],
            "likes": dataset.popularity[rows],
        }
    )
    show_table(table, height=300, alt=_("Items and how many lists show them"))


def _draw_cells(grid: Grid) -> None:
    names = {
        "cell": "people", "n": "how many", "n_items": "different items", "overlap": "what everybody gets", "score": "best score",
        "is_dead": "dead zone",
    }  # fmt: skip
    st.markdown(_("**The space of people**"))
    config = {
        "what everybody gets": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
        "best score": st.column_config.NumberColumn(format="%.3f"),
    }
    table = (
        grid.cells[list(names)].rename(columns=names).sort_values("what everybody gets", ascending=False, kind="stable")
    )
    show_table(table, column_config=config, height=300, alt=_("Groups of people and what they are shown"))
    st.caption(
        _(
            "A dead zone is a group whose lists are on average {dead_from:.0%} or more the list that an empty "
            "profile gets: whatever they say of themselves changes next to nothing."
        )
        .format(dead_from=DEAD_FROM)
        .replace("%", "\u00a0%")
    )


def _draw_overlaps(grid: Grid) -> None:
    with st.expander(
        _("Who is shown the same"), icon=":material/grid_on:", key="grid_overlaps", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        names, values = grid.profile_overlap() if len(grid) <= min(40, MAX_PAIRED) else grid.cell_overlap(40)
        if len(names) < 2:
            st.caption(_("There is only one group."))
            return
        st.plotly_chart(
            compare_charts.matrix(values, list(names)), key="grid_matrix", alt=_("Mean overlap of every two groups")
        )
        st.caption(
            _("Mean share of the top {k} that two people share, one of each group; the largest groups.").format(
                k=grid.k
            )
        )
