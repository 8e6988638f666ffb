"""What the pages say where items have vectors that came with the dataset, in the place of an encoder's."""

import streamlit as st

from pages.shared.language import N_, _
from pages.shared.retelling import retold
from pages.shared.widgets import plain
from recsys.encoder import brought, reads_text
from recsys.recommender import Recommender
from recsys.schema import Dataset

SPACE = N_("The vectors that came along (by angle)")
LIKED_ONLY = N_("Zero-shot: compares vectors with those of liked items, learns nothing.")
NOT_READ = N_(
    "Off: it is not known which encoder made the vectors of this dataset, so no words can be compared with them."
)


def reads_interests(dataset: Dataset) -> bool:
    """Whether interests can be compared with the items of a dataset."""
    return dataset.item_vectors is None or bool(dataset.info.vectors and dataset.info.vectors.encoder)


def draw_vectors(recommender: Recommender) -> None:
    """Says that the vectors of a dataset came with it, how they are compared, and whether words are."""
    came = brought(recommender.encoder)
    if came is None:
        return
    if reads_text(came):
        told = _("The items have vectors that came with the dataset; interests are read by the encoder named for them.")
    else:
        told = _(
            "The items have vectors that came with the dataset. It is not known which encoder made them, so interests are off; "
            "liked items, facts of the person and likes of others count."
        )
    st.caption(f":material/deployed_code: {told} {plain(retold(came.told).capitalize())}.")


def draw_liked_only() -> None:
    """Says what a list without words and without likes of others is made of."""
    st.info(
        _(
            "This list comes from zero-shot cosine on vectors that came with the dataset: similarity to the liked items. It can "
            "show what the vectors know, not what people like."
        ),
        icon=":material/balance:",
    )
