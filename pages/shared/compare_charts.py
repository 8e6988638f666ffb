"""Plotly figures of comparisons, without Streamlit."""

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.shared.language import _
from recsys.whatif import Sweep

BLUE, VERMILION = "#0072B2", "#D55E00"
PALETTE = (BLUE, "#E69F00", "#009E73", "#CC79A7", "#56B4E9", VERMILION, "#F0E442", "#999999")
_LONGEST = 32
_TEXT_UP_TO = 24
"""With more steps than this, ranks are told by colour and on hover only."""


def shift_bars(rows: Sequence[tuple[str, float, str]], *, is_dark: bool) -> go.Figure:
    """Returns signed bars, one under each name: (name, value, note)."""
    figure, ink = go.Figure(), _ink(is_dark)
    for number, (label, value, note) in enumerate(rows):
        colour = BLUE if value >= 0 else VERMILION
        figure.add_bar(
            x=[value], y=[number], orientation="h", width=0.34, offset=0.04, marker={"color": colour}, showlegend=False,
            hovertemplate=f"{escape(label)}: {value:+.4f}<extra></extra>",
        )  # fmt: skip
        below = f"<br><span style='font-size:11px'>{escape(note)}</span>" if note else ""
        figure.add_annotation(
            x=0, xref="paper", y=number, yanchor="bottom", xanchor="left", showarrow=False, align="left",
            text=f"<b>{escape(_short(label, 60))}</b> {value:+.3f}{below}", font={"size": 13, "color": ink},
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": ink, "width": 1})
    figure.update_yaxes(visible=False, range=[len(rows) - 0.4, -0.8], fixedrange=True)
    figure.update_xaxes(fixedrange=True, zeroline=False)
    figure.update_layout(height=62 * len(rows) + 50, margin={"l": 8, "r": 12, "t": 8, "b": 8}, hovermode="closest")
    return figure


def category_bars(table: pd.DataFrame, *, names: tuple[str, str] = ("A", "B")) -> go.Figure:
    """Returns the share of each category in two lists; ``table`` has ``category``, ``first`` and ``second``."""
    shown = table.iloc[::-1]
    places = list(range(len(shown)))
    figure = go.Figure()
    for name, column, colour, shape in ((names[1], "second", VERMILION, "/"), (names[0], "first", BLUE, "")):
        figure.add_bar(
            x=shown[column], y=places, orientation="h", name=name, text=[escape(one) for one in shown["category"]],
            textposition="none",
            marker={"color": colour, "pattern": {"shape": shape, "size": 5, "solidity": 0.25}},
            hovertemplate="%{text}: %{x:.0%}" + f"<extra>{escape(name)}</extra>",
        )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", fixedrange=True)
    figure.update_yaxes(tickvals=places, ticktext=[escape(_short(one)) for one in shown["category"]], fixedrange=True)
    figure.update_layout(
        height=34 * len(shown) + 90, margin={"l": 8, "r": 8, "t": 8, "b": 8}, barmode="group", bargap=0.3,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "reversed"},
    )  # fmt: skip
    return figure


def rank_map(found: Sweep, labels: Sequence[str], *, is_dark: bool) -> go.Figure:
    """Returns the rank of every item that is ever in the top k over a sweep; dark is high up, empty is out, ticks are flips."""
    steps, k = found.axis.labels, found.k
    ranks = found.ranks.T
    inside = np.where(found.is_in.T, ranks, np.nan)
    told = np.where(found.may_show.T, ranks.astype(object), _("left out"))
    names = [f"{_short(labels[row])}" for row in found.rows]
    full = np.array([[escape(labels[row])] * len(steps) for row in found.rows], dtype=object)
    figure = go.Figure(
        go.Heatmap(
            z=inside, x=list(range(len(steps))), y=list(range(len(names))), zmin=1, zmax=max(k, 2),
            colorscale=[(0, "#08519C"), (1, "#9ECAE1")], showscale=False, xgap=0 if len(steps) > 40 else 1, ygap=2,
            customdata=np.dstack([full, told, np.array([[escape(step) for step in steps]] * len(names), object)]),
            hovertemplate=_("%{customdata[0]}<br>%{customdata[2]}: rank %{customdata[1]}") + "<extra></extra>",
            hoverongaps=True,
        )
    )  # fmt: skip
    if len(steps) <= _TEXT_UP_TO:
        _write_ranks(figure, told, found.is_in.T, k, is_dark=is_dark)
    ink = _ink(is_dark)
    if found.axis.is_ordered and found.flips:
        places = {int(row): place for place, row in enumerate(found.rows)}
        figure.add_scatter(
            x=[flip.step - 0.5 for flip in found.flips], y=[places[flip.item_row] for flip in found.flips],
            mode="markers", marker={"symbol": "line-ns", "size": 18, "line": {"width": 3, "color": VERMILION}},
            text=[_flip_told(flip.is_entering, labels[flip.item_row], steps[flip.step]) for flip in found.flips],
            hovertemplate="%{text}<extra></extra>", showlegend=False,
        )  # fmt: skip
    if found.base is not None:
        figure.add_vrect(
            x0=found.base - 0.5, x1=found.base + 0.5, line={"color": ink, "width": 2}, fillcolor="rgba(0,0,0,0)"
        )  # fmt: skip
        figure.add_annotation(
            x=found.base, y=1, yref="paper", yanchor="bottom", text=_("as they are"), showarrow=False,
            xanchor="left" if found.base == 0 else "center", font={"size": 11, "color": ink},
        )  # fmt: skip
    shown = _ticks(len(steps))
    figure.update_xaxes(
        tickvals=shown, ticktext=[escape(_short(steps[n])) for n in shown], fixedrange=True, showgrid=False,
        tickangle=0 if max(map(len, steps)) <= 4 else -40, zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=[escape(name) for name in names], autorange="reversed",
        fixedrange=True, showgrid=False, zeroline=False, automargin=True,
    )  # fmt: skip
    figure.update_layout(height=27 * len(names) + 130, margin={"l": 8, "r": 8, "t": 28, "b": 8})
    return figure


def _write_ranks(figure: go.Figure, told: np.ndarray, inside: np.ndarray, k: int, *, is_dark: bool) -> None:
    outside = "#94A3B8" if is_dark else "#64748B"
    for is_in, colours in ((True, None), (False, outside)):
        own = inside == is_in
        rows, columns = np.nonzero(own)
        shown = told[own].tolist()
        ink = colours or ["#FFFFFF" if rank <= 0.55 * k else "#0F172A" for rank in shown]
        figure.add_scatter(
            x=columns, y=rows, mode="text", text=[rank if isinstance(rank, str) else f"{rank:,}" for rank in shown],
            hoverinfo="skip", textfont={"size": 11, "color": ink}, showlegend=False,
        )  # fmt: skip


def _flip_told(is_entering: bool, label: str, step: str) -> str:
    told = _("{item} enters at {step}") if is_entering else _("{item} leaves at {step}")
    return told.format(item=escape(label), step=escape(step))


def surface_of_ranks(
    ranks: np.ndarray, labels: tuple[Sequence[str], Sequence[str]], *, k: int, is_dark: bool
) -> go.Figure:
    """Returns the rank of one item over two axes, ``(n_first, n_second)``, ``NaN`` where it is left out; the first along x."""
    colours = [(0, "#08519C"), (0.45, "#9ECAE1"), (0.5, "#E5E7EB"), (1, "#475569" if is_dark else "#F8FAFC")]
    spread = np.where(ranks <= k, 0.45 * (ranks - 1) / max(k - 1, 1), 0.55 + 0.45 * np.minimum(ranks / (10 * k), 1))
    return _surface(
        spread,
        [_("left out") if rank != rank else _("rank {rank:,.0f}").format(rank=rank) for rank in ranks.ravel()],
        labels,
        colours,
    )


def surface_of_names(
    numbers: np.ndarray, names: Sequence[str], labels: tuple[Sequence[str], Sequence[str]]
) -> go.Figure:
    """Returns which of some names holds over two axes, in the colours of ``PALETTE``; ``numbers`` is ``(n_first, n_second)``."""
    n = max(len(names), 1)
    scale = [(edge / n, PALETTE[min(place, len(PALETTE) - 1)]) for place in range(n) for edge in (place, place + 1)]
    told = [names[number] for number in numbers.ravel()]
    return _surface((numbers + 0.5) / n, told, labels, scale)


def _surface(
    z: np.ndarray,
    told: Sequence[str],
    labels: tuple[Sequence[str], Sequence[str]],
    colours: list[tuple[float, str]],
) -> go.Figure:
    first, second = labels
    hover = [
        [f"{escape(a)}, {escape(b)}: {escape(told[m * len(second) + n])}" for m, a in enumerate(first)]
        for n, b in enumerate(second)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=z.T, x=list(range(len(first))), y=list(range(len(second))), text=hover, hovertemplate="%{text}<extra></extra>",
            colorscale=colours, zmin=0, zmax=1, showscale=False, xgap=0 if len(first) > 40 else 1, ygap=1,
        )
    )  # fmt: skip
    across, up = _ticks(len(first)), _ticks(len(second))
    long = max((len(first[n]) for n in across), default=0) > 4
    figure.update_xaxes(
        tickvals=across, ticktext=[escape(_short(first[n])) for n in across], tickangle=-40 if long else 0,
        fixedrange=True, showgrid=False, zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=up, ticktext=[escape(_short(second[n])) for n in up], fixedrange=True, showgrid=False, zeroline=False,
        automargin=True, autorange="reversed",
    )  # fmt: skip
    figure.update_layout(height=max(200, min(620, 30 * len(second) + 140)), margin={"l": 8, "r": 8, "t": 28, "b": 8})
    return figure


def matrix(values: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Returns a square matrix of shares with their numbers, where there is room."""
    text = [[f"{value:.0%}" if np.isfinite(value) else "–" for value in row] for row in values]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=list(range(len(names))), y=list(range(len(names))), text=text,
            texttemplate="%{text}" if len(names) <= 16 else "", textfont={"color": "#0F172A"}, zmin=0, zmax=1,
            colorscale=[(0, "#F7FBFF"), (1, "#7DB8DA")], showscale=False, xgap=1, ygap=1,
            customdata=[[_("{first} and {second}").format(first=escape(a), second=escape(b)) for b in names] for a in names],
            hovertemplate="%{customdata}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    shown = list(range(len(names)))
    short = [escape(_short(name, 18)) for name in names]
    figure.update_xaxes(tickvals=shown, ticktext=short, tickangle=-40, fixedrange=True, showgrid=False, zeroline=False)
    figure.update_yaxes(
        tickvals=shown, ticktext=short, fixedrange=True, showgrid=False, zeroline=False, autorange="reversed",
        automargin=True,
    )  # fmt: skip
    figure.update_layout(height=max(240, 30 * len(names) + 130), margin={"l": 8, "r": 8, "t": 8, "b": 8})
    return figure


def _ticks(n: int) -> list[int]:
    """At most some twenty ticks."""
    every = -(-n // 24) if n > 24 else 1
    every = 5 if 2 <= every <= 5 else 10 if 5 < every <= 10 else every
    return list(range(0, n, every))


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _ink(is_dark: bool) -> str:
    return "#E2E8F0" if is_dark else "#0F172A"


def curves(lines: dict[str, np.ndarray]) -> go.Figure:
    """Returns shares over stages, one line under each name."""
    figure = go.Figure()
    styles = (("solid", BLUE, "circle"), ("dash", "#E69F00", "square"), ("dot", "#009E73", "diamond"))
    for (name, values), (dash, colour, symbol) in zip(lines.items(), styles, strict=False):
        figure.add_scatter(
            x=list(range(len(values))), y=values, name=escape(name), mode="lines+markers",
            line={"color": colour, "width": 3, "dash": dash}, marker={"symbol": symbol, "size": 9},
            hovertemplate=_("after %{x}: %{y:.0%}") + "<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text=_("reactions"), dtick=1, fixedrange=True)
    figure.update_yaxes(tickformat=".0%", range=[-0.04, 1.04], fixedrange=True)
    figure.update_layout(
        height=300, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"}
    )
    return figure


def paths(coordinates: np.ndarray, found: dict[str, np.ndarray], *, is_dark: bool) -> go.Figure:
    """Returns paths over a flat map of items, each ``(n_stages, 2)`` with ``NaN`` for nowhere; the last place is a star."""
    figure, ink = go.Figure(), _ink(is_dark)
    figure.add_scattergl(
        x=coordinates[:, 0], y=coordinates[:, 1], mode="markers", hoverinfo="skip", showlegend=False,
        marker={"size": 3, "color": "#64748B" if is_dark else "#CBD5E1"},
    )  # fmt: skip
    for (name, spots), colour, dash in zip(found.items(), (BLUE, VERMILION), ("solid", "dash"), strict=False):
        n = len(spots)
        figure.add_scatter(
            x=spots[:, 0], y=spots[:, 1], mode="lines+markers", name=name, line={"color": colour, "width": 2, "dash": dash},
            marker={
                "color": colour, "size": [7] * (n - 1) + [16], "symbol": ["circle"] * (n - 1) + ["star"],
                "line": {"color": ink, "width": 1},
            },
            hovertemplate=_("{name} after %{{pointNumber}} reactions").format(name=name) + "<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure.update_layout(height=460, margin={"l": 4, "r": 4, "t": 4, "b": 4}, legend={"orientation": "h", "y": 1.02})
    return figure


def exposure(table: pd.DataFrame, groups: Sequence[str]) -> go.Figure:
    """Returns the exposure of categories for groups with intervals; ``table`` is that of ``FlipReport.exposure``."""
    palette = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
    symbols = ("circle", "square", "diamond", "triangle-up", "cross", "x")
    names = list(dict.fromkeys(table["category"]))
    place = {name: n for n, name in enumerate(names)}
    figure = go.Figure()
    for n, group in enumerate(groups):
        own = table[table["group"] == group]
        shift = 0.5 * ((n + 0.5) / len(groups) - 0.5)
        figure.add_scatter(
            x=own["mean"], y=[place[name] + shift for name in own["category"]], mode="markers", name=escape(str(group)),
            marker={"color": palette[n % len(palette)], "symbol": symbols[n % len(symbols)], "size": 9},
            error_x={"array": own["high"] - own["mean"], "arrayminus": own["mean"] - own["low"], "thickness": 1.5, "width": 3},
            text=[escape(name) for name in own["category"]],
            hovertemplate="%{text}: %{x:.1%}" + f"<extra>{escape(str(group))}</extra>",
        )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", fixedrange=True, rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=[escape(_short(name)) for name in names], autorange="reversed",
        fixedrange=True, automargin=True, zeroline=False,
    )  # fmt: skip
    figure.update_layout(
        height=(26 + 6 * len(groups)) * len(names) + 100, margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    return figure
