"""The small pictures that pages show: made by us, of pixels that we decoded, and never the files that somebody brought."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 160
"""Pixels of the longer side."""
MIME = "image/webp"
_BYTES, _STARTS = "thumbnails.bin", "thumbnail_starts.npy"
_QUALITY = 80


def make_thumbnail(picture: "Image") -> bytes:
    """Returns a WebP of at most 160 pixels a side, without any metadata of the picture."""
    from PIL import Image

    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    clean = Image.frombytes("RGB", small.size, small.tobytes())
    out = io.BytesIO()
    clean.save(out, "WEBP", quality=_QUALITY, method=4)
    return out.getvalue()


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Thumbnails one behind the other, memory-mapped.

    Attributes:
        data: ``(n_bytes,)`` uint8.
        starts: ``(n + 1,)`` int64, where each begins and the last ends.
        rows: ``(n_items,)`` int32, for an item_row the number of its thumbnail, -1 for none; ``None`` where they are the same.
    """

    data: np.ndarray
    starts: np.ndarray
    rows: np.ndarray | None = None

    @classmethod
    def from_folder(cls, folder: Path, rows: np.ndarray | None = None) -> "Thumbnails":
        """Opens what ``save_thumbnails`` wrote."""
        data = np.memmap(folder / _BYTES, np.uint8, "r") if (folder / _BYTES).stat().st_size else np.empty(0, np.uint8)
        return cls(data, np.load(folder / _STARTS, allow_pickle=False), rows)

    def in_memory(self) -> "Thumbnails":
        """Returns the same without files."""
        return Thumbnails(np.array(self.data), self.starts, None if self.rows is None else np.array(self.rows))

    def of(self, item_row: int) -> bytes | None:
        """Returns the thumbnail of an item, a WebP, or ``None`` where it has no picture."""
        number = int(item_row if self.rows is None else self.rows[item_row])
        return None if number < 0 else self.data[self.starts[number] : self.starts[number + 1]].tobytes()


def save_thumbnails(thumbnails: Sequence[bytes], folder: Path) -> None:
    """Writes thumbnails into a folder."""
    lengths = [len(thumbnail) for thumbnail in thumbnails]
    np.save(folder / _STARTS, np.cumsum([0, *lengths], dtype=np.int64), allow_pickle=False)
    with (folder / _BYTES).open("wb") as file:
        file.writelines(thumbnails)
