"""Plotly figures, without Streamlit."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go

from pages.shared.language import _
from pages.shared.retelling import retold
from recsys.evaluation import HEADLINE, OURS, Evaluation, Interval, Slice, TransferEvaluation
from recsys.evaluation.transfers import ALL, COSINE, PRIOR
from recsys.evaluation.transfers import OURS as OURS_THERE

_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
_PALE_BLUES = ((0.0, "#F7FBFF"), (1.0, "#7DB8DA"))
"""Light enough for dark text in every cell, in either theme."""
_SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star")


def curve(evaluation: Evaluation, methods: Sequence[str], measure: str = HEADLINE) -> go.Figure:
    """Returns the measure over the levels with 95 % intervals, one line per method; ours is the thick one."""
    figure = go.Figure()
    for number, method in enumerate(methods):
        found = [(level, evaluation.results[level].get(method)) for level in evaluation.levels]
        known = [(level, values[measure]) for level, values in found if values]
        figure.add_scatter(
            x=[level for level, _ in known],
            y=[value.mean for _, value in known],
            error_y={
                "array": [value.high - value.mean for _, value in known],
                "arrayminus": [value.mean - value.low for _, value in known],
                "thickness": 1,
                "width": 3,
            },
            name=retold(method),
            mode="lines+markers",
            line={"color": _PALETTE[number % len(_PALETTE)], "width": 4 if method == OURS else 1.5},
            marker={"symbol": _SYMBOLS[number % len(_SYMBOLS)], "size": 9},
        )
    figure.update_layout(
        **_layout(_("{measure}, 95 % interval").format(measure=measure), 420), legend={"orientation": "h", "y": -0.2}
    )
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=list(evaluation.levels))
    return figure


def transfer_curve(found: TransferEvaluation, level: str) -> go.Figure:
    """Returns the headline by number of likes in the target: from what was carried over, from nothing, and without learning."""
    figure = go.Figure()
    counts = [0, *found.plan.likes]
    names = {OURS_THERE: _("starts from the source"), "additive": _("starts from nothing")}
    for number, (method, values) in enumerate(found.curve(level).items()):
        figure.add_scatter(
            x=[counts.index(n) for n in values],
            y=[value.mean for value in values.values()],
            error_y={
                "array": [value.high - value.mean for value in values.values()],
                "arrayminus": [value.mean - value.low for value in values.values()],
                "thickness": 1,
                "width": 3,
            },
            name=names[method],
            mode="lines+markers",
            line={"color": _PALETTE[number], "width": 4 if method == OURS_THERE else 1.5},
            marker={"symbol": _SYMBOLS[number], "size": 9},
        )
    for number, method in enumerate((COSINE, PRIOR, ALL), 2):
        level_mean = found.mean(method, level).mean
        figure.add_scatter(
            x=[0, len(counts) - 1],
            y=[level_mean, level_mean],
            name=retold(method),
            mode="lines",
            line={"color": _PALETTE[number], "width": 1.5, "dash": "dash"},
        )
    figure.update_layout(
        **_layout(_("{measure}, 95 % interval").format(measure=HEADLINE), 420), legend={"orientation": "h", "y": -0.25}
    )
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(
        title=_("likes in the target"), tickvals=list(range(len(counts))), ticktext=[f"{n:,}" for n in counts]
    )
    return figure


def heat_map(rows: Mapping[str, Sequence[Slice]], measure: str) -> go.Figure:
    """Returns a measure by group of users (rows) and method (columns); every cell says its value and its interval."""
    groups = list(dict.fromkeys(found.group for slices in rows.values() for found in slices))
    cells = {method: {found.group: found.value for found in slices} for method, slices in rows.items()}
    counts = {found.group: found.value.n for slices in rows.values() for found in slices}
    means = [[cells[method][group].mean if group in cells[method] else None for method in rows] for group in groups]
    texts = [[_cell(cells[method].get(group)) for method in rows] for group in groups]
    figure = go.Figure(
        go.Heatmap(
            z=means,
            x=[
                "<br>".join(wrap(retold(method), 12)) for method in rows
            ],  # narrow, so that the cells have room on a phone
            y=[f"{retold(group)}<br>n = {counts[group]}" for group in groups],
            text=texts,
            texttemplate="%{text}",
            textfont={"color": "#0F172A"},
            hoverinfo="skip",
            colorscale=_PALE_BLUES,
            showscale=False,
        )
    )
    figure.update_layout(**_layout("", 110 + 52 * len(groups)), xaxis={"side": "top", "title": {"text": measure}})
    figure.update_yaxes(autorange="reversed")
    return figure


def _cell(value: Interval | None) -> str:
    return "" if value is None else f"{value.mean:.3f}<br>[{value.low:.3f}, {value.high:.3f}]"


def reliability(bins: pd.DataFrame) -> go.Figure:
    """Returns the share of likes against the probability that was said; on the diagonal, both agree."""
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": "#999999"}, name=_("perfect"))
    for number, (level, frame) in enumerate(bins.groupby("level", sort=False)):
        figure.add_scatter(
            x=frame["probability"],
            y=frame["share"],
            customdata=frame[["n"]],
            hovertemplate=_("said %{x:.1%}, was %{y:.1%}<br>%{customdata[0]:,} items") + "<extra></extra>",
            mode="lines+markers",
            name=str(level),
            line={"color": _PALETTE[number % len(_PALETTE)]},
            marker={"symbol": _SYMBOLS[number % len(_SYMBOLS)]},
        )
    figure.update_layout(**_layout(_("share that was liked"), 420), legend={"orientation": "h", "y": -0.25})
    figure.update_xaxes(title_text=_("probability that was shown"), tickformat=".0%")
    figure.update_yaxes(tickformat=".0%")
    return figure


def run_curve(values: Sequence[float], steps: Sequence[str]) -> go.Figure:
    """Returns the held-out measure of every setting that a training tried."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(range(1, len(values) + 1)), y=list(values), text=list(steps), mode="lines+markers", name=_("tried"),
        hovertemplate="%{text}<br>%{y:.4f}<extra></extra>", line={"color": _PALETTE[0]},
    )  # fmt: skip
    figure.update_layout(**_layout(_("held-out nDCG@10"), 300))
    figure.update_xaxes(title_text=_("setting tried"))
    return figure


def _layout(y_title: str, height: int) -> dict:
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 16, "b": 8},
        "yaxis": {"title": {"text": y_title}},
        "hovermode": "closest",
    }
