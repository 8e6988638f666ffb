"""The map as a Plotly figure, without Streamlit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
import plotly.graph_objects as go

_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A900", "#8C6BB1")
_OTHER = "#9AA5B1"
_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "pentagon", "star-triangle-down")
DRAWN = 50_000
"""More points than this stand as a density, with a sample of them."""
_SAMPLE, _BINS = 8_000, 160
OTHER = "other"


@dataclass(frozen=True, eq=False)
class Colours:
    """What the points are coloured by: ``groups`` of the largest kinds, or ``values``.

    Attributes:
        title: what the colour means.
        groups: ``(n_items,)`` of names, or ``None``.
        values: ``(n_items,)`` of numbers with ``NaN`` for unknown, or ``None``.
    """

    title: str
    groups: np.ndarray | None = None
    values: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Layers:
    """What is drawn over the items.

    Attributes:
        star: the profile's spot, ``None`` where it says nothing.
        listed: item_rows of its list, joined to the star by lines.
        trail: earlier spots of the profile, oldest first.
        saved: named spots.
        people: ``(n, n_components)``, spots of the dataset's users.
        found: item_rows that a search found.
        chosen: item_row of the opened item.
        labels: text to where it stands.
    """

    star: np.ndarray | None = None
    listed: Sequence[int] = ()
    trail: Sequence[np.ndarray] = ()
    saved: Mapping[str, np.ndarray] = field(default_factory=dict)
    people: np.ndarray | None = None
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
        names: what hovering over an item shows, plain text.
        sizes: ``(n_items,)``, pixels.
    """
    figure = go.Figure()
    rows = np.arange(len(coordinates))
    if len(coordinates) > DRAWN and coordinates.shape[1] == 2:
        _add_density(figure, coordinates, is_dark=is_dark)
        rows = _sample(coordinates, layers)
    _add_people(figure, layers, is_dark=is_dark)
    size = np.full(len(coordinates), 6.0 if len(rows) < 5_000 else 4.0) if sizes is None else sizes
    for name, own, style in _kinds(colours, rows):
        marker = {"size": size[own], "opacity": 0.8, "line": {"width": 0}, **style}
        texts = [escape(names[row]) for row in own]
        _add_points(figure, coordinates[own], name, marker, texts, own)
    _add_layers(figure, coordinates, layers, ink="#F8FAFC" if is_dark else "#0F172A")
    return _laid_out(figure, coordinates.shape[1])


def _kinds(colours: Colours, rows: np.ndarray) -> list[tuple[str, np.ndarray, dict]]:
    if colours.values is not None:
        style = {
            "color": colours.values[rows],
            "colorscale": "Cividis",
            "showscale": True,
            "colorbar": {"title": {"text": colours.title, "side": "right"}, "thickness": 10, "len": 0.6},
        }
        return [(colours.title, rows, style)]
    groups = colours.groups if colours.groups is not None else np.full(int(rows.max(initial=0)) + 1, "items")
    own = groups[rows]
    names, counts = np.unique(own, return_counts=True)
    order = [str(names[n]) for n in np.lexsort((names, -counts)) if names[n] != OTHER]
    found = []
    for number, name in enumerate(order[: len(_PALETTE)]):
        style = {"color": _PALETTE[number], "symbol": _SYMBOLS[number]}
        found.append((name, rows[own == name], style))
    rest = ~np.isin(own, order[: len(_PALETTE)])
    if rest.any():
        found.insert(0, (OTHER, rows[rest], {"color": _OTHER, "symbol": "circle"}))
    return found


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
    texts = [f"Person in row {row}" for row in range(len(layers.people))]
    marker = {"size": 5, "color": "#E2E8F0" if is_dark else "#334155", "opacity": 0.45, "symbol": "diamond-open"}
    spots = layers.people
    common = {
        "mode": "markers",
        "name": "people of the dataset",
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
        _add_line(figure, np.array(lines), "to the list", {"color": ink, "width": 1}, opacity=0.5)
    if len(layers.found):
        style = {"size": 13, "color": "rgba(0,0,0,0)", "line": {"width": 2, "color": "#D55E00"}, "symbol": "circle"}
        _add_marks(figure, coordinates[list(layers.found)], "found", style, None)
    if layers.chosen is not None:
        style = {"size": 17, "color": "rgba(0,0,0,0)", "line": {"width": 3, "color": ink}, "symbol": "circle"}
        _add_marks(figure, coordinates[[layers.chosen]], "opened item", style, None)
    for name, spot in layers.saved.items():
        style = {"size": 13, "color": "#CC79A7", "symbol": "star", "line": {"width": 1, "color": ink}}
        _add_marks(figure, spot[None], escape(name), style, [escape(name)])
    if layers.star is not None:
        if len(layers.trail):
            line = {"color": "#D55E00", "width": 2, "dash": "dot"}
            _add_line(figure, np.array([*layers.trail, layers.star]), "trail", line, opacity=0.9)
        style = {"size": 20, "color": "#D55E00", "symbol": "star", "line": {"width": 1.5, "color": ink}}
        _add_marks(figure, layers.star[None], "this person", style, ["this person"])
    for text, spot in layers.labels:
        if len(spot) == 2:
            figure.add_annotation(
                x=spot[0], y=spot[1], text=escape(text), showarrow=False, font={"size": 11, "color": ink},
                bgcolor="rgba(255,255,255,0.75)" if ink == "#0F172A" else "rgba(11,18,32,0.75)",
            )  # fmt: skip


def _add_line(figure: go.Figure, spots: np.ndarray, name: str, line: dict, *, opacity: float) -> None:
    common = {"mode": "lines", "name": name, "hoverinfo": "skip", "opacity": opacity}
    if spots.shape[1] == 3:
        solid = {**line, "width": 3 * line["width"]}
        figure.add_scatter3d(x=spots[:, 0], y=spots[:, 1], z=spots[:, 2], line=solid, **common)
    else:
        figure.add_scatter(x=spots[:, 0], y=spots[:, 1], line=line, **common)


def _add_marks(figure: go.Figure, spots: np.ndarray, name: str, marker: dict, texts: list[str] | None) -> None:
    common = {"name": name, "mode": "markers+text" if texts else "markers", "text": texts, "textposition": "top center"}
    common |= {"hoverinfo": "name" if texts else "skip"}
    if spots.shape[1] == 3:
        solid = {**marker, "symbol": "diamond", "size": marker["size"] / 2}
        figure.add_scatter3d(x=spots[:, 0], y=spots[:, 1], z=spots[:, 2], marker=solid, **common)
    else:
        stays = {"marker": {"opacity": 1}}  # a selection must not fade it
        figure.add_scatter(x=spots[:, 0], y=spots[:, 1], marker=marker, unselected=stays, **common)


def _sample(coordinates: np.ndarray, layers: Layers) -> np.ndarray:
    """A sample of the points that always holds what the profile is about: its list, its neighbourhood, what was searched."""
    drawn = np.random.default_rng(0).choice(len(coordinates), _SAMPLE, replace=False)
    near = np.zeros(0, int)
    if layers.star is not None:
        near = np.argsort(np.linalg.norm(coordinates - layers.star, axis=1), kind="stable")[:500]
    chosen = [] if layers.chosen is None else [layers.chosen]
    return np.unique(np.concatenate([drawn, near, np.array([*layers.listed, *layers.found, *chosen], int)]))


def _add_density(figure: go.Figure, coordinates: np.ndarray, *, is_dark: bool) -> None:
    counts, x, y = np.histogram2d(coordinates[:, 0], coordinates[:, 1], bins=_BINS)
    paper, full = ("#0B1220", "#334155") if is_dark else ("#FFFFFF", "#B6C2D1")
    figure.add_heatmap(
        x=(x[:-1] + x[1:]) / 2, y=(y[:-1] + y[1:]) / 2, z=np.log1p(counts.T), showscale=False, hoverinfo="skip",
        colorscale=[(0.0, paper), (1.0, full)],
    )  # fmt: skip


def _laid_out(figure: go.Figure, n_components: int) -> go.Figure:
    figure.update_layout(
        height=640, margin={"l": 4, "r": 4, "t": 4, "b": 4}, hovermode="closest", uirevision="map",
        legend={"orientation": "h", "y": -0.02, "font": {"size": 11}, "itemsizing": "constant"},
    )  # fmt: skip
    if n_components == 3:
        axis = {"visible": False}
        figure.update_layout(scene={"xaxis": axis, "yaxis": axis, "zaxis": axis, "uirevision": "map"})
        return figure
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure
