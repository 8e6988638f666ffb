"""The tab "Fairness": what a kept evaluation says by gender and age, and what another gender or age would change."""

import json
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.shared import fair_charts
from pages.shared.frame import Page
from pages.shared.language import _, fact_name, yes_or_no
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.evaluation import HEADLINE, OURS, Evaluation, FairnessReport, fair_words, report_fairness
from recsys.evaluation.comparisons import Gap
from recsys.evaluation.fairness import ALPHA, LIKES, QUALITY, Exposure
from recsys.evaluation.swaps import FLAGGED_BELOW, LENGTH
from recsys.intervals import Interval
from recsys.schema import AGE, GENDER
from recsys.suppression import HIDDEN, WHY_HIDDEN

_FIRST = "demographics+interests"


@st.cache_resource(show_spinner=False, max_entries=16)
def _report(_page: Page, _evaluation: Evaluation, level: str, key: str) -> FairnessReport:
    return report_fairness(_evaluation, _page.dataset, level=level, recommender=_page.recommender)


def draw_fairness(page: Page, evaluation: Evaluation) -> None:
    """Draws quality, exposure and list change by group, and what of it is more than chance."""
    if evaluation.plan.protocol != "cold-user":
        st.info(_("Fairness is read from evaluations of the protocol cold-user."))
        return
    if not any(name in page.dataset.users for name in (GENDER, AGE)):
        st.info(_("The dataset knows neither genders nor ages of people."))
        return
    levels = list(evaluation.levels)
    first = levels.index(_FIRST) if _FIRST in levels else 0
    level = st.selectbox(_("Level"), levels, index=first, key="fair_level")
    made_with = f"{page.dataset.fingerprint} {page.recommender.answers_key}"
    with st.spinner(_("Comparing every group with everyone else")):
        report = _report(page, evaluation, level, f"{made_with} {evaluation.plan} {evaluation.about['made']}")
    st.markdown("\n".join(f"- {plain(retold(words))}" for words in fair_words(report)))
    st.caption(
        _(
            "{n_users:,} people who were held out from training. Everything is compared with everything at once: "
            "where there is no difference at all, the chance that this page names one is {alpha:.0%}, and below 5 "
            "% where groups spread unequally. What is not named is not proven to be equal."
        )
        .format(n_users=report.n_users, alpha=ALPHA)
        .replace(" %", "\u00a0%")
    )
    split = st.segmented_control(
        _("By"),
        list(report.sizes),
        default=next(iter(report.sizes)),
        key="fair_by",
        required=True,
        format_func=fact_name,
    )
    chosen = split or next(iter(report.sizes))
    if any(n is None for n in report.sizes[chosen].values()):
        st.caption(f":material/visibility_off: {plain(retold(WHY_HIDDEN))}")
    _draw_quality(report, chosen)
    _draw_exposure(report, chosen)
    _draw_swaps(page, report, chosen)
    _draw_repeat(report)


def _draw_quality(report: FairnessReport, split: str) -> None:
    st.markdown(_("**How good lists are**"))
    measures = [name for name in QUALITY if any(part.gap.measure == name for part in report.quality)]
    measure = (
        st.segmented_control(_("Measure"), measures, default=HEADLINE, key="fair_measure", required=True) or HEADLINE
    )
    found = {part.gap.group: part.gap for part in report.quality if part.split == split and part.gap.measure == measure}
    if found:
        told = ", ".join(f"{group} {gap.difference:+.3f}" for group, gap in found.items())
        st.plotly_chart(
            fair_charts.gaps(list(found.values()), list(found)),
            config={"displayModeBar": False},
            key="fair_gaps",
            alt=_("{measure} of each group less that of everyone else: {told}").format(measure=measure, told=told),
        )
    rows = [
        {"group": retold(group), "people": retold(HIDDEN) if n is None else f"{n:,}"}
        | _told(found.get(group), report.later[split], measure)
        for group, n in report.sizes[split].items()
    ]
    show_table(
        pd.DataFrame(rows).fillna(""),
        height="content",
        alt=_("{measure} by group").format(measure=measure),
    )
    st.caption(
        _(
            "Means stand with 95 % bootstrap intervals over people, differences with intervals that hold for all of "
            "them at once. A true difference as large as in the last column would be found in four of five such "
            "samples. Who goes on to like more is easier to serve: a list of ten then hits more often."
        ).replace(" %", "\u00a0%")
    )


def _told(gap: Gap | None, later: dict[str, float], measure: str) -> dict[str, str]:
    if gap is None:
        return {}
    return {
        measure: _span(gap.mean, 3),
        "everyone else": f"{gap.rest:.3f}",
        "difference": f"{gap.difference:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]",
        "told apart": yes_or_no(gap.is_found),
        "later likes of each": f"{later[gap.group]:.0f}",
        "would be seen from": f"{gap.seen_from:.3f}",
    }


def _span(found: Interval, digits: int) -> str:
    return f"{found.mean:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _draw_exposure(report: FairnessReport, split: str) -> None:
    st.markdown(_("**What lists show**"))
    groups = list(dict.fromkeys(part.shown.group for part in report.exposure if part.split == split))
    if not groups:
        st.caption(_("Every group is hidden."))
        return
    if st.session_state.get("fair_group") not in groups:
        st.session_state["fair_group"] = groups[0]
    group = st.selectbox(_("Group"), groups, key="fair_group", format_func=retold)
    own = [part for part in report.exposure if part.split == split and part.shown.group == group]
    categories = [part for part in own if part.shown.measure != LIKES]
    if categories:
        said = ", ".join(f"{part.shown.measure} {part.shown.mean.mean:.0%}" for part in categories)
        st.plotly_chart(
            fair_charts.shares(categories),
            config={"displayModeBar": False},
            key="fair_shares",
            alt=_("Share of the attention that lists give each category: {said}").format(said=said),
        )
    with st.expander(_("The numbers for {group}").format(group=plain(group)), icon=":material/table:"):
        show_table(pd.DataFrame(_rows(own)), alt=_("What lists show {group}").format(group=group))
    st.caption(
        _(
            "Shares of the attention of somebody who reads a list from the top. A star marks what tastes do not explain: "
            "what is shown less what is liked later, beside that of everyone else. How popular listed items are is "
            "in the numbers."
        )
    )


def _rows(parts: Sequence[Exposure]) -> list[dict[str, str]]:
    rows = []
    for part in parts:
        is_share = part.shown.measure != LIKES
        rows.append(
            {
                "what": retold(part.shown.measure),
                "shown to them": _amount(part.shown.mean.mean, is_share),
                "shown to everyone else": _amount(part.shown.rest, is_share),
                "shown differently": yes_or_no(part.shown.is_found),
                "liked later by them": _amount(part.liked, is_share),
                "beyond taste": _change(part.gap, is_share),
                "told apart": yes_or_no(part.gap.is_found),
            }
        )
    return rows


def _amount(value: float, is_share: bool) -> str:
    return f"{value:.0%}" if is_share else f"{value:.0f}"


def _change(gap: Gap, is_share: bool) -> str:
    low, middle, high = (100 * value if is_share else value for value in (gap.low, gap.difference, gap.high))
    told = f"{middle:+.0f} [{low:+.0f}, {high:+.0f}]"
    return _("{difference} points").format(difference=told) if is_share else told


def _draw_swaps(page: Page, report: FairnessReport, split: str) -> None:
    own = [swap for swap in report.swaps if swap.facet == split]
    if not own:
        return
    st.markdown(_("**The same people with another {fact}**").format(fact=fact_name(split)))
    rows = [
        {
            "group": retold(swap.group),
            "people": f"{swap.jaccard.n:,}",
            _("same items of {n} (Jaccard)").format(n=LENGTH): _span(swap.jaccard, 2),
            "same of the first 10": _span(swap.overlap, 2),
            "top first (rank-biased)": _span(swap.rank_biased, 2),
            "category that changes most": "" if swap.category is None else swap.category,
            "its exposure ratio": "" if swap.ratio is None else _span(swap.ratio, 2),
            "flag": _("look here") if swap.is_flagged else "",
        }
        for swap in own
    ]
    show_table(
        pd.DataFrame(rows),
        alt=_("What another {fact} changes in the lists of each group").format(fact=fact_name(split)),
    )
    name = page.recommender.scorer.name
    st.caption(
        (
            _(
                "Each person is asked about once more with a gender drawn by lot, everything else equal. Flagged is what falls "
                "below {below}: a flag, not proof, as tastes may differ. Ranked by the scorer {name} that is in use, which has "
                "learned from these people; quality and exposure above are those of {ours} before it had."
            )
            if split == GENDER
            else _(
                "Each person is asked about once more with an age of another group drawn by lot, everything else equal. Flagged "
                "is what falls below {below}: a flag, not proof, as tastes may differ. Ranked by the scorer {name} that is in "
                "use, which has learned from these people; quality and exposure above are those of {ours} before it had."
            )
        ).format(below=FLAGGED_BELOW, name=name, ours=OURS)
    )


def _draw_repeat(report: FairnessReport) -> None:
    st.code(report.command, language="sh", wrap_lines=True)
    text = json.dumps(report.to_dict(), indent=1, allow_nan=False)
    st.download_button(
        _("Fairness as JSON"), text, "fairness.json", "application/json", on_click="ignore", key="fair_json"
    )
