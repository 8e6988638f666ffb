"""The map of the stakeholder pack as inline SVG: every item a dot, the items of the two lists numbered, the people as stars."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from recsys.projection import Atlas
from recsys.whatif.compare import Change

SHAPES: Mapping[str, str] = {"a": "●", "b": "■", "both": "◆"}
"""Of an item that A's list shows, B's, or both."""
_WIDTH, _HEIGHT, _MARGIN, _RADIUS = 720, 500, 28, 9
_DRAWN = 3_000
_NUMBERED = 40
_GROUPS = 8
_STEPS = (0, -24, 24, -48, 48, -72, 72)
"""How far up or down the name of a group may go from its centre."""


def side_of(change: Change) -> str:
    """Returns ``a``, ``b`` or ``both``: whose list shows an item."""
    return "both" if change.first_place and change.second_place else "a" if change.first_place else "b"


def map_figure(atlas: Atlas, changes: Sequence[Change], spots: Mapping[str, np.ndarray]) -> str:
    """Returns the map: all items as dots (a sample of a large catalog), those of the lists numbered as in ``changes``, the people.

    Args:
        spots: ``(2,)`` or longer for ``A`` and ``B``; who lies nowhere is not drawn.
    """
    items = np.asarray(atlas.items.coordinates, np.float64)[:, :2]
    people = {name: np.asarray(spot, np.float64)[:2] for name, spot in spots.items() if np.isfinite(spot).all()}
    fitted = _Frame(np.vstack([items, *(spot[None] for spot in people.values())]))
    listed = [change.item_row for change in changes]
    rows = np.arange(len(items))
    if len(items) > _DRAWN:
        chosen = np.random.default_rng(0).choice(len(items), _DRAWN, replace=False)
        rows = np.union1d(chosen, listed).astype(int)
    dots = "".join(f'<circle class=dot cx="{x:.1f}" cy="{y:.1f}" r="1.7"/>' for x, y in fitted(items[rows]))
    at = fitted(np.array(list(people.values())).reshape(-1, 2))
    places = _apart(fitted(items[listed]), at) if len(changes) <= _NUMBERED else fitted(items[listed])
    stars = "".join(_star(name, x, y) for name, (x, y) in zip(people, at, strict=True))
    groups = _groups(atlas, fitted, np.vstack([places, at]))
    parts = [dots, groups, _marks(changes, fitted(items[listed]), places), stars]
    return (
        f'<svg class=map role=img viewBox="0 0 {_WIDTH} {_HEIGHT}"><title>Map of {len(items):,} items: those of the two lists are '
        f"numbered, {' and '.join(people) or 'nobody'} stand as stars</title>{''.join(parts)}</svg>"
    )


class _Frame:
    """Fits coordinates into the picture, both axes to the same scale."""

    def __init__(self, points: np.ndarray) -> None:
        self._low = points.min(axis=0) if len(points) else np.zeros(2)
        size = np.maximum((points.max(axis=0) if len(points) else np.ones(2)) - self._low, 1e-9)
        room = np.array([_WIDTH, _HEIGHT]) - 2 * _MARGIN
        self._scale = float((room / size).min())
        self._corner = _MARGIN + (room - size * self._scale) / 2

    def __call__(self, points: np.ndarray) -> np.ndarray:
        found = self._corner + (points - self._low) * self._scale
        found[:, 1] = _HEIGHT - found[:, 1]
        return found


def _marks(changes: Sequence[Change], spots: np.ndarray, places: np.ndarray) -> str:
    """Numbered marks, each with a line to where its item lies."""
    is_numbered = len(changes) <= _NUMBERED
    leads, marks = [], []
    for number, (change, (x, y), (at_x, at_y)) in enumerate(zip(changes, spots, places, strict=True), 1):
        leads.append(f'<path class=lead d="M{x:.1f} {y:.1f}L{at_x:.1f} {at_y:.1f}"/>' if is_numbered else "")
        shape = _shape(side_of(change), at_x, at_y, _RADIUS if is_numbered else _RADIUS / 2)
        text = f'<text x="{at_x:.1f}" y="{at_y + 4:.1f}">{number}</text>' if is_numbered else ""
        marks.append(f"<g class={side_of(change)}><title>{escape(change.title)}</title>{shape}{text}</g>")
    return "".join(leads + marks)


def _apart(spots: np.ndarray, stars: np.ndarray) -> np.ndarray:
    """Moves marks apart and off the stars, as little as needed, until none overlap or they have had enough pushes."""
    turn = np.arange(len(spots)) * 2.4
    found = spots + 0.01 * np.stack([np.cos(turn), np.sin(turn)], axis=1)  # marks on one spot need a direction
    for _ in range(300):
        push = _push(found, found, 2.5 * _RADIUS) / 2 + _push(found, stars, 3.2 * _RADIUS)
        if not push.any():
            break
        found = np.clip(found + push, 1.5 * _RADIUS, np.array([_WIDTH, _HEIGHT]) - 1.5 * _RADIUS)
    return np.asarray(found)


def _push(points: np.ndarray, others: np.ndarray, distance: float) -> np.ndarray:
    """How far each point must go to be ``distance`` away from all others; a point does not push itself."""
    ways = points[:, None] - others[None]
    lengths = np.linalg.norm(ways, axis=2)
    lengths[lengths == 0] = np.inf
    strength = np.maximum(distance - lengths, 0) / np.maximum(lengths, 1e-9)
    return np.asarray((np.where(np.isinf(lengths), 0, strength)[:, :, None] * ways).sum(axis=1))


def _shape(side: str, x: float, y: float, r: float) -> str:
    if side == "a":
        return f'<circle class=mark cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'
    if side == "b":
        return f'<rect class=mark x="{x - 0.9 * r:.1f}" y="{y - 0.9 * r:.1f}" width="{1.8 * r:.1f}" height="{1.8 * r:.1f}"/>'
    d = 1.3 * r
    return f'<path class=mark d="M{x:.1f} {y - d:.1f}l{d:.1f} {d:.1f}l{-d:.1f} {d:.1f}l{-d:.1f} {-d:.1f}z"/>'


def _star(name: str, x: float, y: float) -> str:
    turns = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, 9.5, 20)
    corners = np.stack([x + radii * np.sin(turns), y - radii * np.cos(turns)], axis=1)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    own = escape(name)
    text = f'<text x="{x:.1f}" y="{y + 5:.1f}">{own}</text>'
    return f'<g class={name.lower()}><title>{own} lies here</title><polygon class=star points="{points}"/>{text}</g>'


def _groups(atlas: Atlas, fitted: _Frame, taken: np.ndarray) -> str:
    """The names of the largest groups, near their centres, where they cover neither marks nor each other."""
    clusters = atlas.clusters
    sizes = np.bincount(clusters.numbers[clusters.numbers >= 0], minlength=len(clusters.labels))
    texts: list[str] = []
    for n in np.argsort(-sizes, kind="stable").tolist():
        x, y = fitted(np.asarray(clusters.centres[n], np.float64)[None, :2])[0]
        half = 3.8 * len(clusters.labels[n])
        x = float(np.clip(x, half, _WIDTH - half))
        free = [y + step for step in _STEPS if _is_free(x, y + step, half, taken)]
        if free and len(texts) < _GROUPS:
            line = np.arange(x - half, x + half, 2 * _RADIUS)
            taken = np.vstack([taken, np.stack([line, np.full(len(line), free[0] - 4)], axis=1)])
            texts.append(f'<text class=group x="{x:.1f}" y="{free[0]:.1f}">{escape(clusters.labels[n])}</text>')
    return "".join(texts)


def _is_free(x: float, y: float, half: float, taken: np.ndarray) -> bool:
    clear = (np.abs(taken[:, 0] - x) > half + 1.5 * _RADIUS) | (np.abs(taken[:, 1] - (y - 4)) > 2 * _RADIUS)
    return bool(clear.all()) and _MARGIN < y < _HEIGHT - _MARGIN / 2
