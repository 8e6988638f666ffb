"""Running an evaluation from the page, and showing what it found."""

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import streamlit as st

from pages.shared import resources
from pages.shared.frame import Page
from pages.shared.jobs import jobs
from pages.shared.laboratory_details import draw_details
from pages.shared.language import N_, _
from pages.shared.retelling import retold
from pages.shared.watching import watch
from pages.shared.widgets import plain, show_error
from recsys.evaluation import (
    HEADLINE,
    OURS,
    PROTOCOLS,
    Evaluation,
    Interval,
    Plan,
    ablations_of,
    split_rivals,
)
from recsys.schema import Dataset

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
