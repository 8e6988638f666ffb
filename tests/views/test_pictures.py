"""Pictures that somebody brings are read within limits, or refused one by one."""

import io
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from recsys.errors import DataError
from recsys.settings import Limits
from recsys.views.pictures import SIDE, check_size, decode, read_bytes
from recsys.views.thumbnails import Thumbnails, make_thumbnail, save_thumbnails
from tests.views.hostile_pictures import picture, png, saved

ROOT = Path(__file__).resolve().parents[2]


def test_two_hundred_hostile_files_are_refused_one_by_one_in_little_memory(tmp_path: Path):
    found = subprocess.run(
        [sys.executable, "tests/views/hostile_pictures.py", str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    n_files, n_refused, n_in_parts, n_pictures, peak_mb, decoder_mb = map(int, found.stdout.splitlines()[0].split())
    assert n_files >= 200 and n_refused == n_in_parts == n_files, found.stdout
    assert n_pictures == 1  # 16 million pixels, just allowed
    assert peak_mb < 512  # nothing is decoded here
    assert 0 < decoder_mb < 300
    print(f"{n_files} files, {peak_mb} MB here, {decoder_mb} MB in the process that decodes")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_of_each_format_is_read(kind: str):
    found = decode(saved(Image.new("RGB", (40, 20), (200, 30, 60)), kind), "a", limits=Limits())
    assert found.mode == "RGB" and found.size == (40, 20)
    assert np.abs(np.asarray(found)[10, 20].astype(int) - (200, 30, 60)).max() < 12


def test_what_is_transparent_becomes_white():
    for mode in ("RGBA", "LA"):
        clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert(mode)
        assert (np.asarray(decode(saved(clear, "PNG"), "a", limits=Limits())) == 255).all()
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 0] * 256)
    assert (np.asarray(decode(saved(palette, "PNG", transparency=0), "a", limits=Limits())) == 255).all()


def test_sixteen_bits_become_eight():
    deep = Image.fromarray(np.full((8, 8), 40_000, np.uint16))
    assert np.unique(decode(saved(deep, "PNG"), "a", limits=Limits())).tolist() == [40_000 // 256]


def test_a_photograph_that_was_held_sideways_stands_upright():
    lying = Image.new("RGB", (40, 20), "white")
    ImageDraw.Draw(lying).rectangle((0, 0, 19, 19), fill="black")
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    found = decode(saved(lying, "JPEG", exif=exif), "a", limits=Limits())
    assert found.size == (20, 40)
    assert np.asarray(found)[5, 10].mean() < 30 < 220 < np.asarray(found)[35, 10].mean()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_counts(kind: str):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    moving = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    red, green, blue = np.asarray(decode(moving, "a", limits=Limits()))[10, 10]
    assert red > 200 and green < 40 and blue < 40


def test_limits_hold_to_the_pixel_and_to_the_byte(tmp_path: Path):
    limits = Limits(picture_mb=1, picture_pixels=600, picture_side=50)
    assert decode(saved(Image.new("RGB", (30, 20)), "PNG"), "a", limits=limits).size == (30, 20)
    assert decode(saved(Image.new("RGB", (50, 1)), "PNG"), "a", limits=limits).size == (50, 1)
    for size in ((31, 20), (51, 1)):
        with pytest.raises(DataError, match=r"COLDLENS_MAX_PICTURE_PIXELS or COLDLENS_MAX_PICTURE_SIDE"):
            decode(saved(Image.new("RGB", size), "PNG"), "a", limits=limits)
    check_size(bytes(1 << 20), "a", limits=limits)
    (tmp_path / "a.png").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(DataError, match="larger than 1 MB: 'a.png'. Make it smaller, or raise COLDLENS_MAX_PICTURE_MB"):
        read_bytes("a.png", media=tmp_path, limits=limits)


def test_what_is_large_comes_out_small():
    assert decode(png(3_000, 1_500, n_bytes=3_001 * 1_500), "a", limits=Limits()).size == (SIDE, SIDE // 2)


def test_no_more_than_the_header_of_a_bomb_is_read(monkeypatch: pytest.MonkeyPatch):
    def load(self: Image.Image) -> None:
        raise AssertionError("was decoded")

    from PIL import PngImagePlugin

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)
    for sides in ((4_001, 4_000), (9_400, 9_400), (13_500, 13_500), (40_000, 1)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as where nobody made warnings errors
            with pytest.raises(DataError, match="where at most 20,000 a side and 16 million in all are read"):
                decode(png(*sides), "bomb.png", limits=Limits())


def test_the_refusal_of_an_svg_says_what_to_do():
    with pytest.raises(
        DataError, match=r"The picture is an SVG drawing: 'a.png'\. Export it as PNG: .* can hold scripts"
    ):
        decode(b"<?xml version='1.0'?>\n<svg onload='x()'/>", "a.png", limits=Limits())


@pytest.mark.parametrize("name", ["../a.png", "b/../../a.png", "link.png", "away/a.png"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str):
    media = tmp_path / "media"
    (media / "b").mkdir(parents=True)
    (tmp_path / "a.png").write_bytes(b"secret")
    (media / "link.png").symlink_to(tmp_path / "a.png")
    (media / "away").symlink_to(tmp_path)
    for found in (name, str(tmp_path / "a.png")):
        with pytest.raises(DataError, match="The picture file lies outside the media folder"):
            read_bytes(found, media=media, limits=Limits())


def test_a_link_inside_the_folder_is_followed(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"here")
    (tmp_path / "b.png").symlink_to("a.png")
    assert read_bytes("b.png", media=tmp_path, limits=Limits()) == b"here"


def test_thumbnails_are_small_clean_and_found_again(tmp_path: Path):
    image = decode(saved(picture(300), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0 secret"), "a", limits=Limits())
    made = [make_thumbnail(image), make_thumbnail(Image.new("RGB", (10, 5), "red"))]
    assert [Image.open(io.BytesIO(data)).size for data in made] == [(160, 160), (10, 5)]
    assert all(Image.open(io.BytesIO(data)).format == "WEBP" and not re.search(b"EXIF|secret", data) for data in made)
    save_thumbnails(made, tmp_path)
    found = Thumbnails.from_folder(tmp_path, np.array([1, -1, 0], np.int32))
    assert [found.of(row) for row in range(3)] == [made[1], None, made[0]]
    assert found.in_memory().of(2) == made[0]


def test_no_thumbnails_are_none(tmp_path: Path):
    save_thumbnails([], tmp_path)
    assert Thumbnails.from_folder(tmp_path, np.array([-1], np.int32)).of(0) is None
