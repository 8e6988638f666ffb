"""Every limit is on the page of limits, with its default, and each number of things is tried below it, at it and above it."""

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.confined import OPEN_FILES
from recsys.datasets.importing import read_vectors
from recsys.datasets.importing.checks import ID_CHARACTERS
from recsys.errors import ColdlensError
from recsys.saved_profiles import MAX_SAVED
from recsys.settings import MAX_AGE, MAX_INTEREST_LENGTH, MAX_INTERESTS, MAX_K, MAX_LIKED, MAX_PROFILES, Limits
from recsys.views.picture_sources import PictureSources
from recsys.views.pictures import check_size, decode
from recsys.views.sounds import read_sound
from recsys.whatif.scenario_reading import MAX_BYTES
from tests.datasets.importing.shop import parquet, run, write, zipped
from tests.views.hostile_pictures import saved
from tests.views.sounds import wav

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "limits.md").read_text("utf-8")


def rows_of(page: str) -> dict[str, tuple[int, str]]:
    """Variable to (default, what is said)."""
    found = re.findall(r"^\| `(COLDLENS_MAX_\w+)` \| ([\d,]+) \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    return {name: (int(default.replace(",", "")), said) for name, default, said in found}


def test_the_page_lists_exactly_the_limits_with_their_defaults():
    known = {part.metadata["name"]: part.default for part in fields(Limits)}
    assert {name: default for name, (default, _) in rows_of(PAGE).items()} == known
    assert len(re.findall(r"^\| `COLDLENS", PAGE, re.MULTILINE)) == len(known)


def test_every_limit_is_named_by_some_message_and_by_its_docstring():
    sources = "".join(path.read_text("utf-8") for room in ("recsys", "pages") for path in (ROOT / room).rglob("*.py"))
    for part in fields(Limits):
        uses = sources.count(f"limits.{part.name}") + sources.count(f"limits.{part.name.replace('_mb', '_bytes')}")
        assert uses, part.name
        assert re.search(rf"^        {part.name}: ", Limits.__doc__ or "", re.MULTILINE), part.name


def test_what_does_not_change_is_what_the_page_says():
    for told in (
        f"{ID_CHARACTERS} characters of an id", f"{OPEN_FILES} open files", f"{MAX_INTERESTS} interests of {MAX_INTEREST_LENGTH}",
        f"{MAX_LIKED} liked items", f"ages to {MAX_AGE}", f"lists of {MAX_K}", f"{MAX_PROFILES:,} people", f"{MAX_BYTES:,} bytes",
        f"{MAX_SAVED} saved profiles",
    ):  # fmt: skip
        assert told in PAGE, told
    upload = re.search(r"maxUploadSize = (\d+)", (ROOT / ".streamlit" / "config.toml").read_text())
    assert upload and f"{upload[1]} MB for one upload" in PAGE


# ---- each number, below it, at it and above it -----------------------------------------------------------------------------


def imported(folder: Path, limits: Limits, **files: str) -> None:
    run(folder, {f"{name}.csv": text for name, text in files.items()}, limits=limits)


def items(folder: Path, n: int, limits: Limits) -> None:
    imported(folder, limits, items="id,title\n" + "".join(f"{k},T\n" for k in range(n)))


def users(folder: Path, n: int, limits: Limits) -> None:
    imported(folder, limits, items="id,title\n1,T\n", users="user_id,age\n" + "".join(f"{k},30\n" for k in range(n)))


def interactions(folder: Path, n: int, limits: Limits) -> None:
    imported(
        folder, limits, items="id,title\n1,T\n", ratings="user_id,item_id\n" + "".join(f"{k},1\n" for k in range(n))
    )


def columns(folder: Path, n: int, limits: Limits) -> None:
    names = ["id", "title", *(f"c{k}" for k in range(n - 2))]
    imported(folder, limits, items=",".join(names) + "\n" + ",".join("x" * n) + "\n")


def line_characters(folder: Path, n: int, limits: Limits) -> None:
    imported(folder, limits, items=f"id,title\n1,{'x' * (n - 2)}\n")


def text_characters(folder: Path, n: int, limits: Limits) -> None:
    imported(folder, limits, items=f"id,title\n1,{'x' * n}\n")


def unpacked_mb(folder: Path, n: int, limits: Limits) -> None:
    """As many bytes beside the limit as ``n`` is."""
    size = (limits.unpacked_mb << 20) + n - limits.unpacked_mb
    text = "id,title,note\n" + "".join(f"{k:03d},T,{'x' * 10_000}\n" for k in range(100))
    text += "999,T," + "x" * 10_000 + "\n"
    text = text + "998,T," + "y" * (size - len(text) - 7) + "\n"
    assert len(text) == size
    run(folder, [zipped(folder / "items.zip", {"items.csv": text})], limits=limits)


def members(folder: Path, n: int, limits: Limits) -> None:
    files = {f"items-{k}.csv": f"id,title\n{k},T\n" for k in range(n)}
    run(folder, [zipped(folder / "shop.zip", files)], limits=limits)


def media_files(folder: Path, n: int, limits: Limits) -> None:
    """As a folder, where they are counted as they are copied, and then in an archive, whose directory is counted."""
    pictures: dict[str, str | bytes] = {f"{k}.png": b"picture" for k in range(n)}
    table = "id,title,image\n" + "".join(f"{k},T,{k}.png\n" for k in range(n))
    write(folder / "shop", {"items.csv": table, **pictures})
    try:
        run(folder, [folder / "shop"], limits=limits)
    except ColdlensError as error:
        assert error.what == f"The items name more than {limits.media_files} pictures and sounds"
    else:
        assert n <= limits.media_files
    run(folder, [zipped(folder / "shop.zip", {"items.csv": table, **pictures})], limits=limits, replace=True)


def picture_mb(folder: Path, n: int, limits: Limits) -> None:
    check_size(bytes((n - limits.picture_mb) + (limits.picture_mb << 20)), "a.png", limits=limits)


def picture_pixels(folder: Path, n: int, limits: Limits) -> None:
    decode(saved(Image.new("RGB", (n, 1)), "PNG"), "a.png", limits=limits)


def picture_side(folder: Path, n: int, limits: Limits) -> None:
    decode(saved(Image.new("RGB", (1, n)), "PNG"), "a.png", limits=limits)


def sound_mb(folder: Path, n: int, limits: Limits) -> None:
    size = (limits.sound_mb << 20) + (n - limits.sound_mb)
    data = (b"\x00\x40\x00\xc0" * (1 << 19))[: (size - 44) // 2 * 2]
    [path] = write(folder, {"a.wav": wav(data=data) + bytes(size - 44 - len(data))})
    assert path.stat().st_size == size
    read_sound(path, limits=limits)


def fetched_pictures(folder: Path, n: int, limits: Limits) -> None:
    class Fetcher:
        def fetch(self, url: str) -> bytes:
            return b"picture"

    names = [f"http://pictures.test/{k}.png" for k in range(n)]
    found = PictureSources.from_names(names, media=None, limits=limits, fetcher=Fetcher(), fetched=folder)  # type: ignore[arg-type]
    for name in names:
        found.read(name)


def vectors(folder: Path, shape: tuple[int, int], limits: Limits) -> None:
    path = folder / "v.npy"
    np.save(path, np.ones(shape, np.float32))
    read_vectors(path, "item_id", ids=[str(row) for row in range(shape[0])], limits=limits)
    rows = {"item_id": [str(row) for row in range(shape[0])], "vector": np.ones(shape, np.float32).tolist()}
    path.with_suffix(".parquet").write_bytes(parquet(rows))
    read_vectors(path.with_suffix(".parquet"), "item_id", ids=rows["item_id"], limits=limits)


def dimensions(folder: Path, n: int, limits: Limits) -> None:
    vectors(folder, (2, n), limits)


def vectors_mb(folder: Path, n: int, limits: Limits) -> None:
    """As many rows of 4 KB beside the limit as ``n`` is."""
    vectors(folder, ((limits.vectors_mb << 8) + n - limits.vectors_mb, 1024), limits)


PROBES: list[Callable[[Path, int, Limits], None]] = [
    items, users, interactions, columns, line_characters, text_characters, unpacked_mb, members, media_files, picture_mb,
    picture_pixels, picture_side, sound_mb, fetched_pictures, dimensions, vectors_mb,
]  # fmt: skip
ELSEWHERE = {
    "memory_mb": "tests/test_confined.py", "cpu_seconds": "tests/test_confined.py", "written_mb": "tests/test_confined.py",
    "look_seconds": "tests/pages/test_datasets.py", "read_seconds": "tests/test_confined.py",
    "decode_seconds": "tests/views/test_decoder.py", "fetch_seconds": "tests/views/test_fetching.py",
}  # fmt: skip
"""Seconds and what a process takes: nobody can be one below and one above those."""


def test_no_limit_is_left_out():
    assert {part.name for part in fields(Limits)} == {probe.__name__ for probe in PROBES} | ELSEWHERE.keys()
    for name, path in ELSEWHERE.items():
        text = (ROOT / path).read_text("utf-8")
        assert name in text or Limits.name_of(name) in text, (name, path)


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_below_at_and_above(tmp_path: Path, probe: Callable[[Path, int, Limits], None], more: int):
    name = probe.__name__
    limit = {
        "line_characters": 40,
        "text_characters": 40,
        "sound_mb": 1,
        "picture_mb": 1,
        "unpacked_mb": 1,
        "vectors_mb": 1,
    }.get(name, 3)
    limits = Limits(**{"text_characters": 100_000, name: limit})
    if more <= 0:
        probe(tmp_path, limit + more, limits)
        return
    with pytest.raises(ColdlensError) as raised:
        probe(tmp_path, limit + more, limits)
    told = str(raised.value)
    variable = Limits.name_of(name)
    assert re.search(rf"\b{limit:,}\b", told) or name == "picture_pixels", told
    assert variable in told, told
    said = rows_of(PAGE)[variable][1]
    words = re.split(r"\d|…|\(", said)[0].strip().removeprefix("the same")
    assert words in told or name in ("line_characters", "text_characters", "picture_side"), (words, told)
