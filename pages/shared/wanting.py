"""What would bring an item in: the smallest edits of A, with every facet that may not change locked."""

import streamlit as st

from pages.shared.form import offered_items
from pages.shared.frame import Page
from pages.shared.language import _, fact_label
from pages.shared.link import SECOND
from pages.shared.other_item import draw_answer
from pages.shared.widgets import plain
from recsys.schema import ITEM_ID, Dataset, Recommendations
from recsys.settings import MAX_K
from recsys.whatif import PROTECTED

_KEY = "locked"


def draw_wanted(page: Page, listed: Recommendations) -> None:
    """Draws the choice of item, length of list and locks, and the answer."""
    dataset = page.dataset
    liked = {dataset.labels[dataset.item_row(item_id)] for item_id in page.profile.liked}
    listed_last = [dataset.labels[dataset.item_row(item_id)] for item_id in listed.table[ITEM_ID]]
    wanted = st.session_state.get("wanted")
    others = [label for label in offered_items(dataset, wanted) if label not in liked and label not in listed_last]
    options = [*others, *listed_last]
    if not options:
        st.info(_("Every item of the catalog is liked already."))
        return
    if st.session_state.get("wanted") not in options:
        st.session_state["wanted"] = options[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(_("What would bring in"), options, key="wanted", persist_state="session")
        k = int(st.number_input(_("into the top"), 1, MAX_K, page.k, key=f"wanted_k-{page.k}", width=130))
    names = _facets(page, dataset)
    if not isinstance(st.session_state.get(_KEY), list):
        st.session_state[_KEY] = list(PROTECTED)
    st.session_state[_KEY] = [key for key in st.session_state[_KEY] if key in names]
    locked = st.pills(
        _("Locked, so never changed"), list(names), selection_mode="multi", key=_KEY, format_func=lambda key: plain(names[key]),
        persist_state="session",
        help=_("Age and gender are locked unless you open them: nobody can change them. What they do is on the tab Fairness."),
    )  # fmt: skip
    draw_answer(page, label, k=k, locked=tuple(locked or ()), prefix=SECOND)


def _facets(page: Page, dataset: Dataset) -> dict[str, str]:
    """Everything that can be locked, and its name."""
    found = {"age": _("Age")} if dataset.age_range else {}
    found |= {"gender": _("Gender")} if dataset.genders else {}
    found |= {f"attribute:{name}": fact_label(name).capitalize() for name in dataset.user_attributes}
    found |= {"interests": _("All interests"), "liked": _("All liked items")}
    found |= {f"interest:{text}": f"“{text}”" for text in page.profile.interests}
    found |= {
        f"liked:{item_id}": _("Liked {labels}").format(labels=dataset.labels[dataset.item_row(item_id)])
        for item_id in page.profile.liked
    }
    return found
