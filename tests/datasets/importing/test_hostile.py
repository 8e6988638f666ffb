"""Files made to harm: bombs, names that lead elsewhere, damaged and locked archives. All are refused, and that is all."""

import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.datasets.importing import check_name, gather, import_files
from recsys.errors import DataError
from recsys.settings import Limits
from tests.datasets.importing.shop import ITEMS, gzipped, parquet, run, write, zipped

ROOT = Path(__file__).parents[3]


def tree(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.lstat().st_size for path in sorted(folder.rglob("*"))}


def refused(tmp_path: Path, path: Path) -> DataError:
    """Imports, and returns the refusal; nothing but the report folder of the data folder has changed."""
    (tmp_path / "data").mkdir(exist_ok=True)
    before = tree(tmp_path)
    with pytest.raises(DataError) as raised:
        run(tmp_path, [path])
    after = tree(tmp_path)
    for changed in (before, after):
        changed.pop("data/.imports", None)
    assert {name: size for name, size in after.items() if before.get(name) != size and name != "data"} == {}
    assert set(before) == set(after)
    assert raised.value.value is not None
    assert raised.value.fix.endswith(".")
    return raised.value


# ---- names -----------------------------------------------------------------------------------------------------------------

OUTSIDE = [
    "../x.csv",
    "a/../../x.csv",
    "/etc/x.csv",
    "..\\x.csv",
    "\\x.csv",
    "C:\\x.csv",
    "c:x.csv",
    "//host/x.csv",
    "a/..",
    "..",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_of_a_zip(tmp_path: Path, name: str):
    error = refused(tmp_path, zipped(tmp_path / "z.zip", {"items.csv": ITEMS, name: ITEMS}))
    assert error.what == "The archive holds a link, or a name that leads out of it"
    assert error.value is not None and error.value.startswith("z.zip, ")


def test_a_name_with_a_zero_in_a_zip(tmp_path: Path):
    path = zipped(tmp_path / "z.zip", {"items.csvZ.exe": ITEMS})
    path.write_bytes(path.read_bytes().replace(b"csvZ", b"csv\0"))
    assert refused(tmp_path, path).what == "The archive holds a link, or a name that leads out of it"


def test_links_in_a_zip(tmp_path: Path):
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("items.csv")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    assert refused(tmp_path, path).what == "The archive holds a link, or a name that leads out of it"


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_out_of_a_tar(tmp_path: Path, name: str):
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    assert refused(tmp_path, tmp_path / "t.tar").what == "The archive holds a link, or a name that leads out of it"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(tmp_path: Path, kind: bytes):
    with tarfile.open(tmp_path / "t.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo("items.csv")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    assert refused(tmp_path, tmp_path / "t.tgz").what == "The archive holds a link, or a name that leads out of it"


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path):
    write(tmp_path / "secret", {"items.csv": ITEMS})
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "items.csv").symlink_to(tmp_path / "secret" / "items.csv")
    (tmp_path / "shop" / "loop.csv").symlink_to(tmp_path / "shop" / "loop.csv")
    (tmp_path / "shop" / "all").symlink_to("/")
    assert refused(tmp_path, tmp_path / "shop").what == "There is nothing to read in there"


NAMES = [
    "../x", "..", ".", "", "a/b", "a\\b", "con", "nul", "A", "Shop", "x" * 61, "é", "ａ", "-a", "_a", "a b", "a\0", "a\n", ".a",
    "a.b", "samples", "profiles", "/tmp/x", "~", "$(id)", "a;b", "％", "\u202eabc", "١",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_datasets_that_cannot_be(tmp_path: Path, name: str):
    paths = write(tmp_path / "in", {"items.csv": ITEMS})
    (tmp_path / "data").mkdir()
    before = tree(tmp_path)
    with pytest.raises(DataError, match="This cannot be the name of a dataset"):
        import_files(paths, name, data_dir=tmp_path / "data")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["a", "0", "my-shop_2", "x" * 60])
def test_names_of_datasets_that_can_be(name: str):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "it\nems.csv",
        "\x1b[2Jitems.csv",
        "=cmd()|items.csv",
        "<script>items.csv",
        "\u202eitems.csv",
        b"it\xffems.csv",
        "'; drop.csv",
    ],
)
def test_names_of_files_are_only_shown(tmp_path: Path, name: str | bytes):
    (tmp_path / "in").mkdir()
    path = Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + os.fsencode(name)))
    path.write_text(ITEMS + "9,,,,\n")
    report = run(tmp_path, [path], valid_rows=True)
    [finding] = report.findings.kept
    assert finding.file.isprintable()
    assert json.loads((tmp_path / "data" / ".imports" / "shop" / "report.json").read_text("utf-8"))["errors"] == 1
    assert [path.name for path in report.rejected] == ["rejected-items-1.csv"]


def test_values_are_shown_without_control_characters(tmp_path: Path):
    report = run(tmp_path, {"items.csv": ITEMS + "9,\x1b[2J\u202e\ud7ff,,bad\x1b[2J year,\n"}, valid_rows=True)
    assert [finding.value for finding in report.findings.kept] == ["bad [2J year"]
    assert all(finding.value.isprintable() for finding in report.findings.kept)


# ---- damage ----------------------------------------------------------------------------------------------------------------


def encrypted(path: Path) -> Path:
    zipped(path, {"items.csv": ITEMS}, method=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    return path


def test_an_encrypted_zip(tmp_path: Path):
    error = refused(tmp_path, encrypted(tmp_path / "z.zip"))
    assert error.what == "The archive is locked with a password"
    assert "password" in error.fix


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_cut_or_changed_anywhere(tmp_path: Path, method: int):
    content = zipped(tmp_path / "z.zip", {"items.csv": ITEMS * 3}, method=method).read_bytes()
    start = 34 + len("items.csv")
    for place in range(0, len(content), 7):
        (tmp_path / "z.zip").write_bytes(content[:place])
        refused(tmp_path, tmp_path / "z.zip")
    for place in range(start, len(content) - 120, 5):
        bad = bytearray(content)
        bad[place] ^= 0xFF
        (tmp_path / "z.zip").write_bytes(bad)
        assert refused(tmp_path, tmp_path / "z.zip").what.startswith("The archive cannot be read (")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_that_is_cut(tmp_path: Path, mode: str):
    write(tmp_path, {"items.csv": ITEMS})
    name = "t.tar" + mode[1:].replace(":", ".")
    with tarfile.open(tmp_path / name, mode) as archive:  # type: ignore[call-overload]
        archive.add(tmp_path / "items.csv", "items.csv")
    content = (tmp_path / name).read_bytes()
    for end in (*range(0, 1025, 128), *range(0, len(content) - 40, 9 if len(content) < 2000 else 512)):
        (tmp_path / name).write_bytes(content[:end])
        try:
            refused(tmp_path, tmp_path / name)
        except pytest.fail.Exception:  # all of it is there, and only what follows is not
            assert end >= (2 * 512 + 512 if mode == "w" else len(content) * 0.6)
            assert run(tmp_path, [tmp_path / name], replace=True).tables["items"].read == 3
            shutil.rmtree(tmp_path / "data")


def test_a_gzip_that_is_cut_or_changed(tmp_path: Path):
    content = gzipped(ITEMS)
    for place in range(3, len(content) - 1, 5):
        [path] = write(tmp_path, {"items.csv.gz": content[:place]})
        assert "gzip file is damaged" in refused(tmp_path, path).what
    [path] = write(tmp_path, {"items.csv.gz": content[:-8] + b"12345678"})
    assert "gzip file is damaged" in refused(tmp_path, path).what


def test_parquet_with_any_byte_of_its_footer_changed(tmp_path: Path):
    content = parquet({"id": ["1", "2"], "title": ["A", "B"]})
    for place in range(len(content) - 8, len(content)):
        bad = bytearray(content)
        bad[place] ^= 0xFF
        [path] = write(tmp_path, {"items.parquet": bytes(bad)})
        error = refused(tmp_path, path)
        assert error.what.startswith("The file is not readable Parquet (")
        assert error.value == "items.parquet"
    for end in (0, 3, 4, 11, 12, len(content) - 1):
        [path] = write(tmp_path, {"items.parquet": content[:end]})
        refused(tmp_path, path)


def test_binary_files_under_a_name_that_is_read(tmp_path: Path):
    for content in (
        os.urandom(2000),
        b"\0" * 2000,
        b"\x89PNG\r\n" + bytes(range(256)),
        b"\xff\xfe" * 99,
        b"%PDF-1.4\n" * 50,
    ):
        [path] = write(tmp_path, {"items.csv": content})
        refused(tmp_path, path)


@pytest.mark.parametrize("depth", [1, 2, 990, 1_023, 1_030, 5_000, 200_000])
@pytest.mark.parametrize("marks", [("[", "]"), ('{"a":', "}")])
def test_values_nested_in_one_another(tmp_path: Path, depth: int, marks: tuple[str, str]):
    """Each row is accounted for, whatever the depth; what is around it is read."""
    value = marks[0] * depth + "1" + marks[1] * depth
    lines = ['{"id": 1, "title": "A"}', f'{{"id": 2, "title": "B", "more": {value}}}', '{"id": 3, "title": "C"}']
    report = run(tmp_path, {"items.jsonl": "\n".join(lines)}, valid_rows=True)
    own = report.tables["items"]
    assert (own.read, own.accepted) == (3, 3 if depth < 1_024 else 2)


# ---- bombs -----------------------------------------------------------------------------------------------------------------


def zip_of_zeros(folder: Path) -> Path:
    path = folder / "z.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("items.csv", "w") as out,
    ):
        for _ in range(400):
            out.write(b"\0" * (1 << 20))
    return path


def zip_that_lies(folder: Path) -> Path:
    """Both headers say that a member has ten bytes."""
    path = zip_of_zeros(folder)
    content = bytearray(path.read_bytes())
    size = struct.pack("<I", 400 << 20)
    while (place := content.find(size)) >= 0:
        content[place : place + 4] = struct.pack("<I", 10)
    path.write_bytes(content)
    return path


def zip_of_many(folder: Path) -> Path:
    path = folder / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number}.csv", "")
    return path


def zip_of_overlaps(folder: Path) -> Path:
    """A thousand entries of the directory share one megabyte of zeros, so that little unpacks to a gigabyte."""
    path = zipped(folder / "z.zip", {"0.csv": b"\0" * (1 << 20)})
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    entry, end = content[start : content.index(b"PK\x05\x06")], content[content.index(b"PK\x05\x06") :]
    end = end[:8] + struct.pack("<HH", 1000, 1000) + struct.pack("<II", len(entry) * 1000, start) + end[20:]
    path.write_bytes(content[:start] + entry * 1000 + end)
    return path


def gz_of_zeros(folder: Path) -> Path:
    path = folder / "items.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as out:
        out.write(b"id,title\n")
        for _ in range(400):
            out.write(b"\n" * (1 << 20))
    return path


def gz_of_one_line(folder: Path) -> Path:
    path = folder / "items.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as out:
        for _ in range(400):
            out.write(b"x" * (1 << 20))
    return path


def tgz_of_zeros(folder: Path) -> Path:
    """What is skipped is unpacked too."""
    path = folder / "t.tgz"
    with tarfile.open(path, "w:gz", compresslevel=9) as archive:
        entry = tarfile.TarInfo("readme.bin")
        entry.size = 400 << 20

        class Zeros(io.RawIOBase):
            def read(self, n: int = -1) -> bytes:
                return b"\0" * n

        archive.addfile(entry, Zeros())  # type: ignore[arg-type]
    return path


def parquet_of_one_text(folder: Path) -> Path:
    """About half a megabyte that holds five gigabytes: one text, and fifty thousand times its number."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 100_000]))
    path = folder / "items.parquet"
    pq.write_table(pa.table({"item_id": [str(n) for n in range(50_000)], "title": texts}), path)
    assert path.stat().st_size < 600_000
    return path


def parquet_of_lists(folder: Path) -> Path:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 100_000]))
    lists = pa.ListArray.from_arrays(pa.array([0, 25_000, 50_000], pa.int32()), texts)
    path = folder / "items.parquet"
    pq.write_table(pa.table({"item_id": ["1", "2"], "title": ["A", "B"], "tags": lists}), path)
    return path


def parquet_of_pages(folder: Path) -> Path:
    """Not a dictionary but pages that are packed well."""
    path = folder / "items.parquet"
    table = pa.table({"item_id": [str(n) for n in range(400)], "title": ["x" * 1_000_000] * 400})
    pq.write_table(table, path, use_dictionary=False, compression="zstd", write_statistics=False)
    return path


BOMBS: list[Callable[[Path], Path]] = [
    zip_of_zeros, zip_that_lies, zip_of_many, zip_of_overlaps, gz_of_zeros, gz_of_one_line, tgz_of_zeros, parquet_of_one_text,
    parquet_of_lists, parquet_of_pages,
]  # fmt: skip
_IMPORT = r"""
import json, re, sys, time
from pathlib import Path
from recsys.datasets.importing import import_files
from recsys.errors import ColdlensError
def peak(): return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
before, started = peak(), time.perf_counter()
try:
    import_files([Path(sys.argv[1])], "shop", data_dir=Path(sys.argv[2]), valid_rows=True)
    told = None
except ColdlensError as error:
    told = str(error)
grown = (peak() - before) // 1024
print(json.dumps([told, grown, time.perf_counter() - started]))
"""


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_bombs(tmp_path: Path, bomb: Callable[[Path], Path]):
    path = bomb(tmp_path)
    before = tree(tmp_path)
    command = [sys.executable, "-c", _IMPORT, str(path), str(tmp_path / "data")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    told, grown_mb, seconds = json.loads(done.stdout)
    print(bomb.__name__, path.stat().st_size, told, grown_mb, seconds)
    assert told is not None
    assert path.name in told
    assert any(word in told for word in ("more than", "cannot be read", "cannot be unpacked")), told
    assert grown_mb < 200, told
    assert seconds < 15, told
    after = tree(tmp_path)
    assert {name for name in after if name not in before and not name.startswith("data")} == set()
    assert not (tmp_path / "data" / "shop").exists()


def test_a_bomb_is_within_a_limit_that_was_raised_for_honest_files(tmp_path: Path):
    """Text that packs well is no bomb as long as it is small."""
    text = "id,title\n" + "".join(f"{n},T\n" for n in range(200_000))
    files = gather([zipped(tmp_path / "z.zip", {"items.csv": text})], tmp_path, Limits())
    assert files[0].path.stat().st_size == len(text)
