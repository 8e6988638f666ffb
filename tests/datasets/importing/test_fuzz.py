"""The promise at full size: 20,000 tables, 1,000 Parquet files, 1,000 JSON Lines, 20 bombs, in processes that are confined.

Nobody dies, nothing says a traceback, and every row that was read is accepted or rejected. A smaller size runs every time, in
``test_mutations`` and ``test_hostile``; pictures are in ``tests/views/test_pictures.py``.
"""

import gzip
import io
import json
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pages.shared import asking
from recsys.errors import ColdlensError
from recsys.settings import Limits
from tests.datasets.importing import mutants, test_hostile
from tests.datasets.importing.shop import write, zipped
from tests.datasets.importing.test_mutations import FORMATS, check, drawn

pytestmark = pytest.mark.release
ROOT = Path(__file__).parents[3]


def run_all(folder: Path, sets: Sequence[dict[str, bytes]], told: str, *, most_refused: float = 1.0) -> Counter[str]:
    """Imports each set of files, checks what became of it, and prints the sums."""
    importers = [mutants.Importer(folder / str(number), seconds=60) for number in range(2)]
    started = time.perf_counter()

    def imported(number: int) -> list[tuple[dict[str, bytes], mutants.Outcome]]:
        return [(files, importers[number].run(files)) for files in sets[number::2]]

    try:
        with ThreadPoolExecutor(2) as pool:
            outcomes = [one for part in pool.map(imported, range(2)) for one in part]
        peak = max(importer.peak_mb for importer in importers)
    finally:
        for importer in importers:
            importer.close()
    sums: Counter[str] = Counter(files=len(outcomes))
    for files, outcome in outcomes:
        check(outcome, files)
        sums["refused"] += outcome.told is not None
        for read, accepted, rejected in outcome.counts:
            sums.update(read=read, accepted=accepted, rejected=rejected)
    assert sums["read"] == sums["accepted"] + sums["rejected"] > 0
    assert 0 < sums["refused"] <= most_refused * len(outcomes)
    assert peak < 1_500
    print(f"{told}: {dict(sums)}, {time.perf_counter() - started:.0f} s, {peak} MB at most")
    return sums


def test_twenty_thousand_tables(tmp_path: Path):
    run_all(tmp_path, drawn(FORMATS["CSV"], 20_000)[:20_000], "CSV", most_refused=0.95)


def test_a_thousand_parquet_files(tmp_path: Path):
    run_all(tmp_path, drawn(FORMATS["Parquet"], 1_000)[:1_000], "Parquet", most_refused=0.99)


def test_a_thousand_json_lines(tmp_path: Path):
    """Half of them mutants, half of them written to be hard."""
    made = list(hard_lines())
    sets = [{"items.jsonl": content} for content in made] + drawn(FORMATS["JSON Lines"], 1_000 - len(made))
    run_all(tmp_path, sets[:1_000], "JSON Lines")


GOOD = b'{"id": 1, "title": "Alien"}\n'


def hard_lines() -> Iterator[bytes]:
    """A good line, a hard one, and another good one; 500 of them."""
    rng = np.random.default_rng(0)
    hard: list[bytes] = []
    for depth in (1, 2, 100, 1_000, 1_023, 1_024, 1_025, 5_000, 10_000, 50_000, 100_000, 200_000):
        for start, end in ((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")):
            hard += [
                start * depth + b"1" + end * depth,
                start * depth,
                b'{"id": 2, "title": ' + start * depth + b"1" + end * depth,
            ]
            hard.append(b'{"id": 2, "title": "x", "more": ' + start * depth + b"1" + end * depth + b"}")
    for value in (
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"nan",
        b"1e999",
        b"-1e999",
        b"1e-999",
        b"01",
        b"+1",
        b".5",
        b"0x1F",
    ):
        hard += [
            b'{"id": 2, "title": %s}' % value,
            b'{"id": %s, "title": "x"}' % value,
            b'{"id": 2, "title": "x", "year": %s}' % value,
        ]
    for digits in (20, 100, 309, 4_300, 4_301, 5_000, 100_000):
        for sign in (b"", b"-"):
            number = sign + b"9" * digits
            hard += [
                b'{"id": %s, "title": "x"}' % number,
                b'{"id": 2, "title": %s}' % number,
                b'{"id": 2, "title": "x", "price": %s}' % number,
            ]
    for pair in (
        b'"id": 2, "id": 3, "title": "x"',
        b'"id": 2, "title": "x", "title": "y"',
        b'"id": 2, "i\\u0064": 3, "title": "x"',
    ):
        hard += [b"{%s}" % pair, b'{"id": 2, "title": "x", "more": {%s}}' % pair]
    for text in (
        b"\\ud800",
        b"\\udc00",
        b"\\ud800\\ud800",
        b"\\u0000",
        b"\xed\xa0\x80",
        b"\xff",
        b"\xc0\x80",
        b"\\x",
        b"\\",
        b"\t",
        b"\x00",
    ):
        hard += [
            b'{"id": 2, "title": "%s"}' % text,
            b'{"id": "%s", "title": "x"}' % text,
            b'{"id": 2, "title": "x", "%s": 1}' % text,
        ]
    whole = json.dumps(
        {"id": 2, "title": "Käse", "genres": ["a", "b"], "more": {"a": [1, None]}}, ensure_ascii=False
    ).encode()
    hard += [whole[:end] for end in range(len(whole))]
    hard += [
        b"",
        b" ",
        b"null",
        b"1",
        b'"text"',
        b"[]",
        b"{}",
        b"\xef\xbb\xbf{}",
        whole * 2,
        whole + b",",
        b"[" + whole + b"]",
    ]
    while len(hard) < 500:
        hard.append(bytes(rng.integers(0, 256, int(rng.integers(1, 400)), np.uint8)).replace(b"\n", b" "))
    for line in hard[:500]:
        yield GOOD + line + b"\n" + GOOD.replace(b"1", b"9")


# ---- bombs -----------------------------------------------------------------------------------------------------------------


def tar_of(mode: str) -> Callable[[Path], Path]:
    def bomb(folder: Path) -> Path:
        path = folder / f"t.tar.{mode}"
        with tarfile.open(path, f"w:{mode}") as archive:  # type: ignore[call-overload]
            entry = tarfile.TarInfo("items.csv")
            entry.size = 300 << 20
            archive.addfile(entry, io.BytesIO(bytes(300 << 20)))
        return path

    bomb.__name__ = f"tar_{mode}_of_zeros"
    return bomb


def zip_in_itself(folder: Path) -> Path:
    """Ten times one that is inside another."""
    content = b"item_id,title\n" + b"0" * (10 << 20)
    for _ in range(5):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(10):
                archive.writestr(f"{number}.zip", content)
        content = out.getvalue()
    return write(folder, {"z.zip": content})[0]


def table_of_columns(folder: Path) -> Path:
    names = ",".join(f"c{number}" for number in range(200_000))
    return write(folder, {"items.csv": f"{names}\n" + ",".join("x" * 200_000) + "\n"})[0]


def parquet_of_columns(folder: Path) -> Path:
    path = folder / "items.parquet"
    pq.write_table(pa.table({f"c{number}": [1] for number in range(20_000)}), path)
    return path


def lines_of_names(folder: Path) -> Path:
    """Every line has names of its own."""
    rows = (json.dumps({"id": n, "title": "x", **{f"n{n}-{k}": 1 for k in range(100)}}) for n in range(2_000))
    return write(folder, {"items.jsonl": "\n".join(rows)})[0]


def lines_of_depth(folder: Path) -> Path:
    path = folder / "items.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=9) as out:
        for _ in range(400):
            out.write(b"[" * (1 << 20))
    return path


def quote_never_closed(folder: Path) -> Path:
    path = folder / "items.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as out:
        out.write(b'item_id,title\n1,"')
        for _ in range(300):
            out.write(b"x,y\n" * (1 << 18))
    return path


def zip_of_lines(folder: Path) -> Path:
    return zipped(folder / "z.zip", {"items.jsonl": b'{"id": 1, "title": "' + b"\\u0041" * (50 << 20)})


def workbook(folder: Path) -> Path:
    return zipped(folder / "items.xlsx", {"xl/worksheets/sheet1.xml": b"<row/>" * (30 << 20)})


def parquet_of_deep_lists(folder: Path) -> Path:
    kind: pa.DataType = pa.int8()
    for _ in range(100):
        kind = pa.list_(kind)
    value: object = 1
    for _ in range(100):
        value = [value]
    path = folder / "items.parquet"
    ids = [str(number) for number in range(20_000)]
    pq.write_table(
        pa.table({"item_id": ids, "title": ["x" * 20_001] * 20_000, "deep": pa.array([value] * 20_000, kind)}), path
    )
    return path


BOMBS = [
    *test_hostile.BOMBS, tar_of("bz2"), tar_of("xz"), zip_in_itself, table_of_columns, parquet_of_columns, lines_of_names,
    lines_of_depth, quote_never_closed, zip_of_lines, workbook, parquet_of_deep_lists,
]  # fmt: skip


def read_by_the_worker(words: Sequence[str], scratch: Path) -> tuple[int, str, int]:
    """Runs a command as a page does, and returns its code, what it said, and the most memory it had, in MB."""
    process = subprocess.Popen(
        [sys.executable, "-m", "recsys", *words], cwd=ROOT, env=asking.confined(Limits().look_seconds, scratch),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    peak = 0
    with process, ThreadPoolExecutor(1) as pool:
        told = pool.submit(process.communicate)
        while not told.done():
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            peak = max(peak, int(status.split("VmHWM:")[1].split()[0]) >> 10 if "VmHWM" in status else 0)
            time.sleep(0.02)
        said = told.result()[0]
    return process.returncode, said, peak


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_twenty_bombs(tmp_path: Path, bomb: Callable[[Path], Path]):
    assert len(BOMBS) >= 20
    path = bomb(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = ["datasets", "import", str(path), "--name", "shop", "--data-dir", str(tmp_path / "data")]
    started = time.perf_counter()
    code, said, peak = read_by_the_worker(words, scratch)
    print(f"{bomb.__name__}: {path.stat().st_size >> 10:,} KB, {time.perf_counter() - started:.1f} s, {peak} MB")
    assert code == 2, said
    assert "Traceback" not in said
    assert said.strip().endswith("."), said
    assert peak < 600
    assert not (tmp_path / "data" / "shop").exists()
    assert list(scratch.iterdir()) == []


def test_files_go_the_way_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A hundred mutants are looked into by ``ask``, one process each."""
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path / "data"))
    seen: Counter[str] = Counter()
    names = ("CSV", "JSON Lines", "Parquet", "zip")
    for number, files in enumerate(files for name in names for files in drawn(FORMATS[name], 25)[:25]):
        paths = write(tmp_path / str(number), dict(files))
        try:
            asking.ask(["datasets", "inspect", *map(str, paths)])
            seen["read"] += 1
        except ColdlensError as error:
            assert "Traceback" not in str(error) and "has ended" not in str(error), error
            seen["refused"] += 1
    print(dict(seen))
    assert seen["read"] > 20 and seen["refused"] > 5
