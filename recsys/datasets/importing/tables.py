"""Tables in files, read in batches and in bounded memory: delimited text, JSON Lines and Parquet.

Every row that is in a file comes out, either in a batch or as a fault: nothing is skipped in silence.
"""

from collections.abc import Iterator

from recsys.datasets.importing.batches import NESTED, ROW, Batch, Fault, check_columns, number_text, shaped
from recsys.datasets.importing.delimited import read_csv
from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.files import File, open_bytes
from recsys.datasets.importing.json_lines import read_jsonl
from recsys.datasets.importing.parquet import read_parquet
from recsys.settings import Limits

__all__ = [
    "NESTED",
    "ROW",
    "Batch",
    "Fault",
    "File",
    "check_columns",
    "number_text",
    "open_bytes",
    "read_csv",
    "read_jsonl",
    "read_parquet",
    "read_table",
    "shaped",
]


def read_table(file: File, dialect: CsvDialect | None, limits: Limits) -> Iterator[Batch]:
    """Reads a file of any of the three sorts.

    Raises:
        DataError: if the file as a whole cannot be read, or is beyond a limit.
    """
    if file.kind == "parquet":
        return read_parquet(file, limits)
    return read_jsonl(file, limits) if file.kind == "jsonl" else read_csv(file, dialect or CsvDialect(), limits)
