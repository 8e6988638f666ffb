from pathlib import Path

import pytest

from recsys.datasets import fetch_dataset, list_datasets, open_dataset
from recsys.errors import DataError
from recsys.schema import Dataset

SAMPLES = ("sample-films-zh", "sample-music", "sample-news", "sample-shop")


def test_open_by_name_and_by_path(toy_folder: Dataset):
    data_dir = toy_folder.folder.parent
    by_name = open_dataset("toy", data_dir=data_dir)
    by_path = open_dataset(toy_folder.folder, data_dir=data_dir / "elsewhere")
    assert by_name.name == by_path.name == "toy"
    assert by_name.items.equals(by_path.items)


def test_unknown_name_lists_the_known_ones(toy_folder: Dataset):
    with pytest.raises(
        DataError,
        match=f"no such dataset: 'nonsense'. Use one of: movielens-100k, {', '.join(SAMPLES)}, toy",
    ):
        open_dataset("nonsense", data_dir=toy_folder.folder.parent)


def test_fetching_an_unknown_name(tmp_path: Path):
    with pytest.raises(DataError, match=r"cannot be fetched: 'nonsense'. Choose one of: movielens-100k"):
        fetch_dataset("nonsense", data_dir=tmp_path)


def test_list_says_what_is_there(toy_folder: Dataset):
    data_dir = toy_folder.folder.parent
    (data_dir / "broken").mkdir()
    (data_dir / "broken" / "dataset.toml").write_text("title = ")
    entries = {entry.name: entry for entry in list_datasets(data_dir)}
    assert list(entries) == ["broken", "movielens-100k", *SAMPLES, "toy"]
    assert entries["toy"].state == "ready"
    assert entries["toy"].title == "Toy world"
    assert entries["movielens-100k"].state == "can be fetched"
    assert "cannot be read" in entries["broken"].state


def test_list_of_a_folder_that_is_not_there(tmp_path: Path):
    assert [entry.name for entry in list_datasets(tmp_path / "none")] == ["movielens-100k", *SAMPLES]
