"""One table on its way into a dataset: read, checked, and written to a Parquet file of a draft, batch by batch."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.datasets.importing import normal
from recsys.datasets.importing.batches import NESTED, ROW, Batch
from recsys.datasets.importing.checks import Checker, rules_for
from recsys.datasets.importing.context import Ids, MixedTypes
from recsys.datasets.importing.findings import Finding, Findings, shown
from recsys.datasets.importing.media import MediaNames
from recsys.datasets.importing.plan import OPTIONAL, REQUIRED, Kind, Table, TablePlan
from recsys.errors import DataError
from recsys.export import neutralise
from recsys.settings import Limits

REJECTED_ROW, REJECTED_WHY, REJECTED_RAW = "coldlens row", "coldlens fault", "coldlens line"
"""Columns that the file of rejected rows has before its own; a file with them can be imported again after correction."""
_ARROW = {
    "categories": pa.list_(pa.string()),
    "year": pa.int64(),
    "price": pa.float64(),
    "age": pa.float64(),
    "rating": pa.float64(),
    "timestamp": pa.int64(),
}
Report = Callable[[str, int, int], None]
"""Called with (what, rows done, rows in all, as far as is known)."""


@dataclass
class Counts:
    """Rows of one table; ``read == accepted + rejected``."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0


class Stage:
    """Writes the tables of one kind into ``folder / "KIND.parquet"``, and rejected rows into a CSV file for each source.

    Args:
        kind: which table of the dataset.
        plans: of all its sources; their attributes are joined.
        draft: folder of the Parquet file.
        rejected: folder of the CSV files.
        ids: what is known of the tables before.
        findings: collects what is wrong.
        media: the pictures and sounds that came along.
    """

    def __init__(
        self, kind: Kind, plans: list[TablePlan], *, draft: Path, rejected: Path, ids: Ids, findings: Findings,
        limits: Limits, media: MediaNames | None = None,
    ) -> None:  # fmt: skip
        self.kind = kind
        self.counts = Counts()
        self.highest_rating = -np.inf
        self._rejected, self._ids, self._findings, self._limits = rejected, ids, findings, limits
        self._media = media
        roles = [
            r for r in (*REQUIRED[kind], *OPTIONAL[kind]) if r in REQUIRED[kind] or any(r in p.roles for p in plans)
        ]
        taken = set(roles)
        attributes = [name for name in dict.fromkeys(a for p in plans for a in p.attributes) if name not in taken]
        self.columns = [*roles, *attributes]
        self._roles = taken
        stored = {name: _ARROW.get(name, pa.string()) if name in taken else pa.string() for name in self.columns}
        self._schema = pa.schema(list(stored.items()))
        self._writer = pq.ParquetWriter(draft / f"{kind}.parquet", self._schema)

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()

    def take(self, table: Table, report: Report) -> None:
        """Reads a table to its end.

        Raises:
            DataError: if a required column is not there, the table has too many rows, or the file cannot be read.
        """
        plan = table.plan
        rejected = RejectedRows(self._rejected / f"{self.kind}.csv")
        mixed = MixedTypes(plan.attributes)
        checker: Checker | None = None
        columns: dict[str, str] = {}
        seen: set[str] = set()
        try:
            for batch in _batches(table):
                if checker is None:
                    columns = self._known_columns(table, batch.frame)
                    checker = Checker(table.name, rules_for(self.kind, plan, self._limits, self._media), columns)
                    rejected.columns = [
                        c for c in dict.fromkeys([*map(str, batch.frame), *columns.values()]) if c != ROW
                    ]
                seen |= set(map(str, batch.frame.columns))
                self._take_faults(table.name, batch, rejected)
                if len(batch.frame):
                    self._take_rows(table, batch.frame, checker, columns, rejected, mixed)
                self._check_limit(table.name)
                report(table.name, self.counts.read, max(1, round(self.counts.read / max(batch.share, 1e-3))))
        finally:
            rejected.close()
        self._tell_missing(table, columns, seen)
        for findings, further in mixed.findings(table.name):
            self._findings.add(findings, further=further)

    def _known_columns(self, table: Table, frame: pd.DataFrame) -> dict[str, str]:
        """Role, or ``attribute:NAME``, to the column of the file, as far as it is there."""
        found = {}
        for role, column in table.plan.roles.items():
            if role not in (*REQUIRED[self.kind], *OPTIONAL[self.kind]):
                known = ", ".join((*REQUIRED[self.kind], *OPTIONAL[self.kind]))
                raise DataError(f"There is no such role for {self.kind}", role, fix=f"Use one of: {known}.")
            if column in frame:
                found[role] = column
            elif role in REQUIRED[self.kind]:
                self._miss(table, column, frame)
            else:
                found[role] = column  # it may come with later rows; what never comes is told in the end
        for role in REQUIRED[self.kind]:
            if role not in found:
                raise DataError(
                    f"No column is the {role} of the {self.kind}",
                    f"{table.name}, columns {', '.join(str(c) for c in frame if c != ROW)}",
                    fix=f"Say which one it is: --map {table.name}:{role}=COLUMN.",
                )
        return found | {f"attribute:{name}": name for name in table.plan.attributes}

    def _miss(self, table: Table, column: str, frame: pd.DataFrame) -> None:
        listed = ", ".join(str(name) for name in frame if name != ROW) or "no columns were found"
        value = f"{table.name}, column '{column}'"
        raise DataError("The file has no such column", value, fix=f"Choose one of: {listed}.")

    def _tell_missing(self, table: Table, columns: dict[str, str], seen: set[str]) -> None:
        what, fix = "The column is not in the file", "Choose another column, if there should be one."
        missing = (column for column in columns.values() if column not in seen)
        self._findings.add(Finding(table.name, None, column, "", what, fix, False) for column in missing)

    def _take_faults(self, name: str, batch: Batch, rejected: "RejectedRows") -> None:
        self._findings.add(
            Finding(name, fault.row, "", shown(fault.value), fault.what, fault.fix, True) for fault in batch.faults
        )
        for fault in batch.faults:
            rejected.add_raw(fault.row, fault.what, fault.value)
        self.counts.read += len(batch.faults)
        self.counts.rejected += len(batch.faults)

    def _take_rows(
        self, table: Table, frame: pd.DataFrame, checker: Checker, columns: dict[str, str], rejected: "RejectedRows",
        mixed: MixedTypes,
    ) -> None:  # fmt: skip
        frame = frame.reset_index(drop=True)
        rows = frame[ROW]
        work = pd.DataFrame({role: normal.texts(frame[column]) for role, column in columns.items() if column in frame})
        for role in columns.keys() - set(work.columns):
            work[role] = pd.Series("", index=frame.index, dtype="str")
        checked = checker.check(work[list(columns)], rows)
        is_rejected = checked.is_rejected
        fine = work[~is_rejected]
        bad_ids, findings = self._ids.check(self.kind, table.name, fine, rows, columns)
        is_rejected |= bad_ids.reindex(frame.index, fill_value=False)
        found = checked.findings + findings
        self._findings.add(found)
        if is_rejected.any():
            rejected.add_rows(frame[is_rejected], _reasons(found))
        for role, own in checked.left_out.items():
            work.loc[own, role] = ""
        kept = work[~is_rejected]
        self._note_mixed(table.plan, kept, rows, mixed)
        self._write(self._converted(table.plan, kept, frame, columns))
        self.counts.read += len(frame)
        self.counts.accepted += len(kept)
        self.counts.rejected += int(is_rejected.sum())

    def _note_mixed(self, plan: TablePlan, kept: pd.DataFrame, rows: pd.Series, mixed: MixedTypes) -> None:
        for name in plan.attributes:
            column = f"attribute:{name}"
            if column in kept:
                mixed.see(name, kept[column][~normal.is_missing(kept[column])], rows)

    def _converted(
        self, plan: TablePlan, kept: pd.DataFrame, frame: pd.DataFrame, columns: dict[str, str]
    ) -> dict[str, Any]:
        """Every column of the Parquet file as it is stored."""
        found: dict[str, Any] = {}
        for name in self.columns:
            column = kept.get(name) if name in kept else kept.get(f"attribute:{name}")
            if column is None:
                found[name] = pa.nulls(len(kept), self._schema.field(name).type)
            elif name not in self._roles:
                found[name] = pa.array(column.where(~normal.is_missing(column)), pa.string())
            elif name == "categories":
                raw = frame.loc[kept.index, columns[name]] if columns.get(name) in frame else column
                raw = raw.where(kept[name] != "", None) if raw.dtype == object else column
                found[name] = pa.array([list(v) for v in normal.categories(raw, plan.separator)], pa.list_(pa.string()))
            else:
                found[name] = self._stored(name, column, plan)
        return found

    def _stored(self, name: str, column: pd.Series, plan: TablePlan) -> pa.Array:
        if name == "age":
            return _floats(normal.ages(column, plan))
        if name in ("price", "rating"):
            values = normal.numbers(column, comma_groups=name == "price")
            if name == "rating" and values.notna().any():
                self.highest_rating = max(self.highest_rating, float(values.max()))
            return _floats(values)
        if name == "year":
            years = normal.years(column)
            return pa.array(years.where(years != 0).astype("Int64"), pa.int64())
        if name == "timestamp":
            return pa.array(normal.times(column, plan.dates), pa.int64())
        if name in REQUIRED[self.kind]:
            return pa.array(column, pa.string())
        missing = column == "" if name in ("description", "image", "audio") else normal.is_missing(column)
        return pa.array(column.where(~missing), pa.string())

    def _write(self, columns: dict[str, Any]) -> None:
        self._writer.write_table(pa.table(columns, schema=self._schema))

    def _check_limit(self, name: str) -> None:
        limit = {"items": self._limits.items, "users": self._limits.users}.get(self.kind, self._limits.interactions)
        if self.counts.read > limit:
            noun = self.kind if self.kind != "graph" else "interactions"
            fix = f"Give a smaller file, or raise COLDLENS_MAX_{noun.upper()}."
            raise DataError(f"There are more than {limit:,} rows of {self.kind}", name, fix=fix)


def _batches(table: Table) -> Iterator[Batch]:
    """Reads a table; a known format finds only here that a column is not there."""
    try:
        yield from table.read()
    except KeyError as error:
        fix = "Give the file as its owner publishes it, or rename it and say what its columns are."
        raise DataError("The file has no such column", f"{table.name}, column {error}", fix=fix) from None


def _floats(values: pd.Series) -> pa.Array:
    return pa.array(values.astype("float64"), pa.float64(), from_pandas=True)


def _reasons(findings: list[Finding]) -> dict[int, str]:
    """Row to what is wrong with it."""
    found: dict[int, list[str]] = {}
    for finding in findings:
        if finding.is_error and finding.row is not None:
            found.setdefault(finding.row, []).append(f"{finding.what} ({finding.column})")
    return {row: "; ".join(dict.fromkeys(parts)) for row, parts in found.items()}


class RejectedRows:
    """A CSV file of rejected rows; made when there is a first one. Cells are neutralised, see ``recsys.export``.

    Attributes:
        columns: of the source; known before the first row is added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self.columns: list[str] = []

    def add_raw(self, row: int, why: str, raw: str) -> None:
        """Adds a line that could not be taken apart."""
        self._write([str(row), why, raw], [""] * len(self.columns))

    def add_rows(self, frame: pd.DataFrame, reasons: dict[int, str]) -> None:
        """Adds rows as they stood in the file."""
        for row, *cells in frame.reindex(columns=[ROW, *self.columns]).itertuples(index=False):
            self._write([str(row), reasons.get(int(row), ""), ""], [_cell(value) for value in cells])

    def _write(self, about: list[str], cells: list[str]) -> None:
        if self._file is None:
            self._open()
        self._writer.writerow([about[0], *map(neutralise, about[1:]), *map(neutralise, cells)])

    def _open(self) -> None:
        """Starts the file, with the first number that is free: several sources may be of one kind."""
        number = 1
        while (path := self._path.with_name(f"{self._path.stem}-{number}.csv")).exists():
            number += 1
        self._file = path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow([REJECTED_ROW, REJECTED_WHY, REJECTED_RAW, *map(neutralise, self.columns)])

    def close(self) -> None:
        """Ends the file, if there is one."""
        if self._file is not None:
            self._file.close()


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value) or value is pd.NA:
        return ""
    if isinstance(value, list):
        return "|".join(map(str, value))
    return "" if value == NESTED else str(value)
