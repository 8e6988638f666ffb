"""Two hundred files that are no pictures for us, and a program that gives them all to the image view and measures its memory."""

import io
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP")
_SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("http://127.0.0.1/")</script></svg>'
_STARTS = {
    "gif": b"GIF89a\x01\0\x01\0", "tiff": b"II*\0\x08\0\0\0", "tiff2": b"MM\0*\0\0\0\x08", "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "eps2": b"\xc5\xd0\xd3\xc6\x1e\0\0\0", "fits": b"SIMPLE  =                    T", "bmp": b"BM\x3a\0\0\0",
    "pdf": b"%PDF-1.7\n", "psd": b"8BPS\0\x01", "ico": b"\0\0\1\0\1\0", "svg": _SVG.encode(),
    "svg2": b"\xef\xbb\xbf <?xml version='1.0'?>" + _SVG.encode(), "html": b"<html><script>1</script></html>",
    "text": b"not a picture", "zip": b"PK\3\4\x14\0", "elf": b"\x7fELF\2\1\1", "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "avif": b"\0\0\0\x20ftypavif", "ppm": b"P6 1 1 255\n", "xbm": b"#define im_width 16\n",
}  # fmt: skip


def picture(side: int = 64, seed: int = 0) -> Image.Image:
    """A picture of noise, so that no part of its file can be left out."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8))


def saved(image: Image.Image, kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def png(width: int, height: int, *, n_bytes: int = 0, mode: int = 0) -> bytes:
    """A PNG of these sides in grey; with ``n_bytes`` of zeros, packed, as its content."""
    packer = zlib.compressobj(1)
    zeros = bytes(1 << 20)
    content = b"".join(packer.compress(zeros[: min(1 << 20, n_bytes - at)]) for at in range(0, n_bytes, 1 << 20))
    header = struct.pack(">IIBBBBB", width, height, 8, mode, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", content + packer.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def huge_jpeg(width: int, height: int) -> bytes:
    data = bytearray(saved(picture(16), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def huge_webp(width: int, height: int) -> bytes:
    body = (
        b"VP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    body += saved(picture(16), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def files() -> Iterator[tuple[str, bytes]]:
    """Names and contents."""
    yield "bomb.png", png(9_400, 9_400, n_bytes=9_401 * 9_400)
    for n, (width, height) in enumerate(
        [
            (40_000, 1),
            (1, 40_000),
            (40_000, 40_000),
            (16_001, 1_000),
            (4_001, 4_000),
            (13_500, 13_500),
            (2**31 - 1, 2**31 - 1),
        ]
    ):
        yield f"header{n}.png", png(width, height)
    for n, (width, height) in enumerate([(65_500, 65_500), (40_000, 10), (4_001, 4_000)]):
        yield f"header{n}.jpg", huge_jpeg(width, height)
    for n, (width, height) in enumerate([(16_383, 16_383), (4_001, 4_000), (2**24, 2**24)]):
        yield f"header{n}.webp", huge_webp(width, height)
    for kind in FORMATS:
        whole = saved(picture(), kind)
        for n in range(26):
            yield f"cut{n}.{kind.lower()}", whole[: max(1, len(whole) * n // 28)]
    damaged = saved(picture(), "PNG")
    for n in range(12):
        at = 60 + n * len(damaged) // 14
        yield f"flipped{n}.png", damaged[:at] + bytes([damaged[at] ^ 0xFF]) + damaged[at + 1 :]
    for name, start in _STARTS.items():
        for ending in ("png", "jpg", "webp"):
            yield f"{name}.{ending}", start + (b"" if "svg" in name else bytes(200))
    rng = np.random.default_rng(0)
    for n in range(12):
        yield f"noise{n}.jpg", (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ")[n % 3] + rng.bytes(500)
    for kind in ("GIF", "TIFF", "BMP", "ICO", "PPM", "TGA", "PDF"):
        yield f"whole-{kind}.png", saved(picture(), kind)
    yield "empty.png", b""
    yield "large.png", bytes(11 << 20)
    yield "scans.jpg", saved(picture(), "JPEG")[:-2] + b"\xff\xda\0\0" * 101 + b"\xff\xd9"


def plant(media: Path) -> list[str]:
    """Writes them all into a folder of media, with names that lead out of it, and returns what items call them."""
    media.mkdir(parents=True)
    names = []
    for name, data in files():
        (media / name).write_bytes(data)
        names.append(name)
    outside = media.parent / "outside.png"
    outside.write_bytes(saved(picture(), "PNG"))
    (media / "link.png").symlink_to(outside)
    (media / "loop.png").symlink_to("loop.png")
    (media / "zero.png").symlink_to("/dev/zero")
    (media / "folder.png").mkdir()
    os.mkfifo(media / "pipe.png")
    names += ["link.png", "loop.png", "zero.png", "folder.png", "pipe.png", "../outside.png", str(outside), "a\0b.png"]
    return [*names, "n" * 5_000, "missing.png", "/etc/passwd", "C:\\pictures\\a.png", "../" * 50 + "etc/passwd", "."]


def peak_of(pid: int) -> int:
    """The most memory of a process, in MB; ``ru_maxrss`` would count the one that started it."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) >> 10


def main(folder: Path) -> None:
    """Prints how many were refused, how many were accepted, and the most memory in MB."""

    import pandas as pd

    from recsys.schema import Dataset, DatasetInfo
    from recsys.settings import Settings
    from recsys.views.decoder import Decoder
    from recsys.views.image import open_image_view
    from tests.toy import ToyEncoder
    from tests.views.painted import PaintedEncoder

    names = [*plant(folder / "media"), "good.png"]
    (folder / "media" / "good.png").write_bytes(png(4_000, 4_000, n_bytes=4_001 * 4_000))
    items = pd.DataFrame({"item_id": [f"i{n:03}" for n in range(len(names))], "title": "t", "image": names})
    peaks = [0]
    end = Decoder._end

    def noted(self: Decoder) -> None:
        if self._process is not None and self._process.poll() is None:
            peaks.append(peak_of(self._process.pid))
        end(self)

    Decoder._end = noted  # type: ignore[method-assign]
    nobody = pd.DataFrame({"user_id": pd.Series(dtype=str)})
    dataset = Dataset("hostile", DatasetInfo("Hostile"), items, nobody, nobody, folder, media=folder / "media")
    view = open_image_view(dataset, text_encoder=ToyEncoder(), settings=Settings(), encoder=PaintedEncoder())
    assert view is not None
    parts = [why.count("'") >= 2 and why.endswith(".") for why in view.faults.values()]
    print(len(names) - 1, len(view.faults), sum(parts), int(view.has.sum()), peak_of(os.getpid()), max(peaks))
    for row in view.has.nonzero()[0][:-1]:
        print("accepted:", names[row])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
