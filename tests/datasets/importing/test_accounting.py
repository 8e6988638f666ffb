"""Every row of a file comes out once, with the cells that the csv module wrote into it."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.datasets.importing import CsvDialect
from recsys.datasets.importing import lines as lines_module
from recsys.datasets.importing.files import File
from recsys.datasets.importing.tables import ROW, read_csv
from recsys.settings import Limits

_CELLS = st.text(
    st.one_of(st.sampled_from(list(",;\t|'\"\n\r \\:\u2028\x1c\x0b\ufeffäß日😀=-0123")), st.characters(codec="utf-8")),
    max_size=8,
)
_TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(_CELLS, min_size=width, max_size=width), min_size=1, max_size=12)
)
_SIMPLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.text("ab ß0'", max_size=5), min_size=width, max_size=width), min_size=1, max_size=12
    )
)


def read_all(path: Path, dialect: CsvDialect) -> tuple[list[list[str]], list[int], list[Any]]:
    cells, rows, faults = [], [], []
    for batch in read_csv(File(path.name, path), dialect, Limits()):
        frame = batch.frame
        cells += frame.drop(columns=ROW).to_numpy().tolist()
        rows += frame[ROW].tolist()
        faults += batch.faults
    return cells, rows, faults


def kept(table: list[list[str]]) -> list[list[str]]:
    return [row for row in table if any(row)]


@pytest.mark.parametrize("block", [1, 17, 1 << 21])
@pytest.mark.parametrize("tables", [_TABLES, _SIMPLE], ids=["any", "simple"])
def test_cells_are_those_that_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, tables: Any
):  # fmt: skip
    monkeypatch.setattr(lines_module, "_BLOCK", block)
    path = tmp_path / "x.csv"
    ends, encodings = (
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    )

    @settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(tables, st.sampled_from(",;\t|"), ends, encodings)
    def check(table: list[list[str]], delimiter: str, end: str, encoding: str) -> None:
        header = [f"c{n}" for n in range(len(table[0]))]
        out = io.StringIO(newline="")
        for row in [header, *table]:  # this csv module quotes only its own line end
            quoting = csv.QUOTE_ALL if set("\r\n") & set("".join(row)) else csv.QUOTE_MINIMAL
            csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerow(row)
        path.write_bytes(out.getvalue().encode(encoding))
        cells, rows, faults = read_all(path, CsvDialect(delimiter, encoding=encoding))
        assert cells == kept(table)
        assert rows == sorted(rows)
        n_empty = sum(not any(row) for row in table) if len(header) > 1 else 0
        assert [fault.what for fault in faults] == ["The row is empty"] * n_empty
        assert rows == _starts(out.getvalue(), delimiter, skip=1)

    check()


def _starts(text: str, delimiter: str, *, skip: int) -> list[int]:
    """Where rows with a cell start, by the line numbers of the csv module itself."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found, before = [], 0
    for row in reader:
        if any(row):
            found.append(before + 1)
        before = reader.line_num
    return found[skip:]


@settings(max_examples=1500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.text(st.sampled_from(list('a,"\n\r\\;é')), max_size=60), st.sampled_from([1, 7, 1 << 21]))
def test_rows_of_any_text_are_those_of_the_strict_csv_module_or_faults(
    tmp_path_factory: pytest.TempPathFactory, text: str, block: int
):
    """Also of a text that is no table: what the csv module takes apart is read alike, and nothing disappears."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(("h1,h2\n" + text).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "_BLOCK", block)
        cells, rows, faults = read_all(path, CsvDialect())
    try:
        strict = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        assert any("cannot be taken apart" in fault.what for fault in faults)
        strict = None
    else:
        assert len(cells) + len(faults) == sum(bool(any(row) or len(row) > 1) for row in strict)
        fitting = [row[:2] for row in strict if any(row)]
        assert cells == [row for row, whole in zip(fitting, [r for r in strict if any(r)], strict=True) if _fits(whole)]
    numbers = sorted([*rows, *(fault.row for fault in faults)])
    assert len(set(numbers)) == len(numbers)
    lines = io.StringIO(text, newline="").readlines()
    assert all(1 < number <= len(lines) + 1 for number in numbers)
    if strict is None:
        read = "".join("".join(row) for row in cells) + "".join(fault.value for fault in faults)
        assert sum(map(read.count, "aé")) == sum(map(text.count, "aé"))


def _fits(row: list[str]) -> bool:
    return len(row) == 2 or (len(row) > 2 and not any(row[2:]))
