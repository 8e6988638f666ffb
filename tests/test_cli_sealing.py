"""`recsys key new` and `recsys seal`: a key in a file, everything sealed with it, and everything open again."""

import json
import shlex
import sys
from dataclasses import replace

import pandas as pd
import pytest
from typer.testing import CliRunner

from recsys import cli
from recsys.cli import app
from recsys.datasets import catalogue, list_datasets, read_folder
from recsys.datasets.people_files import PEOPLE_FILES
from recsys.errors import ConfigError
from recsys.evaluation import (
    Evaluation,
    Plan,
    TransferEvaluation,
    TransferPlan,
    keep_evaluation,
    keep_transfer,
    kept_evaluations,
    kept_transfers,
    seal_evaluations,
)
from recsys.saved_profiles import LinkedProfiles, SavedProfiles
from recsys.schema import Profile
from recsys.sealing import NO_SEAL, Seal, is_sealed
from recsys.settings import Settings

ABOUT = {"made": "2026-01-01 00:00 UTC", "embeddings": "key"}


def run(*words):
    return CliRunner().invoke(app, list(words), catch_exceptions=True)


def evaluation() -> Evaluation:
    users = pd.DataFrame({"method": ["additive"], "level": ["none"], "user_id": ["u1"], "fold": [0], "nDCG@10": [0.5]})
    lists = pd.DataFrame({"user_id": ["u1"], "level": ["none"], "fold": [0], "item_ids": [["01"]]})
    none = pd.DataFrame({"a": [1.0]})
    return Evaluation(
        Plan("toy"), users=users, intervals=none, overall=none, calibration=none, lists=lists, about=ABOUT
    )


@pytest.fixture
def full(toy_folder, monkeypatch):
    """A data folder with a dataset, profiles and evaluations, all of it open, and no key."""
    for name in ("COLDLENS_KEY", "COLDLENS_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    data = toy_folder.folder.parent
    SavedProfiles(data / "profiles" / "toy.json").save("Anna", Profile(age=30))
    LinkedProfiles(data / "profiles" / "linked" / "toy").keep([Profile(age=31)])
    monkeypatch.setattr(Evaluation, "to_dict", lambda self: {})
    monkeypatch.setattr(TransferEvaluation, "to_dict", lambda self: {})
    keep_evaluation(toy_folder, "key", evaluation())
    keep_transfer(toy_folder, "key", TransferEvaluation(TransferPlan("toy", "year<1990"), evaluation().users, ABOUT))
    return toy_folder


def sealed_files(data):
    return {path.name for path in data.rglob("*") if path.is_file() and is_sealed(path.read_bytes())}


def test_a_key_is_made_everything_is_sealed_and_can_be_opened_for_good(full, tmp_path, monkeypatch):
    data, key = full.folder.parent, tmp_path / "my key"
    made = run("key", "new", "--to", str(key))
    assert made.exit_code == 0
    assert key.read_text().strip() not in made.output
    with pytest.raises(ConfigError, match=r"There is no key to seal with. Make one with `recsys key new"):
        raise run("seal", "--data-dir", str(data)).exception
    [line] = [line for line in made.output.splitlines() if "export" in line]
    name, _, value = shlex.split(line.removesuffix(", then recsys seal."))[2].partition("=")
    monkeypatch.setenv(name, value)

    done = json.loads(run("seal", "--data-dir", str(data), "--json").stdout)

    assert done == {"undone": False, "profiles": 2, "datasets": {"toy": 5}}
    linked = next((data / "profiles" / "linked" / "toy").glob("*.json")).name
    names = {"toy.json", linked, "users.parquet", "interactions.parquet", "lists.parquet"}
    assert sealed_files(data) == names
    seal = Seal.from_settings(Settings(key_file=key))
    assert read_folder(full.folder, seal=seal).fingerprint == full.fingerprint
    [kept] = kept_evaluations(full, "key", seal=seal)
    [carried] = kept_transfers(full, "key", seal=seal)
    for found in (kept, carried):
        pd.testing.assert_frame_equal(found.users, evaluation().users)
    for read in (kept_evaluations, kept_transfers):
        with pytest.raises(ConfigError, match="no key is set"):
            read(full, "key", seal=NO_SEAL)
    assert [entry.state for entry in list_datasets(data) if entry.name == "toy"] == ["ready"]

    undone = run("seal", "--undo", "--data-dir", str(data))
    assert undone.output.startswith("Files opened: 2 of profiles, 5 of 1 datasets.")
    assert sealed_files(data) == set()
    assert read_folder(full.folder).fingerprint == full.fingerprint


def test_an_evaluation_is_written_sealed_and_a_damaged_one_does_not_stay_open(full):
    seal = Seal(("A" * 43 + "=",))
    keep_evaluation(full, "other", replace(evaluation(), about={**ABOUT, "embeddings": "other"}), seal=seal)
    assert sealed_files(full.folder.parent) == {"users.parquet", "lists.parquet"}
    [kept] = (full.folder / "artifacts").glob("transfer-evaluation-*/users.parquet")
    kept.write_bytes(kept.read_bytes()[:-1])

    assert seal_evaluations(full.folder, opened_by=seal, closed_by=seal) == 2
    assert not kept.exists()
    assert len(kept_evaluations(full, "other", seal=seal)) == 1


def test_the_command_line_says_which_file_is_sealed_and_exits_with_2(full, monkeypatch, tmp_path, capsys):
    data = full.folder.parent
    run("key", "new", "--to", str(tmp_path / "k"))
    monkeypatch.setenv("COLDLENS_KEY_FILE", str(tmp_path / "k"))
    assert run("seal", "--data-dir", str(data)).exit_code == 0
    monkeypatch.delenv("COLDLENS_KEY_FILE")

    monkeypatch.setattr(sys, "argv", ["recsys", "datasets", "check", "toy", "--data-dir", str(data)])
    with pytest.raises(SystemExit) as ended:
        cli.main()

    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("The file is sealed, and no key is set: '")
    assert said.strip().endswith("Set COLDLENS_KEY or COLDLENS_KEY_FILE to the key that sealed it.")


def test_what_the_commands_write_is_sealed_and_what_they_read_is_opened(full, monkeypatch, tmp_path):
    data = full.folder.parent
    monkeypatch.setenv("COLDLENS_KEY", "k" * 43 + "=")
    monkeypatch.setitem(catalogue.FETCHABLE, "world", lambda source: replace(full, name="world"))
    for name, text in (("items", "item_id,title\ni1,Sencha\n"), ("users", "user_id,age\nu1,30\n")):
        (tmp_path / f"{name}.csv").write_text(text)
    sources = [str(tmp_path / f"{name}.csv") for name in ("items", "users")]
    for words in (
        ("seal",),
        ("datasets", "import", *sources, "--name", "teas"),
        ("datasets", "fetch", "world"),
        ("datasets", "anonymise", "toy", "--name", "hidden", "--k", "1"),
        ("datasets", "check", "toy"),
        ("datasets", "check", "hidden"),
    ):
        ended = run(*words, "--data-dir", str(data))
        assert ended.exit_code == 0, (words, ended.exception)

    tables = [path for path in data.rglob("*.parquet") if path.name in PEOPLE_FILES]
    assert {path.relative_to(data).parts[0] for path in tables} == {"toy", "teas", "world", "hidden"}
    assert all(is_sealed(path.read_bytes()) for path in tables)
