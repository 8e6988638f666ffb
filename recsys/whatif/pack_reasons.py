"""Why, in the stakeholder pack: what changed the score of each item, and what the scores of the first ones are made of."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Explanation
from recsys.whatif.compare import Change, Comparison
from recsys.whatif.pack_figures import bar, kind_of, plain, signed, table

_NAMES = ("A", "B")
_HEADING = "<h2>What changed, and why</h2>"
_PARTS, _ROWS = 3, 10
"""Parts of a shift, and of an explanation, that are shown; the others are summed."""


def changes_section(recommender: Recommender, comparison: Comparison) -> str:
    """Returns every item that entered, left or moved, with its reason and what changed its score."""
    changed = comparison.of_kind("entered", "left", "up", "down")
    if not changed:
        return f"{_HEADING}<p>Nothing: both see the same items in the same order.</p>"
    reasons = [
        dict(zip(found.table[ITEM_ID], recommender.reasons(found), strict=True))
        for found in (comparison.first, comparison.second)
    ]
    largest = max((abs(value) for change in changed for _, value in _largest(change)), default=0.0)
    rows = []
    for change in changed:
        own = 0 if change.kind == "left" else 1
        rows.append(
            [
                escape(change.title),
                kind_of(change),
                _places(change),
                f"<span>For {_NAMES[own]}: {escape(reasons[own][change.item_id])}.</span>",
                _shift(change, largest),
            ]
        )
    told = "Every item that entered, left or moved. A place in brackets is the rank outside the list. "
    told += (
        "Bars: what each part of the person adds for B, less what it adds for A; they sum to the change of the score."
    )
    return _HEADING + table(
        told, ("item", "change", "place", "why it is there", "what changed its score"), rows, style="cards"
    )


def _places(change: Change) -> str:
    first, second = _place(change.first_place, change.first_rank), _place(change.second_place, change.second_rank)
    return f"<span class=fixed>{first} → {second}</span>"


def _place(place: int | None, rank: int | None) -> str:
    return str(place) if place else "liked" if rank is None else f"({rank:,})"


def _largest(change: Change) -> list[tuple[str, float]]:
    parts = [(part.label, part.value) for part in change.shifts[:_PARTS]]
    left = sum(part.value for part in change.shifts[_PARTS:])
    return [*parts, ("everything else", left)] if len(change.shifts) > _PARTS else parts


def _shift(change: Change, largest: float) -> str:
    parts = "".join(
        f"<span>{escape(label)}</span><span class=n>{signed(value)}</span>{bar(value, -largest, largest)}"
        for label, value in _largest(change)
    )
    total = f"{plain(change.first_score)} → {plain(change.second_score)} ({signed(change.shift)})"
    return f"<div><div class='small soft'>score {total}</div><div class=parts>{parts}</div></div>"


def explanations_section(recommender: Recommender, explanations: Mapping[str, Sequence[Explanation]]) -> str:
    """Returns the explanations of each person's items; an empty text where none adds up."""
    shown = {name: [one for one in explanations.get(name, ()) if one.is_complete] for name in _NAMES}
    if not any(shown.values()):
        return ""
    columns = []
    for name, found in ((name, found) for name, found in shown.items() if found):
        cards = "".join(_explanation(recommender, one) for one in found)
        columns.append(f"<div><h3>For {name}</h3>{cards}</div>")
    told = "Each score is a sum. Read from top to bottom: every bar begins where the one before it ended."
    pair = f"<div class=pair>{''.join(columns)}</div>"
    return f"<h2>Why the first items are there</h2><p class=soft>{told}</p>{pair}"


def _explanation(recommender: Recommender, explanation: Explanation) -> str:
    parts = _told_parts(explanation)
    sums = np.cumsum([0.0, *(value for _, value in parts)])
    low, high = float(sums.min()), float(sums.max())
    rows = [
        [
            escape(label),
            signed(value),
            bar(value, low, high, start=start),
            plain(end),
        ]
        for (label, value), start, end in zip(parts, sums[:-1].tolist(), sums[1:].tolist(), strict=True)
    ]
    above = " above the average item" if explanation.is_centred else ""
    score = f"Rank {explanation.rank:,}, score {plain(explanation.total)}{above}"
    warnings = "".join(f"<p class='small note'>{escape(text)}</p>" for text in explanation.warnings)
    return (
        f"<div class=card><h4>{escape(explanation.title)}</h4><p>{escape(recommender.reason(explanation))}.</p>"
        f"{table(score, ('part', 'adds', 'bar', 'so far'), rows, numbers=(1, 3))}{warnings}</div>"
    )


def _told_parts(explanation: Explanation) -> list[tuple[str, float]]:
    """The largest parts in their order, and the sum of all others."""
    parts = [(part.facet.label, part.contribution) for part in explanation.parts]
    if len(parts) <= _ROWS:
        return parts
    largest = sorted(range(len(parts)), key=lambda n: -abs(parts[n][1]))[: _ROWS - 1]
    rest = sum(value for n, (_, value) in enumerate(parts) if n not in largest)
    return [*(parts[n] for n in sorted(largest)), (f"{len(parts) - len(largest)} smaller parts", rest)]
