"""Items and the facts that they share, drawn as paths, without Streamlit."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from pages.shared.retelling import retold
from recsys.errors import shorten
from recsys.views.facts import FactPath

_LINE, _FACT, _ITEM = "#009E73", "#E69F00", "#0072B2"
_ROW = 46
_LONGEST = 30


def draw_paths(paths: Sequence[FactPath], *, is_dark: bool) -> go.Figure:
    """Returns the item at the left, the items that share its facts at the right, and the facts on the lines between.

    Args:
        paths: all from one item; thicker lines weigh more.
    """
    ink = "#E2E8F0" if is_dark else "#0F172A"
    facts = list(dict.fromkeys((path.edge, path.labels[1]) for path in paths if path.labels[1]))
    others = list(dict.fromkeys(path.labels[2] for path in paths))
    rows = max(len(facts), len(others), 1)
    fact_y = {fact: _spread(place, len(facts), rows) for place, fact in enumerate(facts)}
    other_y = {other: _spread(place, len(others), rows) for place, other in enumerate(others)}
    start = (0.0, (rows - 1) / 2)
    figure, largest = go.Figure(), max((path.weight for path in paths), default=1.0)
    for path in paths:
        end = (2.0, other_y[path.labels[2]])
        through = [(1.0, fact_y[path.edge, path.labels[1]])] if path.labels[1] else []
        points = [start, *through, end]
        told = f"{retold(path.edge)}: {path.labels[1]}" if path.labels[1] else retold(path.edge)
        figure.add_scatter(
            x=[x for x, _ in points], y=[y for _, y in points], mode="lines", hoverinfo="text",
            text=f"{escape(path.labels[0])} – {escape(told)} – {escape(path.labels[2])}",
            line={"color": _LINE, "width": 1 + 4 * path.weight / largest}, opacity=0.7, showlegend=False,
        )  # fmt: skip
        if not through:
            _name(figure, 1.0, (start[1] + end[1]) / 2, retold(path.edge), ink, "bottom", "center")
    if paths:
        _node(figure, *start, paths[0].labels[0], _ITEM, ink)
    for (edge, name), y in fact_y.items():
        _node(figure, 1.0, y, retold(name) if name == edge else f"{retold(edge)}: {name}", _FACT, ink)
    for other, y in other_y.items():
        _node(figure, 2.0, y, other, _ITEM, ink)
    figure.update_layout(height=_ROW * rows + 56, margin={"l": 8, "r": 8, "t": 28, "b": 8}, hovermode="closest")
    figure.update_xaxes(visible=False, range=[-0.35, 2.35], fixedrange=True)
    figure.update_yaxes(visible=False, range=[rows - 0.5, -0.75], fixedrange=True)
    return figure


def _spread(place: int, n: int, rows: int) -> float:
    """Places n things evenly over some rows."""
    return (place + 0.5) * rows / n - 0.5


def _node(figure: go.Figure, x: float, y: float, label: str, colour: str, ink: str) -> None:
    figure.add_scatter(
        x=[x], y=[y], mode="markers", marker={"size": 11, "color": colour}, hoverinfo="text", text=escape(label),
        showlegend=False,
    )  # fmt: skip
    _name(figure, x, y, label, ink, "bottom", ("left", "center", "right")[round(x)])


def _name(figure: go.Figure, x: float, y: float, label: str, ink: str, above: str, side: str) -> None:
    place = {"left": -0.33, "center": x, "right": 2.33}[side]
    figure.add_annotation(
        x=place, y=y, yshift=6, xanchor=side, yanchor=above, showarrow=False, font={"size": 12, "color": ink},
        text=escape(shorten(label, _LONGEST)),
    )  # fmt: skip
