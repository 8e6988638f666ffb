"""Against another item: why X above Y, and why not that one."""

from collections import Counter
from collections.abc import Collection, Sequence

import pandas as pd
import streamlit as st

from pages.shared import part_charts
from pages.shared.explaining import explain
from pages.shared.form import offered_items, put_profile
from pages.shared.frame import Page
from pages.shared.language import ENGLISH, _, language
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.errors import ColdlensError
from recsys.explanation import Contrast, contrast
from recsys.schema import ITEM_ID, Explanation, Profile, Recommendations
from recsys.whatif import PROTECTED, Counterfactual, Outcome, bring_in

_SHOWN = 3
"""Outcomes of each kind of edit."""


def draw_contrast(page: Page, explanation: Explanation, found: Recommendations) -> None:
    """Draws what tells the item apart from another one for the same person."""
    dataset = page.dataset
    listed = [dataset.labels[dataset.item_row(item_id)] for item_id in found.table[ITEM_ID]]
    options = [
        label
        for label in dict.fromkeys([*listed, *offered_items(dataset, st.session_state.get("other"))])
        if label != explanation.title
    ]
    if not options:
        st.info(_("The catalog has no other item."))
        return
    label = st.selectbox(_("Against"), options, key="other", persist_state="session")
    other = explain(page, str(dataset.items[ITEM_ID].iloc[dataset.labelled_rows[label or options[0]]]))
    _draw_difference(contrast(explanation, other).checked())


def _draw_difference(found: Contrast) -> None:
    first, second = found.first, found.second
    above, below = (first, second) if found.gap >= 0 else (second, first)
    st.markdown(
        _("**{title}** (rank {rank:,}) stands above **{title2}** (rank {rank2:,}) by {gap:.4f}.").format(
            title=plain(above.title), rank=above.rank, title2=plain(below.title), rank2=below.rank, gap=abs(found.gap)
        )
    )
    _draw_bars(found, key="contrast_parts")
    words = [word for word in found.words if word.kind == "word"]
    if words:
        st.markdown(_("**The person's words**"))
        table = [
            {"word": word.label, "difference": word.value, first.title: word.first, second.title: word.second}
            for word in words
        ]
        config = {name: st.column_config.NumberColumn(format="%+.4f", width="small") for name in list(table[0])[1:]}
        show_table(pd.DataFrame(table), column_config=config, alt=_("Difference by word of the profile"))


def _draw_bars(found: Contrast, *, key: str) -> None:
    figure = part_charts.differences(found.parts, is_dark=st.context.theme.type == "dark")
    told = ", ".join(f"{retold(part.label)} {part.value:+.3f}" for part in found.parts)
    st.plotly_chart(
        figure, config={"displayModeBar": False}, key=key, alt=_("Difference by part: {told}").format(told=told)
    )
    st.caption(
        _(
            "To the right: speaks for {first}. To the left: speaks for {second}. The bars add up to {gap}, error {error}."
        ).format(
            first=plain(found.first.title),
            second=plain(found.second.title),
            gap=plain(f"{found.gap:+.4f}"),
            error=plain(f"{found.completeness_error:.0e}"),
        )
    )


def draw_why_not(page: Page, found: Recommendations) -> None:
    """Draws where any item of the catalog stands, what it lost by, and the smallest edits that would bring it in."""
    dataset = page.dataset
    left_out = {dataset.labels[dataset.item_row(item_id)] for item_id in (*found.table[ITEM_ID], *page.profile.liked)}
    left_out.discard(
        st.session_state.get("wanted")
    )  # an edit that was tried has brought it in; the reader wants to see that
    options = [label for label in offered_items(dataset, st.session_state.get("wanted")) if label not in left_out]
    if not options:
        st.info(_("Every item of the catalog is in the list already."))
        return
    if st.session_state.get("wanted") not in options:
        st.session_state["wanted"] = options[0]
    label = st.selectbox(_("Why is this one not in the list?"), options, key="wanted", persist_state="session")
    unlocked = st.checkbox(
        _("Also try other ages and genders"), key="unlock", persist_state="session",
        help=_("Left out unless asked for: people cannot change them. What they do to lists is a question of fairness."),
    )  # fmt: skip
    draw_answer(page, label, k=page.k, locked=() if unlocked else PROTECTED)


def draw_answer(page: Page, label: str, *, k: int, locked: Collection[str], prefix: str = "") -> None:
    """Draws where an item stands, what it lost by, and the smallest edits that bring it into the top k.

    Args:
        label: of the item.
        locked: facets that stay as they are, see ``single_edits``.
        prefix: of the form that an edited profile goes to.
    """
    item_id = str(page.dataset.items[ITEM_ID].iloc[page.dataset.labelled_rows[label]])
    try:
        answer = bring_in(
            page.recommender,
            page.profile,
            item_id,
            k=k,
            keep=page.keep,
            popularity=page.controls.popularity,
            locked=locked,
        )
    except ColdlensError as error:
        st.info(
            f"{plain(retold(error.what))}: {plain(str(error.value))}. {plain(retold(error.fix))}",
            icon=":material/filter_alt:",
        )
        return
    _draw_place(page, answer, label)
    if not answer.is_in:
        _draw_edits(page, answer, prefix)


def _draw_place(page: Page, answer: Counterfactual, label: str) -> None:
    with st.container(horizontal=True, gap="large"):
        st.metric(_("Rank"), f"{answer.rank:,}", border=False)
        st.metric(_("Score"), f"{answer.score:.4f}")
        if answer.kth_row is not None:
            st.metric(_("Missing to rank {k}").format(k=answer.k), f"{max(0.0, answer.gap):.4f}")
    if answer.is_in:
        st.success(_("By its score it is in the top {k} already.").format(k=answer.k), icon=":material/check:")
    if answer.kth_row is None or answer.is_in:
        return
    ids = page.dataset.items[ITEM_ID]
    last = explain(page, str(ids.iloc[answer.kth_row]))
    wanted = explain(page, str(ids.iloc[answer.item_row]))
    st.markdown(
        _("**What it lost by**, against {title}, the item at rank {k}:").format(title=plain(last.title), k=answer.k)
    )
    _draw_bars(contrast(wanted, last).checked(), key="why_not_parts")


def _draw_edits(page: Page, answer: Counterfactual, prefix: str) -> None:
    st.markdown(_("**What would bring it into the top {k}**").format(k=answer.k))
    tried = ", ".join(f"{n:,} × {retold(kind)}" for kind, n in answer.tried.items()) or _("none")
    if not answer.outcomes:
        st.info(
            _("Not reachable: no single edit brings it in, and none of the {n_pairs} most promising pairs.").format(
                n_pairs=answer.n_pairs
            ),
            icon=":material/block:",
        )
    for number, outcome in enumerate(_varied(answer.outcomes)):
        with st.container(horizontal=True, vertical_alignment="center"):
            told = _("{edit}: **rank {rank}**, score {score:.4f}")
            told = told.format(edit=plain(edits_in_words(outcome)), rank=outcome.rank, score=outcome.score)
            st.markdown(told, width="stretch")
            name = _("Make it B") if prefix else _("Try it")
            st.button(name, key=f"edit-{number}", on_click=_use, args=(page, outcome, prefix), icon=":material/edit:")
    if len(answer.outcomes) > len(_varied(answer.outcomes)):
        with st.expander(_("All {n_outcomes:,}").format(n_outcomes=len(answer.outcomes))):
            rows = [{"edit": edits_in_words(o), "rank": o.rank, "score": o.score} for o in answer.outcomes]
            show_table(pd.DataFrame(rows), alt=_("Every edit that brings the item in"))
    told = _(
        "Every single edit was tried and ranked again ({tried}). Interests to add are the categories, the words of this item and "
        "the catalog's frequent terms."
    )
    if answer.n_pairs:
        told = _(
            "Every single edit was tried and ranked again ({tried}). No single edit does it. The {n} most promising pairs were "
            "tried as well. Interests to add are the categories, the words of this item and the catalog's frequent terms."
        )
    st.caption(told.format(tried=plain(tried), n=answer.n_pairs))


def edits_in_words(outcome: Outcome) -> str:
    """The edits in words, each retold by itself: where one ends cannot be seen in the whole, as a title may be in it."""
    told = [retold(edit.label) for edit in outcome.edits]
    return outcome.label if language() == ENGLISH else retold(", and ").join(told)


def _varied(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The best outcomes of each kind of edit, so that a hundred items to like do not hide the one attribute."""
    seen: Counter[tuple[str, ...]] = Counter()
    shown = []
    for outcome in outcomes:
        kinds = tuple(edit.kind for edit in outcome.edits)
        seen[kinds] += 1
        if seen[kinds] <= _SHOWN:
            shown.append(outcome)
    return shown


def _use(page: Page, outcome: Outcome, prefix: str) -> None:
    profile: Profile = outcome.profile
    put_profile(st.session_state, profile, page.dataset, prefix)
