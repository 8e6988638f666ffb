"""Words with signed bars, arcs between them, and the matrix behind: drawn in the browser from text, never from HTML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from recsys.schema import ExplainedText, Explanation, Line

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "coldlens_words",
    html='<div class="host"></div>',
    css=(_HERE / "words.css").read_text("utf-8"),
    js=(_HERE / "words.js").read_text("utf-8"),
)
_TITLES = {"item": "What BERT reads of the item", "sentence": "What BERT reads of the profile"}


def draw_texts(explanation: Explanation, *, scale: float, key: str) -> None:
    """Draws the texts of profile and item with a signed bar under each word, and the five strongest pairs as arcs."""
    pairs, share = explanation.matrix.strongest_pairs()
    data = _matrix_data(explanation.matrix.rows, explanation.matrix.columns, explanation.matrix.values, scale)
    profile = [text for text in explanation.texts if text.side == "profile"]
    item = [text for text in explanation.texts if text.side == "item"]
    note = "Press a word to see what it does together with each word of the other side."
    if pairs:
        n = len(pairs)
        said = "The strongest pair is" if n == 1 else f"The {n} strongest pairs are"
        note = f"{said} drawn: {share:.0%} of what all pairs of words carry. {note}".replace("%", " %")
    data |= {
        "kind": "texts",
        "profile": [_text_data(text, explanation.matrix.rows) for text in profile],
        "item": [_text_data(text, explanation.matrix.columns) for text in item],
        "pairs": [{"row": row, "column": column, "value": value} for row, column, value in pairs],
        "note": note,
    }
    _component(data=data, key=key)


def draw_matrix(
    rows: Sequence[Line], columns: Sequence[Line], values: np.ndarray, *, scale: float, label: str, key: str
) -> None:
    """Draws a matrix with its margins; colours reach their full strength at ``scale``."""
    data = _matrix_data(rows, columns, values, scale) | {"kind": "matrix", "label": label}
    _component(data=data, key=key)


def _matrix_data(rows: Sequence[Line], columns: Sequence[Line], values: np.ndarray, scale: float) -> dict[str, Any]:
    return {
        "rowLabels": [line.label for line in rows],
        "columnLabels": [line.label for line in columns],
        "wordRows": [n for n, line in enumerate(rows) if line.is_word],
        "wordColumns": [n for n, line in enumerate(columns) if line.is_word],
        "values": values.tolist(),
        "rowTotals": values.sum(axis=1).tolist(),
        "columnTotals": values.sum(axis=0).tolist(),
        "total": float(values.sum()),
        "scale": scale,
    }


def _text_data(text: ExplainedText, lines: Sequence[Line]) -> dict[str, Any]:
    places = iter([n for n, line in enumerate(lines) if line.key == text.key and line.is_word])
    words = [
        {"text": w.text, "start": w.start, "end": w.end, "line": next(places) if w.is_read else None}
        for w in text.words
    ]
    return {"title": _TITLES.get(text.key, "Interest"), "text": text.text, "words": words}
