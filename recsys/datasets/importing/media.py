"""The pictures and sounds that an import brings along: those that the items name, and nothing else.

A file becomes one of the dataset under the path that the item gives, if that is a plain path, with names of letters that are
harmless anywhere. Whether it is a picture at all is found out when it is looked at.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

import pyarrow.parquet as pq

from recsys.datasets.importing.archive import DAMAGES, is_archive, is_media, members_of
from recsys.datasets.importing.files import most_unpacked, printable, unpacks_to_more
from recsys.errors import DataError
from recsys.schema import AUDIO, IMAGE
from recsys.settings import Limits

_PLAIN = re.compile(r"[^/\\\0-\x1f\x7f:*?\"<>|]{1,200}")
_MOST_PARTS = 10
_BLOCK = 1 << 20
Opener = Callable[[], IO[bytes]]


def bring_media(paths: Sequence[Path], items: Path, media: Path, limits: Limits) -> int:
    """Copies the pictures and sounds that items name from what was given to an import, and returns how many.

    An item's path is looked up as it stands, and without the first folders of an archive or folder in which everything lies. A
    file that an archive holds damaged is left out.

    Args:
        paths: the files, folders and archives of the import.
        items: the Parquet file of the items.
        media: folder to copy into, made where something is found.

    Raises:
        DataError: if there are more files than allowed, or an archive unpacks to too much.
    """
    wanted = _wanted(items)
    found = 0
    for path in paths if wanted else ():
        left = most_unpacked(path.stat().st_size, limits) if path.is_file() else limits.unpacked_bytes
        for name, opened in _files(path, limits):
            target = next((media / wanted[end] for end in _ends(name) if end in wanted), None)
            if target is None or target.exists():
                continue
            if found == limits.media_files:
                what = f"The items name more than {limits.media_files:,} pictures and sounds"
                raise DataError(what, printable(path.name), fix="Bring fewer, or raise COLDLENS_MAX_MEDIA_FILES.")
            target.parent.mkdir(parents=True, exist_ok=True)
            left -= _copy(opened, target, left)
            found += target.exists()
            if left < 0:
                raise unpacks_to_more(
                    "archive", printable(path.name), most_unpacked(path.stat().st_size, limits), limits
                )
    return found


def _copy(opened: Opener, target: Path, most: int) -> int:
    """Returns how many bytes were written, which may be a few more than ``most``."""
    total = 0
    try:
        with opened() as stream, target.open("wb") as out:
            while total <= most and (block := stream.read(_BLOCK)):
                out.write(block)
                total += len(block)
    except DAMAGES:
        target.unlink()
    return total


def _wanted(items: Path) -> Mapping[str, str]:
    """The plain paths that items name, as they are looked up, and as they are kept."""
    columns = [name for name in (IMAGE, AUDIO) if name in pq.read_schema(items).names] if items.is_file() else []
    if not columns:
        return {}
    table = pq.read_table(items, columns=columns)
    names = (str(value) for name in columns for value in table[name].unique().to_pylist() if value)
    return {PurePosixPath(name).as_posix(): name for name in names if _is_plain(name)}


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    is_safe = all(_PLAIN.fullmatch(part) and part.strip(". ") == part.strip() and part.strip() for part in parts)
    return is_safe and len(parts) <= _MOST_PARTS and is_media(name)


def _ends(name: str) -> Iterator[str]:
    """A path in an archive or folder, whole, without its first folder, and inside ``media``."""
    parts = PurePosixPath(name).parts
    for start in range(min(len(parts), 3)):
        yield "/".join(parts[start:])


def _files(path: Path, limits: Limits) -> Iterator[tuple[str, Opener]]:
    """The names and bytes of everything that may be a picture or sound in what was given."""
    if path.is_dir():
        yield from _in_folder(path)
    elif path.is_file() and is_archive(path):
        for name, stream in members_of(path, limits, is_media):
            yield name, lambda stream=stream: stream  # type: ignore[misc]
    elif path.is_file() and is_media(path.name):
        yield path.name, lambda: path.open("rb")


def _in_folder(folder: Path) -> Iterator[tuple[str, Opener]]:
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if is_media(path.name) and path.is_file() and path.resolve().is_relative_to(root):
            yield path.relative_to(folder).as_posix(), lambda path=path: path.open("rb")  # type: ignore[misc]
