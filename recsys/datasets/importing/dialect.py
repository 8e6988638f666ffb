"""How a delimited text file is written, guessed from its content."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import charset_normalizer
import clevercsv

from recsys.errors import shorten

_SAMPLE = 1 << 16
_DELIMITERS = (",", ";", "\t", "|")
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
"""The longer ones first: the mark of UTF-32 starts with that of UTF-16."""
_CENTRAL = re.compile(rb"[A-Za-z\xc0-\xff][\xb3\xb9\xbf][a-z\xc0-\xff]|\xaf[a-z\xc0-\xff]|[\s;,]\xb3[a-z]")
"""Letters of Polish in cp1250, which would be signs within a word in cp1252."""
_KANA = re.compile(r"[\u3041-\u30fe]")
_SEPARATOR_LINE = re.compile(r"sep=(?P<mark>[,;\t|])\s*", re.I)
"""What Excel reads and some programs write as the first line."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_MOST_SKIPPED = 5


@dataclass(frozen=True)
class CsvDialect:
    """How a delimited text file is written.

    Attributes:
        delimiter: between cells; one character, or ``::``.
        quote: around cells; empty for none.
        escape: before a quote inside a cell, where quotes are not doubled; usually empty.
        encoding: as Python calls it.
        has_header: whether the first row holds the names of the columns.
        skip: lines before that row, such as the title of a report.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    encoding: str = "utf-8"
    has_header: bool = True
    skip: int = 0


def sniff_encoding(chunks: Iterator[bytes]) -> str:
    """Returns the encoding of a text: by its mark, else UTF-8 if it is that throughout, else the likeliest by its letters.

    Args:
        chunks: the whole content, in order; ``charset_normalizer`` sees only the first lines that are not ASCII.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, start, sample = True, b"", b""
    for chunk in chunks:
        if not start:
            start = chunk
            for mark, name in _BOMS.items():
                if start.startswith(mark):
                    return name
            zeros = [start[offset:400:2].count(0) for offset in (0, 1)]
            if sum(zeros) > len(start[:400]) // 4:
                return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
        if len(sample) < _SAMPLE:
            sample += b"".join(line + b"\n" for line in chunk.splitlines() if not line.isascii())[:_SAMPLE]
        elif not is_utf8:
            break
    return "utf-8" if is_utf8 or _is_mostly_utf8(sample) else _likeliest(sample)


def _is_mostly_utf8(sample: bytes) -> bool:
    """Whether only a few lines are not UTF-8: those are damaged, and another encoding would spoil all the others."""
    lines = sample.splitlines()[:-1] if len(sample) >= _SAMPLE else sample.splitlines()
    n_readable = sum(_is_utf8(line) for line in lines)
    return n_readable > len(lines) / 2


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _likeliest(sample: bytes) -> str:
    for japanese in ("shift_jis", "euc_jp"):
        if len(_KANA.findall(sample.decode(japanese, "replace"))) > len(sample) / 10:
            return japanese.replace("_jp", "-jp")
    best = charset_normalizer.from_bytes(sample).best()
    found = best.encoding if best else "cp1252"
    if _is_western(sample) and found.startswith(("cp", "latin", "iso8859", "mac", "hp", "ascii")):
        # the sorts of Western single bytes differ in a few letters only, and cp1252 is by far the commonest
        is_central = len(_CENTRAL.findall(sample)) > len(sample.splitlines()) / 10
        return "cp1250" if is_central else "cp1252"
    return found.replace("_", "-")


def _is_western(sample: bytes) -> bool:
    """Accented Latin letters among ASCII letters: in other scripts, letters beyond ASCII are the rule."""
    beyond = sum(byte >= 0x80 for byte in sample)
    letters = sum(chr(byte).isalpha() for byte in sample if byte < 0x80)
    return beyond < letters


def sniff_dialect(text: str, encoding: str) -> CsvDialect:
    """Returns how a text is written, by the consistency of its rows.

    Args:
        text: the beginning of the file, whole lines.
    """
    raw = _LINE_END.split(text)[:400]
    if raw and (written := _SEPARATOR_LINE.fullmatch(raw[0])):
        below = sniff_dialect("\n".join(raw[1:]), encoding)
        return replace(below, delimiter=written["mark"], skip=below.skip + 1)
    lines = [line for line in raw if line.strip()][:200]
    if lines and all("::" in line for line in lines) and len({line.count("::") for line in lines}) == 1:
        return CsvDialect("::", "", "", encoding, _looks_like_header([line.split("::") for line in lines[:20]]))
    delimiter, quote, escape = ",", '"', ""
    try:
        found = clevercsv.Sniffer().sniff("\n".join(lines), delimiters=None)
    except Exception:  # clevercsv raises its own error, and others on what it does not understand
        found = None
    if found is not None and found.delimiter in _DELIMITERS:
        delimiter, escape = found.delimiter, found.escapechar or ""
    elif lines:
        delimiter = max(_DELIMITERS, key=lambda mark: min(line.count(mark) for line in lines))
    escape = "\\" if escape == "\\" and '\\"' in text else ""
    if '"' not in text and _is_quoted_singly(lines, delimiter):
        quote = "'"
    elif not any(_starts_quoted(line, delimiter, '"') for line in lines):
        quote = "" if '"' in text else '"'
    skip = _title_lines(raw, delimiter)
    has_header = _looks_like_header([line.split(delimiter) for line in raw[skip:] if line.strip()][:20])
    if not has_header:  # then it may be the first row of values
        skip = 0
    return CsvDialect(delimiter, quote, escape, encoding, has_header, skip)


def _is_quoted_singly(lines: list[str], delimiter: str) -> bool:
    """Whether cells stand in single quotes; an apostrophe within a word is none."""
    mark = re.escape(delimiter)
    cell = re.compile(rf"(?:^|{mark})'[^']*'(?={mark}|\Z)")
    counts = [(line.count("'"), 2 * len(cell.findall(line))) for line in lines]
    return any(inside for _, inside in counts) and all(marks == inside for marks, inside in counts)


def _title_lines(lines: list[str], delimiter: str) -> int:
    """Returns how many lines at the beginning hold one cell at most, where the ones after them hold several."""
    counts = [sum(bool(cell.strip()) for cell in line.split(delimiter)) for line in lines[:20]]
    first = next((number for number, count in enumerate(counts) if count > 1), 0)
    titles = [count for count in counts[:first] if count]
    is_table = all(count > 1 for count in counts[first:] if count) and len(counts) > first + 1
    return first if titles and is_table and first <= _MOST_SKIPPED else 0


def _starts_quoted(line: str, delimiter: str, quote: str) -> bool:
    return line.startswith(quote) or f"{delimiter}{quote}" in line or f"{delimiter} {quote}" in line


def _looks_like_header(rows: list[list[str]]) -> bool:
    """Names are not numbers, are told apart, and are short; without a row below them, the first row is taken for names."""
    if not rows:
        return True
    first = [cell.strip().strip("\"'") for cell in rows[0]]
    while first and not first[-1]:  # spreadsheets end lines with empty cells
        first.pop()
    if any(_is_number(cell) for cell in first) or len(set(first)) < len(first):
        return False
    return all(len(shorten(cell)) <= 60 for cell in first)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
