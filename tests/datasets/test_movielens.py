import zipfile
from pathlib import Path

import pytest

from recsys.datasets import movielens as reader
from recsys.errors import DataError
from recsys.schema import Dataset

GENRES = 19
FILES = {
    "u.item": "\n".join(
        [
            "1|Usual Suspects, The (1995)|01-Jan-1995||http://x|"
            + "|".join(["0"] * 6 + ["1"] + ["0"] * 9 + ["1"] + ["0"] * 2),
            "2|Cité des enfants perdus, La (1995)|01-Jan-1995||http://x|" + "|".join(["0"] * 8 + ["1"] + ["0"] * 10),
            "10|unknown|||" + "|" + "|".join(["1"] + ["0"] * 18),
        ]
    ),
    "u.user": "1|24|M|technician|85711\n2|53|F|other|94043",
    "u.data": "1\t1\t5\t881250949\n2\t10\t3\t881250950",
}


def official_folder(folder: Path) -> Path:
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_bytes((text + "\n").encode("latin-1"))
    return folder


def official_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"ml-100k/{name}", (text + "\n").encode("latin-1"))
    return path


def test_counts_are_the_published_ones(movielens: Dataset):
    assert len(movielens.users) == 943
    assert len(movielens.items) == 1682
    assert len(movielens.interactions) == 100_000


def test_titles_read_naturally(movielens: Dataset):
    assert movielens.title_of("12") == "The Usual Suspects"
    assert movielens.items["title"].str.contains(r", The$").sum() == 0


def test_values_have_their_types(movielens: Dataset):
    assert movielens.age_range == (7.0, 73.0)
    assert movielens.genders == ("M", "F")
    assert "unknown" not in movielens.categories
    assert len(movielens.categories) == 18
    assert movielens.items["item_id"].is_monotonic_increasing
    assert movielens.interactions["rating"].between(1, 5).all()


def test_presets_fit_the_dataset(movielens: Dataset):
    for preset in movielens.info.presets:
        assert set(preset.profile.liked) <= set(movielens.item_rows)
        assert preset.profile.gender in (None, *movielens.genders)
        for name, value in preset.profile.attributes.items():
            assert value in movielens.user_attributes[name]


@pytest.mark.parametrize("make", [official_folder, official_zip])
def test_official_layout(tmp_path: Path, make):
    found = reader.read(make(tmp_path / "ml"))
    assert found.items["item_id"].tolist() == ["1", "10", "2"]
    assert found.items["title"].tolist() == ["The Usual Suspects", "unknown", "La Cité des enfants perdus"]
    assert found.items["year"].fillna(0).tolist() == [1995, 0, 1995]
    assert found.items["categories"].tolist() == [("Crime", "Thriller"), (), ("Drama",)]
    assert found.users["occupation"].tolist() == ["technician", "other"]
    assert found.users["age"].tolist() == [24.0, 53.0]
    assert found.interactions["rating"].tolist() == [5.0, 3.0]
    assert found.interactions["timestamp"].tolist() == [881250949, 881250950]


def test_official_layout_agrees_with_the_package(movielens: Dataset, tmp_path: Path):
    official = reader.read(official_zip(tmp_path / "ml-100k.zip"))
    assert list(official.items.columns) == list(movielens.items.columns)
    assert list(official.users.columns) == list(movielens.users.columns)
    assert list(official.interactions.columns) == list(movielens.interactions.columns)


def not_a_zip(path: Path) -> Path:
    path.write_text("hello")
    return path


def other_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return path


def empty_folder(path: Path) -> Path:
    path.mkdir()
    return path


def missing(path: Path) -> Path:
    return path


@pytest.mark.parametrize("make", [not_a_zip, other_zip, empty_folder, missing])
def test_source_in_another_layout(tmp_path: Path, make):
    with pytest.raises(DataError, match=r"cannot be read from there .*Give the official ml-100k\.zip"):
        reader.read(make(tmp_path / "source"))


@pytest.mark.parametrize("file", ["u.user", "u.data"])
def test_source_with_words_where_numbers_belong(tmp_path: Path, file: str):
    folder = official_folder(tmp_path / "ml")
    (folder / file).write_text("one|two|three|four|five\n" if file == "u.user" else "a\tb\tc\td\n")
    with pytest.raises(DataError, match="cannot be read"):
        reader.read(folder)


def test_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install --no-deps recbole"):
        reader.read()
