"""Picture files that somebody brought: found inside the folder of media, checked by their headers, and decoded within limits.

Three formats are read, told by their first bytes rather than by their name. How large a picture will be is known from its header,
and decides before anything is decoded. What comes out is small, in three colours, and the only form in which a picture goes on.
"""

import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.errors import DataError
from recsys.settings import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 512
"""Pixels of the longer side of a picture that was read; encoders look at less."""
FORMATS = ("JPEG", "PNG", "WEBP")
_INSIDE = "Give the path of a file inside the dataset's media folder."
_AGAIN = "Save it again as PNG, JPEG or WebP."
_OTHER = (
    (b"GIF8", "a GIF"), (b"II*\0", "a TIFF"), (b"MM\0*", "a TIFF"), (b"%!PS", "PostScript"), (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"SIMPLE  =", "FITS"), (b"BM", "a BMP"), (b"%PDF", "a PDF"), (b"8BPS", "a Photoshop file"), (b"\0\0\1\0", "an icon"),
)  # fmt: skip
_MOST_SCANS = 100
"""Of a progressive JPEG; honest ones have about ten, and every one costs a pass over the whole picture."""
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def read_bytes(name: str, *, media: Path, limits: Limits) -> bytes:
    """Returns what the picture file of this name holds.

    Raises:
        DataError: if it is not a regular file inside the folder once all links are followed, empty, or larger than allowed.
    """
    try:
        root = media.resolve(strict=True)
        path = (root / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # missing, a name no file can have, links in a circle
        raise DataError("There is no such picture file", name, fix=_INSIDE) from None
    if Path(name).is_absolute() or not path.is_relative_to(root):
        raise DataError("The picture file lies outside the media folder", name, fix=_INSIDE)
    try:
        # what is no file, as a pipe, does not make us wait
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        what = f"The picture file cannot be opened ({error.strerror})"
        raise DataError(what, name, fix="Make the file readable, or leave it out.") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DataError("This is not a file", name, fix=_INSIDE)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read((limits.picture_mb << 20) + 1)
    finally:
        os.close(descriptor)
    check_size(data, name, limits=limits)
    return data


def check_size(data: bytes, name: str, *, limits: Limits) -> None:
    """Refuses an empty file, and one with more bytes than allowed.

    Raises:
        DataError: for these.
    """
    if not data:
        raise DataError("The picture file is empty", name, fix=_AGAIN)
    if len(data) > limits.picture_mb << 20:
        what = f"The picture file is larger than {limits.picture_mb} MB"
        raise DataError(what, name, fix="Make it smaller, or raise COLDLENS_MAX_PICTURE_MB.")


def decode(data: bytes, name: str, *, limits: Limits) -> "Image":
    """Returns the picture in RGB, upright, on white, its longer side at most ``SIDE`` pixels; of an animation the first frame.

    Raises:
        DataError: if it is not a whole JPEG, PNG or WebP, or larger than the limits allow.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    _check_kind(data, name)
    try:
        with _strict(), Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            _check_sides(opened.size, name, limits)
            opened.draft("RGB", (2 * SIDE, 2 * SIDE))  # of a JPEG, decodes no more than is needed
            opened.load()
            return _on_white(ImageOps.exif_transpose(opened))
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own limits, far above ours
        raise _too_large("more pixels than can be read", name, limits) from None
    except UnidentifiedImageError:
        raise DataError("This is not a JPEG, PNG or WebP picture", name, fix=_AGAIN) from None
    except Exception as error:  # decoders raise whatever a damaged file provokes: OSError, SyntaxError, struct.error …
        told = str(error).split(" (")[0][:80] or type(error).__name__
        raise DataError(f"The picture is damaged or cut off ({told})", name, fix=_AGAIN) from None


@contextmanager
def _strict() -> Iterator[None]:
    """Makes Pillow's warning of a bomb an error; others, as of odd metadata, mean nothing to us."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _check_kind(data: bytes, name: str) -> None:
    """Names what people take for a picture that we do not read, so that they know what to do."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") and b"<svg" in data[:65_536].lower():
        fix = "Export it as PNG: a drawing in SVG can hold scripts and links, so only JPEG, PNG and WebP are read."
        raise DataError("The picture is an SVG drawing", name, fix=fix)
    for signature, kind in _OTHER:
        if data.startswith(signature):
            raise DataError(f"The picture is {kind}; only JPEG, PNG and WebP are read", name, fix=_AGAIN)
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xda") > _MOST_SCANS:
        raise DataError(f"The JPEG has more than {_MOST_SCANS} scans, which take too long to read", name, fix=_AGAIN)


def _check_sides(size: tuple[int, int], name: str, limits: Limits) -> None:
    width, height = size
    if max(size) > limits.picture_side or width * height > limits.picture_pixels:
        raise _too_large(f"{width:,} x {height:,} pixels", name, limits)


def _too_large(found: str, name: str, limits: Limits) -> DataError:
    most = f"at most {limits.picture_side:,} a side and {limits.picture_pixels / 1e6:g} million in all"
    fix = "Make it smaller, or raise COLDLENS_MAX_PICTURE_PIXELS or COLDLENS_MAX_PICTURE_SIDE."
    return DataError(f"The picture has {found}, where {most} are read", name, fix=fix)


def _on_white(image: "Image") -> "Image":
    """Shrinks before the colours are converted, as far as that can be: half a picture of 16 million pixels is 64 MB."""
    from PIL import Image

    if image.mode in _DEEP_MODES:
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    has_alpha = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    image = image.convert("RGBA" if has_alpha else "RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    if not has_alpha:
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
