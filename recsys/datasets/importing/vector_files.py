"""Files of vectors, part by part: NumPy's ``.npy`` or Parquet.

A ``.npy`` file holds one row for each id, in their order, and nothing else; what its head says is compared with the size of the
file before anything is made room for, and objects, which would run code, are never read. A Parquet file names each id beside its
vector: a column of lists, or one column for each number.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.datasets.importing.files import File, most_unpacked, printable
from recsys.datasets.importing.parquet import decoded_bytes, opened
from recsys.errors import DataError
from recsys.settings import Limits

VECTOR_ENDINGS = (".npy", ".parquet", ".pq")
_NAMES = ("vector", "vectors", "embedding", "embeddings")
"""Columns that hold the vectors where several columns hold lists."""
ROWS, _BATCH_BYTES, _FEW = 16_384, 1 << 25, 16
_LONGEST_HEAD = 10_000
_DAMAGES = (
    pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError, TypeError, SyntaxError, RecursionError,
)  # fmt: skip
"""What NumPy and Arrow raise on files that are damaged or hostile."""


@dataclass(frozen=True, eq=False)
class VectorBlock:
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


def check_size(name: str, n: int, dim: int, limits: Limits) -> None:
    """Raises ``DataError`` if so many vectors of such a length are more than allowed, before any room is made for them."""
    if dim > limits.dimensions:
        fix = "Shorten them, or raise COLDLENS_MAX_DIMENSIONS."
        raise DataError(f"The vectors have more than {limits.dimensions:,} numbers each", f"{name}, {dim:,}", fix=fix)
    if 4 * n * dim > limits.vectors_mb << 20:
        fix = "Bring fewer or shorter ones, or raise COLDLENS_MAX_VECTORS_MB."
        raise DataError(f"The vectors take more than {limits.vectors_mb:,} MB", f"{name}, {n:,} of {dim:,}", fix=fix)


def is_npy(path: Path) -> bool:
    """Whether a file is NumPy's, by its name.

    Raises:
        DataError: for one that holds no vectors.
    """
    if not path.name.lower().endswith(VECTOR_ENDINGS):
        fix = f"Give a file that ends in one of: {' '.join(VECTOR_ENDINGS)}."
        raise DataError("Vectors are not read from such a file", printable(path.name), fix=fix)
    return path.name.lower().endswith(".npy")


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turns what libraries raise on a damaged file into an error that names the file."""
    try:
        yield
    except _DAMAGES as error:
        told = str(error).strip().splitlines()[:1]
        why = printable(told[0][:120]) if told else type(error).__name__
        fix = "Write it again with numpy.save(allow_pickle=False), or as Parquet."
        raise DataError(f"The vectors cannot be read ({why})", printable(path.name), fix=fix) from None


def npy_blocks(path: Path, limits: Limits, n_ids: int, role: str, content: bytes | None) -> Iterator[VectorBlock]:
    """Yields the rows of a ``.npy`` file in the order of the ids.

    Raises:
        DataError: if there are not as many as ids, or as ``mapped_npy`` does.
    """
    mapped = mapped_npy(path, limits, content)
    if len(mapped) != n_ids:
        noun = "items" if role == "item_id" else "users"
        fix = f"Give one row for each of the {noun}, in their order, or Parquet with the column {role}."
        raise DataError(f"There are {len(mapped):,} vectors for {n_ids:,} {noun}", printable(path.name), fix=fix)
    for start in range(0, len(mapped), ROWS):
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is rejected as that
            block = np.asarray(mapped[start : start + ROWS]).astype(np.float32)
        yield VectorBlock(start + 1, None, block, np.full(len(block), block.shape[1]))


@contextmanager
def _stream(path: Path, content: bytes | None) -> Iterator[IO[bytes]]:
    with path.open("rb") if content is None else io.BytesIO(content) as stream:
        yield stream


def mapped_npy(path: Path, limits: Limits, content: bytes | None = None) -> np.ndarray:
    """Returns the array of a file, which stays there; its head is checked against its size first.

    Raises:
        DataError: for what holds no table of numbers, is not as long as it says, or is larger than allowed.
    """
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


def parquet_blocks(
    path: Path, limits: Limits, role: str, *, with_vectors: bool = True, content: bytes | None = None
) -> Iterator[VectorBlock]:
    """Yields the rows of a Parquet file with their ids.

    Args:
        role: ``item_id`` or ``user_id``, the name of the column of ids.
        with_vectors: whether the numbers are read, and not the ids alone.
        content: of the file, where that was sealed and has been opened.

    Raises:
        DataError: if the file has no such column or no vectors, or unpacks to more than is allowed.
    """
    file = File(printable(path.name), path)
    most = most_unpacked(path.stat().st_size if content is None else len(content), limits)
    with _stream(path, content) as stream:
        found = opened(stream, [])
        columns = _columns_of(found, file.name, role, limits)
        total, row, dim, taken = found.metadata.num_rows, 0, 0, 0
        names = [columns.own, *(columns.numbers if with_vectors else ())]
        size = max(1, sum(_group_bytes(found)) // max(1, total))
        step = int(min(ROWS, max(_FEW, _BATCH_BYTES // size)))
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
                yield VectorBlock(row + 1, ids, np.zeros((len(ids), 0), np.float32), np.zeros(len(ids), int))
            else:
                vectors, lengths = _numbers(part, columns, dim)
                dim = vectors.shape[1]
                check_size(file.name, 1, dim, limits)
                yield VectorBlock(row + 1, ids, vectors, lengths)
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
