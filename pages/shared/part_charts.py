"""Plotly figures of explanations, without Streamlit."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from pages.shared.figures import COLOURS
from pages.shared.language import _
from pages.shared.retelling import retold
from recsys.errors import shorten
from recsys.explanation import Deletion, Difference
from recsys.schema import Explanation, Part

_ROW = 50
_MOST = 24
_LONGEST = 38
"""Characters of a label that fit beside its number on a telephone; the whole is in the hover and the table."""
_BLUE, _VERMILION, _GREY = "#0072B2", "#D55E00", "#999999"


def waterfall(explanation: Explanation, *, is_dark: bool) -> go.Figure:
    """Returns how the parts add up to the score, top to bottom; under each bar's name stands the score without it."""
    parts, rest = _strongest(explanation.parts)
    ink = _ink(is_dark)
    figure, at = go.Figure(), 0.0
    rows = [
        (retold(part.facet.label), part.contribution, COLOURS[part.facet.kind], _receipt(part, explanation))
        for part in parts
    ]
    if rest:
        n = len(explanation.parts) - len(parts)
        rows.append((_("{n} smaller parts").format(n=n), rest, _GREY, _("each in the table below")))
    total = _("Score above the average item") if explanation.is_centred else _("Score")
    rows.append((total, explanation.total, ink, ""))
    for number, (label, value, colour, receipt) in enumerate(rows):
        is_total = number == len(rows) - 1
        base = 0.0 if is_total else at
        pattern = (
            {"shape": "/", "fgcolor": ink, "size": 6, "solidity": 0.2, "fillmode": "overlay"}
            if value < 0
            else {"shape": ""}
        )
        figure.add_bar(
            x=[value], y=[number], base=[base], orientation="h", width=0.36, offset=0.02,
            marker={"color": colour, "pattern": pattern}, hovertemplate=f"{escape(label)}: {value:+.4f}<extra></extra>",
            showlegend=False,
        )  # fmt: skip
        said = f"{value:.3f}" if is_total and not explanation.is_centred else f"{value:+.3f}"
        _name_row(figure, number, f"<b>{_short(label)}</b> {said}", receipt, ink)
        if not is_total:
            at += value
            figure.add_shape(
                type="line", x0=at, x1=at, y0=number + 0.38, y1=number + 1.02, line={"color": _GREY, "width": 1, "dash": "dot"}
            )  # fmt: skip
    figure.add_vline(x=0, line={"color": ink, "width": 1})
    return _rows_layout(figure, len(rows))


def differences(found: Sequence[Difference], *, is_dark: bool) -> go.Figure:
    """Returns how much more each part adds to the first item (right) than to the second (left), largest first; the bars add up
    to the gap.
    """
    ordered = sorted(found, key=lambda part: -abs(part.value))
    if len(ordered) > _MOST:
        rest = ordered[_MOST - 1 :]
        sums = sum(part.first for part in rest), sum(part.second for part in rest)
        ordered = [*ordered[: _MOST - 1], Difference("rest", _("{n} smaller parts").format(n=len(rest)), "rest", *sums)]
    figure, ink = go.Figure(), _ink(is_dark)
    for number, part in enumerate(ordered):
        colour = _BLUE if part.value >= 0 else _VERMILION
        figure.add_bar(
            x=[part.value], y=[number], orientation="h", width=0.36, offset=0.02, marker={"color": colour},
            hovertemplate=f"{escape(retold(part.label))}: {_against(part, 4)}<extra></extra>",
            showlegend=False,
        )  # fmt: skip
        _name_row(figure, number, f"<b>{_short(retold(part.label))}</b> {part.value:+.3f}", _against(part, 3), ink)
    figure.add_vline(x=0, line={"color": ink, "width": 1})
    return _rows_layout(figure, len(ordered))


def _against(part: Difference, digits: int) -> str:
    return _("{first} against {second}").format(first=f"{part.first:+.{digits}f}", second=f"{part.second:+.{digits}f}")


def deletion(found: Deletion, *, is_dark: bool) -> go.Figure:
    """Returns the score as the strongest words are deleted, against random orders."""
    steps = list(range(len(found.strongest)))
    low, high = found.random.min(axis=0), found.random.max(axis=0)
    figure = go.Figure()
    figure.add_scatter(
        x=[*steps, *reversed(steps)], y=[*high, *low[::-1]], fill="toself", fillcolor="rgba(153,153,153,0.25)",
        mode="lines", line={"width": 0}, hoverinfo="skip",
        name=_("range of {n_random} random orders").format(n_random=len(found.random)),
    )  # fmt: skip
    figure.add_scatter(
        x=steps, y=found.random.mean(axis=0), mode="lines", line={"color": _GREY, "dash": "dot"}, name=_("random order")
    )
    figure.add_scatter(
        x=steps, y=found.strongest, mode="lines+markers", line={"color": _BLUE, "width": 3}, name=_("strongest first"),
        text=[_("nothing deleted"), *(_("“{word}” deleted").format(word=label) for label in map(escape, found.labels))],
        hovertemplate=_("%{text}<br>score %{y:.4f}") + "<extra></extra>",
    )  # fmt: skip
    ticks = [_("all words"), *(f"− {escape(label)}" for label in found.labels)]
    figure.update_xaxes(tickvals=steps, ticktext=ticks, tickangle=-40)
    figure.update_yaxes(title_text=_("score"))
    figure.update_layout(height=380, margin={"l": 8, "r": 8, "t": 16, "b": 8}, legend={"orientation": "h", "y": 1.12})
    return figure


def _strongest(parts: Sequence[Part]) -> tuple[list[Part], float]:
    """The parts in order, the smallest of very many of them summed up."""
    if len(parts) <= _MOST:
        return list(parts), 0.0
    kept = set(np.argsort([-abs(part.contribution) for part in parts], kind="stable")[: _MOST - 1].tolist())
    shown = [part for n, part in enumerate(parts) if n in kept]
    return shown, sum(part.contribution for n, part in enumerate(parts) if n not in kept)


def _receipt(part: Part, explanation: Explanation) -> str:
    moved = explanation.rank - part.rank_without
    if explanation.is_centred:
        told = _("without this: raw score {score:.3f}, rank {rank:,}")
        told = _("without this: raw score {score:.3f}, rank {rank:,} as now") if moved == 0 else told
    else:
        told = _("without this: score {score:.3f}, rank {rank:,}")
        told = _("without this: score {score:.3f}, rank {rank:,} as now") if moved == 0 else told
    return told.format(score=part.score_without, rank=part.rank_without)


def _short(label: str) -> str:
    return escape(shorten(label, _LONGEST))


def _name_row(figure: go.Figure, number: int, text: str, receipt: str, ink: str) -> None:
    below = f"<br><span style='font-size:11px'>{receipt}</span>" if receipt else ""
    figure.add_annotation(
        x=0, xref="paper", y=number, yanchor="bottom", xanchor="left", showarrow=False, align="left",
        text=text + below, font={"size": 13, "color": ink},
    )  # fmt: skip


def _rows_layout(figure: go.Figure, n: int) -> go.Figure:
    figure.update_layout(
        height=_ROW * 1.35 * n + 60, margin={"l": 8, "r": 12, "t": 8, "b": 8}, barmode="overlay", hovermode="closest"
    )
    figure.update_yaxes(visible=False, range=[n - 0.4, -0.75], fixedrange=True)
    figure.update_xaxes(fixedrange=True, zeroline=False)
    return figure


def _ink(is_dark: bool) -> str:
    return "#E2E8F0" if is_dark else "#0F172A"
