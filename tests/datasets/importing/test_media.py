"""An import brings along the pictures and sounds that the items name."""

import io
import tarfile
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from recsys.datasets import read_folder
from recsys.datasets.importing import check_dataset, import_files
from recsys.datasets.importing.media import is_plain
from recsys.errors import DataError
from recsys.schema import Dataset
from recsys.settings import Limits, Settings
from recsys.views.fact_words import describe
from recsys.views.facts import facts_of
from recsys.views.image import open_image_view
from tests.datasets.importing.shop import found, run, write
from tests.datasets.importing.shop import zipped as pack
from tests.toy import ToyEncoder
from tests.views.hostile_pictures import picture, saved
from tests.views.painted import PaintedEncoder

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
    assert not is_plain(name)
    assert is_plain("Bilder/größe 2/a b-c_(1).PNG")


POTS = """id,title,image,audio
1,Red pot,photos/red.png,sounds/a.wav
2,Odd pot,../../etc/passwd,
3,Web pot,https://example.com/x.png,
4,Gone pot,photos/gone.png,
5,Red lid,photos/red.png,
"""
KIT = {"items.csv": POTS, "photos/red.png": "red", "photos/extra.png": "pink", "sounds/a.wav": "la"}
MISSING = [
    ("items.csv", 3, "image", "../../etc/passwd", "This is no plain path of a picture"),
    ("items.csv", 5, "image", "photos/gone.png", "The picture is not among the files"),
]


def test_what_is_missing_is_told_by_row_and_the_same_by_a_dry_run_and_by_a_check(tmp_path: Path):
    path = pack(tmp_path / "kit.zip", KIT)
    dry = run(tmp_path, [path], dry_run=True)
    assert not (tmp_path / "data" / "shop").exists()
    wet = run(tmp_path, [path])
    checked = check_dataset(tmp_path / "data" / "shop")
    numbers = {"media_files": 2, "media_named": 3, "media_addresses": 1}
    for report in (dry, wet, checked):
        assert {key: report.to_dict()[key] for key in numbers} == numbers
        assert (report.findings.n_errors, report.findings.n_warnings) == (0, 2)
    assert found(dry) == found(wet) == MISSING
    made = read_folder(tmp_path / "data" / "shop")
    assert contents(made) == {"photos/red.png": b"red", "sounds/a.wav": b"la"}
    assert made.items["image"].tolist()[3] == "photos/gone.png"
    assert (
        run(tmp_path, write(tmp_path / "kit", KIT) and [tmp_path / "kit"], replace=True).to_dict()["media_files"] == 2
    )


def test_a_table_alone_is_told_once_that_nothing_came_along(tmp_path: Path):
    report = run(tmp_path, {"items.csv": POTS})
    what = "No pictures or sounds came along"
    assert [row for row in found(report) if row[-1] == what] == [
        ("items.csv", None, "image", "photos/red.png", what),
        ("items.csv", None, "audio", "sounds/a.wav", what),
    ]
    assert report.findings.n_warnings == 3


def test_accents_of_a_mac_are_the_same_accents(tmp_path: Path):
    name = unicodedata.normalize("NFC", "größe.png")
    table = f"id,title,image\n1,Pot,{name}\n"
    report = run(tmp_path, [pack(tmp_path / "a.zip", {"items.csv": table, unicodedata.normalize("NFD", name): "red"})])
    assert report.findings.n_warnings == 0
    assert contents(read_folder(tmp_path / "data" / "shop")) == {name: b"red"}


def test_a_picture_that_cannot_be_unpacked_is_a_warning(tmp_path: Path):
    path = pack(tmp_path / "a.zip", KIT)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"photos/red.png") - 46 + 10
    data[at : at + 2] = (99).to_bytes(2, "little")  # a way of packing that nobody knows, in the list of the archive
    path.write_bytes(data)
    report = run(tmp_path, [path])
    what = "A picture or sound cannot be unpacked"
    assert ("a.zip", None, "", "photos/red.png", what) in found(report)
    assert contents(read_folder(tmp_path / "data" / "shop")) == {"sounds/a.wav": b"la"}


@pytest.mark.parametrize("name", ["../red.png", "/photos/red.png", "a/../../red.png", "C:\\red.png", "link"])
def test_a_picture_whose_name_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("items.csv", POTS)
        entry = zipfile.ZipInfo("photos/red.png" if name == "link" else name)
        entry.external_attr = (0o120777 if name == "link" else 0o100644) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(DataError, match="holds a link, or a name that leads out of it"):
        run(tmp_path, [tmp_path / "a.zip"])
    assert not (tmp_path / "data" / "shop").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "data"]


def test_ten_thousand_pictures_come_along_and_a_thousand_other_files_do_not(tmp_path: Path):
    rows = "".join(f"{n},Pot {n},p/{n}.png,\n" for n in range(10_000))
    pictures = {f"p/{n}.png": "x" for n in range(10_000)}
    path = pack(tmp_path / "a.zip", {"items.csv": "id,title,image,audio\n" + rows, **pictures})
    report = run(tmp_path, [path], dry_run=True)
    assert (report.to_dict()["media_files"], report.findings.n_warnings) == (10_000, 0)
    path = pack(tmp_path / "b.zip", {"items.csv": POTS, **{f"p/{n}.bin": "x" for n in range(1_000)}})
    with pytest.raises(DataError, match="more than 1,000 files in there.*COLDLENS_MAX_MEMBERS"):
        run(tmp_path, [path])


def test_unchanged_pictures_are_not_looked_at_again(tmp_path: Path):
    kit = {
        "items.csv": POTS,
        "photos/red.png": saved(picture(8, 1), "PNG"),
        "photos/gone.png": saved(picture(8, 2), "PNG"),
    }
    run(tmp_path, [pack(tmp_path / "a.zip", kit)])
    assert looked_at(tmp_path) == 2
    kit["items.csv"] = POTS.replace("Red pot", "Crimson pot")
    run(tmp_path, [pack(tmp_path / "b.zip", kit)], replace=True)
    assert looked_at(tmp_path) == 0
    run(tmp_path, [pack(tmp_path / "c.zip", kit | {"photos/gone.png": saved(picture(8, 3), "PNG")})], replace=True)
    assert looked_at(tmp_path) == 1


def looked_at(tmp_path: Path) -> int:
    """How many pictures are looked at when the image view is opened."""
    encoder, dataset = PaintedEncoder(), read_folder(tmp_path / "data" / "shop")
    view = open_image_view(dataset, text_encoder=ToyEncoder(), settings=Settings(), encoder=encoder)
    assert view is not None
    assert view.has.tolist() == [True, False, False, True, True]
    assert sorted(view.faults) == ["2", "3"]
    return encoder.n_seen


def test_an_imported_graph_becomes_facts_and_triples_without_items_are_told(tmp_path: Path):
    graph = "head,relation,tail\n1,made_in,Italy\n2,made_in,Italy\n3,sold_with,1\nItaly,part_of,Europe\n9,part_of,8\n"
    report = run(tmp_path, {"items.csv": POTS, "graph.csv": graph})
    what = "Neither end of the triple is an item"
    assert [row[:4] for row in found(report) if row[-1] == what] == [
        ("graph.csv", 5, "head", "Italy"),
        ("graph.csv", 6, "head", "9"),
    ]
    facts = facts_of(read_folder(tmp_path / "data" / "shop"))
    assert describe(facts.shared(0, 1), "Odd pot") == "same made in Italy as Odd pot"
    assert describe(facts.shared(2, 0), "Red pot") == "sold with Red pot"
