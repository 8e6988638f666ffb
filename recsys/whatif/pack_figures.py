"""Figures of the stakeholder pack: HTML and inline SVG without scripts, readable in colour, in grey and on paper."""

from collections.abc import Sequence
from html import escape

from recsys.whatif.compare import Change

STYLE = """
:root{color-scheme:light dark;--ink:#0f172a;--paper:#fff;--card:#f8fafc;--line:#cbd5e1;--soft:#475569;--dot:#94a3b8}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--paper:#0b1220;--card:#131c2e;--line:#334155;--soft:#a3b1c6;--dot:#55657d}}
:root{--plus:#0072B2;--minus:#D55E00;--a:#009E73;--b:#CC79A7;--both:#E69F00}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:66rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .4rem}h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.8rem;
border-top:1px solid var(--line)}h3{font-size:1.05rem;margin:1.4rem 0 .4rem}h4{font-size:1rem;margin:0 0 .2rem}
p{margin:.4rem 0 .7rem;max-width:46rem}h1,h2,h3,h4,p,li,td,th,pre{overflow-wrap:anywhere}
.soft{color:var(--soft)}small,.small{font-size:.85rem}.note{border-left:4px solid var(--both);padding:.1rem .8rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}.card{background:var(--card);border:1px solid var(--line);
border-radius:.6rem;padding:.8rem 1rem;min-width:0}.card>:first-child{margin-top:0}.card>:last-child{margin-bottom:0}.card+.card{margin-top:1rem}.pair .card+.card.b{margin-top:0}
.pair+table{margin-top:1rem}.lead{font-size:1.15rem}.card.a{border-top:4px solid var(--a)}
.card.b{border-top:4px solid var(--b)}.facts{display:grid;grid-template-columns:repeat(4,1fr);gap:1rem;margin:1rem 0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .9rem}
.facts dt{color:var(--soft);font-size:.85rem}.facts dd{margin:0;font-size:1.5rem;font-weight:650;line-height:1.25}
.facts dd small{display:block;font-weight:400;color:var(--soft)}dl{margin:0}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}caption{text-align:left;color:var(--soft);
font-size:.85rem;padding-bottom:.3rem}td,th{border-bottom:1px solid var(--line);padding:.4rem .55rem;text-align:left;
vertical-align:top}th{font-weight:600}thead th{color:var(--soft);font-size:.8rem}.n{text-align:right;white-space:nowrap}.place{white-space:nowrap}
.kind{display:inline-block;white-space:nowrap;font-size:.8rem;line-height:1.3;padding:0 .4rem;border-radius:.6rem;
border:1.5px solid var(--line)}.kind.entered{border-color:var(--plus)}.kind.left{border-color:var(--minus);border-style:dashed}
.kind.up,.kind.down{border-color:var(--soft)}.bar{position:relative;display:block;height:.7rem;min-width:6rem;margin:.35rem 0}
.bar i{position:absolute;top:0;bottom:0;border-radius:1px}.bar i.plus{background:var(--plus)}.bar i.minus{background:var(--minus)}
.bar b{position:absolute;top:-.2rem;bottom:-.2rem;width:1px;background:var(--soft)}
.stack th:first-child{width:20%}.stack td:last-child{width:40%}.parts{display:grid;grid-template-columns:minmax(0,1fr) auto 7rem;gap:0 .5rem;align-items:center;font-size:.85rem;line-height:1.3}
.bump{display:grid;grid-template-columns:minmax(0,1fr) minmax(3rem,16%) minmax(0,1fr);margin:.6rem 0}
.bump ol{list-style:none;margin:0;padding:0;display:grid;grid-template-rows:repeat(var(--rows),minmax(2.2rem,1fr))}
.bump li{display:flex;gap:.5rem;align-items:center;line-height:1.25;padding:.2rem .1rem;min-width:0}
.bump li>span:nth-child(2){flex:1;min-width:0}.bump ol:first-child li{text-align:right;flex-direction:row-reverse}
.rank{font-weight:650;min-width:1.5rem;text-align:center}.bump div{position:relative}.bump svg{position:absolute;inset:0;width:100%;height:100%}
.bump path{fill:none;stroke-width:2.5;vector-effect:non-scaling-stroke;stroke:var(--soft)}.bump path.entered{stroke:var(--plus)}
.bump path.left{stroke:var(--minus);stroke-dasharray:5 4}.bump path.same{stroke:var(--line)}
.heads{display:grid;grid-template-columns:minmax(0,1fr) minmax(3rem,16%) minmax(0,1fr);font-weight:650}.heads :first-child{
text-align:right}.heads :last-child{grid-column:3}.map{display:block;width:100%;height:auto;background:var(--card);
border:1px solid var(--line);border-radius:.6rem}.map .dot{fill:var(--dot);opacity:.55}.map .lead{stroke:var(--soft)}
.map text{fill:#0f172a;font:600 11px system-ui,sans-serif;text-anchor:middle}.map .group{fill:var(--soft);font-weight:400;
font-size:13px;paint-order:stroke;stroke:var(--card);stroke-width:3px}.map .mark,.map .star{stroke:var(--paper);stroke-width:1.5}
.map .star{stroke:var(--ink)}.a{--own:var(--a)}.b{--own:var(--b)}.both{--own:var(--both)}.mark,.star{fill:var(--own)}
.map .star+text{font-size:14px}.key{columns:2;list-style:none;padding:0;font-size:.9rem;margin:.4rem 0}.key li{break-inside:avoid}
.key b{display:inline-block;min-width:1.6rem;text-align:right;margin-right:.4rem}.shape{color:var(--own);font-size:1.15em}
.legend{max-width:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.85rem;margin:.5rem 0;padding:0;list-style:none}
pre{font-size:.75rem;background:var(--card);border:1px solid var(--line);padding:.7rem;overflow:auto;max-height:24rem;white-space:pre-wrap}
summary{cursor:pointer}ul{padding-left:1.2rem;max-width:46rem}footer{margin-top:2.6rem;border-top:1px solid var(--line)}
@media(max-width:640px){body{font-size:15px;padding:1.2rem .9rem}h1{font-size:1.5rem}.pair{grid-template-columns:1fr}
.facts{grid-template-columns:1fr 1fr;gap:.6rem}.key{columns:1}.bump{font-size:.85rem}.bump li{gap:.25rem}
.bump .kind{display:block;padding:0 .25rem;font-size:.75rem}.stack thead{position:absolute;left:-999rem}
.stack tr{display:block;border-bottom:1px solid var(--line);padding:.5rem 0}.stack td,.stack th{display:flex;gap:.7rem;border:0;
padding:.15rem 0;text-align:left}.stack td:last-child,.stack th:first-child{width:auto}.stack td>*{flex:1}.stack td>.kind{flex:none}td,th{padding:.35rem .3rem}.bar{min-width:4.5rem}.stack td::before,.stack tbody th::before{content:attr(data-head);flex:0 0 6.2rem;
color:var(--soft);font-weight:400;font-size:.8rem}.map .group{font-size:17px}}
@media print{:root{color-scheme:light;--ink:#0f172a;--paper:#fff;--card:#fff;--line:#cbd5e1;--soft:#475569;--dot:#94a3b8}
body{font-size:10.5pt;max-width:none;padding:0;-webkit-print-color-adjust:exact;print-color-adjust:exact}@page{margin:16mm}
h2,h3,h4{break-after:avoid}tr,.card,.bump li,.map,.facts{break-inside:avoid}details{display:none}}
"""
_TOLD = {"entered": "new", "left": "gone", "same": "="}


def signed(value: float, digits: int = 3) -> str:
    """Returns a number with its sign, a true minus, and no negative zero."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    is_wide: bool = False,
) -> str:
    """Returns a table whose first column heads its rows.

    Args:
        heads: plain text.
        rows: HTML.
        numbers: columns that hold numbers.
        is_wide: whether each row becomes a small card on a narrow screen.
    """
    style = [" class=n" if column in numbers else "" for column in range(len(heads))]
    titles = "".join(
        f"<th scope=col role=columnheader{own}>{escape(head)}</th>" for head, own in zip(heads, style, strict=True)
    )
    lines = []
    for first, *rest in rows:
        cells = f'<th scope=row role=rowheader data-head="{escape(heads[0])}">{first}</th>'
        for n, cell in enumerate(rest, 1):
            cells += f'<td role=cell{style[n]} data-head="{escape(heads[n])}">{cell}</td>'
        lines.append(f"<tr role=row>{cells}</tr>")
    return (
        f"<table role=table{' class=stack' if is_wide else ''}><caption>{escape(caption)}</caption><thead role=rowgroup><tr role=row>{titles}</tr></thead>"
        f"<tbody role=rowgroup>{''.join(lines)}</tbody></table>"
    )


def bar(value: float, low: float, high: float, *, start: float = 0.0) -> str:
    """Returns a bar from ``start`` to ``start + value`` on a scale that shows zero; the number stands beside it."""
    width = (high - low) or 1.0
    left, right = sorted((start, start + value))
    kind = "plus" if value >= 0 else "minus"
    return (
        f'<span class=bar aria-hidden=true><i class={kind} style="left:{(left - low) / width:.2%};width:{(right - left) / width:.2%}">'
        f'</i><b style="left:{-low / width:.2%}"></b></span>'
    )


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
            title = f"<span>{escape(change.title)}</span>"
            lines.append(f"<li><span class=rank>{getattr(change, place)}</span>{title}{badge}</li>")
        lists.append(f'<ol style="--rows:{n_rows}">{"".join(lines)}</ol>')
    paths = "".join(map(_path, sorted(changes, key=lambda change: change.kind != "same")))
    svg = f'<svg role=img viewBox="0 0 100 {100 * n_rows}" preserveAspectRatio=none><title>Lines from each rank for A to the rank for B'
    return f"<div class=bump>{lists[0]}<div>{svg}</title>{paths}</svg></div>{lists[1]}</div>"


def _path(change: Change) -> str:
    first, second = (100 * (place or 0) - 50 for place in (change.first_place, change.second_place))
    line = f"M3 {first}C45 {first} 55 {second} 97 {second}"
    if change.kind == "entered":
        line = f"M70 {second}H97"
    elif change.kind == "left":
        line = f"M3 {first}H30"
    places = (f"{side} {place}" for side, place in (("A", change.first_place), ("B", change.second_place)) if place)
    return f'<path class={change.kind} d="{line}"><title>{escape(change.title)}: {" → ".join(places)}</title></path>'
