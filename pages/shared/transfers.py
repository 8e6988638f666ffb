"""How lists fare that were learned elsewhere: evaluations of the protocol transfer, started and shown."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import charts, resources
from pages.shared.frame import Page
from pages.shared.jobs import jobs
from pages.shared.language import _, heading, yes_or_no
from pages.shared.retelling import retold
from pages.shared.watching import watch
from pages.shared.widgets import plain, show_error
from recsys.datasets import list_datasets
from recsys.evaluation import HEADLINE, TransferEvaluation, TransferPlan
from recsys.evaluation.transfers import COSINE, OURS, PRIOR, alone, few
from recsys.schema import YEAR, Dataset


def draw_transfers(page: Page) -> None:
    """Draws how well what is learned elsewhere serves this dataset, or the form that finds out."""
    st.subheader(_("Learned elsewhere"))
    kept = resources.transfers(page.recommender)
    _draw_start(page.dataset, is_open=not kept)
    if not kept:
        return
    number = st.selectbox(
        _("Transfer"),
        range(len(kept)),
        format_func=lambda n: _("learned from {source}, {folds} folds, seed {seed} ({made})").format(
            source=_in_words(kept[n].plan.source),
            folds=kept[n].plan.folds,
            seed=kept[n].plan.seed,
            made=kept[n].about["made"],
        ),
        key="transfer_shown",
    )
    _draw_found(kept[number])


def _draw_start(dataset: Dataset, *, is_open: bool) -> None:
    name = f"evaluate transfer {dataset.name}"
    job = jobs().get(name)
    if job is not None and job.is_running:
        watch(name, _told)
        return
    if job is not None and (error := job.error()):
        show_error(error)
    with st.expander(_("Judge a transfer"), expanded=is_open, icon=":material/move_down:"):
        st.caption(
            _(
                "Learns on one part of the catalog, or on another dataset, and is judged on items that nobody has touched, "
                "with people whom nobody has seen."
            )
        )
        source = st.selectbox(
            _("Learn from"), _choices(dataset), key="transfer_from", persist_state="session", format_func=_in_words
        )
        plan = TransferPlan(dataset.name, source)
        if st.button(_("Judge"), icon=":material/play_arrow:", type="primary", key="judge-transfer"):
            jobs().start(name, plan.words)
            st.rerun()


def _choices(dataset: Dataset) -> list[str]:
    """Parts of the catalog that leave enough on both sides, and other datasets."""
    found = []
    if YEAR in dataset.items and dataset.items[YEAR].notna().any():
        years = dataset.items[YEAR].dropna().astype(int)
        found += [f"year<{int(years.quantile(0.75))}", f"year>={int(years.quantile(0.25))}"]
    found += [f"category!={name}" for name in dataset.categories[:6]]
    ready = [entry.name for entry in list_datasets(resources.settings().data_dir) if entry.state == "ready"]
    return [*found, *(name for name in ready if name != dataset.name)]


def _in_words(source: str) -> str:
    """What a source is called: a part of the catalog by what it holds, a dataset by its name."""
    for sign, told in (
        ("year<", _("the items from before {value}")),
        ("year>=", _("the items from {value} on")),
        ("category!=", _("all items but those of {value}")),
    ):
        if source.startswith(sign):
            return told.format(value=source.removeprefix(sign))
    return _("the dataset {name}").format(name=source)


def _told(step: Mapping[str, Any]) -> str:
    return retold(str(step.get("step", ""))) or _("Starting: loading the encoder and the item embeddings")


def _draw_found(found: TransferEvaluation) -> None:
    about = found.about
    st.caption(
        _(
            "Learned from {n_source:,} items, judged on {n_target:,} others with {n_users:,} people who were not learned from; "
            "{n_left_out:,} people with too few likes are left out. Means with 95 % bootstrap intervals over people."
        ).format(
            n_source=about["n_source_items"],
            n_target=about["n_target_items"],
            n_users=found.n_users,
            n_left_out=about["n_left_out"],
        )
    )
    if about["source_is_simulated"]:
        st.warning(_("What was learned from is simulated, so this says nothing about real people."))
    _draw_table(found)
    st.markdown("\n".join(_verdict(found, level) for level in found.levels))
    level = st.selectbox(_("Level"), found.levels, key="transfer_level", format_func=retold)
    st.plotly_chart(charts.transfer_curve(found, level), alt=_("Quality by number of likes in the target"))
    _draw_differences(found, level)
    st.code(found.plan.command, language="sh", wrap_lines=True)
    st.download_button(
        "JSON", json.dumps(found.to_dict(), indent=1), "transfer.json", "application/json", on_click="ignore"
    )


def _draw_table(found: TransferEvaluation) -> None:
    head = " | ".join(plain(retold(level)) for level in found.levels)
    lines = [f"| {HEADLINE} | {head} |", "|---" * (len(found.levels) + 1) + "|"]
    for method in found.methods:
        means = (found.mean(method, level) for level in found.levels)
        cells = (plain(f"{m.mean:.3f} [{m.low:.3f}, {m.high:.3f}]").replace(" ", "\u00a0") for m in means)
        name = plain(retold(method))
        lines.append(f"| {f'**{name}**' if method == OURS else name} | " + " | ".join(cells) + " |")
    st.markdown("\n".join(lines))


def _verdict(found: TransferEvaluation, level: str) -> str:
    words = []
    for other in (COSINE, PRIOR):
        gain = found.versus(other, level)
        if gain.low > 0:
            told = _("better than {other}")
        elif gain.high < 0:
            told = _("worse than {other}")
        else:
            told = _("not told apart from {other}")
        numbers = _("{mean:+.4f}, 95 % from {low:+.4f} to {high:+.4f}").format(
            mean=gain.mean, low=gain.low, high=gain.high
        )
        words.append(f"{told.format(other=retold(other))} ({numbers})")
    return f"- **{plain(retold(level))}**: {plain('; '.join(words))}"


def _draw_differences(found: TransferEvaluation, level: str) -> None:
    """What starting from the source is worth, by number of likes that came."""
    rows = []
    for n in found.plan.likes:
        gain = found.versus(alone(n), level, method=few(n))
        told_apart = yes_or_no(gain.low > 0 or gain.high < 0)
        rows.append((n, gain.mean, gain.low, gain.high, told_apart))
    names = ["likes", "better by", "95 % from", "to", "told apart"]
    table = pd.DataFrame(rows, columns=[heading(name) for name in names])
    config = {heading(name): st.column_config.NumberColumn(format="%+.4f") for name in names[1:4]}
    if rows:
        st.dataframe(table, hide_index=True, column_config=config, alt=_("What starting from the source is worth"))
        st.caption(
            _(
                "How much better a fit that starts from what was carried over is than one that starts from nothing, with the "
                "same likes of the target: paired differences in {measure} over the same people."
            ).format(measure=HEADLINE)
        )
