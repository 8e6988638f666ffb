"""The dataset that is open: its size, where it comes from, what is possible with it, how its items read."""

import streamlit as st

from pages.shared.possible import possible
from pages.shared.widgets import plain
from recsys.schema import AGE, RATING, Dataset
from recsys.views.text import item_texts


def draw_present(dataset: Dataset) -> None:
    """Draws what is known of a dataset."""
    info = dataset.info
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
            f"{marks[found.is_possible]} {plain(found.what)} · {plain(found.why)}" for found in possible(dataset)
        )
    )
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
            ages = dataset.users[AGE].dropna().astype(int).value_counts().sort_index()
            st.bar_chart(ages, height=420, alt="Number of users by age")
        else:
            st.caption("No ages are known.")
    st.markdown("**How an item reads**")
    st.code(info.item_template, language=None)
    texts = item_texts(dataset)[:5]
    st.dataframe({"the text that BERT encodes": texts}, hide_index=True, alt="Texts of the first items")
