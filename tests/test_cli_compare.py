"""`recsys compare`, `recsys sweep` and `recsys grid`."""

import json
from pathlib import Path

import pytest

from recsys.cli.comparing import changed
from recsys.errors import DataError
from recsys.schema import Profile
from tests.test_cli import Shell, shell  # noqa: F401  # shell is a fixture

A = ["--dataset", "toy", "--scorer", "cosine", "--age", "30", "--gender", "F", "--interest", "space"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["age=60", "gender=M"], Profile(60, "M", interests=("space",), liked=("1",))),
        (["age=", "gender="], Profile(interests=("space",), liked=("1",))),
        (["occupation=writer"], Profile(30, "F", {"occupation": "writer"}, ("space",), ("1",))),
        (["interest+=war", "interest-=space"], Profile(30, "F", interests=("war",), liked=("1",))),
        (["interest=war = peace"], Profile(30, "F", interests=("war = peace",), liked=("1",))),
        (["liked=", "liked+=7"], Profile(30, "F", interests=("space",), liked=("7",))),
    ],
)
def test_changes_of_a_profile(changes, expected):
    assert changed(Profile(30, "F", interests=("space",), liked=("1",)), changes) == expected


@pytest.mark.parametrize("text", ["foo", "=3", "age+=3", "interest-=war", "age=old"])
def test_what_is_no_change_is_refused(text):
    with pytest.raises(DataError):
        changed(Profile(), [text])


def test_compare_tells_both_lists_and_why(shell: Shell):  # noqa: F811
    found = shell.json("compare", *A, "--with", "interest=romance", "-k", "3")

    assert found["second"]["profile"]["interests"] == ["romance"]
    assert len(found["first"]["recommendations"]) == len(found["second"]["recommendations"]) == 3
    for change in found["changes"]:
        assert sum(change["shifts"].values()) == pytest.approx(change["score"][1] - change["score"][0], abs=1e-6)
    code, out, _ = shell("compare", *A, "--with", "interest=romance", "-k", "3")
    assert code == 0 and "now “romance”" in out and "of the items are shared" in out


def test_a_scenario_is_written_and_checked_and_the_pack_is_one_file(shell: Shell, tmp_path: Path):  # noqa: F811
    scenario, pack = tmp_path / "scenario.json", tmp_path / "pack.html"
    code, _, err = shell("compare", *A, "--with", "age=60", "--scenario", str(scenario), "--pack", str(pack))
    assert code == 0, err

    found = shell.json("compare", "--check", str(scenario))

    assert found["holds"] and found["same"] == {"dataset": True, "model": True, "encoder": True}
    assert pack.read_text("utf-8").startswith("<!doctype html>") and "<script" not in pack.read_text("utf-8")
    values = json.loads(scenario.read_text("utf-8"))
    values["dataset_fingerprint"] = "0" * 64
    scenario.write_text(json.dumps(values), "utf-8")
    changed_data = shell.json("compare", "--check", str(scenario))
    assert changed_data["holds"] and not changed_data["same"]["dataset"]


def test_sweep_over_one_thing_and_two(shell: Shell):  # noqa: F811
    one = shell.json("sweep", *A, "--over", "occupation", "-k", "3")
    two = shell.json("sweep", *A, "--over", "gender", "--by", "occupation", "--item", "04")
    first = shell.json("sweep", *A, "--over", "gender", "--by", "occupation")

    assert one["axis"] == "attribute:occupation" and len(one["top"]) == len(one["steps"]) == 2
    assert len(two["ranks"]) == 2 and len(two["ranks"][0]) == 2 and two["item_id"] == "04"
    assert {item_id for line in first["first"] for item_id in line} <= {f"{n:02d}" for n in range(12)}
    for command in (["--over", "age"], ["--over", "gender", "--by", "age", "--item", "04"], ["--by", "gender"]):
        code, out, err = shell("sweep", *A, *command)
        assert code == 0 and out, err


def test_grid_of_a_table_and_of_every_combination(shell: Shell, tmp_path: Path):  # noqa: F811
    code, template, _ = shell("grid", "--dataset", "toy", "--template")
    people, lists = tmp_path / "people.csv", tmp_path / "lists.csv"
    people.write_text(template, "utf-8")

    found = shell.json("grid", str(people), "--dataset", "toy", "-k", "3", "--lists", str(lists))

    assert code == 0 and found["n_profiles"] == len(template.strip().splitlines()) - 1
    assert lists.read_text("utf-8").startswith("name,rank,item_id,title,score")
    assert shell.json("grid", "--dataset", "toy", "-k", "3")["n_profiles"] == 15 * 2 * 4
    code, out, _ = shell("grid", "--dataset", "toy", "-k", "3")
    assert code == 0 and "people see" in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sweep", "--dataset", "toy", "--over", "nothing"], "cannot be swept"),
        (["sweep", "--dataset", "toy", "--by", "gender", "--item", "99"], "no such item"),
        (["compare", "--dataset", "toy", "--with", "foo"], "no change of a profile"),
        (["compare", "--dataset", "toy", "-k", "0"], "out of range"),
        (["compare", "--check", "nowhere.json"], "cannot be read"),
        (["compare", "--dataset", "toy", "--scenario", "/nowhere/s.json"], "cannot be written"),
        (["grid", "nowhere.csv", "--dataset", "toy"], "cannot be read"),
    ],
)
def test_wrong_input_is_told_in_three_parts(shell: Shell, command, message):  # noqa: F811
    code, out, err = shell(*command)

    assert code == 2 and message in err and "Traceback" not in err and out == ""


def test_a_bad_table_names_row_and_column(shell: Shell, tmp_path: Path):  # noqa: F811
    people = tmp_path / "people.csv"
    people.write_text("age,gender\n27,F\nabc,M\n", "utf-8")

    code, _, err = shell("grid", str(people), "--dataset", "toy")

    assert code == 2 and "row 3, column age" in err
