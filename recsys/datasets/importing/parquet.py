"""Parquet, read by pyarrow with every batch validated in full and the decoded bytes counted, as a small file can unpack to
gigabytes."""

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.datasets.importing.batches import (
    BATCH_ROWS,
    NESTED,
    ROW,
    Batch,
    check_columns,
    column_name,
    number_text,
    text_column,
)
from recsys.datasets.importing.files import File, most_unpacked, printable
from recsys.datasets.importing.json_lines import plain
from recsys.errors import DataError
from recsys.settings import Limits

_FEW, _BATCH_BYTES = 64, 1 << 25
_THRIFT_TEXT, _THRIFT_LIST = 64 << 20, 4 << 20


def read_parquet(file: File, limits: Limits) -> Iterator[Batch]:
    """Reads Parquet; columns of other types than text, numbers, dates and lists of text are left out (see ``NESTED``).

    Raises:
        DataError: if it is not valid, or holds more than the limit of decoded bytes.
    """
    try:
        yield from _batches(file, limits)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, KeyError, TypeError) as error:
        told = printable(str(error).strip().splitlines()[0][:120]) if str(error).strip() else type(error).__name__
        raise DataError(f"The file is not readable Parquet ({told})", file.name, fix="Write it again.") from None


def _batches(file: File, limits: Limits) -> Iterator[Batch]:
    most = most_unpacked(file.path.stat().st_size, limits)
    with file.path.open("rb") as stream:
        parquet = opened(stream, [])
        names = check_columns(file, [column_name(name) for name in parquet.schema_arrow.names], limits)
        total = parquet.metadata.num_rows
        said = _said_bytes(parquet.metadata)
        row = taken = 0
        parts = (
            opened(stream, _texts(parquet)).iter_batches(batch_size=_step(said, total)) if said <= most else iter(())
        )
        for part in parts:
            part.validate(full=True)
            taken += sum(map(decoded_bytes, part.columns))
            if taken > most:
                break
            for piece in _pieces(part):
                yield Batch(_frame(piece, names, row), (), min(1.0, (row + len(piece)) / max(1, total)))
                row += len(piece)
        if max(said, taken) > most:
            fix = "Split it" + (", or raise COLDLENS_MAX_UNPACKED_MB." if most >= limits.unpacked_bytes else ".")
            raise DataError(f"The file unpacks to more than {most >> 20:,} MB", file.name, fix=fix)
        if row != total:
            what = f"The file has {row:,} rows and not {total:,}, as it says"
            raise DataError(what, file.name, fix="Write it again.")
        if row == 0:
            empty = {name: text_column([]) for name in names}
            yield Batch(pd.DataFrame({**empty, ROW: np.zeros(0, np.int64)}))


def opened(stream: IO[bytes], dictionaries: list[str]) -> pq.ParquetFile:
    """Opens a file, with bounds on what its head may hold; the columns of ``dictionaries`` stay dictionaries."""
    return pq.ParquetFile(
        stream,
        read_dictionary=dictionaries,
        thrift_string_size_limit=_THRIFT_TEXT,
        thrift_container_size_limit=_THRIFT_LIST,
    )


def _texts(parquet: pq.ParquetFile) -> list[str]:
    """The columns of bytes: read as dictionaries, a text that is repeated is in memory once, however often it stands there."""
    found = (parquet.schema.column(n) for n in range(len(parquet.schema)))
    return [column.path for column in found if column.physical_type == "BYTE_ARRAY"]


def _said_bytes(metadata: pq.FileMetaData) -> int:
    """How many bytes the pages have, as the file says."""
    groups = (metadata.row_group(n) for n in range(metadata.num_row_groups))
    return sum(max(0, group.total_byte_size) for group in groups)


def _step(said: int, rows: int) -> int:
    """Rows that are read at a time, by their average size."""
    return int(min(BATCH_ROWS, max(_FEW, _BATCH_BYTES // max(1, said // max(1, rows)))))


def decoded_bytes(column: pa.Array) -> int:
    """Returns how many bytes a column has, were its dictionaries written out."""
    if isinstance(column, pa.DictionaryArray) and _is_bytes(column.type.value_type):
        lengths = pc.binary_length(column.dictionary)
        return int(pc.sum(pc.cast(pc.take(lengths, column.indices), pa.int64())).as_py() or 0) + column.indices.nbytes
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return decoded_bytes(column.flatten()) + 4 * len(column)
    return int(column.nbytes)


def _is_bytes(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def _pieces(part: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Slices of which none is large when its dictionaries are written out."""
    size = sum(map(decoded_bytes, part.columns))
    step = max(1, len(part) // max(1, size // _BATCH_BYTES))
    for start in range(0, len(part), step):
        yield part.slice(start, step)


def _frame(part: pa.RecordBatch, names: tuple[str, ...], row: int) -> pd.DataFrame:
    found = {name: _texts_of(part.column(n)) for n, name in enumerate(names)}
    return pd.DataFrame({**found, ROW: np.arange(row + 1, row + 1 + len(part))})


def _texts_of(column: pa.Array) -> Any:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return text_column(pc.cast(column, pa.large_string()))
    if pa.types.is_null(kind):
        return text_column([None] * len(column))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pd.Series([plain(value) for value in column.to_pylist()], dtype=object)
    if pa.types.is_floating(kind):
        values = column.to_pylist()
        return text_column([None if v is None or v != v else number_text(float(v)) for v in values])
    try:
        if not _is_odd(kind):
            return text_column(pc.cast(column, pa.large_string()))
    except pa.ArrowNotImplementedError:  # a type that has no text: told as a finding, as nested ones are
        pass
    return pd.Series([NESTED if value.is_valid else None for value in column], dtype=object)


def _is_odd(kind: pa.DataType) -> bool:
    tests = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests) or pa.types.is_duration(kind)
