"""The lines of a text file, in blocks that end with a line, so that most of them need no look at each line."""

import io
from collections.abc import Iterator

from recsys.datasets.importing.batches import Fault
from recsys.datasets.importing.files import File, open_bytes
from recsys.errors import DataError
from recsys.settings import Limits

_BLOCK = 1 << 21
_UTF8 = ("utf-8", "utf-8-sig", "utf8", "ascii", "us-ascii")


class Lines:
    """The lines of a text file with their numbers; one that cannot be decoded or is too long is kept as a fault.

    Attributes:
        number: of the line that was read last, from 1.
        faults: since they were last taken; see ``take_faults``.
    """

    def __init__(self, file: File, encoding: str, limits: Limits) -> None:
        self._bytes = open_bytes(file, limits)
        self._file, self._size = file, max(1, file.path.stat().st_size)
        self._encoding, self._limit = encoding, limits.line_characters
        is_utf8 = encoding.lower().replace("_", "-") in _UTF8
        try:
            self._text = io.TextIOWrapper(
                self._bytes,
                encoding="utf-8-sig" if is_utf8 else encoding,
                errors="surrogateescape" if is_utf8 else "replace",
                newline="",
            )
        except (LookupError, ValueError):
            self._bytes.close()
            fix = "Choose utf-8, cp1252, latin-1, utf-16 or another encoding that Python knows."
            raise DataError("There is no such encoding", f"{file.name}, {encoding}", fix=fix) from None
        self._is_utf8 = is_utf8
        self._block, self._length = io.StringIO(), 0
        self._carried = ""
        self.number = 0
        self.faults: list[Fault] = []

    @property
    def share(self) -> float:
        """How much of the file has been read."""
        try:
            position = self._bytes.raw.tell() if isinstance(self._bytes, io.BufferedReader) else 0
        except (OSError, ValueError):
            position = 0
        return min(1.0, position / self._size)

    def close(self) -> None:
        """Closes the file."""
        self._text.close()

    def take_faults(self) -> list[Fault]:
        """Returns the faults since the last call."""
        found, self.faults = self.faults, []
        return found

    def next_block(self) -> bool:
        """Reads on, when the block has ended, and says whether there was more."""
        text = self._read()
        self._block, self._length = io.StringIO(text, newline=""), len(text)
        return bool(text)

    def rest_of_block(self) -> str:
        """Returns the lines of the block that have not been read, all whole; ``skip_rest`` says that they have been."""
        start = self._block.tell()
        rest = self._block.read()
        self._block.seek(start)
        return rest

    def skip_rest(self, n: int) -> None:
        """Says that the rest of the block has been read in another way, and had so many lines."""
        self._block.seek(self._length)
        self.number += n

    def read(self) -> Iterator[str]:
        """Yields the remaining lines of the block, and the following blocks as long as somebody asks for more."""
        while True:
            while line := self._block.readline():
                self.number += 1
                if self._is_fine(line):
                    yield line
            if not self.next_block():
                return

    @property
    def has_ended_block(self) -> bool:
        """Whether every line of the block has been read."""
        return self._block.tell() >= self._length

    def is_readable(self, text: str) -> bool:
        """Whether all of it could be decoded."""
        if text.isascii():
            return True
        if not self._is_utf8 and "\ufffd" in text:
            return False
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def are_short(self, lines: list[str]) -> bool:
        """Whether none of the lines, without their ends, is longer than the limit."""
        return max(map(len, lines), default=0) <= self._limit

    def _is_fine(self, line: str) -> bool:
        if len(line) > self._limit and len(line.rstrip("\r\n")) > self._limit:
            what = f"The line has more than {self._limit:,} characters"
            fix = "Shorten it, or raise COLDLENS_MAX_LINE."
            self.faults.append(Fault(self.number, line[:200], what, fix))
            if not line.endswith(("\n", "\r")):
                self._skip_line()
            return False
        if not self.is_readable(line):
            fix = "Choose the encoding that the file was written in, or correct the line."
            self.faults.append(Fault(self.number, line, f"The line is not {self._encoding}", fix))
            return False
        return True

    def _skip_line(self) -> None:
        rest = self._text.readline(_BLOCK)
        while rest and not rest.endswith(("\n", "\r")):
            rest = self._text.readline(_BLOCK)
        self._end_pair(rest)

    def _end_pair(self, text: str) -> str:
        """Returns the text with the line feed that belongs to its last carriage return, if there is one."""
        if not text.endswith("\r"):
            return text
        after = self._text.read(1)
        self._carried = "" if after == "\n" else after
        return text + "\n" if after == "\n" else text

    def _read(self) -> str:
        try:
            text = self._carried + self._text.read(_BLOCK)
            self._carried = ""
            if text and not text.endswith("\n"):
                text = self._end_pair(text + self._text.readline(self._limit + 3))
        except OSError as error:
            fix = f"Copy it to a disk that can be read, then try again ({error.strerror or error})."
            raise DataError("The file cannot be read", self._file.name, fix=fix) from None
        except (UnicodeError, ValueError) as error:
            told = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
            value = f"{self._file.name}, after line {self.number}"
            raise DataError(
                f"The file is not {self._encoding} ({told})", value, fix="Choose another encoding."
            ) from None
        return text
