"""Where the pictures of a catalog come from: files in its folder of media, and web addresses where that is switched on."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import DataError
from recsys.settings import Limits
from recsys.views.fetching import Fetcher, is_address
from recsys.views.pictures import check_size, read_bytes

FETCHED = "fetched"
"""Folder, beside the artifacts of a dataset, of what was fetched; what failed is kept there, too, and not tried again."""
_PICTURE, _FAULT = ".picture", ".fault"


@dataclass(frozen=True)
class PictureSources:
    """Reads pictures by what stands in the column of images.

    Attributes:
        media: folder of the files, ``None`` where there is none.
        fetcher: ``None`` where fetching is off.
        fetched: folder for what is fetched.
        wanted: the addresses that may be fetched.
    """

    media: Path | None
    limits: Limits
    fetcher: Fetcher | None
    fetched: Path
    wanted: frozenset[str]

    @classmethod
    def from_names(
        cls, names: Iterable[str], *, media: Path | None, limits: Limits, fetcher: Fetcher | None, fetched: Path
    ) -> "PictureSources":
        """Allows the first addresses among the names, as many as the limit says."""
        addresses = list(dict.fromkeys(name for name in names if is_address(name)))
        return cls(media, limits, fetcher, fetched, frozenset(addresses[: limits.fetched_pictures]))

    def read(self, name: str) -> bytes:
        """Returns what the picture file, or the answer of the server, holds.

        Raises:
            DataError: if it cannot be read, or is too large.
        """
        if is_address(name):
            return self._read_address(name)
        if self.media is None:
            fix = "Bring the files along when the dataset is imported, in one archive or folder with the table."
            raise DataError("The dataset has no folder of media for this picture", name, fix=fix)
        return read_bytes(name, media=self.media, limits=self.limits)

    def _read_address(self, url: str) -> bytes:
        if self.fetcher is None:
            fix = "Put the file into the dataset's media folder, or set COLDLENS_FETCH_IMAGES=1."
            raise DataError("The picture is given as a web address, and fetching is off", url, fix=fix)
        if url not in self.wanted:
            what = f"More than {self.limits.fetched_pictures:,} pictures would have to be fetched"
            raise DataError(what, url, fix="Raise COLDLENS_MAX_FETCHED_PICTURES, or bring the files.")
        path = self.fetched / hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        if path.with_suffix(_FAULT).is_file():
            what, fix = json.loads(path.with_suffix(_FAULT).read_text("utf-8"))
            raise DataError(what, url, fix=fix)
        if not path.with_suffix(_PICTURE).is_file():
            self._fetch(url, path, self.fetcher)
        data = path.with_suffix(_PICTURE).read_bytes()
        check_size(data, url, limits=self.limits)
        return data

    def _fetch(self, url: str, path: Path, fetcher: Fetcher) -> None:
        try:
            data = fetcher.fetch(url)
        except DataError as error:
            fix = f"{error.fix} To try again, delete the folder “{FETCHED}” of the dataset."
            _write(path.with_suffix(_FAULT), json.dumps([error.what, fix]).encode())
            raise DataError(error.what, url, fix=fix) from None
        _write(path.with_suffix(_PICTURE), data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
