"""The list's controls, in the sidebar of every page; their values live in the address."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from pages.shared.link import ITEM_ATTRIBUTE, year_range
from recsys.schema import Dataset, ItemFilter
from recsys.settings import MAX_K

_BIND: Literal["query-params"] = "query-params"


@dataclass(frozen=True)
class ListControls:
    """How the list is made.

    Attributes:
        k: its length.
        keep: what may be in it.
        popularity: weight of the prior, 0 (pure taste) to 1 (as learned).
        diversity: 0 (by score alone) to 1 (by difference from what is already in the list).
    """

    k: int
    keep: ItemFilter
    popularity: float
    diversity: float

    @property
    def is_filtered(self) -> bool:
        """Whether some items are kept out."""
        return self.keep != ItemFilter()


def draw_list_controls(dataset: Dataset, *, has_prior: bool) -> ListControls:
    """Draws the controls and returns what they say; only a scorer that has a prior can weigh it."""
    k = st.slider("Items in the list", 1, MAX_K, 10, key="k", bind=_BIND)
    popularity = 1.0
    if has_prior:
        popularity = _draw_share(
            "Popularity",
            1.0,
            "Weight of the prior, the part of a score that is the same for everybody: 1 is as learned, 0 is pure taste. "
            "Probabilities are calibrated, and shown, at 1 only.",
        )
    diversity = _draw_share(
        "Diversity",
        0.0,
        "0 ranks by score alone; more avoids items that read like those already in the list (maximal marginal relevance).",
    )
    return ListControls(k, _draw_filters(dataset), popularity, diversity)


def _draw_share(label: str, value: float, explanation: str) -> float:
    return st.slider(label, 0.0, 1.0, value, 0.05, key=label.lower(), bind=_BIND, help=explanation)


def _draw_filters(dataset: Dataset) -> ItemFilter:
    categories: list[str] = []
    if dataset.categories:
        categories = st.multiselect(
            "Only these categories", dataset.categories, key="category", bind=_BIND, placeholder="All categories"
        )
    years, spread = None, year_range(dataset)
    if spread:
        years = st.slider("Years", *spread, value=spread, key="years", bind=_BIND)
    attributes = {}
    for name, values in dataset.item_attributes.items():
        chosen = st.multiselect(name.capitalize(), values, key=f"{ITEM_ATTRIBUTE}{name}", bind=_BIND, placeholder="All")
        if chosen:
            attributes[name] = tuple(chosen)
    return ItemFilter(tuple(categories), None if years == spread else years, attributes)
