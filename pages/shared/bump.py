"""Two ranked lists side by side, items joined by lines: drawn in the browser from text, never from HTML."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.language import N_, _
from recsys.whatif import Change, Comparison

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "coldlens_bump",
    html='<div class="host"></div>',
    css=(_HERE / "bump.css").read_text("utf-8"),
    js=(_HERE / "bump.js").read_text("utf-8"),
)
_LIKED = N_("liked")


def draw_bump(found: Comparison, *, chosen: str | None, on_press: Callable[[str], None]) -> None:
    """Draws both lists; pressing an item calls ``on_press`` with its item_id.

    Below each list stand the items of the other one, with the rank that they have here.
    """
    first = sorted(found.changes, key=lambda change: _place(change, is_first=True))
    second = sorted(found.changes, key=lambda change: _place(change, is_first=False))

    def pressed() -> None:
        item_id = st.session_state["bump"].pressed
        if item_id is not None:
            on_press(str(item_id))

    _component(
        data={
            "names": [_("A sees"), _("B sees")],
            "beyond": _("not in this list"),
            "first": [_values(change) for change in first],
            "second": [_values(change) for change in second],
            "firstK": len(found.first),
            "secondK": len(found.second),
            "chosen": chosen,
            "label": _("The lists of A and B; press an item to see why it differs"),
        },
        key="bump",
        on_pressed_change=pressed,
    )


def _place(change: Change, *, is_first: bool) -> tuple[bool, float]:
    """Listed items in their order, then the others by rank; what is liked comes last."""
    place = change.first_place if is_first else change.second_place
    rank = change.first_rank if is_first else change.second_rank
    return place is None, place if place is not None else rank if rank is not None else float("inf")


def _values(change: Change) -> dict[str, Any]:
    return {
        "id": change.item_id,
        "title": change.title,
        "kind": change.kind,
        "badge": told(change),
        "told": told(change),
        "firstRank": str(change.first_place or change.first_rank or _(_LIKED)),
        "secondRank": str(change.second_place or change.second_rank or _(_LIKED)),
    }


def told(change: Change) -> str:
    """Returns what happens to an item, in a word."""
    if change.kind in ("entered", "left"):
        return _("enters") if change.kind == "entered" else _("leaves")
    if change.kind == "same":
        return _("same")
    steps = abs((change.first_place or 0) - (change.second_place or 0))
    return f"{'↑' if change.kind == 'up' else '↓'} {steps}"
