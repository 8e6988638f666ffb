"""The map of the stakeholder pack as inline SVG: every item a dot, the items of the two lists numbered, the people as stars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from recsys.projection import Atlas
from recsys.whatif.compare import Change

SHAPES: Mapping[str, str] = {"a": "●", "b": "■", "both": "◆"}
"""Of an item that A's list shows, B's, or both."""
_SIZES: Mapping[str, tuple[float, float]] = {"wide": (720, 500), "narrow": (400, 340)}
"""Drawn twice, as marks and words must be readable on a telephone too; the style sheet shows one of them."""
_MARGIN, _RADIUS, _STAR = 28, 9, 20
_DRAWN = 3_000
_NUMBERED = 40
_GROUPS = 8
_STEPS = (0, -24, 24, -48, 48, -72, 72)
"""How far up or down the name of a group may go from its centre."""


def side_of(change: Change) -> str:
    """Returns ``a``, ``b`` or ``both``: whose list shows an item."""
    return "both" if change.first_place and change.second_place else "a" if change.first_place else "b"


def map_figure(atlas: Atlas, changes: Sequence[Change], spots: Mapping[str, np.ndarray]) -> str:
    """Returns the map, once wide and once narrow: all items, at most 3,000 drawn, and always those of ``changes``.

    Args:
        changes: their items are numbered from 1, if there are at most 40.
        spots: ``(2,)`` or longer for ``A`` and ``B``; who lies nowhere is not drawn.
    """
    items = np.asarray(atlas.items.coordinates, np.float64)[:, :2]
    listed = np.array([change.item_row for change in changes], int)
    rows = np.arange(len(items))
    if len(items) > _DRAWN:
        chosen = np.random.default_rng(0).choice(len(items), _DRAWN, replace=False)
        rows = np.union1d(chosen[: _DRAWN - len(listed)], listed)
    people = {name: np.asarray(spot, np.float64)[:2] for name, spot in spots.items() if np.isfinite(spot).all()}
    stars = np.array(list(people.values())).reshape(-1, 2)
    told = f"Map of {len(items):,} items; those of the two lists are numbered"
    told += f", {' and '.join(people)} marked by a star" if people else ""
    found = []
    for name, size in _SIZES.items():
        frame = _Frame.around(np.vstack([items, stars]), size)
        dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in frame.place(items[rows]))
        at, own = frame.place(stars), frame.place(items[listed])
        places = _apart(own, at, frame) if len(changes) <= _NUMBERED else own
        drawn = [f'<path class=dots d="{dots}"/>', _groups(atlas, frame, np.vstack([places, at]))]
        drawn += [_marks(changes, own, places), *(_star(who, *spot) for who, spot in zip(people, at, strict=True))]
        head = f'<svg class="map {name}" role=img viewBox="0 0 {size[0]:g} {size[1]:g}"><title>{told}</title>'
        found.append(f"{head}{''.join(drawn)}</svg>")
    return "".join(found)


@dataclass(frozen=True, eq=False)
class _Frame:
    """Fits coordinates into a picture, both axes to the same scale, up upwards."""

    size: tuple[float, float]
    low: np.ndarray
    corner: np.ndarray
    scale: float

    @classmethod
    def around(cls, points: np.ndarray, size: tuple[float, float]) -> "_Frame":
        low = points.min(axis=0)
        extent = np.maximum(points.max(axis=0) - low, 1e-9)
        room = np.array(size) - 2 * _MARGIN
        scale = float((room / extent).min())
        return cls(size, low, _MARGIN + (room - extent * scale) / 2, scale)

    def place(self, points: np.ndarray) -> np.ndarray:
        found = self.corner + (points - self.low) * self.scale
        found[:, 1] = self.size[1] - found[:, 1]
        return np.asarray(found)


def _marks(changes: Sequence[Change], spots: np.ndarray, places: np.ndarray) -> str:
    """Marks, each with a line to where its item lies; many of them are small and without numbers."""
    is_numbered = len(changes) <= _NUMBERED
    leads, marks = [], []
    for number, (change, (x, y), (at_x, at_y)) in enumerate(zip(changes, spots, places, strict=True), 1):
        leads.append(f'<path class=lead d="M{x:.1f} {y:.1f}L{at_x:.1f} {at_y:.1f}"/>' if is_numbered else "")
        shape = _shape(side_of(change), at_x, at_y, _RADIUS if is_numbered else _RADIUS / 2)
        text = f'<text x="{at_x:.1f}" y="{at_y + 4:.1f}">{number}</text>' if is_numbered else ""
        marks.append(f"<g class={side_of(change)}><title>{escape(change.title)}</title>{shape}{text}</g>")
    return "".join(leads + marks)


def _apart(spots: np.ndarray, stars: np.ndarray, frame: _Frame) -> np.ndarray:
    """Moves marks apart and off the stars, as little as needed, until none overlap or they have had enough pushes."""
    turn = np.arange(len(spots)) * 2.4
    found = spots + 0.01 * np.stack([np.cos(turn), np.sin(turn)], axis=1)  # marks on one spot need a direction
    for _ in range(300):
        push = _push(found, found, 2.5 * _RADIUS) / 2 + _push(found, stars, _STAR + _RADIUS)
        if not push.any():
            break
        found = np.clip(found + push, 1.5 * _RADIUS, np.array(frame.size) - 1.5 * _RADIUS)
    return np.asarray(found)


def _push(points: np.ndarray, others: np.ndarray, distance: float) -> np.ndarray:
    """How far each point must go to be ``distance`` away from all others; a point does not push itself."""
    ways = points[:, None] - others[None]
    lengths = np.linalg.norm(ways, axis=2)
    strength = np.maximum(distance - lengths, 0) / np.where(lengths == 0, np.inf, lengths)
    return np.asarray((strength[:, :, None] * ways).sum(axis=1))


def _shape(side: str, x: float, y: float, r: float) -> str:
    if side == "a":
        return f'<circle class=mark cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'
    if side == "b":
        half = 0.9 * r
        return (
            f'<rect class=mark x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half:.1f}" height="{2 * half:.1f}"/>'
        )
    d = 1.3 * r
    return f'<path class=mark d="M{x:.1f} {y - d:.1f}l{d:.1f} {d:.1f}l{-d:.1f} {d:.1f}l{-d:.1f} {-d:.1f}z"/>'


def _star(name: str, x: float, y: float) -> str:
    turns = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, 0.48 * _STAR, _STAR)
    corners = zip(x + radii * np.sin(turns), y - radii * np.cos(turns), strict=True)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    text = f'<text x="{x:.1f}" y="{y + 5:.1f}">{name}</text>'
    return f'<g class={name.lower()}><title>{name} lies here</title><polygon class=star points="{points}"/>{text}</g>'


def _groups(atlas: Atlas, frame: _Frame, taken: np.ndarray) -> str:
    """The names of the largest groups, near their centres, where they cover neither marks nor each other."""
    clusters = atlas.clusters
    sizes = np.bincount(clusters.numbers[clusters.numbers >= 0], minlength=len(clusters.labels))
    texts: list[str] = []
    for n in np.argsort(-sizes, kind="stable").tolist():
        half = 3.8 * len(clusters.labels[n])
        if len(texts) == _GROUPS or 2 * half > frame.size[0]:
            continue
        x, y = frame.place(np.asarray(clusters.centres[n], np.float64)[None, :2])[0]
        x = float(np.clip(x, half, frame.size[0] - half))
        free = [y + step for step in _STEPS if _is_free(x, y + step, half, taken, frame)]
        if free:
            line = np.arange(x - half, x + half, 2 * _RADIUS)
            taken = np.vstack([taken, np.stack([line, np.full(len(line), free[0] - 4)], axis=1)])
            texts.append(f'<text class=group x="{x:.1f}" y="{free[0]:.1f}">{escape(clusters.labels[n])}</text>')
    return "".join(texts)


def _is_free(x: float, y: float, half: float, taken: np.ndarray, frame: _Frame) -> bool:
    clear = (np.abs(taken[:, 0] - x) > half + 1.5 * _RADIUS) | (np.abs(taken[:, 1] - (y - 4)) > _STAR + 6)
    return bool(clear.all()) and _MARGIN / 2 < y < frame.size[1] - _MARGIN / 2
