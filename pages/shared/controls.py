"""The list's controls, in the sidebar of every page; their values live in the address."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from pages.shared.language import N_, _, fact_label, fact_name
from pages.shared.link import ITEM_ATTRIBUTE, LEFT_OUT, UNUSED, WEIGHT, year_range
from pages.shared.widgets import plain
from recsys.recommender import Recommender
from recsys.schema import AGE, GENDER, Dataset, ItemFilter
from recsys.scorer import Scorer
from recsys.settings import MAX_K, MAX_WEIGHT
from recsys.views.view import VIEW_WORDS

_WEIGHED = {
    "text": N_("How much it counts that the words of the person are like those of the item. 0 switches it off."),
    "image": N_(
        "How much it counts that interests fit the picture, and that it looks like those of liked items. 0 switches it off."
    ),
    "audio": N_(
        "How much it counts that interests fit the sound, and that it sounds like those of liked items. 0 switches it off."
    ),
    "graph": N_("How much it counts that an item shares facts with liked ones, rare facts more. 0 switches it off."),
}
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
    k = st.slider(_("Items in the list"), 1, MAX_K, 10, key="k", bind=_BIND)
    popularity = 1.0
    if has_prior:
        popularity = _draw_share(
            "popularity",
            _("Popularity"),
            1.0,
            _(
                "Weight of the prior, the part of a score that is the same for everybody: 1 is as learned, 0 is pure taste. "
                "Probabilities are calibrated, and shown, at 1 only."
            ),
        )
    diversity = _draw_share(
        "diversity",
        _("Diversity"),
        0.0,
        _(
            "0 ranks by score alone; more avoids items that read like those already in the list (maximal marginal relevance)."
        ),
    )
    return ListControls(k, _draw_filters(dataset), popularity, diversity)


def draw_unused(recommender: Recommender) -> tuple[str, ...]:
    """Draws which facts of the person no ranking uses, and returns their names."""
    dataset = recommender.dataset
    known = [AGE] if dataset.age_range else []
    known += [GENDER] if dataset.genders else []
    known += dataset.user_attributes
    forced = [
        name
        for name in known
        if name in recommender.always_ignored or f"attribute:{name}" in recommender.always_ignored
    ]
    offered = [name for name in known if name not in forced]
    if forced:
        told = plain(", ".join(map(fact_name, forced)))
        st.caption(_(":material/block: Never used for ranking here: {facts} (COLDLENS_UNUSED).").format(facts=told))
    if not offered:
        return ()
    chosen = st.pills(
        _("Not used for ranking"),
        offered,
        selection_mode="multi",
        format_func=fact_name,
        key=UNUSED,
        bind=_BIND,
        help=_(
            "What is switched off here adds nothing to any score: another age, or another gender, gives the same list. What "
            "else is known may still tell it: an occupation can stand in for an age. Quality was measured with all of it."
        ),
    )
    return tuple(chosen or ())


def draw_view_controls(scorer: Scorer) -> dict[str, float]:
    """Draws what each view of the items counts, where there are several, and returns their weights.

    A learned scorer has weighed its views itself, so they are only switched off; without likes the reader weighs them.
    """
    if len(scorer.views) < 2:
        return {}
    if scorer.name == "cosine":
        return {view: _draw_weight(view) for view in scorer.views}
    gone = st.pills(
        _("Views left out"),
        [VIEW_WORDS[view] for view in scorer.views],
        selection_mode="multi",
        format_func=_,
        key=LEFT_OUT,
        bind=_BIND,
        help=_(
            "Items are known by these views. What a view that is left out added is taken off every score; of items that "
            "people have liked, the learned part takes over what it stood for."
        ),
    )
    return {view: 0.0 for view in scorer.views if VIEW_WORDS[view] in (gone or [])}


def _draw_weight(view: str) -> float:
    return st.slider(
        _("Weight: {view}").format(view=_(VIEW_WORDS[view])),
        0.0,
        MAX_WEIGHT,
        1.0,
        0.05,
        key=f"{WEIGHT}{view}",
        bind=_BIND,
        help=_(_WEIGHED[view]),
    )


def _draw_share(key: str, label: str, value: float, explanation: str) -> float:
    return st.slider(label, 0.0, 1.0, value, 0.05, key=key, bind=_BIND, help=explanation)


def _draw_filters(dataset: Dataset) -> ItemFilter:
    categories: list[str] = []
    if dataset.categories:
        categories = st.multiselect(
            _("Only these categories"), dataset.categories, key="category", bind=_BIND, placeholder=_("All categories")
        )
    years, spread = None, year_range(dataset)
    if spread:
        years = st.slider(_("Years"), *spread, value=spread, key="years", bind=_BIND)
    attributes = {}
    for name, values in dataset.item_attributes.items():
        chosen = st.multiselect(
            plain(fact_label(name).capitalize()),
            values,
            key=f"{ITEM_ATTRIBUTE}{name}",
            bind=_BIND,
            placeholder=_("All"),
        )
        if chosen:
            attributes[name] = tuple(chosen)
    return ItemFilter(tuple(categories), None if years == spread else years, attributes)
