"""Names that somebody chose lead nowhere: a listing of everything before and after shows what came, and nothing outside."""

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pages.shared import uploads
from recsys.datasets.importing import check_name, import_files
from recsys.errors import ColdlensError
from recsys.saved_profiles import SavedProfiles
from recsys.schema import Profile
from tests.datasets.importing.shop import ITEMS, write

_TURNED, _OVER = "\u202e", "\u2066"
NAMES = [
    # leading out
    "../x", "../../x", "../" * 40 + "etc/passwd", "..", ".", "...", "/", "//", "/etc/passwd", "//host/share/x",
    "~", "~/x", "~root/x",
    "a/../../x", "a/..", "./x", "./../x", "..\\x", "..\\..\\x", "\\x", "\\\\host\\x", "C:\\x", "C:x", "c:/x",
    "file:///etc/passwd",
    "%2e%2e%2fx", "..%2fx", "..%5cx", "%2e%2e/x", "..%c0%afx", "%252e%252e%252fx", "..;/x", "....//x",
    "..../x", ".../x", "..//x",
    "x/", "x//", "/x/", "\u2025/x", "\uff0e\uff0e/x", "\uff0fx", "\u2044x", "\u2215x", "..\u2215x", "$HOME/x",
    "${HOME}", "%HOME%",
    # endings and beginnings
    ".x", "..x", ".bashrc", ".ssh", "x.", "x..", "x ", " x", "  ", "\t", "\n", "x\n", "x\r\ny", ".git/config",
    ".streamlit/config.toml",
    # reserved elsewhere
    "CON", "con.csv", "NUL", "nul.txt", "AUX", "PRN", "COM1", "LPT1", "CONIN$", "x:stream", "x::$DATA",
    "desktop.ini", "Thumbs.db",
    # zeros and control characters
    "\0", "x\0", "x\0.csv", "\0x", "a\0/../x", "\x01\x02", "x\x1b[2J", "\x7f", "\x85", "\x07", "\x08x",
    "\u2028", "\u2029", "\ufeffx",
    # direction, look-alikes, forms
    f"{_TURNED}gpj.exe", f"x{_OVER}y", "\u200bx", "\u200dx", "e\u0301", "\u00e9", "\ufb01", "\u0130", "\u212a",
    "\u01c5", "Ａ", "１",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "Z̡̟a͓l̨̹g̲o̷", "\u0600\u0601", "\ufdd0",
    "\uffff", "\U0010ffff", "\ud800", "\udfff",
    "\ud83d", "社會科學院語學研究所", "الكتاب", "ทดสอบ",
    # for whoever reads them
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "'; DROP TABLE x;--", "' OR 1=1--", "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(1)", "+1", "-1", "-rf", "--help", "-", "_", "$(id)", "`id`", "; id", "| id", "& id", "&& id", "> x",
    "*", "?", "[a]", "{a,b}",
    "%s%s%s%n", "%d", "{0}", "{self}", "{{7*7}}", "${7*7}", "#{7}", "null", "None", "undefined", "NaN", "true",
    "0", "1e309", "\\", "\"",
    "'", "''", "a\"b", "a'b", "a,b", "a;b", "a|b", "a=b", "a:b", "a b", "",
    # long
    "x" * 255, "x" * 256, "x" * 4096, "é" * 200, "\U0001f600" * 100, "語" * 150, "a/" * 2000 + "x",
    "." * 300, " " * 300, "x" * 90 + ".csv" * 30,
]  # fmt: skip
"""Our own; of the kinds of the Big List of Naughty Strings, and what leads out of folders."""


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything below, and when it was changed last."""
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "around" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "around" / "x").write_text("somebody else's")
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "around")
    monkeypatch.setattr(uploads, "st", SimpleNamespace(session_state={}))
    return folder


def outside(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], inside: Path) -> list[str]:
    """What has come, gone or changed but below one folder."""
    return [
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name) and not Path(name).is_relative_to(inside) and name != str(inside.parent)
    ]


class Upload(io.BytesIO):
    """What Streamlit gives a page."""

    def __init__(self, name: str, file_id: str) -> None:
        super().__init__(name.encode("utf-8", "surrogatepass"))
        self.name, self.file_id = name, file_id


def test_there_are_enough_of_them():
    assert len(NAMES) == len(set(NAMES)) >= 170
    assert sum(".." in name for name in NAMES) >= 20 and max(map(len, NAMES)) >= 4000


def test_uploads_are_kept_in_their_own_folder(data: Path, tmp_path: Path):
    before = listing(tmp_path)
    files = [Upload(name, f"{number}/../{name}") for number, name in enumerate(NAMES)]
    paths = uploads.keep(files)  # type: ignore[arg-type]
    assert len(paths) == len(set(paths)) == len(NAMES)
    for path, name in zip(paths, NAMES, strict=True):
        assert path.read_bytes() == name.encode("utf-8", "surrogatepass")
        assert path.name == uploads.safe_name(name)
        assert path.name.isprintable() and not path.name.startswith(".") and "/" not in path.name
        assert len(os.fsencode(path.name)) <= 200
    assert outside(before, listing(tmp_path), data / ".uploads") == []
    assert uploads.keep(files) == paths  # type: ignore[arg-type]


def test_names_of_datasets(data: Path, tmp_path: Path):
    paths = write(tmp_path / "in", {"items.csv": ITEMS})
    taken = []
    before = listing(tmp_path)
    for name in NAMES:
        try:
            check_name(name)
        except ColdlensError:
            with pytest.raises(ColdlensError):
                import_files(paths, name, data_dir=data)
        else:
            taken.append(name)
    assert outside(before, listing(tmp_path), data / "nothing") == []
    assert set(taken) == {"null", "undefined", "true", "0", "1e309"}  # plain words for a file system


def test_names_of_profiles_are_only_words_in_a_file(data: Path, tmp_path: Path):
    path = data / "profiles" / "toy.json"
    path.parent.mkdir()
    before = listing(tmp_path)
    kept, n_refused = SavedProfiles(path), 0
    saved = {}
    for number, name in enumerate(NAMES):
        try:
            kept.save(name, Profile(age=float(number % 100)))
        except ColdlensError as error:
            n_refused += 1
            assert error.fix.endswith(".")
        else:
            saved[" ".join(name.split())] = float(number % 100)
    assert outside(before, listing(tmp_path), path.parent) == []
    assert sorted(found.name for found in path.parent.iterdir()) == [".toy.json.lock", "toy.json"]
    assert {found.name: found.profile.age for found in kept.all()} == saved
    assert json.loads(path.read_text("utf-8")).keys() == saved.keys()
    assert len(saved) > 100 and n_refused > 5
