"""Pictures of numbers, without Streamlit."""

from collections.abc import Mapping, Sequence
from html import escape

from recsys.schema import Facet

COLOURS: Mapping[str, str] = {
    "prior": "#999999",
    "age": "#E69F00",
    "gender": "#CC79A7",
    "attribute": "#009E73",
    "interest": "#0072B2",
    "liked": "#56B4E9",
}
"""Okabe–Ito: told apart by colour-blind readers; the same colour means the same kind of facet everywhere."""
NAMES = {"prior": "popularity", "age": "age", "gender": "gender", "attribute": "attributes"}
NAMES |= {"interest": "interests", "liked": "liked items"}
_WIDTH, _HEIGHT, _GAP, _MARGIN = 320, 16, 1, 2
_METER_WIDTH = 640


def score_bar(values: Sequence[float], facets: Sequence[Facet], *, sides: tuple[float, float], is_dark: bool) -> str:
    """Returns a stacked signed bar as SVG: negative parts left of the zero line, positive ones right of it.

    Args:
        values: one contribution per facet.
        sides: the largest sums of each sign in the whole list, so that bars of different items can be compared; see
            ``largest_sides``.
    """
    unit = (_WIDTH - 2 * _MARGIN) / (sum(sides) or 1.0)
    zero = _MARGIN + sides[0] * unit
    parts, right, left = [], zero, zero
    for value, facet in zip(values, facets, strict=True):
        if value == 0:
            continue
        width = abs(value) * unit
        if value < 0:
            left -= width
        parts.append(
            _rectangle(left if value < 0 else right, width, COLOURS[facet.kind], f"{facet.label}: {value:+.3f}")
        )
        if value >= 0:
            right += width
    ink = "#CBD5E1" if is_dark else "#334155"
    line = f'<rect x="{zero - 0.75:.2f}" y="0" width="1.5" height="{_HEIGHT + 4}" fill="{ink}"/>'
    return _svg(_WIDTH, _HEIGHT + 4, "".join(parts) + line)


def legend(facets: Sequence[Facet]) -> list[tuple[str, str]]:
    """Returns (name, colour) of every kind of facet that occurs, in order."""
    kinds = dict.fromkeys(facet.kind for facet in facets)
    return [(NAMES[kind], COLOURS[kind]) for kind in kinds]


def legend_pictures(facets: Sequence[Facet], *, is_dark: bool) -> list[tuple[str, str]]:
    """Returns (name, SVG) of every kind of facet that occurs: a colour and what it stands for."""
    ink = "#F1F5F9" if is_dark else "#0F172A"
    return [(name, legend_entry(name, colour, ink)) for name, colour in legend(facets)]


def legend_entry(name: str, colour: str, ink: str) -> str:
    """Returns a colour and what it stands for as SVG."""
    swatch = f'<rect x="0" y="4" width="12" height="12" rx="2" fill="{colour}"/>'
    text = f'<text x="17" y="14.5" font-family="sans-serif" font-size="13" fill="{ink}">{escape(name)}</text>'
    return _svg(round(20 + 7.4 * len(name)), 20, swatch + text)


def percentages(shares: Mapping[str, float]) -> dict[str, int]:
    """Returns whole percentages that sum to 100 (all 0 where all shares are): the largest remainders are rounded up."""
    exact = {kind: 100 * share for kind, share in shares.items()}
    whole = {kind: int(value) for kind, value in exact.items()}
    missing = round(sum(exact.values())) - sum(whole.values())
    for kind in sorted(exact, key=lambda kind: whole[kind] - exact[kind])[:missing]:
        whole[kind] += 1
    return whole


def influence_bar(shares: Mapping[str, float]) -> str:
    """Returns one stacked bar as SVG: the share that each kind of facet has in a list."""
    parts, x, width = [], 0.0, _METER_WIDTH
    for kind, share in shares.items():
        label = f"{NAMES[kind]}: {percentages(shares)[kind]} %"
        parts.append(_rectangle(x, share * width, COLOURS[kind], label) if share else "")
        x += share * width
    return _svg(width, _HEIGHT + 4, "".join(parts))


def tile(title: str, *, is_dark: bool) -> str:
    """Returns a quiet typographic tile for an item without a picture: its initials."""
    words = [word for word in title.split() if word[:1].isalnum()] or ["?"]
    initials = escape(
        "".join(word[0] for word in words if word.lower() not in ("the", "a", "an", "of"))[:2].upper() or "?"
    )
    back, ink = ("#1E293B", "#94A3B8") if is_dark else ("#EEF2F7", "#475569")
    text = f'<text x="24" y="31" text-anchor="middle" font-family="Georgia,serif" font-size="20" fill="{ink}">{initials}</text>'
    return _svg(48, 48, f'<rect width="48" height="48" rx="8" fill="{back}"/>{text}')


def largest_sides(rows: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Returns the largest size of a sum of negative and of positive contributions over all items."""
    negative, positive = (
        max((abs(sum(v for v in row if v * sign > 0)) for row in rows), default=0.0) for sign in (-1, 1)
    )
    return negative, positive


def _rectangle(x: float, width: float, colour: str, label: str) -> str:
    title = f"<title>{escape(label)}</title>"
    return f'<rect x="{x:.2f}" y="2" width="{max(width - _GAP, 0.4):.2f}" height="{_HEIGHT}" fill="{colour}">{title}</rect>'


def _svg(width: float, height: float, inside: str) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{inside}</svg>'
