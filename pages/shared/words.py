"""Words with signed bars, arcs between them, and the matrix behind: drawn in the browser from text, never from HTML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages.shared.language import N_, _, ngettext
from pages.shared.retelling import retold
from recsys.schema import ExplainedText, Explanation, Line

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "coldlens_words",
    html='<div class="host"></div>',
    css=(_HERE / "words.css").read_text("utf-8"),
    js=(_HERE / "words.js").read_text("utf-8"),
)
_BESIDE = {"profile": N_("Parts of the profile without words"), "item": N_("Parts of the item without words")}
_TITLES = {"item": N_("What BERT reads of the item"), "sentence": N_("What BERT reads of the profile")}


def draw_texts(explanation: Explanation, *, scale: float, key: str) -> None:
    """Draws the texts of profile and item with a signed bar under each word, and the five strongest pairs as arcs.

    Beside the words stand the parts that have none: age, liked items, what was learned from likes.
    """
    pairs, share = explanation.matrix.strongest_pairs()
    data = _matrix_data(explanation.matrix.rows, explanation.matrix.columns, explanation.matrix.values, scale)
    profile = [text for text in explanation.texts if text.side == "profile"]
    item = [text for text in explanation.texts if text.side == "item"]
    note = _("Press a word to see what it does together with each word of the other side.")
    if pairs:
        n = len(pairs)
        told = ngettext(
            "The strongest pair is drawn: {share:.0%} of what all pairs of words carry.",
            "The {n} strongest pairs are drawn: {share:.0%} of what all pairs of words carry.",
            n,
        )
        note = f"{told.format(n=n, share=share)} {note}".replace("%", " %")
    data |= {
        "kind": "texts",
        "profile": [  # parts without words above, so that no arc runs through them
            *_wordless(explanation.matrix.rows, _(_BESIDE["profile"])),
            *(_text_data(text, explanation.matrix.rows) for text in profile),
        ],
        "item": [
            *(_text_data(text, explanation.matrix.columns) for text in item),
            *_wordless(explanation.matrix.columns, _(_BESIDE["item"])),
        ],
        "pairs": [{"row": row, "column": column, "value": value} for row, column, value in pairs],
        "note": note,
        "chosenRow": _(
            "“{word}” together with each word of the item, and its five strongest pairs. Press it again for the whole."
        ),
        "chosenColumn": _(
            "“{word}” together with each word of the profile, and its five strongest pairs. Press it again for the whole."
        ),
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
        "rowLabels": [_named(line) for line in rows],
        "columnLabels": [_named(line) for line in columns],
        "sum": _("sum"),
        "wordRows": [n for n, line in enumerate(rows) if line.is_word],
        "wordColumns": [n for n, line in enumerate(columns) if line.is_word],
        "values": values.tolist(),
        "rowTotals": values.sum(axis=1).tolist(),
        "columnTotals": values.sum(axis=0).tolist(),
        "total": float(values.sum()),
        "scale": scale,
    }


def _named(line: Line) -> str:
    """What a line is called: a word is data, the others are parts of the profile or of what was learned."""
    return line.label if line.is_word else retold(line.label)


def _text_data(text: ExplainedText, lines: Sequence[Line]) -> dict[str, Any]:
    places = iter([n for n, line in enumerate(lines) if line.key == text.key and line.is_word])
    words = [_word_data(text.text, w.start, w.end, next(places) if w.is_read else None) for w in text.words]
    return {"title": _(_TITLES.get(text.key, N_("Interest"))), "text": text.text, "words": words}


def _word_data(text: str, start: int, end: int, line: int | None) -> dict[str, Any]:
    """A word as the browser finds it: it counts in UTF-16, where an emoji is two."""
    places = [len(text[:at].encode("utf-16-le", "surrogatepass")) // 2 for at in (start, end)]
    return {"text": text[start:end], "start": places[0], "end": places[1], "line": line}


def _wordless(lines: Sequence[Line], title: str) -> list[dict[str, Any]]:
    """The lines that are no words, drawn as a text of their own whose words are their labels; nothing where there are none."""
    words: list[dict[str, Any]] = []
    text = ""
    for number, line in enumerate(lines):
        if not line.is_word:
            text += "  " if text else ""
            start = len(text)
            text += _named(line)
            words.append(_word_data(text, start, len(text), number))
    return [{"title": title, "text": text, "words": words}] if words else []
