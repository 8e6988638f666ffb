"""From files to tables: known formats by their file names, others by a plan, and a plan by guessing where there is none."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pandas as pd

from recsys.datasets.importing.dialect import CsvDialect, sniff_dialect, sniff_encoding
from recsys.datasets.importing.formats import recognise
from recsys.datasets.importing.plan import KINDS, OPTIONAL, REQUIRED, FilePlan, ImportPlan, Kind, Source, Table
from recsys.datasets.importing.roles import guess_kind, guess_plan, guess_profile_template, guess_template
from recsys.datasets.importing.stage import REJECTED_RAW, REJECTED_ROW, REJECTED_WHY
from recsys.datasets.importing.tables import NESTED, ROW, Batch, File, open_bytes, read_table, shaped
from recsys.errors import DataError
from recsys.settings import Limits

SAMPLE = 12
"""Rows of a preview."""
_START, _BLOCK = 1 << 16, 1 << 20
_PAIR = re.compile(r"^(?:(?P<file>[^:]+):)?(?P<role>[a-z_]+)=(?P<column>.*)$")


def open_source(files: Sequence[File], plan: ImportPlan | None, limits: Limits, *, needs_items: bool = True) -> Source:
    """Returns the tables that files hold: those of the plan, of a known format, or as guessed.

    Args:
        needs_items: whether one must hold items; otherwise these come from elsewhere, see ``vector_tables``.

    Raises:
        DataError: if the plan names a file that is not there, or no file holds items.
    """
    known = recognise(files) if plan is None or not plan.files else None
    if known is not None:
        found = known.open(files, limits)
        if plan is None:
            return found
        said = plan.model_dump(exclude={"files"}, exclude_defaults=True)
        return Source(found.tables, {**found.about, **said}, found.simulated)
    wanted = plan
    if wanted is None or not wanted.files:
        wanted = guess_import(files, limits, plan or ImportPlan(), needs_items=needs_items)
    by_name = {file.name: file for file in files}
    for part in wanted.files:
        if part.file not in by_name:
            listed = ", ".join(by_name)
            raise DataError("The plan names a file that is not there", part.file, fix=f"Use one of: {listed}.")
    order = {kind: number for number, kind in enumerate(KINDS)}
    parts = sorted(wanted.files, key=lambda part: order[part.table.kind])
    tables = tuple(_table(by_name[part.file], part, limits) for part in parts)
    return Source(tables, wanted.model_dump(exclude={"files"}))


def _table(file: File, part: FilePlan, limits: Limits) -> Table:
    return Table(file.name, partial(_read, file, part.dialect, limits), part.table)


def _read(file: File, dialect: CsvDialect | None, limits: Limits) -> Iterator[Batch]:
    if dialect is None and file.kind == "csv":
        dialect = sniff(file)
    return shaped(read_table(file, dialect, limits), without_marks)


def without_marks(frame: pd.DataFrame) -> pd.DataFrame:
    """Undoes what a file of rejected rows has beyond the original: its three columns, and the apostrophes of its cells."""
    if REJECTED_ROW not in frame:
        return frame
    kept = frame.drop(columns=[REJECTED_ROW, REJECTED_WHY, REJECTED_RAW], errors="ignore")
    names = [name for name in kept.columns if name != ROW]
    texts = [name for name in names if kept[name].dtype != object]
    bare = {name: kept[name].str.replace(r"^'(?=[ \0]*[=+\-@\t\r\n'])", "", regex=True) for name in texts}
    return kept.assign(**bare).rename(columns=lambda name: re.sub(r"^'(?=[=+\-@'])", "", str(name)))


def sniff(file: File) -> CsvDialect:
    """Returns how a delimited text file is written, by its content."""
    with open_bytes(file) as stream:
        encoding = sniff_encoding(iter(partial(stream.read, _BLOCK), b""))
    with open_bytes(file) as stream:
        start = stream.read(_START)
    text = start.decode(encoding, "replace").removeprefix("\ufeff")
    if text.startswith(REJECTED_ROW) and (mark := text[len(REJECTED_ROW) : len(REJECTED_ROW) + 1]) in (",", ";", "\t"):
        return CsvDialect(mark, encoding=encoding)
    if len(start) == _START:
        text = text[: text.rfind("\n") + 1] or text
    return sniff_dialect(text, encoding)


@dataclass(frozen=True)
class Look:
    """What a first look into a file says.

    Attributes:
        plan: how it is written and what its columns probably mean.
        columns: their names.
        sample: its first rows, one list of text for each.
        kind: ``csv``, ``jsonl`` or ``parquet``.
        faults: of the first rows that could not be read.
    """

    plan: FilePlan
    columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    kind: str
    faults: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        return {**asdict(self), "plan": self.plan.model_dump()}


def look_at(file: File, limits: Limits, *, dialect: CsvDialect | None = None, table: Kind | None = None) -> Look:
    """Reads the first rows of a file and guesses the rest.

    Args:
        dialect: as a reader has corrected it.
        table: which table it is, if a reader has said so.

    Raises:
        DataError: if it cannot be read.
    """
    kind = file.kind
    dialect = (dialect or sniff(file)) if kind == "csv" else None
    batch = next(read_table(file, dialect, limits), None)
    frame = without_marks(batch.frame) if batch else pd.DataFrame({ROW: []})
    columns = tuple(str(name) for name in frame.columns if name != ROW)
    named = table or guess_kind(file.name, columns)
    plan = FilePlan(file=file.name, table=guess_plan(named, frame), dialect=dialect)
    rows = tuple(
        tuple(_shown(value) for value in row) for row in frame[list(columns)].head(SAMPLE).itertuples(index=False)
    )
    faults = batch.faults[:5] if batch else ()
    told = tuple(f"Line {fault.row}: {fault.what}. {fault.fix}" for fault in faults)
    return Look(plan, columns, rows, kind, told)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value is None or value is pd.NA or value != value:
        return ""
    return "(nested)" if value == NESTED else str(value)[:300]


def guess_import(
    files: Sequence[File], limits: Limits, said: ImportPlan, *, maps: Sequence[str] = (), needs_items: bool = True
) -> ImportPlan:
    """Returns a plan for files of no known format; files that fit no table are left out.

    Args:
        maps: corrections of roles, see ``with_changes``.
        needs_items: as for ``open_source``.

    Raises:
        DataError: if none of them holds items, or a correction is not understood.
    """
    looks = [look_at(file, limits) for file in files]
    guessed = said.model_copy(update={"files": tuple(look.plan for look in looks)})
    return complete(said, with_changes(guessed, maps=maps).files, needs_items=needs_items)


def complete(said: ImportPlan, parts: Sequence[FilePlan], *, needs_items: bool = True) -> ImportPlan:
    """Returns a plan with these files, and templates made from their columns where none were said.

    Args:
        needs_items: as for ``open_source``.

    Raises:
        DataError: if none of them holds items, and one must.
    """
    usable = [part for part in parts if set(REQUIRED[part.table.kind]) <= set(part.table.roles)]
    items = [part.table for part in usable if part.table.kind == "items"]
    if needs_items and not any(part.table.kind == "items" for part in parts):
        listed = ", ".join(part.file for part in parts)
        raise DataError(
            "None of the files holds items", listed, fix="Give a file with an id and a title for each item."
        )
    users = next((part.table for part in usable if part.table.kind == "users"), None)
    values: dict[str, Any] = {"files": tuple(usable if items or not needs_items else parts)}
    if not said.item_template and items:
        values["item_template"] = guess_template(items[0])
    if not said.profile_template:
        values["profile_template"] = guess_profile_template(users)
    return said.model_copy(update=values)


def with_changes(plan: ImportPlan, *, maps: Sequence[str]) -> ImportPlan:
    """Returns a plan with roles given as ``[FILE:]ROLE=COLUMN``; an empty column takes the role away.

    Raises:
        DataError: for one that is not understood, or a file that is not in the plan.
    """
    files = list(plan.files)
    for text in maps:
        match = _PAIR.match(text)
        if not match:
            fix = "Write FILE:ROLE=COLUMN, for example items.csv:title=Name."
            raise DataError("The mapping is not understood", text, fix=fix)
        hits = [n for n, part in enumerate(files) if match["file"] in (None, part.file, part.file.rsplit("/", 1)[-1])]
        if not hits:
            listed = ", ".join(part.file for part in files)
            raise DataError("The mapping names a file that is not there", text, fix=f"Use one of: {listed}.")
        knowing = [n for n in hits if match["role"] in (*REQUIRED[files[n].table.kind], *OPTIONAL[files[n].table.kind])]
        for n in hits if match["file"] else (knowing or hits)[:1]:
            table = files[n].table
            roles = {role: column for role, column in table.roles.items() if column != match["column"]}
            rest = tuple(name for name in table.attributes if name != match["column"])
            freed = table.roles.get(match["role"])
            rest += (freed,) if freed and freed != match["column"] and table.kind in ("items", "users") else ()
            if match["column"]:
                roles[match["role"]] = match["column"]
            else:
                roles.pop(match["role"], None)
            changed = table.model_copy(update={"roles": roles, "attributes": rest})
            files[n] = files[n].model_copy(update={"table": changed})
    return plan.model_copy(update={"files": tuple(files)})
