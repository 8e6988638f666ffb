"""A known format, and what the readers of all of them share."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.plan import Source, Table, TablePlan
from recsys.datasets.importing.tables import Batch, File, open_bytes, read_csv, shaped
from recsys.errors import DataError
from recsys.settings import Limits

_FIRST_LINE = 1 << 20
_COMMA = CsvDialect()


@dataclass(frozen=True)
class Format:
    """A dataset whose files are known.

    Attributes:
        name: as its owner calls it.
        recognises: says whether some files are it; others may lie beside them.
        open: makes tables of them; reads nothing but first lines yet.
    """

    name: str
    recognises: Callable[[Sequence[File]], bool]
    open: Callable[[Sequence[File], Limits], Source]


@dataclass(frozen=True)
class Layout:
    """How one file of a format is written and what it becomes.

    Attributes:
        plan: what the columns mean, after ``shape``.
        columns: the names, for a file without a header.
        shape: from a frame as it stands in the file to one as ``plan`` means it; ``None`` changes nothing.
    """

    plan: TablePlan
    dialect: CsvDialect = _COMMA
    columns: tuple[str, ...] = ()
    shape: Callable[[pd.DataFrame], pd.DataFrame] | None = None

    def table(self, file: File, limits: Limits) -> Table:
        """Returns the table of a file in this layout."""

        def read() -> Iterator[Batch]:
            batches = read_csv(file, self.dialect, limits, columns=self.columns)
            return shaped(batches, self.shape) if self.shape else batches

        return Table(file.name, read, self.plan)


def base_name(file: File) -> str:
    """Returns the name without folders and ``.gz``, in lower case."""
    return PurePosixPath(file.name).name.lower().removesuffix(".gz")


def folder_name(file: File) -> str:
    """Returns the folders above it, in lower case; empty if there are none."""
    return str(PurePosixPath(file.name).parent).lower().removeprefix(".")


def siblings(files: Sequence[File], *names: str) -> tuple[File, ...]:
    """Returns the files of these base names: from the first folder that has them all, else from wherever they lie.

    Empty if one of them is missing.
    """
    folders: dict[str, dict[str, File]] = {}
    anywhere: dict[str, File] = {}
    for file in files:
        folders.setdefault(folder_name(file), {}).setdefault(base_name(file), file)
        anywhere.setdefault(base_name(file), file)
    for found in (*folders.values(), anywhere):
        if all(name in found for name in names):
            return tuple(found[name] for name in names)
    return ()


def first_line(file: File) -> str:
    """Returns the first line, unpacked, of at most a million bytes; empty if it cannot be read."""
    try:
        with open_bytes(file) as stream:
            return stream.readline(_FIRST_LINE).decode("utf-8-sig", "replace").rstrip("\r\n")
    except DataError:
        return ""


def header(file: File, delimiter: str = ",") -> tuple[str, ...]:
    """Returns the cells of the first line, without quotes."""
    return tuple(cell.strip().strip('"') for cell in first_line(file).split(delimiter))


def filled(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Returns only these columns, in this order; one that is not there is empty."""
    empty = pd.Series(pd.array([None] * len(frame), dtype="str"), index=frame.index)
    return pd.DataFrame({name: frame.get(name, empty) for name in names})
