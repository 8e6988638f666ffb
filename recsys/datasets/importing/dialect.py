"""How a delimited text file is written, guessed from its content."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True)
class CsvDialect:
    """How a delimited text file is written.

    Attributes:
        delimiter: between cells; one character, or ``::``.
        quote: around cells; empty for none.
        escape: before a quote inside a cell, where quotes are not doubled; usually empty.
        encoding: as Python calls it.
        has_header: whether the first row holds the names of the columns.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    encoding: str = "utf-8"
    has_header: bool = True


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
    best = charset_normalizer.from_bytes(sample).best()
    found = best.encoding if best else "cp1252"
    if _is_western(sample) and found.startswith(("cp", "latin", "iso8859", "mac", "hp", "ascii")):
        return (
            "cp1252"  # the sorts of Western single bytes differ in a few letters only, and this is by far the commonest
        )
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
    lines = [line for line in text.splitlines() if line.strip()][:200]
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
    if '"' not in text and "'" not in text:
        quote = '"'
    elif not any(_starts_quoted(line, delimiter, '"') for line in lines):
        quote = "" if '"' in text else '"'
    rows = [line.split(delimiter) for line in lines[:20]]
    return CsvDialect(delimiter, quote, escape, encoding, _looks_like_header(rows))


def _starts_quoted(line: str, delimiter: str, quote: str) -> bool:
    return line.startswith(quote) or f"{delimiter}{quote}" in line or f"{delimiter} {quote}" in line


def _looks_like_header(rows: list[list[str]]) -> bool:
    """Names are not numbers, are told apart, and are short; without a row below them, the first row is taken for names."""
    if not rows:
        return True
    first = [cell.strip().strip('"') for cell in rows[0]]
    if any(_is_number(cell) for cell in first) or len(set(first)) < len(first):
        return False
    return all(len(shorten(cell)) <= 60 for cell in first)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
