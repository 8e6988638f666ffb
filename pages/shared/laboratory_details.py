"""What an evaluation found, beyond its headline: one tab for each question."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.shared import charts, resources
from pages.shared.fair import draw_fairness
from pages.shared.frame import Page
from pages.shared.language import _, fact_name, yes_or_no
from pages.shared.retelling import retold
from pages.shared.tabs import draw_tabs
from pages.shared.widgets import plain, show_table
from recsys.evaluation import (
    HEADLINE,
    OURS,
    Evaluation,
    Interval,
    parse_measure,
    slices,
)
from recsys.schema import AGE, GENDER, ITEM_ID, Dataset
from recsys.training import Histories, list_runs
from recsys.views.view import VIEW_WORDS


def draw_details(page: Page, evaluation: Evaluation) -> None:
    """Draws the tabs below the headline."""
    gains = evaluation.gains_of_fine_tuning()
    curve, whom, fair, views, calibration, person, runs, measures, *tuned = draw_tabs(
        "evaluate_tab", None if gains else -1
    )
    with curve:
        rivals = [evaluation.best_rival(level) for level in evaluation.levels]
        first = list(dict.fromkeys([OURS, *(name for name in rivals if name), *evaluation.methods]))[:6]
        shown = st.multiselect(_("Methods"), evaluation.methods, default=first, format_func=retold)
        st.plotly_chart(
            charts.curve(evaluation, shown), alt=_("{headline} of each method by level").format(headline=HEADLINE)
        )
    with whom:
        _draw_slices(page.dataset, evaluation)
    if fair.open:  # it takes a moment, which only who wants it should wait for
        with fair:
            draw_fairness(page, evaluation)
    with views:
        _draw_views(page, evaluation)
    with calibration:
        known = {level: error for level, error in evaluation.about["calibration_error"].items() if error is not None}
        st.plotly_chart(charts.reliability(evaluation.calibration), alt=_("Probability shown against share of likes"))
        told = ", ".join(f"{level} {error:.4f}" for level, error in known.items())
        told = told or _("unknown, with too few people to calibrate on")
        st.caption(plain(_("Calibration error: {told}.").format(told=told)))
    with person:
        _draw_person(page.dataset, evaluation)
    with runs:
        _draw_runs(page)
    with measures:
        _draw_measures(evaluation)
    for tab in tuned:
        with tab:
            _draw_fine_tuning(evaluation.plan.fine_tuned, gains)


def _draw_views(page: Page, evaluation: Evaluation) -> None:
    """What each view of the items adds, as differences between methods that were learned with and without it."""
    rows = evaluation.marginal_values()
    if not rows:
        seen = len(page.recommender.scorer.views) > 1
        st.caption(
            _(
                "This evaluation did not ask what each view of the items adds. Run one with “What each view adds” ticked."
            )
            if seen
            else _("The items of this dataset have no view beside their text, so there is nothing to compare.")
        )
        return
    table = [
        {
            "view": _(VIEW_WORDS[row["view"]]),
            "adds": row["value"].mean,
            "95 % from": row["value"].low,
            "to": row["value"].high,
            "told apart": yes_or_no(row["value"].low > 0 or row["value"].high < 0),
            "level": row["level"],
            "asked": _("beside all others") if row["kind"] == "drop-one" else _("beside the text alone"),
            "with it": row["with_it"],
            "without it": row["without_it"],
        }
        for row in rows
    ]
    config = {name: st.column_config.NumberColumn(format="%+.4f") for name in ("adds", "95 % from", "to")}
    show_table(pd.DataFrame(table), column_config=config, alt=_("What each view adds"))
    st.caption(
        _(
            "Paired differences in {headline} over the same people, with 95 % bootstrap intervals. Every method "
            "was learned anew without the view; one whose interval holds zero is not told apart from no view at "
            "all."
        ).format(headline=HEADLINE)
    )


def _draw_fine_tuning(steps: int, gains: Mapping[str, Mapping[str, Interval]]) -> None:
    """What BERT's own training adds, as differences on the same people."""
    table = [
        {"method": retold(method), "level": level, "better by": gain.mean, "95 % from": gain.low, "to": gain.high}
        | {"told apart": yes_or_no(gain.low > 0 or gain.high < 0)}
        for method, levels in gains.items()
        for level, gain in levels.items()
    ]
    config = {name: st.column_config.NumberColumn(format="%+.4f") for name in ("better by", "95 % from", "to")}
    show_table(pd.DataFrame(table), column_config=config, alt=_("What fine-tuning adds"))
    st.caption(
        _(
            "{headline} less that of {ours} with BERT as it came, over the same people, with 95 % bootstrap "
            "intervals. BERT was trained for at most {steps:,} steps on the training users of each fold alone."
        ).format(headline=HEADLINE, ours=OURS, steps=steps)
    )


def _draw_measures(evaluation: Evaluation) -> None:
    """Every measure of every method at one level, and what each is."""
    level = st.selectbox(_("Level"), evaluation.levels, index=len(evaluation.levels) - 1, key="measures_level")
    found = evaluation.to_dict()["results"][level]
    rows = [
        {"method": retold(method)} | {name: value["mean"] for name, value in found[method].items()} for method in found
    ]
    names = [name for name in rows[0] if name != "method"]
    config = {name: st.column_config.NumberColumn(format="%.3f") for name in names}
    show_table(pd.DataFrame(rows), column_config=config, alt=_("Every measure at {level}").format(level=level))
    formulas = [{"measure": name, "is": retold(parse_measure(name).formula)} for name in (*names, "calibration error")]
    show_table(pd.DataFrame(formulas), alt=_("Formulas of the measures"))


def _draw_slices(dataset: Dataset, evaluation: Evaluation) -> None:
    with st.container(horizontal=True):
        by = st.segmented_control(_("By"), (AGE, GENDER), default=AGE, required=True, format_func=fact_name)
        level = st.selectbox(_("Level"), evaluation.levels, index=len(evaluation.levels) - 1)
        measure = st.selectbox(_("Measure"), evaluation.measures)
    ready = [m for m in evaluation.methods if evaluation.values(m, level) is not None]
    rivals = [name for name in (evaluation.best_rival(level), "popular", "bert cosine") if name in ready]
    rows = {
        method: slices(evaluation, dataset, by, method=method, level=level, measure=measure)
        for method in dict.fromkeys((OURS, *rivals))
        if method in ready
    }
    if not any(rows.values()):
        st.info(_("Fewer than 20 people were tested, too few to be split into groups."))
        return
    st.plotly_chart(
        charts.heat_map(rows, measure), alt=_("{measure} by {fact}").format(measure=measure, fact=fact_name(by))
    )
    st.caption(
        _("Groups of fewer than 20 people are merged. Intervals of small groups are wide: read those, not the colours.")
    )


def _draw_person(dataset: Dataset, evaluation: Evaluation) -> None:
    if evaluation.plan.protocol != "cold-user":
        st.info(_("One person at a time is shown for evaluations of the protocol cold-user."))
        return
    with st.container(horizontal=True):
        level = st.selectbox(_("Level"), evaluation.levels, index=len(evaluation.levels) - 1, key="person_level")
        lists = evaluation.lists[evaluation.lists["level"] == level].reset_index(drop=True)
        number = int(st.number_input(_("Test user, by row"), 0, len(lists) - 1, 0))
    row, frame = lists.iloc[number], evaluation.users
    values = frame[(frame["method"] == OURS) & (frame["level"] == level)].reset_index(drop=True).iloc[number]
    histories = Histories.from_dataset(dataset)
    user = histories.user_ids.index(row["user_id"])
    ids = dataset.items[ITEM_ID].to_numpy()
    first, later = list(ids[histories.revealed(user)]), set(ids[histories.later(user)])
    known = [name for name in (AGE, GENDER, *dataset.user_attributes) if name in dataset.users]
    facts = [_fact(value) for value in dataset.users[known].iloc[user] if pd.notna(value)]
    told = plain(" · ".join([*facts, f"{HEADLINE} {values[HEADLINE]:.3f}"]))
    st.markdown(f"**{plain(dataset.user_called(user))}** · {told}")
    left, right = st.columns(2)
    with left:
        st.markdown(_("**Liked first** (may be revealed)"))
        show_table({"item": [_label(dataset, i) for i in first]}, alt=_("Items liked first"))
    with right:
        st.markdown(_("**What we would have shown**"))
        shown = [{"item": _label(dataset, i), "liked later": i in later} for i in row["item_ids"]]
        show_table(pd.DataFrame(shown), alt=_("Items that would have been shown"))
    with st.expander(_("All {n_later:,} items liked later").format(n_later=len(later)), icon=":material/favorite:"):
        show_table({"item": [_label(dataset, i) for i in sorted(later)]}, alt=_("Items liked later"))
    st.caption(_("A real person of the dataset, shown by row only."))


def _fact(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _label(dataset: Dataset, item_id: str) -> str:
    return dataset.labels[dataset.item_row(item_id)]


def _draw_runs(page: Page) -> None:
    folder = resources.settings().data_dir / page.dataset.name / "runs"
    found = list_runs(folder)
    if not found:
        st.info(_("No training has been recorded yet. `recsys train` records one."))
        return
    table = [
        {"run": run.name, "scorer": run.scorer, "seconds": run.seconds, "TensorBoard": run.has_events}
        | dict(run.parameters)
        for run in found
    ]
    show_table(pd.DataFrame(table), alt=_("Training runs"))
    if found[0].curve:
        st.markdown(_("**What the latest run tried**"))
        st.plotly_chart(
            charts.run_curve(found[0].curve, found[0].steps), alt=_("Held-out measure of each setting tried")
        )
    st.code(f"tensorboard --logdir {folder}", language="sh")
