"""One file to read: what people call it, where it lies, and its bytes, unpacked where it is gzip."""

import errno
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from recsys.errors import DataError
from recsys.settings import Limits

_RATIO, _ALWAYS_FINE = 200, 100 << 20
"""A compressed file that grows by more than this, and beyond this many bytes, is a bomb."""


@dataclass(frozen=True)
class File:
    """A file to read.

    Attributes:
        name: what people call it, for messages and for telling a known format; never used as a path.
        path: where it lies.
    """

    name: str
    path: Path

    @property
    def kind(self) -> str:
        """``parquet``, ``jsonl`` or ``csv``, told by the name and the first bytes."""
        name = self.name.lower().removesuffix(".gz")
        with open_bytes(self) as stream:
            start = stream.read(256)
        if start.startswith(b"PAR1") or name.endswith((".parquet", ".pq")):
            return "parquet"
        is_json = name.endswith((".jsonl", ".ndjson", ".json")) or start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
        return "jsonl" if is_json else "csv"


def printable(name: str) -> str:
    """Returns a name as it can be shown anywhere: without control characters and lone surrogates."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)


def most_unpacked(size: int, limits: Limits) -> int:
    """Returns how many bytes something compressed may unpack to: the limit, and no more than an honest file would."""
    return min(limits.unpacked_bytes, max(_ALWAYS_FINE, _RATIO * size))


def unpacks_to_more(what: str, name: str, most: int, limits: Limits) -> DataError:
    """Returns the refusal of a bomb, or of what is larger than the limit."""
    is_limit = most >= limits.unpacked_bytes
    fix = "Unpack it and name what is inside" + (", or raise COLDLENS_MAX_UNPACKED_MB." if is_limit else ".")
    return DataError(f"The {what} unpacks to more than {most >> 20:,} MB", name, fix=fix)


def room_for(error: OSError) -> str:
    """Returns how to make room for what could not be written."""
    if error.errno == errno.EFBIG:  # a process that reads what a browser uploaded may write only so much
        return "Bring less, or raise COLDLENS_MAX_WRITTEN_MB"
    return "Free some space or make the folder writable, then try again"


def open_bytes(file: File, limits: Limits | None = None) -> IO[bytes]:
    """Opens a file, unpacked if it is gzip; what unpacks beyond the limit is refused while it is read.

    Raises:
        DataError: if it cannot be opened.
    """
    try:
        raw = file.path.open("rb")
    except OSError as error:
        fix = f"Name a file that is there and readable ({error.strerror})."
        raise DataError("The file cannot be read", file.name, fix=fix) from None
    if raw.read(2) != b"\x1f\x8b":
        raw.seek(0)
        return raw
    raw.seek(0)
    return io.BufferedReader(_Unpacked(raw, file, limits or Limits()))


class _Unpacked(io.RawIOBase):
    """The content of a gzip file, up to a limit."""

    def __init__(self, raw: IO[bytes], file: File, limits: Limits) -> None:
        self._inner, self._file, self._raw, self._limits = gzip.GzipFile(fileobj=raw), file, raw, limits
        self._most = most_unpacked(file.path.stat().st_size, limits)
        self._read = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpacks some bytes.

        Raises:
            DataError: if they are damaged, or too many.
        """
        try:
            found = self._inner.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            told = printable(str(error))
            raise DataError(f"The gzip file is damaged ({told})", self._file.name, fix="Pack it again.") from None
        self._read += len(found)
        if self._read > self._most:
            raise unpacks_to_more("file", self._file.name, self._most, self._limits)
        buffer[: len(found)] = found
        return len(found)

    def tell(self) -> int:
        """Where reading stands in the packed file."""
        return self._raw.tell()

    def close(self) -> None:
        """Closes the packed file, too."""
        self._raw.close()
        super().close()
