"""An import brings along the pictures and sounds that the items name."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from recsys.datasets import read_folder
from recsys.datasets.importing import import_files
from recsys.datasets.importing.media import _is_plain
from recsys.errors import DataError
from recsys.schema import Dataset
from recsys.settings import Limits

FILES = {"images/a.png": b"one", "images/b c.jpg": b"two", "sounds/a.mp3": b"three", "images/not-named.png": b"four"}
TABLE = """item_id,title,image,audio
1,One,images/a.png,sounds/a.mp3
2,Two,images/b c.jpg,
3,Three,https://example.com/c.png,
4,Four,../secret.png,/etc/passwd.png
5,Five,images/missing.png,
6,Six,items.csv,C:\\a.png
"""


def zipped(path: Path, files: Mapping[str, bytes], root: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}items.csv", TABLE)
        for name, data in files.items():
            archive.writestr(root + name, data)
    return path


def brought(tmp_path: Path, *paths: Path, limits: Limits | None = None) -> Dataset:
    report = import_files([*paths], "mine", data_dir=tmp_path / "data", limits=limits, replace=True)
    assert report.is_published
    dataset = read_folder(tmp_path / "data" / "mine")
    n_files = len(contents(dataset)) if dataset.media else 0
    assert report.about["media_files"] == n_files
    return dataset


def contents(dataset: Dataset) -> dict[str, bytes]:
    assert dataset.media is not None
    files = (path for path in dataset.media.rglob("*") if path.is_file())
    return {path.relative_to(dataset.media).as_posix(): path.read_bytes() for path in files}


NAMED = {name: data for name, data in FILES.items() if "not-named" not in name}


@pytest.mark.parametrize("root", ["", "my shop/", "my shop/export/"])
def test_a_zip_brings_the_files_that_items_name(tmp_path: Path, root: str):
    dataset = brought(tmp_path, zipped(tmp_path / "a.zip", FILES, root))
    assert contents(dataset) == NAMED
    assert dataset.items["image"].tolist()[:2] == ["images/a.png", "images/b c.jpg"]


def test_a_folder_and_a_tar_bring_them_too(tmp_path: Path):
    folder = tmp_path / "shop"
    for name, data in {"items.csv": TABLE.encode(), **{f"media/{name}": data for name, data in FILES.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (tmp_path / "outside.png").write_bytes(b"secret")
    (folder / "images").mkdir()
    (folder / "images" / "missing.png").symlink_to(tmp_path / "outside.png")
    assert contents(brought(tmp_path, folder)) == NAMED
    with tarfile.open(tmp_path / "shop.tar.gz", "w:gz") as archive:
        for name, data in {"items.csv": TABLE.encode(), **FILES}.items():
            entry = tarfile.TarInfo(f"shop/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    assert contents(brought(tmp_path, tmp_path / "shop.tar.gz")) == NAMED


def test_files_may_be_named_one_by_one(tmp_path: Path):
    (tmp_path / "items.csv").write_text("item_id,title,image\n1,One,a.png\n")
    (tmp_path / "a.png").write_bytes(b"one")
    assert contents(brought(tmp_path, tmp_path / "items.csv", tmp_path / "a.png")) == {"a.png": b"one"}


def test_without_files_there_is_no_folder_of_media(tmp_path: Path):
    assert brought(tmp_path, zipped(tmp_path / "a.zip", {})).media is None


def test_pictures_do_not_count_as_data_but_have_a_limit_of_their_own(tmp_path: Path):
    path = zipped(tmp_path / "a.zip", FILES)
    assert contents(brought(tmp_path, path, limits=Limits(members=1, media_files=4))) == NAMED
    with pytest.raises(DataError, match="more than 3 pictures and sounds in there: 'a.zip'.*COLDLENS_MAX_MEDIA_FILES"):
        brought(tmp_path, path, limits=Limits(media_files=3))


def test_a_damaged_picture_is_left_out(tmp_path: Path):
    path = zipped(tmp_path / "a.zip", FILES)
    path.write_bytes(path.read_bytes().replace(b"one", b"ONE", 1))
    assert contents(brought(tmp_path, path)) == {name: data for name, data in NAMED.items() if data != b"one"}


def test_a_bomb_of_pictures_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("items.csv", TABLE)
        archive.writestr("images/a.png", bytes(3 << 20))
    with pytest.raises(DataError, match=r"The archive unpacks to more than 2 MB.*COLDLENS_MAX_UNPACKED_MB"):
        brought(tmp_path, tmp_path / "a.zip", limits=Limits(unpacked_mb=2))
    assert not (tmp_path / "data" / "mine").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "a/../b.png",
        "/a.png",
        "a//b.png",
        "./a.png",
        "c:\\a.png",
        "a\0b.png",
        " /a.png",
        "a.png ",
        "a.exe",
        "a/" * 11 + "b.png",
    ],
)
def test_only_plain_paths_are_kept(name: str):
    assert not _is_plain(name)
    assert _is_plain("Bilder/größe 2/a b-c_(1).PNG")
