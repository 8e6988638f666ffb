"""The fairness view: the same invented people, of another gender or age, and what that alone changes."""

import pandas as pd
import streamlit as st

from pages.shared import compare_charts, resources
from pages.shared.frame import Page
from pages.shared.language import _, fact_label
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.evaluation import HEADLINE, OURS, slices
from recsys.intervals import Interval
from recsys.schema import AGE, GENDER
from recsys.whatif import FlipReport, GroupMean, age_bands, flip, plain_words

_CATEGORIES = 12


@st.cache_resource(show_spinner=False, max_entries=16)
def _report(_page: Page, facet: str, key: str) -> FlipReport:
    return flip(_page.recommender, _page.profile, facet, _page.lists)


def draw_groups(page: Page) -> None:
    """Draws what changes when one facet alone is another, over a grid of invented people."""
    dataset = page.dataset
    options = {GENDER: _("Gender")} if len(dataset.genders) > 1 else {}
    options |= {AGE: _("Age")} if dataset.age_range and len(age_bands(*dataset.age_range)) > 1 else {}
    options |= {
        f"attribute:{name}": fact_label(name).capitalize()
        for name, values in dataset.user_attributes.items()
        if len(values) > 1
    }
    if not options:
        st.info(_("The dataset knows neither genders nor ages nor other attributes of people."))
        return
    if st.session_state.get("flip") not in options:
        st.session_state["flip"] = next(iter(options))
    facet = st.segmented_control(
        _("Change only the"), list(options), key="flip", format_func=lambda name: plain(options[name]), required=True,
        persist_state="session",
    )  # fmt: skip
    made_with = f"{dataset.fingerprint} {page.recommender.answers_key}"
    key = f"{made_with} {page.lists} {page.profile.to_dict()}"
    if page.controls.diversity:
        st.caption(_("Lists here are ranked by score alone; diversity is left out."))
    with st.spinner(_("Ranking everything for each of these people")):
        report = _report(page, facet or next(iter(options)), key)
    st.markdown("\n".join(f"- {plain(retold(text))}" for text in plain_words(report)))
    if (report.top < 0).all():
        return
    _draw_pairs(report)
    _draw_exposure(report)
    _draw_means(report)
    _draw_only_for(report)
    _draw_quality(page, report)


def _draw_pairs(report: FlipReport) -> None:
    st.markdown(_("**How alike the lists are**, over {n_bases:,} invented people").format(n_bases=report.n_bases))
    rows = [
        {
            "groups": _("{first} and {second}").format(first=retold(pair.first), second=retold(pair.second)),
            _("items of {n} that change").format(n=report.k): _span(pair.moved, 1),
            "share that both see": _span(pair.overlap, 2),
            "top first (rank-biased)": _span(pair.rank_biased, 2),
        }
        for pair in report.overlap
    ]
    show_table(pd.DataFrame(rows), alt=_("Overlap of the lists of every two groups"))


def _span(found: Interval, digits: int) -> str:
    return f"{found.mean:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _draw_exposure(report: FlipReport) -> None:
    if not len(report.exposure):
        return
    st.markdown(_("**Who gets the attention**: share of exposure by category"))
    shown = list(dict.fromkeys(report.exposure["category"]))[:_CATEGORIES]
    table = report.exposure[report.exposure["category"].isin(shown)]
    said = ", ".join(
        _("{category} for {group} {share:.0%}").format(category=row["category"], group=row["group"], share=row["mean"])
        for row in table.head(12).to_dict("records")
    )
    st.plotly_chart(
        compare_charts.exposure(table, report.groups),
        config={"displayModeBar": False},
        key="exposure",
        alt=_("Exposure: {said}").format(said=said),
    )
    st.caption(
        _(
            "Each rank counts 1 / log2(1 + rank) of a reader's attention; an item of several categories counts for "
            "each. Lines are 95 % bootstrap intervals over the invented people. Categories with the largest "
            "difference come first."
        )
    )


def _draw_means(report: FlipReport) -> None:
    rows = []
    for name, found in ((_("likes of the listed items"), report.likes), (_("price of the listed items"), report.price)):
        rows += [
            {
                "mean": name,
                "group": retold(part.group),
                "value": _span(part.mean, 1),
                _("difference to {group}").format(group=retold(report.groups[0])): _change(part),
            }
            for part in found
        ]
    if rows:
        st.markdown(_("**Popularity and price**"))
        show_table(pd.DataFrame(rows), alt=_("Mean likes and prices of each group's lists"))


def _change(part: GroupMean) -> str:
    return (
        "–"
        if part.difference is None
        else f"{part.difference.mean:+.1f} [{part.difference.low:+.1f}, {part.difference.high:+.1f}]"
    )


def _draw_only_for(report: FlipReport) -> None:
    if not len(report.only_for):
        return
    with st.expander(
        _("Items that one group alone is shown: {n_only_for:,}").format(n_only_for=len(report.only_for)),
        icon=":material/visibility_off:",
    ):
        config = {"share": st.column_config.NumberColumn(_("people of the group who see it"), format="percent")}
        show_table(report.only_for, column_config=config, alt=_("Items for one group only"))


def _draw_quality(page: Page, report: FlipReport) -> None:
    """Held-out quality beside it: lists may differ and serve both groups well, or agree and serve one of them badly."""
    st.markdown(_("**How good lists are for real people of each group**, held out from training"))
    if report.facet not in (GENDER, AGE):
        st.caption(_("The evaluation is sliced by gender and by age only."))
        return
    kept = [found for found in resources.evaluations(page.recommender) if found.plan.protocol == "cold-user"]
    if not kept:
        st.caption(_("Not measured yet: run an evaluation on the Evaluate page."))
        return
    level = kept[0].levels[0]
    found = slices(kept[0], page.dataset, report.facet, method=OURS, level=level, measure=HEADLINE)
    rows = [
        {
            "group": retold(one.group),
            "people": one.value.n,
            _("{measure} at {level}").format(measure=HEADLINE, level=level): _span(one.value, 3),
        }
        for one in found
    ]
    show_table(pd.DataFrame(rows), alt=_("{headline} by group").format(headline=HEADLINE))
    if page.recommender.scorer.name != OURS:
        st.caption(_("Measured with the scorer {ours}, not with the one in use.").format(ours=OURS))
