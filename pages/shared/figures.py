"""Pictures of numbers, without Streamlit."""

from collections.abc import Mapping, Sequence
from html import escape
from unicodedata import east_asian_width

from pages.shared.language import N_, _
from pages.shared.retelling import retold
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
VIEW_COLOURS: Mapping[str, str] = {
    "text": "#0072B2",
    "image": "#CC79A7",
    "audio": "#E69F00",
    "graph": "#009E73",
    "learned": "#56B4E9",
    "prior": "#999999",
}
VIEW_NAMES = {
    "text": N_("text"), "image": N_("picture"), "audio": N_("sound"), "graph": N_("facts"), "learned": N_("learned from likes"),
    "prior": N_("popularity"),
}  # fmt: skip
"""Names of views, as in ``recsys.views.view.VIEW_WORDS``, and of what is no view."""
NAMES = {"prior": N_("popularity"), "age": N_("age"), "gender": N_("gender"), "attribute": N_("attributes")}
NAMES |= {"interest": N_("interests"), "liked": N_("liked items")}
_WIDTH, _HEIGHT, _GAP, _MARGIN = 320, 16, 1, 2
_METER_WIDTH = 640


def score_bar(values: Sequence[float], facets: Sequence[Facet], *, sides: tuple[float, float], is_dark: bool) -> str:
    """Returns a stacked signed bar as SVG: negative parts left of the zero line, positive ones right of it.

    Args:
        values: one contribution per facet.
        sides: the largest sums of each sign in the whole list, so that bars of different items can be compared; see
            ``largest_sides``.
    """
    parts = [(value, COLOURS[facet.kind], retold(facet.label)) for value, facet in zip(values, facets, strict=True)]
    return _signed_bar(parts, sides, is_dark=is_dark, height=_HEIGHT)


def view_bar(values: Mapping[str, float], *, sides: tuple[float, float], is_dark: bool) -> str:
    """Returns the same score as ``score_bar``, by the views of the item, as a thinner bar to stand under it."""
    parts = [(value, VIEW_COLOURS[view], _(VIEW_NAMES[view])) for view, value in values.items()]
    return _signed_bar(parts, sides, is_dark=is_dark, height=_HEIGHT // 2)


def _signed_bar(
    parts: Sequence[tuple[float, str, str]], sides: tuple[float, float], *, is_dark: bool, height: int
) -> str:
    unit = (_WIDTH - 2 * _MARGIN) / (sum(sides) or 1.0)
    zero = _MARGIN + sides[0] * unit
    drawn, right, left = [], zero, zero
    for value, colour, label in parts:
        if value == 0:
            continue
        width = abs(value) * unit
        if value < 0:
            left -= width
        drawn.append(_rectangle(left if value < 0 else right, width, colour, f"{label}: {value:+.3f}", height))
        if value >= 0:
            right += width
    ink = "#CBD5E1" if is_dark else "#334155"
    line = f'<rect x="{zero - 0.75:.2f}" y="0" width="1.5" height="{height + 4}" fill="{ink}"/>'
    return _svg(_WIDTH, height + 4, "".join(drawn) + line)


def legend(facets: Sequence[Facet]) -> list[tuple[str, str]]:
    """Returns (name, colour) of every kind of facet that occurs, in order."""
    kinds = dict.fromkeys(facet.kind for facet in facets)
    return [(_(NAMES[kind]), COLOURS[kind]) for kind in kinds]


def legend_pictures(facets: Sequence[Facet], *, is_dark: bool) -> list[tuple[str, str]]:
    """Returns (name, SVG) of every kind of facet that occurs: a colour and what it stands for."""
    ink = "#F1F5F9" if is_dark else "#0F172A"
    return [(name, legend_entry(name, colour, ink)) for name, colour in legend(facets)]


def view_legend_pictures(views: Sequence[str], *, is_dark: bool) -> list[tuple[str, str]]:
    """Returns (name, SVG) of every view of the items."""
    ink = "#F1F5F9" if is_dark else "#0F172A"
    return [(_(VIEW_NAMES[view]), legend_entry(_(VIEW_NAMES[view]), VIEW_COLOURS[view], ink)) for view in views]


def legend_entry(name: str, colour: str, ink: str) -> str:
    """Returns a colour and what it stands for as SVG."""
    swatch = f'<rect x="0" y="4" width="12" height="12" rx="2" fill="{colour}"/>'
    text = f'<text x="17" y="14.5" font-family="sans-serif" font-size="13" fill="{ink}">{escape(name)}</text>'
    wide = sum(13.5 if east_asian_width(letter) in "WF" else 7.4 for letter in name)
    return _svg(round(20 + wide), 20, swatch + text)


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
        label = f"{_(NAMES[kind])}: {percentages(shares)[kind]} %"
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


def _rectangle(x: float, width: float, colour: str, label: str, height: int = _HEIGHT) -> str:
    title = f"<title>{escape(label)}</title>"
    return (
        f'<rect x="{x:.2f}" y="2" width="{max(width - _GAP, 0.4):.2f}" height="{height}" fill="{colour}">{title}</rect>'
    )


def _svg(width: float, height: float, inside: str) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{inside}</svg>'
