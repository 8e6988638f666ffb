"""`recsys explain` and the words that `recsys build --words` prepares."""

import json
from pathlib import Path

import pytest

from tests.test_cli import FULL, Shell, shell  # noqa: F401  # shell is a fixture


def test_explain_prints_json_that_adds_up(shell: Shell):  # noqa: F811
    found = shell.json("explain", "--item", "00", *FULL.split())

    assert sum(part["contribution"] for part in found["parts"]) == pytest.approx(found["total"], abs=1e-6)
    assert found["completeness_error"] <= 1e-6
    assert (found["item_id"], found["tier"], found["dataset"]) == ("00", "first-last", "toy")  # 13 words
    assert found["reason"].startswith("Its text is close to")
    assert {text["side"] for text in found["words"]} == {"profile", "item"}


def test_explain_prints_for_people(shell: Shell):  # noqa: F811
    code, out, err = shell(
        "explain", "--item", "00", "--dataset", "toy", "--interest", "space", "--versus", "01", "--edits", "-k", "2"
    )

    assert (code, err) == (0, "")
    assert "Story 00 (1990): score " in out
    assert "Largest error of any sum" in out
    assert "Against Story 01 (1991)" in out


def test_people_are_told_what_differs_and_whether_an_edit_is_needed(shell: Shell):  # noqa: F811
    asked = ("explain", "--dataset", "toy", "--scorer", "cosine", "--interest", "space", "--versus", "01", "--edits")

    _, first, _ = shell(*asked, "--item", "00", "-k", "4")
    _, last, _ = shell(*asked, "--item", "04", "-k", "2")

    assert "adds more here than there" in first
    assert "It is in the top 4 already." in first
    assert "What would bring it into the top 2" in last
    assert "single edits" in last
    assert ": rank 1" in last or ": rank 2" in last


def test_versus_and_edits_in_json(shell: Shell):  # noqa: F811
    found = shell.json(
        "explain", "--item", "04", "--versus", "00", "--edits", "-k", "2", "--dataset", "toy", "--interest", "space"
    )

    assert sum(found["versus"]["parts"].values()) == pytest.approx(found["versus"]["gap"], abs=1e-6)
    assert found["edits"]["rank"] == found["rank"]
    assert all(edit["rank"] <= 2 for edit in found["edits"]["found"])
    assert "age" not in found["edits"]["tried"]
    unlocked = shell.json("explain", "--item", "04", "--edits", "--unlock", "-k", "2", "--dataset", "toy")
    assert unlocked["edits"]["tried"]["age"] > 50


def test_explain_writes_a_page(shell: Shell, tmp_path: Path):  # noqa: F811
    page = tmp_path / "why.html"

    shell("explain", "--item", "00", "--dataset", "toy", "--interest", "space", "--html", str(page))

    assert "Story 00" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "No item is named"),
        ("--item zz", "There is no such item in the catalog: 'zz'."),
        ("--item 00 --tier magic", "The tier is unknown: 'magic'. Choose exact or first-last."),
        ("--item 00 --versus zz", "There is no such item in the catalog: 'zz'."),
        ("--item 03 --liked 03 --edits", "This item is liked already"),
        ("--item 04 --edits -k 0", "The length of the list is out of range: '0'."),
        ("--item 00 --popularity 2", "The popularity weight is out of range: '2.0'."),
        ("--item 00 --html /no/such/folder/x.html", "The page cannot be written"),
        ("--audit", "The catalog has too few categories for an audit: '3'."),
    ],
)
def test_bad_input_is_answered_in_three_parts(shell: Shell, arguments: str, message: str):  # noqa: F811
    code, out, err = shell("explain", "--dataset", "toy", *arguments.split(), "--json")

    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert out == ""


def test_build_takes_the_words_apart_once_and_reports_its_progress(shell: Shell, tmp_path: Path):  # noqa: F811
    progress = tmp_path / "progress.json"

    first = shell.json("build", "toy", "--words", "--progress", str(progress))
    again = shell.json("build", "toy", "--words", "--progress", str(progress))

    assert (first["words_made"], again["words_made"]) == (12, 0)
    assert json.loads(progress.read_text()) == {"finished": True}
    assert len(list((shell.data_dir / "toy" / "artifacts").glob("words-*"))) == 2
