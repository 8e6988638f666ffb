"""The map as a Plotly figure, without Streamlit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.shared.language import N_, _

_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A900", "#8C6BB1")
_OTHER = "#9AA5B1"
_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "pentagon", "star-triangle-down")
DRAWN = 50_000
"""More points than this stand as a density, with a sample of them."""
_SAMPLE, _BINS = 8_000, 160
_MOST_KINDS = 20
OTHER, _UNKNOWN = N_("other"), N_("unknown")


@dataclass(frozen=True, eq=False)
class Colours:
    """What the points are coloured by: ``groups`` of the largest kinds, or ``values``.

    Attributes:
        title: what the colour means.
        groups: ``(n_items,)`` of names, or ``None``.
        values: ``(n_items,)`` of numbers with ``NaN`` for unknown, or ``None``.
        is_log: whether shades follow the order of magnitude; for counts, of which most are small.
    """

    title: str
    groups: np.ndarray | None = None
    values: np.ndarray | None = None
    is_log: bool = False


@dataclass(frozen=True, eq=False)
class Layers:
    """What is drawn over the items.

    Attributes:
        star: the profile's spot, ``None`` where it says nothing.
        listed: item_rows of its list, joined to the star by lines.
        neighbours: item_rows of what is nearest to it in the original space.
        trail: earlier spots of the profile, oldest first.
        saved: named spots.
        people: ``(n, n_components)``, spots of the dataset's users.
        told: who each of them is, plain text.
        found: item_rows that a search found.
        chosen: item_row of the opened item.
        labels: text to where it stands.
    """

    star: np.ndarray | None = None
    listed: Sequence[int] = ()
    neighbours: Sequence[int] = ()
    trail: Sequence[np.ndarray] = ()
    saved: Mapping[str, np.ndarray] = field(default_factory=dict)
    people: np.ndarray | None = None
    told: Sequence[str] = ()
    found: Sequence[int] = ()
    chosen: int | None = None
    labels: Sequence[tuple[str, np.ndarray]] = ()


def draw_map(
    coordinates: np.ndarray,
    names: Sequence[str],
    colours: Colours,
    layers: Layers,
    *,
    sizes: np.ndarray | None = None,
    is_dark: bool,
) -> go.Figure:
    """Returns the map; each point of an item carries its item_row.

    Args:
        names: what hovering over an item shows, plain text with a line for each subject.
        sizes: ``(n_items,)``, pixels.
    """
    figure = go.Figure()
    rows = np.arange(len(coordinates))
    if len(coordinates) > DRAWN:
        rows = _sample(coordinates, layers)
        if coordinates.shape[1] == 2:
            _add_density(figure, coordinates, is_dark=is_dark)
    _add_people(figure, layers, is_dark=is_dark)
    size = np.full(len(coordinates), 6.0 if len(rows) < 5_000 else 4.0) if sizes is None else sizes
    for name, own, style in _kinds(colours, rows):
        marker = {"size": size[own], "opacity": 0.8, "line": {"width": 0}, **style}
        texts = [_hover(names[row], colours, row) for row in own]
        _add_points(figure, coordinates[own], name, marker, texts, own)
    _add_layers(figure, coordinates, layers, ink="#F8FAFC" if is_dark else "#0F172A")
    return _laid_out(figure, coordinates.shape[1])


def _kinds(colours: Colours, rows: np.ndarray) -> list[tuple[str, np.ndarray, dict]]:
    if colours.values is not None:
        return _shades(colours, colours.values, rows)
    groups = colours.groups if colours.groups is not None else np.full(int(rows.max(initial=0)) + 1, _("items"))
    own = groups[rows]
    names, counts = np.unique(own, return_counts=True)
    order = [str(names[n]) for n in np.lexsort((names, -counts)) if names[n] != OTHER]
    found = []
    for number, name in enumerate(order[:_MOST_KINDS]):
        turn, place = divmod(number, len(_PALETTE))  # a second turn has the colours of the first with other symbols
        style = {"color": _PALETTE[place], "symbol": _SYMBOLS[(place + turn) % len(_SYMBOLS)]}
        found.append((name, rows[own == name], style))
    rest = ~np.isin(own, order[:_MOST_KINDS])
    if rest.any():
        found.insert(0, (_(OTHER), rows[rest], {"color": _OTHER, "symbol": "circle"}))
    return found


def _hover(name: str, colours: Colours, row: int) -> str:
    value = "" if colours.values is None else f"\n{colours.title}: {_told(colours.values[row])}"
    return escape(name + value).replace("\n", "<br>")


def _told(value: float) -> str:
    if np.isnan(value):
        return _(_UNKNOWN)
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def _shades(colours: Colours, values: np.ndarray, rows: np.ndarray) -> list[tuple[str, np.ndarray, dict]]:
    """Known values by a scale, unknown ones below them in grey: unknown is not the least."""
    is_known = np.isfinite(values[rows])
    known, rest = rows[is_known], rows[~is_known]
    bar = {"title": {"text": escape(colours.title), "side": "right"}, "thickness": 10, "len": 0.6}
    if colours.is_log:
        marks = [0, 1, *(10**n for n in range(1, 9) if 10**n <= values[known].max(initial=0))]
        bar |= {"tickvals": [float(np.log10(1 + mark)) for mark in marks], "ticktext": [f"{mark:,}" for mark in marks]}
    style = {
        "color": np.log10(1 + values[known]) if colours.is_log else values[known],
        "colorscale": "Cividis",
        "showscale": True,
        "colorbar": bar,
    }
    found = [(_(_UNKNOWN), rest, {"color": _OTHER, "symbol": "circle"})] if len(rest) else []
    return [*found, (colours.title, known, style)] if len(known) else found


def _add_points(
    figure: go.Figure, spots: np.ndarray, name: str, marker: dict, texts: list[str], rows: np.ndarray
) -> None:
    common = {
        "mode": "markers", "name": escape(name), "text": texts, "customdata": rows[:, None],
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    x, y = spots[:, 0], spots[:, 1]
    if spots.shape[1] == 3:
        flat = {**marker, "symbol": "circle", "size": np.maximum(np.asarray(marker["size"]) / 2, 2.5)}
        figure.add_scatter3d(x=x, y=y, z=spots[:, 2], marker=flat, **common)
    else:
        figure.add_scattergl(x=x, y=y, marker=marker, **common)


def _add_people(figure: go.Figure, layers: Layers, *, is_dark: bool) -> None:
    if layers.people is None or not len(layers.people):
        return
    texts = [escape(text) for text in layers.told]
    marker = {"size": 5, "color": "#E2E8F0" if is_dark else "#334155", "opacity": 0.45, "symbol": "diamond-open"}
    spots = layers.people
    common = {
        "mode": "markers",
        "name": _("people of the dataset"),
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
    }
    if spots.shape[1] == 3:
        figure.add_scatter3d(x=spots[:, 0], y=spots[:, 1], z=spots[:, 2], marker={**marker, "size": 2.5}, **common)
    else:
        figure.add_scattergl(x=spots[:, 0], y=spots[:, 1], marker=marker, **common)


def _add_layers(figure: go.Figure, coordinates: np.ndarray, layers: Layers, *, ink: str) -> None:
    if layers.star is not None and len(layers.listed):
        lines = [
            part for row in layers.listed for part in (layers.star, coordinates[row], np.full(len(layers.star), np.nan))
        ]
        _add_line(figure, np.array(lines), _("to the list"), {"color": ink, "width": 1}, opacity=0.5)
    if len(layers.found):
        style = {"size": 13, "color": "rgba(0,0,0,0)", "line": {"width": 2, "color": "#D55E00"}, "symbol": "circle"}
        _add_marks(figure, coordinates[list(layers.found)], _("found"), style, None)
    if layers.chosen is not None:
        style = {"size": 17, "color": "rgba(0,0,0,0)", "line": {"width": 3, "color": ink}, "symbol": "circle"}
        _add_marks(figure, coordinates[[layers.chosen]], _("opened item"), style, None)
    for name, spot in layers.saved.items():
        style = {"size": 13, "color": "#CC79A7", "symbol": "star", "line": {"width": 1, "color": ink}}
        _add_marks(figure, spot[None], escape(name), style, [escape(name)], ink=ink)
    if layers.star is not None:
        if len(layers.trail):
            line = {"color": "#D55E00", "width": 2, "dash": "dot"}
            _add_line(figure, np.array([*layers.trail, layers.star]), _("trail"), line, opacity=0.9)
        style = {"size": 20, "color": "#D55E00", "symbol": "star", "line": {"width": 1.5, "color": ink}}
        _add_marks(figure, layers.star[None], _("this person"), style, [_("this person")], ink=ink)
    _add_labels(figure, layers, ink=ink)


def _add_labels(figure: go.Figure, layers: Layers, *, ink: str) -> None:
    font = {"size": 11, "color": ink}
    if layers.labels and len(layers.labels[0][1]) == 3:
        texts, spots = zip(*layers.labels, strict=True)
        x, y, z = np.array(spots).T
        common = {"mode": "text", "hoverinfo": "skip", "showlegend": False}
        figure.add_scatter3d(x=x, y=y, z=z, text=[escape(text) for text in texts], textfont=font, **common)
        return
    for text, spot in layers.labels:
        figure.add_annotation(
            x=spot[0], y=spot[1], text=escape(text), showarrow=False, font=font,
            bgcolor="rgba(255,255,255,0.75)" if ink == "#0F172A" else "rgba(11,18,32,0.75)",
        )  # fmt: skip


def _add_line(figure: go.Figure, spots: np.ndarray, name: str, line: dict, *, opacity: float) -> None:
    common = {"mode": "lines", "name": name, "hoverinfo": "skip", "opacity": opacity}
    if spots.shape[1] == 3:
        solid = {**line, "width": 3 * line["width"]}
        figure.add_scatter3d(x=spots[:, 0], y=spots[:, 1], z=spots[:, 2], line=solid, **common)
    else:
        figure.add_scatter(x=spots[:, 0], y=spots[:, 1], line=line, **common)


def _add_marks(
    figure: go.Figure, spots: np.ndarray, name: str, marker: dict, texts: list[str] | None, *, ink: str | None = None
) -> None:
    common: dict[str, Any] = {
        "name": name,
        "mode": "markers+text" if texts else "markers",
        "text": texts,
        "textposition": "top center",
    }
    common |= {"hoverinfo": "name" if texts else "skip", "textfont": {"color": ink, "size": 12}}
    if spots.shape[1] == 3:
        solid = {**marker, "symbol": "diamond", "size": marker["size"] / 2}
        figure.add_scatter3d(x=spots[:, 0], y=spots[:, 1], z=spots[:, 2], marker=solid, **common)
    else:
        stays = {"marker": {"opacity": 1}}  # a selection must not fade it
        figure.add_scatter(x=spots[:, 0], y=spots[:, 1], marker=marker, unselected=stays, **common)


def rows_inside(coordinates: np.ndarray, shapes: Sequence[Mapping[str, Sequence[float]]]) -> np.ndarray:
    """Returns the item_rows inside any of the shapes that a reader drew on the flat map: boxes (two corners) or lassos."""
    inside = np.zeros(len(coordinates), bool)
    for shape in shapes:
        x, y = np.asarray(shape["x"], float), np.asarray(shape["y"], float)
        if len(x) == 2:
            x, y = x[[0, 1, 1, 0]], y[[0, 0, 1, 1]]
        inside |= _is_inside(coordinates, x, y)
    return np.flatnonzero(inside)


def _is_inside(coordinates: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether a line from each point to the right crosses the edges of a polygon an odd number of times."""
    inside = np.zeros(len(coordinates), bool)
    across, up = coordinates[:, 0].astype(float), coordinates[:, 1].astype(float)
    for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
        crosses = (y0 > up) != (y1 > up)
        if crosses.any():
            inside ^= crosses & (across < x0 + (up - y0) * (x1 - x0) / (y1 - y0))
    return inside


def _sample(coordinates: np.ndarray, layers: Layers) -> np.ndarray:
    """A sample of the points that always holds what the profile is about: its list, its neighbourhood, what was searched.

    The neighbourhood is both what is near on the map and what is near in truth, which may be drawn elsewhere.
    """
    drawn = np.random.default_rng(0).choice(len(coordinates), _SAMPLE, replace=False)
    near = np.zeros(0, int)
    if layers.star is not None:
        near = np.argsort(np.linalg.norm(coordinates - layers.star, axis=1), kind="stable")[:500]
    chosen = [] if layers.chosen is None else [layers.chosen]
    named = np.array([*layers.listed, *layers.neighbours, *layers.found, *chosen], int)
    return np.unique(np.concatenate([drawn, near, named]))


def _add_density(figure: go.Figure, coordinates: np.ndarray, *, is_dark: bool) -> None:
    counts, x, y = np.histogram2d(coordinates[:, 0], coordinates[:, 1], bins=_BINS)
    paper, full = ("#0B1220", "#334155") if is_dark else ("#FFFFFF", "#B6C2D1")
    figure.add_heatmap(
        x=(x[:-1] + x[1:]) / 2, y=(y[:-1] + y[1:]) / 2, z=np.log1p(counts.T), showscale=False, hoverinfo="skip",
        colorscale=[(0.0, paper), (1.0, full)],
    )  # fmt: skip


def _laid_out(figure: go.Figure, n_components: int) -> go.Figure:
    figure.update_layout(
        height=620 + 4 * len(figure.data), margin={"l": 4, "r": 4, "t": 4, "b": 4}, hovermode="closest", uirevision="map",
        legend={"orientation": "h", "y": -0.02, "font": {"size": 11}, "itemsizing": "constant"},
    )  # fmt: skip
    if n_components == 3:
        axis = {"visible": False}
        figure.update_layout(scene={"xaxis": axis, "yaxis": axis, "zaxis": axis, "uirevision": "map"})
        return figure
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure
