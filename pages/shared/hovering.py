"""The picture of an item beside the pointer while it is over the map: Plotly's own labels show text only."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from pages.shared.frame import Page
from recsys.projection import Place
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Recommendations
from recsys.views.view import IMAGE

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "coldlens_hovering",
    html='<div class="card" aria-hidden="true"><img alt=""><span class="title"></span></div>',
    css=(_HERE / "hovering.css").read_text("utf-8"),
    js=(_HERE / "hovering.js").read_text("utf-8"),
)
MOST_PICTURES = 400
_MOST_BYTES = 1_500_000
"""Of all pictures together: a page does not send more."""


def draw_hovers(page: Page, chart: str, found: Recommendations, place: Place, chosen: int | None) -> None:
    """Has the pictures of items appear over a chart, by its key; nothing where the dataset has no pictures.

    Readers without a pointer lose nothing: the drawer of an item shows the same picture.
    """
    if IMAGE not in page.recommender.views:
        return
    dataset = page.dataset
    first = [dataset.item_row(item_id) for item_id in (*found.table[ITEM_ID], *page.profile.liked)]
    first += [] if chosen is None else [chosen]
    rows = pictured_rows(page.recommender, [*first, *place.neighbours.tolist()])
    pictures = {row: shown for row in rows if (shown := page.recommender.media(IMAGE, row)) is not None}
    kept = _within(pictures, rows)
    _component(
        data={
            "chart": f"st-key-{chart}",
            "mime": page.recommender.views[IMAGE].mime,
            "pictures": {str(row): [dataset.labels[row], b64encode(pictures[row]).decode()] for row in sorted(kept)},
        },
        key="hovering",
    )


def pictured_rows(recommender: Recommender, first: Sequence[int]) -> list[int]:
    """Returns the item_rows whose pictures are sent, at most ``MOST_PICTURES``: some first, then by popularity."""
    has = recommender.views[IMAGE].has
    popular = np.argsort(-recommender.dataset.popularity, kind="stable")
    rows = dict.fromkeys([*first, *popular[has[popular]][:MOST_PICTURES].tolist()])
    return [row for row in rows if has[row]][:MOST_PICTURES]


def _within(pictures: dict[int, bytes], rows: Iterable[int]) -> list[int]:
    """The first of the rows that fit into what a page sends."""
    kept, size = [], 0
    for row in rows:
        size += len(pictures.get(row, b""))
        if size > _MOST_BYTES:
            break
        kept += [row] if row in pictures else []
    return kept
