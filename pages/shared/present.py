"""The dataset that is open: its size, where it comes from, what is possible with it, how its items read."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared import resources
from pages.shared.language import _, heading, ngettext
from pages.shared.possible import addresses, possible
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.evaluation import groups_of, shown_counts
from recsys.export import neutralise
from recsys.recommender import Recommender
from recsys.schema import AGE, AUDIO, IMAGE, RATING, Dataset
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
        st.warning(_("The users and interactions of this dataset are simulated."))
    with st.grid("auto", min_column_width=160):
        st.metric(_("Items"), f"{len(dataset.items):,}", border=True)
        st.metric(_("Users"), f"{len(dataset.users):,}", border=True)
        st.metric(_("Interactions"), f"{len(dataset.interactions):,}", border=True)
        told = _("Every interaction.")
        if RATING in dataset.interactions:
            told = _("Rating {rating:g} or more, or none.").format(rating=info.liked_from)
        st.metric(_("Likes"), f"{len(dataset.likes):,}", border=True, help=told)
    told = _("**Domain** {domain} · **Licence** {licence}")
    st.markdown(told.format(domain=plain(_(info.domain)), licence=plain(_(info.licence))))
    st.caption(plain(_("Source: {source}").format(source=info.source or _("not stated"))))
    st.markdown(_("**What is possible with it**"))
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
        st.markdown(_("**Items by category**"))
        if dataset.categories:
            counts = dataset.items["categories"].explode().value_counts().head(40)
            st.bar_chart(counts, horizontal=True, sort="-count", height=420, alt=_("Number of items by category"))
        else:
            st.caption(_("No categories are known."))
    with right, st.container(border=True):
        st.markdown(_("**Users by age**"))
        if dataset.age_range:
            _draw_ages(dataset)
        else:
            st.caption(_("No ages are known."))
    st.markdown(_("**How an item reads**"))
    st.code(info.item_template, language=None)
    texts = item_texts(dataset)[:5]
    show_table({"the text that BERT encodes": texts}, alt=_("Texts of the first items"))


def _draw_ages(dataset: Dataset) -> None:
    """Draws how many users are in each band of age, without those that are too few to be shown."""
    counts = shown_counts(groups_of(dataset.users, AGE))
    shown = pd.Series(
        {retold(band): n for band, n in counts.items() if n is not None}, name=heading("users"), dtype=int
    )
    if len(shown):
        st.bar_chart(shown.rename_axis(heading("age")), height=420, sort=False, alt=_("Number of users by age"))
    hidden = [band for band, n in counts.items() if n is None]
    if hidden:
        st.caption(
            ":material/visibility_off: "
            + _("{what}: {why}.").format(what=plain(", ".join(map(retold, hidden))), why=plain(retold(HIDDEN)))
            + f" {plain(retold(WHY_HIDDEN))}"
        )


def draw_faults(dataset: Dataset, views: Mapping[str, ItemView], *, may_fetch: bool) -> None:
    """Draws which pictures and sounds could not be read, and why; of addresses that are not fetched, only how many."""
    for name, view in views.items():
        faults = dict(view.faults)
        if name == IMAGE and not may_fetch:
            unfetched = set(dataset.items["item_id"][addresses(dataset, IMAGE)]) & faults.keys()
            if unfetched:
                told = ngettext(
                    "{n} item gives its picture as a web address, and fetching is off.",
                    "{n:,} items give their picture as a web address, and fetching is off.",
                    len(unfetched),
                ).format(n=len(unfetched))
                st.info(f"{told} {_('COLDLENS_FETCH_IMAGES=1 switches it on.')}", icon=":material/cloud_off:")
            faults = {item_id: why for item_id, why in faults.items() if item_id not in unfetched}
        if faults:
            _draw_unread(dataset, faults, name)


def _draw_unread(dataset: Dataset, faults: Mapping[str, str], view: str) -> None:
    kept = list(faults.items())[:_FAULTS_SAVED]
    titles = [dataset.labels[dataset.item_row(item_id)] for item_id in dict(kept)]
    table = pd.DataFrame(
        {
            "item_id": list(dict(kept)),
            "title": titles,
            "why": [retold(why) for why in dict(kept).values()],
        }
    )
    noun, n = VIEW_WORDS[view], len(faults)
    told = {
        IMAGE: ngettext("{n:,} picture could not be read", "{n:,} pictures could not be read", n),
        AUDIO: ngettext("{n:,} sound could not be read", "{n:,} sounds could not be read", n),
    }[view].format(n=n)
    with st.expander(told):
        st.caption(_("These items are known by their other views only. Correct the files and import again."))
        show_table(table.head(_FAULTS_SHOWN), alt=told)
        if len(faults) > _FAULTS_SHOWN:
            st.caption(
                _("The first {faults_shown:,} of {n_faults:,} are shown.").format(
                    faults_shown=_FAULTS_SHOWN, n_faults=len(faults)
                )
            )
        st.download_button(
            _("{told} (CSV)").format(told=told), table.map(neutralise).to_csv(index=False).encode(),
            file_name=f"unread-{noun}s.csv", mime="text/csv", icon=":material/download:", on_click="ignore",
            key=f"unread-{noun}",
        )  # fmt: skip
