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
NAMES = {"prior": "prior", "age": "age", "gender": "gender", "attribute": "attributes"}
NAMES |= {"interest": "interests", "liked": "liked items"}
_WIDTH, _HEIGHT, _GAP = 320, 16, 1


def score_bar(values: Sequence[float], facets: Sequence[Facet], *, scale: float, is_dark: bool) -> str:
    """Returns a stacked signed bar as SVG: negative parts left of the zero line, positive ones right of it.

    Args:
        values: one contribution per facet.
        scale: the largest sum of one sign in the whole list, so that bars of different items can be compared.
    """
    zero = _WIDTH * 0.2
    unit = (_WIDTH - zero - 4) / scale if scale else 0.0
    parts, right, left = [], zero, zero
    for value, facet in zip(values, facets, strict=True):
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


def legend_picture(facets: Sequence[Facet], *, is_dark: bool) -> str:
    """Returns the legend of the score bars as SVG."""
    ink = "#F1F5F9" if is_dark else "#0F172A"
    parts, x = [], 0.0
    for name, colour in legend(facets):
        parts.append(f'<rect x="{x:.1f}" y="4" width="12" height="12" rx="2" fill="{colour}"/>')
        parts.append(
            f'<text x="{x + 17:.1f}" y="14.5" font-family="sans-serif" font-size="13" fill="{ink}">{name}</text>'
        )
        x += 34 + 7.2 * len(name)
    return _svg(max(1, int(x)), 20, "".join(parts))


def tile(title: str, *, is_dark: bool) -> str:
    """Returns a quiet typographic tile for an item without a picture: its initials."""
    words = [word for word in title.split() if word[:1].isalnum()] or ["?"]
    initials = escape(
        "".join(word[0] for word in words if word.lower() not in ("the", "a", "an", "of"))[:2].upper() or "?"
    )
    back, ink = ("#1E293B", "#94A3B8") if is_dark else ("#EEF2F7", "#475569")
    text = f'<text x="24" y="31" text-anchor="middle" font-family="Georgia,serif" font-size="20" fill="{ink}">{initials}</text>'
    return _svg(48, 48, f'<rect width="48" height="48" rx="8" fill="{back}"/>{text}')


def largest_side(rows: Sequence[Sequence[float]]) -> float:
    """Returns the largest sum of the contributions of one sign over all items."""
    sides = [abs(sum(v for v in row if v * sign > 0)) for row in rows for sign in (1, -1)]
    return max(sides, default=0.0)


def _rectangle(x: float, width: float, colour: str, label: str) -> str:
    title = f"<title>{escape(label)}</title>"
    return f'<rect x="{x:.2f}" y="2" width="{max(width - _GAP, 0.4):.2f}" height="{_HEIGHT}" fill="{colour}">{title}</rect>'


def _svg(width: float, height: float, inside: str) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{inside}</svg>'
