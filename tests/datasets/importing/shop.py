"""Small files to import, and short ways to do it."""

import gzip
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.datasets.importing import ImportPlan, ImportReport, import_files
from recsys.settings import Limits

ITEMS = "item_id,title,genres,year,price\n1,Alien,Horror|Space,1979,3.5\n2,Heat,Crime,1995,\n3,Solaris,Space,1972,7\n"
USERS = "user_id,age,gender\nu1,30,F\nu2,45,M\n"
RATINGS = "user_id,item_id,rating,timestamp\nu1,1,5,1700000000\nu1,2,3,1700000001\nu2,3,4,1700000002\n"


def write(folder: Path, files: Mapping[str, str | bytes]) -> list[Path]:
    """Writes files and returns their paths, in order."""
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(path)
    return paths


def run(
    folder: Path,
    files: Mapping[str, str | bytes] | Sequence[Path],
    *,
    limits: Limits | None = None,
    plan: ImportPlan | None = None,
    **options: Any,
) -> ImportReport:
    """Imports files as ``shop`` into ``folder / "data"``."""
    paths = write(folder / "in", files) if isinstance(files, Mapping) else list(files)
    return import_files(paths, "shop", data_dir=folder / "data", limits=limits, plan=plan, **options)


def found(report: ImportReport) -> list[tuple[str, int | None, str, str, str]]:
    """Every finding as (file, row, column, value, what), errors first."""
    return [(f.file, f.row, f.column, f.value, f.what) for f in report.findings.kept]


def counts(report: ImportReport, kind: str) -> tuple[int, int, int]:
    """(read, accepted, rejected)."""
    own = report.tables[kind]
    assert own.read == own.accepted + own.rejected
    return own.read, own.accepted, own.rejected


def zipped(path: Path, files: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Writes a zip archive."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def gzipped(text: str | bytes) -> bytes:
    """The content of a gzip file, the same at any time."""
    return gzip.compress(text if isinstance(text, bytes) else text.encode(), mtime=0)


def parquet(columns: Mapping[str, Any]) -> bytes:
    """The content of a Parquet file."""
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(columns)), out)
    return out.getvalue().to_pybytes()
