"""The tables of a dataset of which somebody brings vectors and little else: their ids are items, and users, by themselves."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.datasets.importing.batches import ROW, Batch, text_column
from recsys.datasets.importing.files import printable
from recsys.datasets.importing.plan import KINDS, Kind, Source, Table, TablePlan
from recsys.datasets.importing.vectors import VectorFiles, ids_of
from recsys.schema import ITEM_ID, TITLE, USER_ID
from recsys.settings import Limits


def with_tables_of(vectors: VectorFiles, source: Source, limits: Limits) -> Source:
    """Returns a source with a table of items, and of users, made of the ids of vectors where there is none.

    Such items are called by their ids. Users are made only where their vectors come, and not where interactions tell who they
    are.
    """
    kinds = {table.plan.kind for table in source.tables}
    made = list(source.tables)
    about = {key: value for key, value in source.about.items() if key != "files"}
    if "items" not in kinds:
        made.append(_table("items", vectors.items, ITEM_ID, {ITEM_ID: ITEM_ID, TITLE: ITEM_ID}, limits))
        about["item_template"] = about.get("item_template") or f"{{{TITLE}}}"
    if vectors.users is not None and not kinds & {"users", "interactions"}:
        made.append(_table("users", vectors.users, USER_ID, {USER_ID: USER_ID}, limits))
    order = {kind: number for number, kind in enumerate(KINDS)}
    return Source(tuple(sorted(made, key=lambda table: order[table.plan.kind])), about, source.simulated)


def _table(kind: Kind, path: Path, role: str, roles: dict[str, str], limits: Limits) -> Table:
    return Table(printable(path.name), partial(_read, path, role, limits), TablePlan(kind=kind, roles=roles))


def _read(path: Path, role: str, limits: Limits) -> Iterator[Batch]:
    for row, ids in ids_of(path, role, limits):
        yield Batch(pd.DataFrame({role: text_column(ids), ROW: np.arange(row, row + len(ids))}))
