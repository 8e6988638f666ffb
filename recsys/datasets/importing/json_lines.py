"""JSON Lines, read by orjson: ``pyarrow.json`` can be crashed by a deeply nested line."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pandas as pd

from recsys.datasets.importing.batches import (
    BATCH_CHARACTERS,
    BATCH_ROWS,
    NESTED,
    ROW,
    Batch,
    Fault,
    check_columns,
    column_name,
    number_text,
    text_column,
)
from recsys.datasets.importing.files import File
from recsys.datasets.importing.lines import Lines
from recsys.errors import DataError
from recsys.settings import Limits

_NOT_LINES = re.compile(r"\s*(?:\[\s*(?:\{.*)?|\{\s*)", re.S)
"""How a JSON array, or an object that is spread over several lines, begins."""
_NAME_END = re.compile(r'"\s*:')


def read_jsonl(file: File, limits: Limits) -> Iterator[Batch]:
    """Reads JSON Lines: one object a line; numbers become text, nested objects are left out (see ``NESTED``).

    Raises:
        DataError: if the objects have too many names, or the file is one JSON document.
    """
    lines = Lines(file, "utf-8", limits)
    try:
        yield from _batches(file, lines, limits)
    finally:
        lines.close()


def _batches(file: File, lines: Lines, limits: Limits) -> Iterator[Batch]:
    objects: list[dict[str, Any]] = []
    rows: list[int] = []
    columns: dict[str, None] = {}
    size = 0
    for line in lines.read():
        if not line.strip():
            continue
        if not rows and not lines.faults and _NOT_LINES.fullmatch(line):
            fix = "Write one object on each line; pandas does it with to_json(…, orient='records', lines=True)."
            raise DataError("The file is one JSON document and not JSON Lines", file.name, fix=fix)
        found = _object(line, lines.number)
        size += len(line)
        if isinstance(found, Fault):
            lines.faults.append(found)
        else:
            objects.append(found)
            rows.append(lines.number)
            columns |= dict.fromkeys(found)
        if len(columns) > limits.columns:
            check_columns(file, list(columns), limits)
        if len(rows) + len(lines.faults) >= BATCH_ROWS or size > BATCH_CHARACTERS:
            yield Batch(_frame(columns, objects, rows), tuple(lines.take_faults()), lines.share)
            objects, rows, size = [], [], 0
    yield Batch(_frame(columns, objects, rows), tuple(lines.take_faults()), 1.0)


def _object(line: str, number: int) -> dict[str, Any] | Fault:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        fix = "Write one JSON object on each line; NaN and Infinity are not JSON."
        return Fault(number, line[:200], f"The line is not JSON ({error.msg})", fix)
    if not isinstance(found, dict):
        return Fault(number, line[:200], "The line is not a JSON object", 'Write for example {"id": 1, "title": "A"}.')
    named = {column_name(name): plain(value) for name, value in found.items()}
    if len(named) < len(found) or (len(_NAME_END.findall(line)) > len(found) and _has_repeated(line)):
        fix = "Give every name of an object once; which value counts cannot be told."
        return Fault(number, line[:200], "A name stands twice in the object", fix)
    named.pop("", None)
    return named


def _has_repeated(line: str) -> bool:
    """Whether a name stands twice in any object of a line; told only where there are more colons than names."""
    seen: list[bool] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen.append(len(dict(pairs)) < len(pairs))

    try:
        json.loads(line, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return False
    return any(seen)


def plain(value: Any) -> Any:
    """Returns text, a list of text, ``None``, or ``NESTED`` for what is neither."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        if any(isinstance(part, list | dict) for part in value):  # however deep: nobody climbs down there
            return NESTED
        parts = [plain(part) for part in value]
        return [p for p in parts if p is not None] if all(p is None or _is_text(p) for p in parts) else NESTED
    return NESTED


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != NESTED


def _frame(columns: dict[str, None], objects: list[dict[str, Any]], rows: list[int]) -> pd.DataFrame:
    found: dict[str, Any] = {}
    for name in columns:
        values = [row.get(name) for row in objects]
        is_plain = all(value is None or isinstance(value, str) for value in values)
        found[name] = text_column(values) if is_plain else pd.Series(values, dtype=object)
    return pd.DataFrame({**found, ROW: np.array(rows, np.int64)})
