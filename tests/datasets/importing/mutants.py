"""Changes to valid files, and a process that imports what comes of them, so that not even a crash could end the test."""

import multiprocessing
import shutil
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st

INSERTS: tuple[bytes, ...] = (
    b'"', b'""', b"'", b"\x00", b"\x00\x00\x00\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b",", b";", b"\t",
    b"|", b"::", b"\n", b"\r", b"\r\n", b"\n\n\n", b"1e999", b"-1e308", b"9" * 40, b"NaN", b"Infinity", b"-0",
    b"0x1F", b"1_000", b"\x1b[2J", b"\x07\x08\x0b\x0c\x1c\x7f", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xc0\x80",
    b"\xf8\x88\x80\x80\x80", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80", b"=cmd|' /C calc'!A0", b"@SUM(1)",
    b"../../etc/passwd", b"<script>", b"{", b"}", b"[", b"]", b"[[[[[[[[", b'{"a":', b"\\", b'\\"', b"\\u0000",
    b"\\ud800", b"null", b"true", b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"\x1f\x8b\x08\x00", b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x08", b"coldlens row", b" " * 300,
    b"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
    b"0000-00-00", b"9999-12-31T23:59:59Z", b"99999999999999",
)  # fmt: skip
Change = Literal["flip", "byte", "cut", "end", "twice", "insert", "swap", "shift", "columns", "line"]
_CHANGES: tuple[Change, ...] = ("flip", "byte", "cut", "end", "twice", "insert", "insert", "swap", "columns", "line")
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(_CHANGES), st.integers(0, 1 << 16), st.integers(0, 1 << 16), st.integers(0, len(INSERTS) - 1)
    ),
    min_size=1,
    max_size=4,
)


def mutated(content: bytes, changes: Sequence[tuple[Change, int, int, int]]) -> bytes:
    """Returns the content after some changes; each has a place, a second number, and a number of an insertion."""
    for kind, one, two, insert in changes:
        content = _changed(content, kind, one, two, INSERTS[insert])
    return content


def _changed(content: bytes, kind: Change, one: int, two: int, insert: bytes) -> bytes:
    if not content:
        return insert
    place, length = one % len(content), 1 + two % 40
    if kind == "flip":
        return content[:place] + bytes([content[place] ^ (1 << (two % 8))]) + content[place + 1 :]
    if kind == "byte":
        return content[:place] + bytes([two % 256]) + content[place + 1 :]
    if kind == "cut":
        return content[:place] + content[place + length :]
    if kind == "end":
        return content[:place]
    if kind == "twice":
        return content[: place + length] + content[place:]
    if kind == "swap":
        other = (place + length + two) % len(content)
        first, second = sorted((place, other))
        size = min(length, second - first)
        parts = (
            content[:first],
            content[second : second + size],
            content[first + size : second],
            content[first : first + size],
        )
        return b"".join((*parts, content[second + size :]))
    if kind == "columns":
        return _with_swapped_columns(content, one, two)
    if kind == "line":
        lines = content.splitlines(keepends=True)
        line = lines[one % len(lines)]
        lines.insert(two % len(lines), line[: two % (len(line) + 1)] + insert + line)
        return b"".join(lines)
    return content[:place] + insert + content[place:]


def _with_swapped_columns(content: bytes, one: int, two: int) -> bytes:
    mark = max((b",", b";", b"\t", b"|", b"::"), key=content.count)
    lines = [line.split(mark) for line in content.split(b"\n")]
    for cells in lines:
        first, second = one % len(cells), two % len(cells)
        cells[first], cells[second] = cells[second], cells[first]
    return b"\n".join(mark.join(cells) for cells in lines)


class Outcome(NamedTuple):
    """What became of an import: ``told`` is the refusal, ``crash`` a traceback, ``counts`` (read, accepted, rejected)."""

    told: str | None
    crash: str | None
    counts: tuple[tuple[int, int, int], ...]
    findings: tuple[str, ...]


class Importer:
    """A process, confined as the one that reads uploads, that imports files one set after the other."""

    def __init__(self, folder: Path, *, memory: int = 6 << 30, seconds: float = 20) -> None:
        self._folder, self._memory, self._seconds = folder, memory, seconds
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._folder, self._memory), daemon=True)
        self._process.start()
        theirs.close()
        assert self._pipe.recv() == "ready"

    def run(self, files: dict[str, bytes], *, dry_run: bool = True) -> Outcome:
        """Imports files, or says that the process died or took too long."""
        self._pipe.send((files, dry_run))
        try:
            if self._pipe.poll(self._seconds):
                return Outcome(*self._pipe.recv())
            crash = f"took more than {self._seconds} s"
        except EOFError:
            self._process.join()
            crash = f"died with {self._process.exitcode}"
        self.close()
        self._start()
        return Outcome(None, crash, (), ())

    @property
    def peak_mb(self) -> int:
        """The most memory that the process has had at a time."""
        return int(Path(f"/proc/{self._process.pid}/status").read_text().split("VmHWM:")[1].split()[0]) >> 10

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection, folder: Path, memory: int) -> None:
    import warnings

    warnings.simplefilter("error")
    from recsys.confined import confine
    from recsys.settings import Limits

    confine(Limits(memory_mb=memory >> 20, cpu_seconds=1_000_000), seconds=1_000_000)
    from recsys.datasets.importing import import_files  # noqa: F401

    pipe.send("ready")
    while True:
        files, dry_run = pipe.recv()
        pipe.send(tuple(_imported(files, folder, dry_run)))


def _imported(files: dict[str, bytes], folder: Path, dry_run: bool) -> Outcome:
    from recsys.datasets.importing import import_files
    from recsys.errors import ColdlensError

    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    paths = sorted((folder / "in").iterdir())
    try:
        report: Any = import_files(paths, "m", data_dir=folder / "data", valid_rows=True, dry_run=dry_run)
    except ColdlensError as error:
        return Outcome(str(error), None, (), ())
    except BaseException:
        return Outcome(None, traceback.format_exc(), (), ())
    found = tuple((own.read, own.accepted, own.rejected) for own in report.tables.values())
    return Outcome(None, None, found, tuple(map(str, report.findings.kept)))
