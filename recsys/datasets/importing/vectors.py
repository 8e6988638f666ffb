"""Vectors of items and users that somebody brings: NumPy's ``.npy`` or Parquet, put in the order of known ids.

A ``.npy`` file holds one row for each id, in their order, and nothing else; what its head says is compared with the size of the
file before anything is made room for, and objects, which would run code, are never read. A Parquet file names each id beside its
vector: a column of lists, or one column for each number.
"""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.datasets.importing.files import File, most_unpacked, printable
from recsys.datasets.importing.findings import Finding, Findings, shown
from recsys.datasets.importing.parquet import decoded_bytes, opened
from recsys.errors import DataError
from recsys.schema import COSINE
from recsys.settings import Limits

VECTOR_ENDINGS = (".npy", ".parquet", ".pq")
_NAMES = ("vector", "vectors", "embedding", "embeddings")
"""Columns that hold the vectors where several columns hold lists."""
_ROWS, _BATCH_BYTES, _FEW = 16_384, 1 << 25, 16
_LONGEST_HEAD = 10_000
_DAMAGES = (
    pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError, TypeError, SyntaxError, RecursionError,
)  # fmt: skip
"""What NumPy and Arrow raise on files that are damaged or hostile."""


@dataclass(frozen=True)
class VectorFiles:
    """Vectors that an import brings along.

    Attributes:
        items: file of the items' vectors.
        users: file of the users' vectors; ``None`` where there are none.
        encoder: that made them; empty where it is not known.
        similarity: how they are compared, see ``recsys.schema.VectorsInfo``.
    """

    items: Path
    users: Path | None = None
    encoder: str = ""
    similarity: str = COSINE


@dataclass(frozen=True, eq=False)
class ReadVectors:
    """Vectors in the order of known ids.

    Attributes:
        vectors: ``(n_ids, dim)`` float32; zeros for an id without a usable vector.
        read: rows of the file, of which ``accepted`` are used and the others rejected, each with a finding.
        rejected: (row, why, id) of every other one.
    """

    vectors: np.ndarray
    findings: Findings
    read: int = 0
    accepted: int = 0
    rejected: tuple[tuple[int, str, str], ...] = ()


def read_vectors(
    path: Path, role: str, *, ids: Sequence[str], limits: Limits | None = None, content: bytes | None = None
) -> ReadVectors:
    """Reads vectors and puts them in the order of the ids.

    A row is rejected if it holds what is no finite number, has another length than the first, or an id that is not known or was
    there before. An id without a vector, and a vector of length zero, are warned of: such an item is like no other.

    Args:
        role: ``item_id`` or ``user_id``, the name of the column of ids.
        content: of the file, where that was sealed and has been opened.

    Raises:
        DataError: if the file is not of a known kind, is damaged, exceeds a limit, or its rows cannot be assigned to the ids.
    """
    limits = limits or Limits()
    with _told(path):
        rows = (
            _npy(path, limits, len(ids), role, content)
            if _is_npy(path)
            else _parquet(path, limits, role, content=content)
        )
        taking = _Taking(path, role, ids, limits)
        for block in rows:
            taking.take(block)
        return taking.end()


def ids_of(path: Path, role: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """Yields (row of the first, ids) of a file of vectors, part by part; rows of ``.npy`` are numbered with zeros in front, so
    that they keep their order.

    Raises:
        DataError: as ``read_vectors`` does, but for what is wrong with single rows.
    """
    with _told(path):
        if _is_npy(path):
            n = len(_mapped(path, limits))
            width = len(str(max(0, n - 1)))
            for start in range(0, n, _ROWS):
                yield start + 1, [f"{row:0{width}d}" for row in range(start, min(n, start + _ROWS))]
            return
        for block in _parquet(path, limits, role, with_vectors=False):
            yield block.row, block.ids or []


@dataclass(frozen=True, eq=False)
class _Block:
    """Some rows of a file.

    Attributes:
        row: of the first, from 1.
        ids: of the rows; ``None`` where they follow the order of the known ids. Missing ones are empty.
        vectors: ``(n, dim)`` float32, ``NaN`` where a value is missing.
        lengths: ``(n,)``, how many numbers each row has in the file; rows of another length than ``dim`` are ``NaN``.
    """

    row: int
    ids: list[str] | None
    vectors: np.ndarray
    lengths: np.ndarray


class _Taking:
    """Puts blocks of rows where they belong, and finds what is wrong with them."""

    def __init__(self, path: Path, role: str, ids: Sequence[str], limits: Limits) -> None:
        self._name, self._role, self._limits = printable(path.name), role, limits
        self._ids = ids
        self._rows = pd.Index(ids)
        self._has = np.zeros(len(ids), bool)
        self._vectors: np.ndarray | None = None
        self._findings = Findings()
        self._rejected: list[tuple[int, str, str]] = []
        self._read = 0

    def take(self, block: _Block) -> None:
        """Takes some rows in."""
        if self._vectors is None and block.vectors.shape[1]:
            check_size(self._name, len(self._ids), block.vectors.shape[1], self._limits)
            self._vectors = np.zeros((len(self._ids), block.vectors.shape[1]), np.float32)
        places = self._places(block)
        faults = self._faults(block, places)
        is_fine = np.array([fault is None for fault in faults])
        if self._vectors is not None:
            self._vectors[places[is_fine]] = block.vectors[is_fine]
            self._has[places[is_fine]] = True
        for row in np.flatnonzero(~is_fine):
            what, fix, value = faults[row] or ("", "", "")
            own = "" if block.ids is None else block.ids[row]
            self._reject(block.row + int(row), what, fix, value or own, own)
        self._read += len(places)

    def _places(self, block: _Block) -> np.ndarray:
        """The place of each row among the known ids, -1 for an id that is not known."""
        if block.ids is None:
            return np.arange(block.row - 1, block.row - 1 + len(block.vectors))
        return np.asarray(self._rows.get_indexer(pd.Index(block.ids)))

    def _faults(self, block: _Block, places: np.ndarray) -> list[tuple[str, str, str] | None]:
        """For each row (what is wrong, what to do, value), ``None`` where it is fine."""
        noun = "item" if self._role == "item_id" else "user"
        dim = block.vectors.shape[1]
        is_finite = np.isfinite(block.vectors).all(axis=1)
        seen = self._has.copy()
        found: list[tuple[str, str, str] | None] = []
        for row, place in enumerate(places):
            fault: tuple[str, str, str] | None = None
            if place < 0:
                what = f"There is no such {noun}" if block.ids and block.ids[row] else "The id is missing"
                fault = (what, f"Add the {noun}, or delete the row.", "")
            elif not block.lengths[row]:
                fault = ("The vector is missing", "Give one, or delete the row.", "")
            elif block.lengths[row] != dim:
                value = f"{block.lengths[row]:,} numbers"
                fault = (
                    f"The vector has not {dim:,} numbers, as the first one has",
                    "Give vectors of one length.",
                    value,
                )
            elif not is_finite[row]:
                what = "The vector holds what is no finite number"
                fault = (what, "Replace NaN and infinity, or delete the row.", _odd(block.vectors[row]))
            elif seen[place]:
                fault = ("The id was there before", "Keep one row for each id; the first one is taken.", "")
            else:
                seen[place] = True
            found.append(fault)
        return found

    def _reject(self, row: int, what: str, fix: str, value: str, own: str) -> None:
        self._findings.add([Finding(self._name, row, self._role, shown(value), what, fix, True)])
        self._rejected.append((row, what, own))

    def end(self) -> ReadVectors:
        """Returns what was taken, with warnings of ids without a vector and of vectors of length zero."""
        if self._vectors is None or not self._has.any():
            fix = f"Give one row for each {self._role}, with finite numbers alone."
            first = next(iter(self._findings.kept), None)
            why = f" ({first.what})" if first else ""
            raise DataError(f"No vector can be used{why}", self._name, fix=fix)
        is_zero = self._has & ~self._vectors.any(axis=1)
        noun = "item" if self._role == "item_id" else "user"
        self._warn(~self._has, f"The {noun} has no vector", f"Add one; until then it is like no other {noun}.")
        self._warn(is_zero, "The vector has the length zero", f"Such a vector is like no other {noun}; it is kept.")
        n_rejected = len(self._rejected)
        return ReadVectors(self._vectors, self._findings, self._read, self._read - n_rejected, tuple(self._rejected))

    def _warn(self, rows: np.ndarray, what: str, fix: str) -> None:
        own = (shown(self._ids[int(row)]) for row in np.flatnonzero(rows))
        self._findings.add(Finding(self._name, None, self._role, value, what, fix, False) for value in own)


def check_size(name: str, n: int, dim: int, limits: Limits) -> None:
    """Raises ``DataError`` if so many vectors of such a length are more than allowed, before any room is made for them."""
    if dim > limits.dimensions:
        fix = "Shorten them, or raise COLDLENS_MAX_DIMENSIONS."
        raise DataError(f"The vectors have more than {limits.dimensions:,} numbers each", f"{name}, {dim:,}", fix=fix)
    if 4 * n * dim > limits.vectors_mb << 20:
        fix = "Bring fewer or shorter ones, or raise COLDLENS_MAX_VECTORS_MB."
        raise DataError(f"The vectors take more than {limits.vectors_mb:,} MB", f"{name}, {n:,} of {dim:,}", fix=fix)


def _odd(vector: np.ndarray) -> str:
    place = int(np.argmin(np.isfinite(vector)))
    return f"{vector[place]} at {place + 1:,}"


def _is_npy(path: Path) -> bool:
    if not path.name.lower().endswith(VECTOR_ENDINGS):
        fix = f"Give a file that ends in one of: {' '.join(VECTOR_ENDINGS)}."
        raise DataError("Vectors are not read from such a file", printable(path.name), fix=fix)
    return path.name.lower().endswith(".npy")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns what libraries raise on a damaged file into an error that names the file."""
    try:
        yield
    except _DAMAGES as error:
        told = str(error).strip().splitlines()[:1]
        why = printable(told[0][:120]) if told else type(error).__name__
        fix = "Write it again with numpy.save(allow_pickle=False), or as Parquet."
        raise DataError(f"The vectors cannot be read ({why})", printable(path.name), fix=fix) from None


def _npy(path: Path, limits: Limits, n_ids: int, role: str, content: bytes | None) -> Iterator[_Block]:
    mapped = _mapped(path, limits, content)
    if len(mapped) != n_ids:
        noun = "items" if role == "item_id" else "users"
        fix = f"Give one row for each of the {noun}, in their order, or Parquet with the column {role}."
        raise DataError(f"There are {len(mapped):,} vectors for {n_ids:,} {noun}", printable(path.name), fix=fix)
    for start in range(0, len(mapped), _ROWS):
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is rejected as that
            block = np.asarray(mapped[start : start + _ROWS]).astype(np.float32)
        yield _Block(start + 1, None, block, np.full(len(block), block.shape[1]))


@contextmanager
def _stream(path: Path, content: bytes | None) -> Iterator[IO[bytes]]:
    with path.open("rb") if content is None else io.BytesIO(content) as stream:
        yield stream


def _mapped(path: Path, limits: Limits, content: bytes | None = None) -> np.ndarray:
    """The array of a file, which stays there; its head is checked against its size first."""
    name = printable(path.name)
    with _stream(path, content) as stream:
        shape, kind = _head(stream)
        start = stream.tell()
        left = stream.seek(0, os.SEEK_END) - start
    if kind.hasobject or kind.kind not in "fiu":
        fix = "Save an array of numbers, for example of float32."
        raise DataError("The file holds no numbers", f"{name}, {kind}", fix=fix)
    if len(shape) != 2 or 0 in shape:
        fix = "Save one row for each id and one column for each number."
        raise DataError("The file holds no table of vectors", f"{name}, shape {shape}", fix=fix)
    if shape[0] * shape[1] * kind.itemsize != left:
        raise DataError("The file is not as long as it says", f"{name}, {left:,} bytes", fix="Save it again.")
    check_size(name, shape[0], shape[1], limits)
    if content is not None:
        with _stream(path, content) as stream:
            return np.asarray(np.load(stream, allow_pickle=False, max_header_size=_LONGEST_HEAD))
    found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False, max_header_size=_LONGEST_HEAD)
    return found


def _head(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(stream, max_header_size=_LONGEST_HEAD)
    return shape, kind


@dataclass(frozen=True)
class _Columns:
    """Which columns of a Parquet file are read.

    Attributes:
        own: the column of ids.
        numbers: the columns of numbers; one of lists where ``is_list``.
    """

    own: str
    numbers: tuple[str, ...] = field(default=())
    is_list: bool = False


def _parquet(
    path: Path, limits: Limits, role: str, *, with_vectors: bool = True, content: bytes | None = None
) -> Iterator[_Block]:
    file = File(printable(path.name), path)
    most = most_unpacked(path.stat().st_size if content is None else len(content), limits)
    with _stream(path, content) as stream:
        found = opened(stream, [])
        columns = _columns_of(found, file.name, role, limits)
        total, row, dim, taken = found.metadata.num_rows, 0, 0, 0
        names = [columns.own, *(columns.numbers if with_vectors else ())]
        size = max(1, sum(_group_bytes(found)) // max(1, total))
        step = int(min(_ROWS, max(_FEW, _BATCH_BYTES // size)))
        for part in found.iter_batches(batch_size=step, columns=names):
            part.validate(full=True)
            taken += sum(map(decoded_bytes, part.columns))
            if taken > most:
                fix = "Give it as .npy" + (
                    ", or raise COLDLENS_MAX_UNPACKED_MB." if most >= limits.unpacked_bytes else "."
                )
                raise DataError(f"The file unpacks to more than {most >> 20:,} MB", file.name, fix=fix)
            ids = _texts(part.column(columns.own), file.name)
            if not with_vectors:
                yield _Block(row + 1, ids, np.zeros((len(ids), 0), np.float32), np.zeros(len(ids), int))
            else:
                vectors, lengths = _numbers(part, columns, dim)
                dim = vectors.shape[1]
                check_size(file.name, 1, dim, limits)
                yield _Block(row + 1, ids, vectors, lengths)
            row += len(ids)


def _group_bytes(file: pq.ParquetFile) -> list[int]:
    return [max(0, file.metadata.row_group(n).total_byte_size) for n in range(file.metadata.num_row_groups)]


def _columns_of(file: pq.ParquetFile, name: str, role: str, limits: Limits) -> _Columns:
    schema = file.schema_arrow
    listed = ", ".join(printable(str(column)) for column in schema.names[:20])
    own = next((column for column in (role, "id") if column in schema.names), None)
    if own is None:
        fix = f"Name the column of ids {role}; the columns are: {listed}."
        raise DataError(f"There is no column {role}", name, fix=fix)
    lists = [column.name for column in schema if _is_list(column.type)]
    if lists:
        chosen = lists if len(lists) == 1 else [column for column in lists if column.lower() in _NAMES]
        if len(chosen) != 1:
            fix = "Keep one of them, or call it vector."
            raise DataError("Several columns hold lists of numbers", f"{name}, {', '.join(lists)}", fix=fix)
        return _Columns(own, (chosen[0],), True)
    numbers = [
        c.name for c in schema if c.name != own and (pa.types.is_floating(c.type) or pa.types.is_integer(c.type))
    ]
    if not numbers:
        fix = "Give a column of lists of numbers called vector, or one column for each number."
        raise DataError("No column holds numbers", f"{name}, columns {listed}", fix=fix)
    check_size(name, 1, len(numbers), limits)
    return _Columns(own, tuple(numbers))


def _is_list(kind: pa.DataType) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    inner = kind.value_type if any(test(kind) for test in tests) else None
    return inner is not None and (pa.types.is_floating(inner) or pa.types.is_integer(inner))


def _texts(column: pa.Array, name: str) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type) or pa.types.is_boolean(column.type):
        raise DataError(
            "The ids are neither text nor whole numbers", f"{name}, {column.type}", fix="Store them as text."
        )
    values = pc.cast(column, pa.large_string()).to_pylist()
    return ["" if value is None else value.strip() for value in values]


def _numbers(part: pa.RecordBatch, columns: _Columns, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of some rows, ``(n, dim)``, and how many numbers each row has; a ``dim`` of 0 is that of the first."""
    if not columns.is_list:
        table = np.column_stack([_floats(part.column(name)) for name in columns.numbers])
        return table, np.full(len(table), table.shape[1])
    column = part.column(columns.numbers[0])
    lengths = np.asarray(pc.fill_null(_lengths(column), 0).to_numpy(zero_copy_only=False)).astype(int)
    dim = dim or int(next((length for length in lengths if length), 0))
    fits = lengths == dim
    vectors = np.full((len(lengths), dim), np.nan, np.float32)
    if fits.any() and dim:
        kept = column.filter(pa.array(fits & np.asarray(column.is_valid())))
        vectors[fits] = _floats(kept.flatten()).reshape(-1, dim)
    return vectors, lengths


def _lengths(column: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_list(column.type):
        return pc.if_else(column.is_valid(), pa.scalar(column.type.list_size, pa.int32()), pa.scalar(0, pa.int32()))
    return pc.list_value_length(column)


def _floats(column: pa.Array) -> np.ndarray:
    """As float32; missing values are ``NaN``, and those too large infinite."""
    wide = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        return np.asarray(wide).astype(np.float32)
