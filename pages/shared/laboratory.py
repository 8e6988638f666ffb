"""Running an evaluation from the page, and showing what it found."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec

import pandas as pd
import streamlit as st

from pages.shared import charts, resources
from pages.shared.fair import draw_fairness
from pages.shared.frame import Page
from pages.shared.jobs import jobs
from pages.shared.widgets import plain, show_error
from recsys.evaluation import (
    HEADLINE,
    OURS,
    PROTOCOLS,
    Evaluation,
    Interval,
    Plan,
    ablations_of,
    parse_measure,
    slices,
    split_rivals,
)
from recsys.schema import AGE, GENDER, ITEM_ID, Dataset
from recsys.training import Histories, list_runs
from recsys.views.view import VIEW_WORDS

_SECONDS = {OURS: 3.0, "bert cosine": 15.0, "item knn": 5.0, "user knn": 4.0, "ease": 12.0, "implicit mf": 10.0}
_SECONDS |= {"lightfm": 15.0, "neumf": 20.0, "lightfm, later likes": 15.0, "neumf, later likes": 20.0}
"""Seconds per fold on MovieLens-100K with two cores: where the estimate of a first run comes from."""
_LIKES = 55_375
_HIDDEN = {
    "cold-user": "No method has seen them.",
    "cold-item": "No method has seen a like of the items that are ranked; the people's other likes are known.",
}


def draw_start(page: Page, kept: list[Evaluation]) -> None:
    """Draws the form that starts an evaluation, with an estimate, or the progress of the one that is running."""
    job = jobs().get(page.dataset.name)
    if job is not None and job.is_running:
        _draw_progress(page.dataset.name)
        return
    if job is not None and (error := job.error()):
        show_error(error)
    with st.expander("Run an evaluation", expanded=not kept, icon=":material/science:"), st.form("plan", border=False):
        left, middle, right = st.columns(3)
        protocol = left.selectbox("Protocol", PROTOCOLS, help="Hide people, or hide items.")
        folds = middle.number_input("Folds", 2, 10, 5)
        seed = right.number_input("Seed", 0, 10_000, 0)
        ready, missing = split_rivals("all")
        chosen = st.multiselect("Rivals", ready, default=ready, help="Every one is tuned on the training users.")
        asks_views = len(page.recommender.scorer.views) > 1 and st.checkbox(
            "What each view adds", help="Learns anew without each view of the items: picture, sound, facts."
        )
        can_tune = find_spec("accelerate") is not None
        steps = can_tune and st.number_input(
            "Steps of fine-tuning",
            0,
            100_000,
            0,
            50,
            help="BERT itself learns in every fold, seconds a step without a GPU.",
        )
        if missing:
            st.caption(f"Not installed: {', '.join(missing)}. Add them with `make peers`.")
        plan = Plan(page.dataset.name, protocol, int(folds), int(seed), rivals=tuple(chosen), views=asks_views)
        plan = replace(plan, fine_tuned=int(steps))
        st.caption(f"With all rivals and 5 folds this takes {estimate(page.dataset, ready, kept)} here.")
        if st.form_submit_button("Run", icon=":material/play_arrow:", type="primary"):
            jobs().start(page.dataset.name, plan.words)
            st.rerun()


def estimate(dataset: Dataset, rivals: tuple[str, ...], kept: list[Evaluation]) -> str:
    """Returns how long five folds take, from the last evaluation on this machine or from measured figures."""
    known = _SECONDS
    scale = len(dataset.likes) / _LIKES
    if kept:
        last = kept[0]
        known = known | {name: seconds / last.plan.folds for name, seconds in last.about["seconds"].items()}
        scale = 1.0
    names = (OURS, *rivals, *(found.name for found in ablations_of(rivals)))
    seconds = 5 * scale * sum(known.get(name, 1.0) for name in names)
    return "less than a minute" if seconds < 60 else f"about {round(seconds / 60)} minutes"


@st.fragment(run_every="1s")
def _draw_progress(name: str) -> None:
    job = jobs().get(name)
    if job is None or not job.is_running:
        st.rerun()
    assert job is not None
    step = job.progress()
    with st.container(border=True):
        if not step:
            st.progress(0.0, text="Starting: loading the encoder and the item embeddings")
        else:
            left = step.get("left")
            remaining = "" if left is None else f", about {max(1, round(left / 60))} min left"
            text = f"Fold {step.get('fold', 1)}: {step.get('method', '')}{remaining}"
            st.progress(step.get("done", 0) / max(1, step.get("total", 1)), text=plain(text))
        if st.button("Cancel", icon=":material/cancel:"):
            jobs().cancel(name, job)
            st.rerun()


def draw_headline(evaluation: Evaluation) -> None:
    """Draws the scorer-by-level table, winners in bold, and what it says in words."""
    levels, results = evaluation.levels, evaluation.results
    best = {level: max(results[level], key=lambda m: results[level][m][HEADLINE].mean) for level in levels}
    lines = [f"| {HEADLINE} | " + " | ".join(map(plain, levels)) + " |", "|---" * (len(levels) + 1) + "|"]
    for method in evaluation.methods:
        cells = [_cell(results[level].get(method), is_best=best[level] == method) for level in levels]
        name = f"**{plain(method)}**" if method == OURS else plain(method)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    st.markdown("\n".join(lines))
    st.caption(
        f"Mean over {evaluation.n_users:,} people, with 95 % bootstrap intervals over people. "
        f"{_HIDDEN[evaluation.plan.protocol]} {evaluation.about['n_left_out']:,} people with too few likes are left out. "
        "– means that the method cannot use the level. "
        "“Later likes” and “prior alone” are ablations of the additive scorer, not methods of the field."
    )
    st.markdown("\n".join(_verdict(evaluation, level) for level in levels))


def _cell(values: dict | None, *, is_best: bool) -> str:
    if values is None:
        return "–"
    found = values[HEADLINE]
    shown = plain(f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]").replace(" ", "\u00a0")  # on one line
    return f"**{shown}**" if is_best else shown


def _verdict(evaluation: Evaluation, level: str) -> str:
    rival = evaluation.best_rival(level)
    if rival is None:
        return f"- **{plain(level)}**: no rival ran."
    found = evaluation.versus(level, rival)
    share = found.mean / evaluation.results[level][rival][HEADLINE].mean
    if found.low > 0:
        words = f"{share:.1%} better than the best rival, {rival}"
    elif found.high < 0:
        words = f"{-share:.1%} worse than the best rival, {rival}"
    else:
        words = f"not told apart from the best rival, {rival}"
    words += f" ({found.mean:+.4f}, 95 % from {found.low:+.4f} to {found.high:+.4f})"
    return f"- **{plain(level)}**: {plain(words)}; {_against_ablation(evaluation, level)}"


def _against_ablation(evaluation: Evaluation, level: str) -> str:
    """Says what remains of the lead at a level once the strongest ablation learns from the same likes."""
    names = [name for name in evaluation.about["ablations"] if evaluation.values(name, level) is not None]
    best = max(names, key=lambda name: evaluation.results[level][name][HEADLINE].mean)
    found = evaluation.versus(level, best)
    told = "still ahead of" if found.low > 0 else "behind" if found.high < 0 else "not told apart from"
    return plain(f"{told} “{best}” ({found.mean:+.4f}, 95 % from {found.low:+.4f} to {found.high:+.4f})")


def draw_details(page: Page, evaluation: Evaluation) -> None:
    """Draws the tabs below the headline."""
    names = ("Curve", "For whom", "Fairness", "Views", "Calibration", "One person", "Training runs", "Measures")
    gains = evaluation.gains_of_fine_tuning()
    curve, whom, fair, views, calibration, person, runs, measures, *tuned = st.tabs(
        names + (("Fine-tuning",) if gains else ()), key="evaluate_tab", on_change="rerun"
    )
    with curve:
        rivals = [evaluation.best_rival(level) for level in evaluation.levels]
        first = list(dict.fromkeys([OURS, *(name for name in rivals if name), *evaluation.methods]))[:6]
        shown = st.multiselect("Methods", evaluation.methods, default=first)
        st.plotly_chart(charts.curve(evaluation, shown), alt=f"{HEADLINE} of each method by level")
    with whom:
        _draw_slices(page.dataset, evaluation)
    if fair.open:  # it takes a moment, which only who wants it should wait for
        with fair:
            draw_fairness(page, evaluation)
    with views:
        _draw_views(page, evaluation)
    with calibration:
        known = {level: error for level, error in evaluation.about["calibration_error"].items() if error is not None}
        st.plotly_chart(charts.reliability(evaluation.calibration), alt="Probability shown against share of likes")
        told = ", ".join(f"{level} {error:.4f}" for level, error in known.items())
        st.caption(plain(f"Calibration error: {told or 'unknown, with too few people to calibrate on'}."))
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
            "This evaluation did not ask what each view of the items adds. Run one with “What each view adds” ticked."
            if seen
            else "The items of this dataset have no view beside their text, so there is nothing to compare."
        )
        return
    table = [
        {
            "view": VIEW_WORDS[row["view"]],
            "adds": row["value"].mean,
            "95 % from": row["value"].low,
            "to": row["value"].high,
            "told apart": "yes" if row["value"].low > 0 or row["value"].high < 0 else "no",
            "level": row["level"],
            "asked": "beside all others" if row["kind"] == "drop-one" else "beside the text alone",
            "with it": row["with_it"],
            "without it": row["without_it"],
        }
        for row in rows
    ]
    config = {name: st.column_config.NumberColumn(format="%+.4f") for name in ("adds", "95 % from", "to")}
    st.dataframe(pd.DataFrame(table), hide_index=True, column_config=config, alt="What each view adds")
    st.caption(
        f"Paired differences in {HEADLINE} over the same people, with 95 % bootstrap intervals. Every method was learned "
        "anew without the view; one whose interval holds zero is not told apart from no view at all."
    )


def _draw_fine_tuning(steps: int, gains: Mapping[str, Mapping[str, Interval]]) -> None:
    """What BERT's own training adds, as differences on the same people."""
    table = [
        {"method": method, "level": level, "better by": gain.mean, "95 % from": gain.low, "to": gain.high}
        | {"told apart": "yes" if gain.low > 0 or gain.high < 0 else "no"}
        for method, levels in gains.items()
        for level, gain in levels.items()
    ]
    config = {name: st.column_config.NumberColumn(format="%+.4f") for name in ("better by", "95 % from", "to")}
    st.dataframe(pd.DataFrame(table), hide_index=True, column_config=config, alt="What fine-tuning adds")
    st.caption(
        f"{HEADLINE} less that of {OURS} with BERT as it came, over the same people, with 95 % bootstrap intervals. BERT was "
        f"trained for at most {steps:,} steps on the training users of each fold alone."
    )


def _draw_measures(evaluation: Evaluation) -> None:
    """Every measure of every method at one level, and what each is."""
    level = st.selectbox("Level", evaluation.levels, index=len(evaluation.levels) - 1, key="measures_level")
    found = evaluation.to_dict()["results"][level]
    rows = [{"method": method} | {name: value["mean"] for name, value in found[method].items()} for method in found]
    names = [name for name in rows[0] if name != "method"]
    config = {name: st.column_config.NumberColumn(format="%.3f") for name in names}
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=config, alt=f"Every measure at {level}")
    formulas = [{"measure": name, "is": parse_measure(name).formula} for name in (*names, "calibration error")]
    st.dataframe(pd.DataFrame(formulas), hide_index=True, alt="Formulas of the measures")


def _draw_slices(dataset: Dataset, evaluation: Evaluation) -> None:
    with st.container(horizontal=True):
        by = st.segmented_control("By", ("age", "gender"), default="age", required=True)
        level = st.selectbox("Level", evaluation.levels, index=len(evaluation.levels) - 1)
        measure = st.selectbox("Measure", evaluation.measures)
    ready = [m for m in evaluation.methods if evaluation.values(m, level) is not None]
    rivals = [name for name in (evaluation.best_rival(level), "popular", "bert cosine") if name in ready]
    rows = {
        method: slices(evaluation, dataset, by, method=method, level=level, measure=measure)
        for method in dict.fromkeys((OURS, *rivals))
        if method in ready
    }
    if not any(rows.values()):
        st.info("Fewer than 20 people were tested, too few to be split into groups.")
        return
    st.plotly_chart(charts.heat_map(rows, measure), alt=f"{measure} by {by}")
    st.caption(
        "Groups of fewer than 20 people are merged. Intervals of small groups are wide: read those, not the colours."
    )


def _draw_person(dataset: Dataset, evaluation: Evaluation) -> None:
    if evaluation.plan.protocol != "cold-user":
        st.info("One person at a time is shown for evaluations of the protocol cold-user.")
        return
    with st.container(horizontal=True):
        level = st.selectbox("Level", evaluation.levels, index=len(evaluation.levels) - 1, key="person_level")
        lists = evaluation.lists[evaluation.lists["level"] == level].reset_index(drop=True)
        number = int(st.number_input("Test user, by row", 0, len(lists) - 1, 0))
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
        st.markdown("**Liked first** (may be revealed)")
        st.dataframe({"item": [_label(dataset, i) for i in first]}, hide_index=True, alt="Items liked first")
    with right:
        st.markdown("**What we would have shown**")
        shown = [{"item": _label(dataset, i), "liked later": i in later} for i in row["item_ids"]]
        st.dataframe(pd.DataFrame(shown), hide_index=True, alt="Items that would have been shown")
    with st.expander(f"All {len(later):,} items liked later", icon=":material/favorite:"):
        st.dataframe({"item": [_label(dataset, i) for i in sorted(later)]}, hide_index=True, alt="Items liked later")
    st.caption("A real person of the dataset, shown by row only.")


def _fact(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _label(dataset: Dataset, item_id: str) -> str:
    return dataset.labels[dataset.item_row(item_id)]


def _draw_runs(page: Page) -> None:
    folder = resources.settings().data_dir / page.dataset.name / "runs"
    found = list_runs(folder)
    if not found:
        st.info("No training has been recorded yet. `recsys train` records one.")
        return
    table = [
        {"run": run.name, "scorer": run.scorer, "seconds": run.seconds, "TensorBoard": run.has_events}
        | dict(run.parameters)
        for run in found
    ]
    st.dataframe(pd.DataFrame(table), hide_index=True, alt="Training runs")
    if found[0].curve:
        st.markdown("**What the latest run tried**")
        st.plotly_chart(charts.run_curve(found[0].curve, found[0].steps), alt="Held-out measure of each setting tried")
    st.code(f"tensorboard --logdir {folder}", language="sh")


def draw_repeat(evaluation: Evaluation) -> None:
    """Draws the command that repeats the evaluation, and its result for download."""
    st.markdown("**The same numbers again**")
    st.code(evaluation.plan.command, language="sh", wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        text = json.dumps(evaluation.to_dict(), indent=1)
        st.download_button("JSON", text, "evaluation.json", "application/json", on_click="ignore")
        st.caption(plain(f"Made {evaluation.about['made']} with Coldlens {evaluation.about['version']}."))
