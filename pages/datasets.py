"""What data is this about?"""

import streamlit as st

from pages.shared.frame import open_page
from pages.shared.widgets import plain
from recsys.schema import AGE
from recsys.views.text import item_texts

with open_page("What data is this about?") as page:
    dataset, info = page.dataset, page.dataset.info
    st.subheader(plain(info.title))
    if info.simulated:
        st.warning("The users and interactions of this dataset are simulated.")
    with st.grid("auto", min_column_width=160):
        st.metric("Items", f"{len(dataset.items):,}", border=True)
        st.metric("Users", f"{len(dataset.users):,}", border=True)
        st.metric("Interactions", f"{len(dataset.interactions):,}", border=True)
        st.metric(
            "Likes", f"{len(dataset.likes):,}", border=True, help="Rating 4 or more, or any where there are none."
        )
    st.markdown(f"**Domain** {plain(info.domain)} · **Licence** {plain(info.licence)}")
    st.caption(plain(f"Source: {info.source or 'not stated'}"))
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Items by category**")
        if dataset.categories:
            counts = dataset.items["categories"].explode().value_counts()
            st.bar_chart(counts, horizontal=True, sort="-count", height=420, alt="Number of items by category")
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
