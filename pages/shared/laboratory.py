"""Running an evaluation from the page, and showing what it found."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import charts, resources
from pages.shared.fair import draw_fairness
from pages.shared.frame import Page
from pages.shared.jobs import jobs
from pages.shared.language import N_, _, fact_name, yes_or_no
from pages.shared.retelling import retold
from pages.shared.tabs import draw_tabs
from pages.shared.watching import watch
from pages.shared.widgets import plain, show_error, show_table
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
    "cold-user": N_("No method has seen them."),
    "cold-item": N_("No method has seen a like of the items that are ranked; the people's other likes are known."),
}


def draw_laboratory(page: Page) -> None:
    """Draws what was evaluated on this dataset, and the form that evaluates."""
    kept = resources.evaluations(page.recommender)
    if not kept:
        st.info(
            _(
                "No evaluation has been made yet. It hides people from every method, lets each learn from the others, and asks "
                "what the hidden ones went on to like."
            ),
            icon=":material/science:",
        )
    draw_start(page, kept)
    if kept:
        number = st.selectbox(
            _("Evaluation"),
            range(len(kept)),
            format_func=lambda n: _("{protocol}, {folds} folds, seed {seed}, {n_rivals} rivals ({made})").format(
                protocol=kept[n].plan.protocol,
                folds=kept[n].plan.folds,
                seed=kept[n].plan.seed,
                n_rivals=len(kept[n].plan.rivals),
                made=kept[n].about["made"],
            ),
        )
        draw_headline(kept[number])
        draw_details(page, kept[number])
        draw_repeat(kept[number])


def draw_start(page: Page, kept: list[Evaluation]) -> None:
    """Draws the form that starts an evaluation, with an estimate, or the progress of the one that is running."""
    job = jobs().get(page.dataset.name)
    if job is not None and job.is_running:
        watch(page.dataset.name, _told)
        return
    if job is not None and (error := job.error()):
        show_error(error)
    with (
        st.expander(_("Run an evaluation"), expanded=not kept, icon=":material/science:"),
        st.form("plan", border=False),
    ):
        left, middle, right = st.columns(3)
        protocol = left.selectbox(_("Protocol"), PROTOCOLS, help=_("Hide people, or hide items."))
        folds = middle.number_input(_("Folds"), 2, 10, 5)
        seed = right.number_input(_("Seed"), 0, 10_000, 0)
        ready, missing = split_rivals("all")
        chosen = st.multiselect(
            _("Rivals"), ready, default=ready, help=_("Every one is tuned on the training users."), format_func=retold
        )
        asks_views = len(page.recommender.scorer.views) > 1 and st.checkbox(
            _("What each view adds"), help=_("Learns anew without each view of the items: picture, sound, facts.")
        )
        can_tune = find_spec("accelerate") is not None
        steps = can_tune and st.number_input(
            _("Steps of fine-tuning"),
            0,
            100_000,
            0,
            50,
            help=_("BERT itself learns in every fold, seconds a step without a GPU."),
        )
        if missing:
            st.caption(_("Not installed: {join}. Add them with `make peers`.").format(join=", ".join(missing)))
        plan = Plan(page.dataset.name, protocol, int(folds), int(seed), rivals=tuple(chosen), views=asks_views)
        plan = replace(plan, fine_tuned=int(steps))
        st.caption(
            _("With all rivals and 5 folds this takes {estimate} here.").format(
                estimate=estimate(page.dataset, ready, kept)
            )
        )
        if st.form_submit_button(_("Run"), icon=":material/play_arrow:", type="primary"):
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
    if seconds < 60:
        return _("less than a minute")
    return _("about {n} minutes").format(n=round(seconds / 60))


def _told(step: Mapping[str, Any]) -> str:
    if not step:
        return _("Starting: loading the encoder and the item embeddings")
    left = step.get("left")
    text = _("Fold {fold}: {method}").format(fold=step.get("fold", 1), method=retold(step.get("method", "")))
    if left is not None:
        text += _(", about {n} min left").format(n=max(1, round(left / 60)))
    return text


def draw_headline(evaluation: Evaluation) -> None:
    """Draws the scorer-by-level table, winners in bold, and what it says in words."""
    levels, results = evaluation.levels, evaluation.results
    best = {level: max(results[level], key=lambda m: results[level][m][HEADLINE].mean) for level in levels}
    lines = [f"| {HEADLINE} | " + " | ".join(map(plain, levels)) + " |", "|---" * (len(levels) + 1) + "|"]
    for method in evaluation.methods:
        cells = [_cell(results[level].get(method), is_best=best[level] == method) for level in levels]
        name = f"**{plain(retold(method))}**" if method == OURS else plain(retold(method))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    st.markdown("\n".join(lines))
    st.caption(
        _(
            "Mean over {n_users:,} people, with 95 % bootstrap intervals over people. {hidden} {n_left_out:,} "
            "people with too few likes are left out. – means that the method cannot use the level. “Later likes” "
            "and “prior alone” are ablations of the additive scorer, not methods of the field."
        ).format(
            n_users=evaluation.n_users,
            hidden=_(_HIDDEN[evaluation.plan.protocol]),
            n_left_out=evaluation.about["n_left_out"],
        )
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
        return _("- **{level}**: no rival ran.").format(level=plain(level))
    found = evaluation.versus(level, rival)
    share = found.mean / evaluation.results[level][rival][HEADLINE].mean
    if found.low > 0:
        words = _("{share:.1%} better than the best rival, {rival}").format(share=share, rival=retold(rival))
    elif found.high < 0:
        words = _("{share:.1%} worse than the best rival, {rival}").format(share=-share, rival=retold(rival))
    else:
        words = _("not told apart from the best rival, {rival}").format(rival=retold(rival))
    words = f"{words} {_interval(found)}"
    return f"- **{plain(level)}**: {plain(words)}; {_against_ablation(evaluation, level)}"


def _interval(found: Interval) -> str:
    return _("({mean:+.4f}, 95 % from {low:+.4f} to {high:+.4f})").format(
        mean=found.mean, low=found.low, high=found.high
    )


def _against_ablation(evaluation: Evaluation, level: str) -> str:
    """Says what remains of the lead at a level once the strongest ablation learns from the same likes."""
    names = [name for name in evaluation.about["ablations"] if evaluation.values(name, level) is not None]
    best = max(names, key=lambda name: evaluation.results[level][name][HEADLINE].mean)
    found = evaluation.versus(level, best)
    told = _("not told apart from “{method}”")
    if found.low > 0:
        told = _("still ahead of “{method}”")
    elif found.high < 0:
        told = _("behind “{method}”")
    return plain(f"{told.format(method=retold(best))} {_interval(found)}")


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


def draw_repeat(evaluation: Evaluation) -> None:
    """Draws the command that repeats the evaluation, and its result for download."""
    st.markdown(_("**The same numbers again**"))
    st.code(evaluation.plan.command, language="sh", wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        text = json.dumps(evaluation.to_dict(), indent=1)
        st.download_button("JSON", text, "evaluation.json", "application/json", on_click="ignore")
        st.caption(
            plain(
                _("Made {made} with Coldlens {version}.").format(
                    made=evaluation.about["made"], version=evaluation.about["version"]
                )
            )
        )
