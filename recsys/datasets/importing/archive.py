"""The files that somebody names: single ones, folders, zip and tar archives; unpacked under names of our own.

Names inside an archive are only shown and matched, never used as a path, so none can lead out of the scratch folder. What an
archive says about its sizes is not believed: bytes are counted while they are unpacked.
"""

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from recsys.datasets.importing.files import File, most_unpacked, printable, room_for, unpacks_to_more
from recsys.errors import DataError
from recsys.settings import Limits

_BLOCK = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
_ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz")
_READABLE = (
    ".csv", ".tsv", ".txt", ".dat", ".data", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".item", ".user", ".gz",
)  # fmt: skip
MEDIA_ENDINGS = (
    ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg",
    ".mp3", ".wav", ".flac", ".ogg", ".oga", ".opus", ".m4a",
)  # fmt: skip
"""Of pictures and sounds, which are no data but may come along; some only so that it can be told why they are not read."""
DAMAGES = (
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
"""What the standard library raises on archives that are damaged, encrypted, or packed in a way that it does not know."""
Opener = Callable[[], IO[bytes]]
"""Opens what is to be read, and is where a damage shows."""
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers")
_OTHER = ("readme", "license", "licence", "changelog")


def gather(paths: Sequence[Path], scratch: Path, limits: Limits) -> list[File]:
    """Returns the files that can be read, of what was named, in a fixed order; others beside them are left out.

    Args:
        paths: files, folders and archives.
        scratch: an empty folder to unpack into.

    Raises:
        DataError: if one is not there, an archive is damaged, encrypted, hostile or beyond a limit, or nothing is readable.
    """
    found: list[File] = []
    for path in paths:
        try:
            found += _found(path, scratch, limits)
        except (OSError, ValueError) as error:
            told = getattr(error, "strerror", None) or error
            fix = "Name a file, folder or archive that is there and readable."
            raise DataError(f"The file cannot be read ({told})", printable(str(path)), fix=fix) from None
    if not found:
        fix = f"Name files that end in one of: {' '.join(_READABLE)}."
        raise DataError("There is nothing to read in there", printable(", ".join(path.name for path in paths)), fix=fix)
    seen: set[str] = set()
    repeated = next((file.name for file in found if file.name in seen or seen.add(file.name)), None)  # type: ignore[func-returns-value]
    if repeated is not None:
        raise DataError("Two files have the same name", repeated, fix="Rename one of them.")
    return found


def _found(path: Path, scratch: Path, limits: Limits) -> list[File]:
    if path.is_dir():
        return _in_folder(path, limits)
    if not path.is_file():
        fix = "Name a file, folder or archive that is there."
        raise DataError("There is no such file or folder", printable(str(path)), fix=fix)
    if path.name.lower().endswith(_WORKBOOKS):
        fix = "Save each sheet as “CSV UTF-8” and give that."
        raise DataError("The file is a workbook of a spreadsheet", printable(path.name), fix=fix)
    if is_archive(path):
        return _unpacked(path, scratch, limits)
    if path.name.lower().endswith(MEDIA_ENDINGS):
        return []
    return [File(printable(path.name), path)]


def is_archive(path: Path) -> bool:
    """Whether a file is unpacked before it is read."""
    return path.name.lower().endswith(_ARCHIVES) or zipfile.is_zipfile(path)


def is_media(name: str) -> bool:
    """Whether this is the name of a picture or a sound."""
    return name.lower().endswith(MEDIA_ENDINGS)


def _is_wanted(name: str) -> bool:
    parts = PurePosixPath(name).parts
    base = parts[-1].lower() if parts else ""
    if any(part.startswith(".") or part == "__MACOSX" for part in parts) or base.startswith(_OTHER):
        return False
    return base.endswith(_READABLE)


def _in_folder(folder: Path, limits: Limits) -> list[File]:
    root = folder.resolve()
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.resolve().is_relative_to(root) and _is_wanted(name):
            found.append(File(printable(f"{root.name}/{name}"), path))
        _check_members(len(found), folder.name, limits)
    return found


def _check_members(n: int, name: str, limits: Limits) -> None:
    if n > limits.members:
        fix = "Name the files that you want, or raise COLDLENS_MAX_MEMBERS."
        raise DataError(f"There are more than {limits.members:,} files in there", name, fix=fix)


def _check_media(n: int, name: str, limits: Limits) -> None:
    if n > limits.media_files:
        fix = "Bring fewer, or raise COLDLENS_MAX_MEDIA_FILES."
        raise DataError(f"There are more than {limits.media_files:,} pictures and sounds in there", name, fix=fix)


def _unpacked(path: Path, scratch: Path, limits: Limits) -> list[File]:
    name = printable(path.name)
    try:
        return list(_copied(path, members_of(path, limits, _is_wanted), scratch, limits))
    except OSError as error:
        if error.errno is None:  # bz2 and gzip tell so of damage
            raise _damaged(name, error) from None
        fix = f"{room_for(error)}."
        raise DataError(f"The archive cannot be unpacked ({error.strerror})", name, fix=fix) from None
    except DAMAGES as error:
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> DataError:
    told = printable(str(error).splitlines()[0][:100]) if str(error).strip() else type(error).__name__
    fix = "Pack it again without a password, or unpack it and name the files."
    return DataError(f"The archive cannot be read ({told})", name, fix=fix)


def members_of(path: Path, limits: Limits, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, Opener]]:
    """Yields the names of the files in an archive that are wanted, and what opens each, to be read before the next.

    Raises:
        DataError: if it holds too much, a link, or a name that leads out of it, or is locked; what is not wanted counts, too.
    """
    is_zip = zipfile.is_zipfile(path)
    return _zip_members(path, limits, is_wanted) if is_zip else _tar_members(path, limits, is_wanted)


def _zip_members(path: Path, limits: Limits, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, Opener]]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        n_media = sum(is_media(entry.filename) for entry in entries)
        _check_members(len(entries) - n_media, path.name, limits)
        _check_media(n_media, path.name, limits)
        for entry in entries:
            mode = entry.external_attr >> 16
            _check_name(entry.orig_filename, path, is_link=stat.S_ISLNK(mode))
            if entry.flag_bits & 1:
                fix = "Pack it again without a password, or unpack it and name the files."
                raise DataError("The archive is locked with a password", printable(path.name), fix=fix)
            if not entry.is_dir() and is_wanted(entry.filename):
                yield entry.filename, partial(archive.open, entry)


def _tar_members(path: Path, limits: Limits, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, Opener]]:
    most, total, n_media = most_unpacked(path.stat().st_size, limits), 0, 0
    with tarfile.open(path, "r:*") as archive:
        for number, entry in enumerate(archive, 1):
            n_media += is_media(entry.name)
            _check_members(number - n_media, path.name, limits)
            _check_media(n_media, path.name, limits)
            total += entry.size  # also of what is skipped, as that is unpacked, too
            if total > most:
                raise unpacks_to_more("archive", printable(path.name), most, limits)
            _check_name(entry.name, path, is_link=not (entry.isfile() or entry.isdir()))
            if entry.isfile() and is_wanted(entry.name):
                yield entry.name, partial(_extracted, archive, entry)
        fileobj: Any = archive.fileobj
        fileobj.seek(archive.offset)
        if fileobj.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError("it is cut off")


def _extracted(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(entry)
    assert stream is not None
    return stream


def _check_name(name: str, path: Path, *, is_link: bool) -> None:
    """Refuses what no honest archive of data has, though such a name would not be used anyway."""
    pure = PurePosixPath(name.replace("\\", "/"))
    is_outside = pure.is_absolute() or ".." in pure.parts or bool(_DRIVE.match(name)) or "\0" in name
    if is_link or is_outside:
        fix = "Do not trust this archive; pack the files themselves, with plain names."
        raise DataError(
            "The archive holds a link, or a name that leads out of it", printable(f"{path.name}, {name}"), fix=fix
        )


def _copied(path: Path, members: Iterable[tuple[str, Opener]], scratch: Path, limits: Limits) -> Iterator[File]:
    most, total, before = most_unpacked(path.stat().st_size, limits), 0, len(list(scratch.iterdir()))
    for number, (name, opened) in enumerate(members):
        target = scratch / f"{before + number}"
        with opened() as stream, target.open("wb") as out:
            while block := stream.read(_BLOCK):
                total += len(block)
                if total > most:
                    raise unpacks_to_more("archive", printable(path.name), most, limits)
                out.write(block)
        yield File(printable(name), target)
