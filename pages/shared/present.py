"""The dataset that is open: its size, where it comes from, what is possible with it, how its items read."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared import resources
from pages.shared.possible import addresses, possible
from pages.shared.widgets import plain
from recsys.evaluation import groups_of, shown_counts
from recsys.export import neutralise
from recsys.recommender import Recommender
from recsys.schema import AGE, IMAGE, RATING, Dataset
from recsys.suppression import HIDDEN, WHY_HIDDEN
from recsys.views.text import item_texts
from recsys.views.view import VIEW_WORDS, ItemView

_FAULTS_SHOWN, _FAULTS_SAVED = 100, 10_000


def draw_present(recommender: Recommender) -> None:
    """Draws what is known of a dataset."""
    dataset, may_fetch = recommender.dataset, resources.settings().fetch_images
    info, relations = dataset.info, () if len(dataset.graph) else recommender.facts.relations
    st.subheader(plain(info.title))
    if info.simulated:
        st.warning("The users and interactions of this dataset are simulated.")
    with st.grid("auto", min_column_width=160):
        st.metric("Items", f"{len(dataset.items):,}", border=True)
        st.metric("Users", f"{len(dataset.users):,}", border=True)
        st.metric("Interactions", f"{len(dataset.interactions):,}", border=True)
        told = (
            f"Rating {info.liked_from:g} or more, or none." if RATING in dataset.interactions else "Every interaction."
        )
        st.metric("Likes", f"{len(dataset.likes):,}", border=True, help=told)
    st.markdown(f"**Domain** {plain(info.domain)} · **Licence** {plain(info.licence)}")
    st.caption(plain(f"Source: {info.source or 'not stated'}"))
    st.markdown("**What is possible with it**")
    marks = {True: ":green[:material/check_circle:]", False: ":material/do_not_disturb_on:"}
    st.markdown(
        "  \n".join(
            f"{marks[found.is_possible]} {plain(found.what)} · {plain(found.why)}"
            for found in possible(dataset, recommender.views, relations=relations, may_fetch=may_fetch)
        )
    )
    draw_faults(dataset, recommender.views, may_fetch=may_fetch)
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Items by category**")
        if dataset.categories:
            counts = dataset.items["categories"].explode().value_counts().head(40)
            st.bar_chart(counts, horizontal=True, sort="-count", height=420, alt="Number of items by category")
        else:
            st.caption("No categories are known.")
    with right, st.container(border=True):
        st.markdown("**Users by age**")
        if dataset.age_range:
            _draw_ages(dataset)
        else:
            st.caption("No ages are known.")
    st.markdown("**How an item reads**")
    st.code(info.item_template, language=None)
    texts = item_texts(dataset)[:5]
    st.dataframe({"the text that BERT encodes": texts}, hide_index=True, alt="Texts of the first items")


def _draw_ages(dataset: Dataset) -> None:
    """Draws how many users are in each band of age, without those that are too few to be shown."""
    counts = shown_counts(groups_of(dataset.users, AGE))
    shown = pd.Series({band: n for band, n in counts.items() if n is not None}, name="users", dtype=int)
    if len(shown):
        st.bar_chart(shown.rename_axis("age"), height=420, sort=False, alt="Number of users by age")
    hidden = [band for band, n in counts.items() if n is None]
    if hidden:
        st.caption(f":material/visibility_off: {plain(', '.join(hidden))}: {HIDDEN}. {plain(WHY_HIDDEN)}")


def draw_faults(dataset: Dataset, views: Mapping[str, ItemView], *, may_fetch: bool) -> None:
    """Draws which pictures and sounds could not be read, and why; of addresses that are not fetched, only how many."""
    for name, view in views.items():
        faults = dict(view.faults)
        if name == IMAGE and not may_fetch:
            unfetched = set(dataset.items["item_id"][addresses(dataset, IMAGE)]) & faults.keys()
            if unfetched:
                who = "1 item gives its" if len(unfetched) == 1 else f"{len(unfetched):,} items give their"
                told = f"{who} picture as a web address, and fetching is off."
                st.info(f"{told} COLDLENS_FETCH_IMAGES=1 switches it on.", icon=":material/cloud_off:")
            faults = {item_id: why for item_id, why in faults.items() if item_id not in unfetched}
        if faults:
            _draw_unread(dataset, faults, VIEW_WORDS[name])


def _draw_unread(dataset: Dataset, faults: Mapping[str, str], noun: str) -> None:
    kept = list(faults.items())[:_FAULTS_SAVED]
    titles = [dataset.labels[dataset.item_row(item_id)] for item_id, _ in kept]
    table = pd.DataFrame(
        {"item_id": [item_id for item_id, _ in kept], "title": titles, "why": [why for _, why in kept]}
    )
    nouns = f"{len(faults):,} {noun}{'' if len(faults) == 1 else 's'}"
    with st.expander(f"{nouns} could not be read"):
        st.caption("These items are known by their other views only. Correct the files and import again.")
        st.dataframe(table.head(_FAULTS_SHOWN), hide_index=True, alt=f"Why {nouns} could not be read")
        if len(faults) > _FAULTS_SHOWN:
            st.caption(f"The first {_FAULTS_SHOWN:,} of {len(faults):,} are shown.")
        st.download_button(
            f"{nouns.capitalize()} that could not be read (CSV)", table.map(neutralise).to_csv(index=False).encode(),
            file_name=f"unread-{noun}s.csv", mime="text/csv", icon=":material/download:", on_click="ignore",
            key=f"unread-{noun}",
        )  # fmt: skip
