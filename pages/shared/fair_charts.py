"""Plotly figures of a fairness report, without Streamlit."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from pages.shared.language import _
from recsys.evaluation.comparisons import Gap
from recsys.evaluation.fairness import Exposure

_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#E69F00", "#009E73", "#8A94A0"


def gaps(found: Sequence[Gap], names: Sequence[str]) -> go.Figure:
    """Returns each group's difference to everyone else with its simultaneous interval; what is found is filled and coloured."""
    figure = go.Figure()
    for is_found, label, colour, symbol in (
        (True, _("a difference"), _BLUE, "circle"),
        (False, _("not told apart"), _GREY, "circle-open"),
    ):
        own = [(name, gap) for name, gap in zip(names, found, strict=True) if gap.is_found == is_found]
        figure.add_scatter(
            x=[gap.difference for _, gap in own],
            y=[escape(name) for name, _ in own],
            error_x={
                "array": [gap.high - gap.difference for _, gap in own],
                "arrayminus": [gap.difference - gap.low for _, gap in own],
                "thickness": 1.5,
                "width": 4,
            },
            mode="markers",
            name=label,
            marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2}},
            hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": _GREY, "width": 1, "dash": "dot"})
    figure.update_yaxes(categoryorder="array", categoryarray=[escape(name) for name in reversed(names)])
    figure.update_xaxes(
        title_text=_("{measure}, less that of everyone else").format(measure=found[0].measure) if found else ""
    )
    figure.update_layout(**_layout(110 + 34 * len(names)))
    return figure


def shares(found: Sequence[Exposure]) -> go.Figure:
    """Returns for one group what lists show of each category to it, to everyone else, and what it went on to like."""
    figure = go.Figure()
    names = [escape(part.shown.measure) for part in found]
    for number, part in enumerate(found):
        ends = [part.shown.mean.mean, part.shown.rest, part.liked]
        figure.add_shape(
            type="line", x0=min(ends), x1=max(ends), y0=number, y1=number, line={"color": _GREY, "width": 1}, layer="below"
        )  # fmt: skip
    for label, colour, symbol, values in (
        (_("liked later by them"), _GREEN, "diamond", [part.liked for part in found]),
        (_("shown to everyone else"), _ORANGE, "square", [part.shown.rest for part in found]),
        (_("shown to them"), _BLUE, "circle", [part.shown.mean.mean for part in found]),
    ):
        figure.add_scatter(
            x=values, y=list(range(len(names))), mode="markers", name=label, text=names,
            marker={"color": colour, "symbol": symbol, "size": 11},
            hovertemplate="%{text}: %{x:.0%}<extra>" + label + "</extra>",
        )  # fmt: skip
    marks = [f"{name} *" if part.gap.is_found else name for name, part in zip(names, found, strict=True)]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=marks, range=[len(names) - 0.4, -0.6])
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_layout(**_layout(120 + 30 * len(names)))
    return figure


def _layout(height: int) -> dict:
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "reversed"},
        "hovermode": "closest",
    }
