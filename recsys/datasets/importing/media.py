"""The pictures and sounds that an import brings along: those that the items name, and nothing else.

A file becomes one of the dataset under the path that the item gives, if that is a plain path, with names of letters that are
harmless anywhere. Whether it is a picture at all is found out when it is looked at.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet as pq

from recsys.datasets.importing.archive import DAMAGES, Opener, is_archive, is_media, members_of
from recsys.datasets.importing.files import most_unpacked, printable, unpacks_to_more
from recsys.datasets.importing.findings import EXAMPLES, Finding, shown
from recsys.errors import DataError
from recsys.schema import AUDIO, IMAGE
from recsys.settings import Limits

_PLAIN = re.compile(r"[^/\\\0-\x1f\x7f:*?\"<>|]{1,200}")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_MOST_PARTS = 10
_BLOCK = 1 << 20


@dataclass(frozen=True)
class MediaNames:
    """The names of the pictures and sounds that were given to an import.

    Attributes:
        ends: every way in which an item may name one of them.
        n_files: how many there are.
    """

    ends: frozenset[str] = frozenset()
    n_files: int = 0

    @classmethod
    def from_paths(cls, paths: Sequence[Path], limits: Limits) -> "MediaNames":
        """Reads no more than names; the files, folders and archives have been looked through by ``gather``.

        Raises:
            DataError: if there are more files than allowed.
        """
        names = [name for path in paths for name in _names(path, limits)]
        return cls(frozenset(end for name in names for end in _ends(name)), len(names))

    def has(self, name: str) -> bool:
        """Whether what an item names is there; also for nothing, an address, and what is no plain path."""
        return not name or is_address(name) or not is_plain(name) or _key(name) in self.ends


@dataclass(frozen=True)
class Media:
    """What came along of the pictures and sounds that items name.

    Attributes:
        named: different files that items name.
        found: how many of them are there, and whole.
        addresses: different web addresses that items name instead.
        findings: what is damaged; or that nothing came along.
    """

    named: int
    found: int
    addresses: int
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns the numbers as plain values."""
        return {"media_files": self.found, "media_named": self.named, "media_addresses": self.addresses}


def bring_media(paths: Sequence[Path], items: Path, media: Path | None, limits: Limits) -> Media:
    """Copies the pictures and sounds that items name from what was given to an import, and says what was found.

    An item's path is looked up as it stands, and without the first folders of an archive or folder in which everything lies. A
    file that an archive holds damaged is left out.

    Args:
        paths: the files, folders and archives of the import.
        items: the Parquet file of the items.
        media: folder to copy into, made where something is found; ``None`` reads the files, and writes nothing.

    Raises:
        DataError: if there are more files than allowed, or an archive unpacks to too much.
    """
    names = _named(items)
    wanted = {_key(name): name for name in names if is_plain(name)}
    taken: set[str] = set()
    damaged: list[Finding] = []
    for path in paths if wanted else ():
        left = most_unpacked(path.stat().st_size, limits) if path.is_file() else limits.unpacked_bytes
        for name, opened in _files(path, limits):
            own = next((wanted[end] for end in _ends(name) if end in wanted), None)
            if own is None or own in taken:
                continue
            if len(taken) == limits.media_files:
                what = f"The items name more than {limits.media_files:,} pictures and sounds"
                raise DataError(what, printable(path.name), fix="Bring fewer, or raise COLDLENS_MAX_MEDIA_FILES.")
            size = _copy(opened, None if media is None else media / own, left)
            if size is None:
                damaged.append(_damaged(path, name))
                continue
            taken.add(own)
            left -= size
            if left < 0:
                most = most_unpacked(path.stat().st_size, limits) if path.is_file() else limits.unpacked_bytes
                raise unpacks_to_more("archive", printable(path.name), most, limits)
    return Media(len(wanted), len(taken), sum(map(is_address, names)), tuple(damaged[:EXAMPLES]))


def is_address(name: str) -> bool:
    """Whether a picture or sound is given by a web address."""
    return bool(_ADDRESS.match(name))


def is_plain(name: str) -> bool:
    """Whether this is a path that a picture or sound may have in a dataset."""
    parts = name.split("/")
    is_safe = all(_PLAIN.fullmatch(part) and part.strip(". ") == part.strip() and part.strip() for part in parts)
    return is_safe and len(parts) <= _MOST_PARTS and is_media(name)


def none_came(items: Path, file: str, columns: Mapping[str, str]) -> list[Finding]:
    """Returns one warning for each column in which items name files, where no picture or sound was given at all."""
    what, fix = "No pictures or sounds came along", "Give one zip or folder with the table and the files that it names."
    found = []
    for role, column in columns.items():
        named = next((name for name in _named(items, role) if is_plain(name)), None)
        if named is not None:
            found.append(Finding(file, None, column, shown(named), what, fix, False))
    return found


def _damaged(path: Path, name: str) -> Finding:
    what, fix = "A picture or sound cannot be unpacked", "Pack it again; what names it is kept without it."
    return Finding(printable(path.name), None, "", shown(name), what, fix, False)


def _copy(opened: Opener, target: Path | None, most: int) -> int | None:
    """Returns how many bytes were read, which may be a few more than ``most``; ``None`` where they are damaged."""
    total = 0
    try:
        stream = opened()
    except (*DAMAGES, OSError):
        return None
    with stream:
        out = None if target is None else _made(target).open("wb")
        try:
            while total <= most and (block := stream.read(_BLOCK)):
                total += len(block)
                if out is not None:
                    out.write(block)
        except DAMAGES:
            if target is not None:
                target.unlink()
            return None
        finally:
            if out is not None:
                out.close()
    return total


def _made(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _named(items: Path, *roles: str) -> list[str]:
    """What items name as pictures and sounds, each once."""
    known = pq.read_schema(items).names if items.is_file() else []
    columns = [name for name in roles or (IMAGE, AUDIO) if name in known]
    table = pq.read_table(items, columns=columns) if columns else None
    return [] if table is None else [str(v) for name in columns for v in table[name].unique().to_pylist() if v]


def _key(name: str) -> str:
    """Accents are written in two ways, and archives from a Mac have the other one."""
    return unicodedata.normalize("NFC", PurePosixPath(name).as_posix())


def _ends(name: str) -> Iterator[str]:
    """A path in an archive or folder, whole, without its first folder, and inside ``media``."""
    parts = PurePosixPath(_key(name)).parts
    for start in range(min(len(parts), 3)):
        yield "/".join(parts[start:])


def _names(path: Path, limits: Limits) -> list[str]:
    """The names of everything that may be a picture or sound in what was given."""
    if path.is_dir() or not path.is_file() or not is_archive(path):
        return [name for name, _ in _files(path, limits)]
    found: list[str] = []

    def note(name: str) -> bool:
        if is_media(name):
            found.append(name)
        return False

    deque(members_of(path, limits, note), maxlen=0)
    return found


def _files(path: Path, limits: Limits) -> Iterator[tuple[str, Opener]]:
    """The names and bytes of everything that may be a picture or sound in what was given."""
    if path.is_dir():
        yield from _in_folder(path)
    elif path.is_file() and is_archive(path):
        yield from members_of(path, limits, is_media)
    elif path.is_file() and is_media(path.name):
        yield path.name, lambda: path.open("rb")


def _in_folder(folder: Path) -> Iterator[tuple[str, Opener]]:
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if is_media(path.name) and path.is_file() and path.resolve().is_relative_to(root):
            yield path.relative_to(folder).as_posix(), lambda path=path: path.open("rb")  # type: ignore[misc]
