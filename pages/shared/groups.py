"""The fairness view: the same invented people, of another gender or age, and what that alone changes."""

import pandas as pd
import streamlit as st

from pages.shared import compare_charts, resources
from pages.shared.frame import Page
from pages.shared.widgets import plain
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
    options = {GENDER: "Gender"} if len(dataset.genders) > 1 else {}
    options |= {AGE: "Age"} if dataset.age_range and len(age_bands(*dataset.age_range)) > 1 else {}
    options |= {
        f"attribute:{name}": name.capitalize() for name, values in dataset.user_attributes.items() if len(values) > 1
    }
    if not options:
        st.info("The dataset knows neither genders nor ages nor other attributes of people.")
        return
    if st.session_state.get("flip") not in options:
        st.session_state["flip"] = next(iter(options))
    facet = st.segmented_control(
        "Change only the", list(options), key="flip", format_func=lambda name: plain(options[name]), required=True,
        persist_state="session",
    )  # fmt: skip
    made_with = f"{dataset.fingerprint} {page.recommender.answers_key}"
    key = f"{made_with} {page.lists} {page.profile.to_dict()}"
    if page.controls.diversity:
        st.caption("Lists here are ranked by score alone; diversity is left out.")
    with st.spinner("Ranking everything for each of these people"):
        report = _report(page, facet or next(iter(options)), key)
    st.markdown("\n".join(f"- {plain(text)}" for text in plain_words(report)))
    if (report.top < 0).all():
        return
    _draw_pairs(report)
    _draw_exposure(report)
    _draw_means(report)
    _draw_only_for(report)
    _draw_quality(page, report)


def _draw_pairs(report: FlipReport) -> None:
    st.markdown(f"**How alike the lists are**, over {report.n_bases:,} invented people")
    rows = [
        {
            "groups": f"{pair.first} and {pair.second}",
            f"items of {report.k} that change": _span(pair.moved, 1),
            "share that both see": _span(pair.overlap, 2),
            "top first (rank-biased)": _span(pair.rank_biased, 2),
        }
        for pair in report.overlap
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Overlap of the lists of every two groups")


def _span(found: Interval, digits: int) -> str:
    return f"{found.mean:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _draw_exposure(report: FlipReport) -> None:
    if not len(report.exposure):
        return
    st.markdown("**Who gets the attention**: share of exposure by category")
    shown = list(dict.fromkeys(report.exposure["category"]))[:_CATEGORIES]
    table = report.exposure[report.exposure["category"].isin(shown)]
    said = ", ".join(f"{row['category']} for {row['group']} {row['mean']:.0%}" for _, row in table.head(12).iterrows())
    st.plotly_chart(
        compare_charts.exposure(table, report.groups),
        config={"displayModeBar": False},
        key="exposure",
        alt=f"Exposure: {said}",
    )
    st.caption(
        "Each rank counts 1 / log2(1 + rank) of a reader's attention; an item of several categories counts for each. Lines are "
        "95 % bootstrap intervals over the invented people. Categories with the largest difference come first."
    )


def _draw_means(report: FlipReport) -> None:
    rows = []
    for name, found in (("likes of the listed items", report.likes), ("price of the listed items", report.price)):
        rows += [
            {
                "mean": name,
                "group": part.group,
                "value": _span(part.mean, 1),
                f"difference to {report.groups[0]}": _change(part),
            }
            for part in found
        ]
    if rows:
        st.markdown("**Popularity and price**")
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Mean likes and prices of each group's lists")


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
        f"Items that one group alone is shown: {len(report.only_for):,}", icon=":material/visibility_off:"
    ):
        config = {"share": st.column_config.NumberColumn("people of the group who see it", format="percent")}
        st.dataframe(report.only_for, hide_index=True, column_config=config, alt="Items for one group only")


def _draw_quality(page: Page, report: FlipReport) -> None:
    """Held-out quality beside it: lists may differ and serve both groups well, or agree and serve one of them badly."""
    st.markdown("**How good lists are for real people of each group**, held out from training")
    if report.facet not in (GENDER, AGE):
        st.caption("The evaluation is sliced by gender and by age only.")
        return
    kept = [found for found in resources.evaluations(page.recommender) if found.plan.protocol == "cold-user"]
    if not kept:
        st.caption("Not measured yet: run an evaluation on the Evaluate page.")
        return
    level = kept[0].levels[0]
    found = slices(kept[0], page.dataset, report.facet, method=OURS, level=level, measure=HEADLINE)
    rows = [{"group": one.group, "people": one.value.n, f"{HEADLINE} at {level}": _span(one.value, 3)} for one in found]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt=f"{HEADLINE} by group")
    if page.recommender.scorer.name != OURS:
        st.caption(f"Measured with the scorer {OURS}, not with the one in use.")
