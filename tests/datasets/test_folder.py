import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from recsys.datasets import read_folder, write_folder
from recsys.datasets.versions import files_of
from recsys.errors import DataError
from recsys.schema import Dataset, Preset, Profile


def test_folder_round_trips(toy: Dataset, tmp_path: Path):
    presets = (Preset("Somebody", Profile(30, "F", {"occupation": "student"}, ("space",), ("03",))),)
    toy = replace(toy, info=replace(toy.info, presets=presets, simulated=True))
    write_folder(toy, tmp_path / "toy")
    found = read_folder(tmp_path / "toy")
    assert found.info == toy.info
    assert found.name == "toy"
    assert found.folder == tmp_path / "toy"
    for frame in ("items", "users", "interactions"):
        pd.testing.assert_frame_equal(getattr(found, frame), getattr(toy, frame), check_dtype=False)
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_ids_are_texts_and_items_are_sorted(tmp_path: Path):
    pd.DataFrame({"item_id": [10, 9, 1], "title": ["a", None, "c"]}).to_parquet(tmp_path / "items.parquet")
    found = read_folder(tmp_path)
    assert found.items["item_id"].tolist() == ["1", "10", "9"]
    assert found.items["title"].tolist() == ["c", "a", ""]
    assert found.info.title == tmp_path.name
    assert found.users.empty
    assert found.interactions.empty
    assert found.genders == ()


def test_missing_items_file(tmp_path: Path):
    with pytest.raises(DataError, match=r"no items: '.*items\.parquet'. A dataset folder needs"):
        read_folder(tmp_path)


@pytest.fixture
def handmade(toy_folder: Dataset) -> Path:
    """The toy world as somebody would lay it down by hand: Parquet files beside a ``dataset.toml`` without a version."""
    folder = toy_folder.folder
    assert folder is not None
    for path in files_of(folder).glob("*.parquet"):
        path.rename(folder / path.name)
    shutil.rmtree(folder / "versions")
    lines = (folder / "dataset.toml").read_text().splitlines()
    (folder / "dataset.toml").write_text("\n".join(line for line in lines if not line.startswith("version")))
    return folder


def test_folder_made_by_hand(toy: Dataset, handmade: Path):
    found = read_folder(handmade)
    assert found.fingerprint == toy.fingerprint
    assert found.info == toy.info
    (handmade / "dataset.toml").unlink()
    assert read_folder(handmade).fingerprint == toy.fingerprint


@pytest.mark.parametrize("column", ["item_id", "title"])
def test_missing_item_column(handmade: Path, column: str):
    path = handmade / "items.parquet"
    pd.read_parquet(path).drop(columns=column).to_parquet(path)
    with pytest.raises(DataError, match=f"required column is missing: '.*column '{column}''"):
        read_folder(handmade)


@pytest.mark.parametrize(("file", "column"), [("users", "user_id"), ("interactions", "item_id")])
def test_missing_id_column(handmade: Path, file: str, column: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(handmade.parent)  # a value is cut where it is long, as the path of a temporary folder may be
    path = Path(handmade.name) / f"{file}.parquet"
    pd.read_parquet(path).drop(columns=column).to_parquet(path)
    with pytest.raises(DataError, match=f"required column is missing: '{path}, column '{column}''"):
        read_folder(Path(handmade.name))


@pytest.mark.parametrize(
    ("file", "row", "match"),
    [("items", 4, r"item_id is repeated: '.*'04'"), ("users", 2, r"user_id is repeated: '.*'u2'")],
)
def test_repeated_id(handmade: Path, file: str, row: int, match: str):
    path = handmade / f"{file}.parquet"
    frame = pd.read_parquet(path)
    pd.concat([frame, frame.iloc[[row]]]).to_parquet(path)
    with pytest.raises(DataError, match=match):
        read_folder(handmade)


def test_missing_id_names_the_row(handmade: Path):
    path = handmade / "items.parquet"
    frame = pd.read_parquet(path)
    frame.loc[2, "item_id"] = None
    frame.to_parquet(path)
    with pytest.raises(DataError, match=r"An id is missing: '.*row 2, column 'item_id''"):
        read_folder(handmade)


@pytest.mark.parametrize(
    "text", ["title = ", "no_such_key = 1", "presets = 3", "[[presets]]\nage = 3", "presets = [1]", "\x00"]
)
def test_bad_toml(handmade: Path, text: str):
    (handmade / "dataset.toml").write_text(text)
    with pytest.raises(DataError, match=r"dataset\.toml cannot be read"):
        read_folder(handmade)


def test_bad_parquet(handmade: Path):
    (handmade / "users.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match=r"not readable Parquet"):
        read_folder(handmade)


def test_folder_that_cannot_be_written(toy: Dataset, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="could not be written"):
        write_folder(toy, tmp_path / "file" / "toy")
