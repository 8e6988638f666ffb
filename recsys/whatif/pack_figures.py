"""Figures of the stakeholder pack: HTML and inline SVG without scripts, readable in colour, in grey and on paper."""

from collections.abc import Sequence
from html import escape

from recsys.whatif.compare import Change

_TOLD = {"entered": "new", "left": "gone", "same": "="}


def signed(value: float, digits: int = 3) -> str:
    """Returns a number with its sign, a true minus, and no negative zero."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def plain(value: float) -> str:
    """Returns a number with three digits and a true minus."""
    return signed(value).removeprefix("+")


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    style: str = "",
) -> str:
    """Returns a table whose first column heads its rows.

    Args:
        heads: plain text.
        rows: HTML.
        numbers: columns that hold numbers.
        style: ``cards`` for one whose rows become small cards on a narrow screen, ``even`` for one of equal columns.
    """
    align = [" class=n" if column in numbers else "" for column in range(len(heads))]
    titles = "".join(
        f"<th scope=col role=columnheader{own}>{escape(head)}</th>" for head, own in zip(heads, align, strict=True)
    )
    lines = []
    for first, *rest in rows:
        cells = f'<th scope=row role=rowheader data-head="{escape(heads[0])}">{first}</th>'
        for n, cell in enumerate(rest, 1):
            cells += f'<td role=cell{align[n]} data-head="{escape(heads[n])}">{cell}</td>'
        lines.append(f"<tr role=row>{cells}</tr>")
    return (
        f"<table role=table{f' class={style}' if style else ''}><caption>{escape(caption)}</caption>"
        f"<thead role=rowgroup><tr role=row>{titles}</tr></thead><tbody role=rowgroup>{''.join(lines)}</tbody></table>"
    )


def bar(value: float, low: float, high: float, *, start: float = 0.0) -> str:
    """Returns a bar from ``start`` to ``start + value`` on a scale that shows zero; the number stands beside it."""
    width = (high - low) or 1.0
    left, right = sorted((start, start + value))
    kind = "plus" if value >= 0 else "minus"
    sides = f"left:{(left - low) / width:.2%};width:{(right - left) / width:.2%}"
    zero = f'<b style="left:{-low / width:.2%}"></b>'
    return f'<span class=bar aria-hidden=true><i class={kind} style="{sides}"></i>{zero}</span>'


def kind_of(change: Change) -> str:
    """Returns what became of an item, as a badge: a word or an arrow, and a border of its own."""
    moved = abs((change.first_place or 0) - (change.second_place or 0))
    told = _TOLD.get(change.kind) or f"{'▲' if change.kind == 'up' else '▼'} {moved}"
    return f"<span class='kind {change.kind}'>{told}</span>"


def bump_chart(changes: Sequence[Change]) -> str:
    """Returns the two lists side by side, joined by lines; titles wrap and are never cut."""
    sides = (
        sorted((c for c in changes if c.first_place), key=lambda c: c.first_place or 0),
        sorted((c for c in changes if c.second_place), key=lambda c: c.second_place or 0),
    )
    n_rows = max(map(len, sides))
    if not n_rows:
        return "<p>Both lists are empty.</p>"
    lists = []
    for place, side in zip(("first_place", "second_place"), sides, strict=True):
        lines = []
        for change in side:
            badge = kind_of(change) if place == "second_place" or change.kind == "left" else ""
            title = f"<span class=title>{escape(change.title)}</span>"
            lines.append(f"<li><span class=rank>{getattr(change, place)}</span>{title}{badge}</li>")
        lists.append(f'<ol style="--rows:{n_rows}">{"".join(lines)}</ol>')
    paths = "".join(map(_path, sorted(changes, key=lambda change: change.kind != "same")))
    told = "<title>Lines from the place of each item for A to its place for B</title>"
    svg = f'<svg role=img viewBox="0 0 100 {100 * n_rows}" preserveAspectRatio=none>{told}{paths}</svg>'
    return f"<div class=bump>{lists[0]}<div>{svg}</div>{lists[1]}</div>"


def _path(change: Change) -> str:
    first, second = (100 * (place or 0) - 50 for place in (change.first_place, change.second_place))
    line = f"M3 {first}C45 {first} 55 {second} 97 {second}"
    if change.kind == "entered":
        line = f"M70 {second}H97"
    elif change.kind == "left":
        line = f"M3 {first}H30"
    places = (f"{side} {place}" for side, place in (("A", change.first_place), ("B", change.second_place)) if place)
    return f'<path class={change.kind} d="{line}"><title>{escape(change.title)}: {" → ".join(places)}</title></path>'
