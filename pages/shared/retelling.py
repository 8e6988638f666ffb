"""What the library says, in the reader's language.

The library speaks English, in logs and on the command line as well, and hands over finished sentences. They are known by
their patterns: what its source says, with numbers for what is filled in, has a catalog of its own.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from pages.shared.language import ENGLISH, LIBRARY, PAGES, catalog, language

_ROOT = Path(__file__).resolve().parents[2]
ROOMS: Sequence[str] = (
    "explanation/explainer.py",
    "explanation/reason.py",
)
"""Files of the library whose sentences reach the screen."""
_NO_SENTENCE = re.compile(r"[<>]|color-mix|^[\w./]+[:_/][\w./:]*$|^--")
_WORDS = re.compile(r"[A-Za-z]{2,}[a-z,;:.)”]* +[“(\[{A-Za-z]|[}”)] +[a-z]{2}|^[A-Z]?[a-z]+ \{")
_PLACE = re.compile(r"\{(\w+)\}")
_JOINTS = ("; ", " · ", ", ", " and ")
_DEEPEST = 3


def library_texts() -> dict[tuple[str | tuple[str, str], str | None], list[str]]:
    """Returns what the rooms say, as texts with ``{0}`` for what is filled in, and the files that say it."""
    found: dict[tuple[str | tuple[str, str], str | None], list[str]] = {}
    for room in ROOMS:
        path = _ROOT / "recsys" / room
        for text in dict.fromkeys(_said(ast.parse(path.read_text("utf-8")))):
            found.setdefault((text, None), []).append(f"recsys/{room}")
    return found


def _said(tree: ast.AST) -> Iterator[str]:
    """Every sentence or phrase of a file, but for docstrings and what is compared or looked up."""
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.Compare):
            left_out |= {part for part in ast.iter_child_nodes(node) if isinstance(part, ast.Constant)}
        if isinstance(node, ast.JoinedStr):
            left_out |= {part for part in node.values if isinstance(part, ast.Constant)}
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            left_out |= set(ast.walk(node.format_spec))
        if isinstance(node, ast.Dict):
            left_out |= {key for key in node.keys if key is not None}
    for node in ast.walk(tree):
        text = None if node in left_out else _text_of(node)
        if text is not None and _WORDS.search(text) and not _NO_SENTENCE.search(text):
            yield text.strip()


def _text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    places = iter(range(len(node.values)))
    return "".join(str(part.value) if isinstance(part, ast.Constant) else f"{{{next(places)}}}" for part in node.values)


def retold(text: str) -> str:
    """Returns a sentence or phrase of the library in the reader's language; what no catalog knows, such as data, stays."""
    spoken = language()
    return text if spoken == ENGLISH or not text else _retold(text, spoken)


@lru_cache(maxsize=20_000)
def _retold(text: str, spoken: str) -> str:
    return _found(text, spoken, 0) or text


def _found(text: str, spoken: str, depth: int) -> str | None:
    """The text in the language, ``None`` if no catalog knows it or a part of it."""
    for known in (text, text[:1].lower() + text[1:], text.removesuffix(".")):
        told = _whole(known, spoken) or _filled(known, spoken, depth)
        if told is not None:
            return told + ("。" if known == text.removesuffix(".") != text else "")
    for joint in _JOINTS if depth < _DEEPEST else ():
        parts = text.split(joint)
        told_parts = [_found(part, spoken, depth + 1) for part in parts] if len(parts) > 1 else []
        if any(told_parts):
            made = [told or part for told, part in zip(told_parts, parts, strict=True)]
            return catalog(spoken).pgettext("joint", joint).join(made)
    return None


def _whole(text: str, spoken: str) -> str | None:
    for domain in (LIBRARY, PAGES):
        told = catalog(spoken, domain).gettext(text)
        if told != text:
            return told
    return None


def _filled(text: str, spoken: str, depth: int) -> str | None:
    """The text by the longest pattern that it fits; what was filled in is told by itself."""
    if depth > _DEEPEST:
        return None
    for anchor, pattern, names, message in _patterns(spoken):
        if anchor in text and (fit := pattern.fullmatch(text)):
            values = {
                name: _found(value, spoken, depth + 1) or value for name, value in zip(names, fit.groups(), strict=True)
            }
            told = catalog(spoken, LIBRARY).gettext(message)
            return "".join(values.get(part, part) if n % 2 else part for n, part in enumerate(_PLACE.split(told)))
    return None


@cache
def _patterns(spoken: str) -> list[tuple[str, re.Pattern[str], list[str], str]]:
    """For every text with something to fill in: its longest word group, its pattern, the names of its places, itself."""
    found = []
    for message in catalog(spoken, LIBRARY)._catalog if spoken else ():  # type: ignore[attr-defined]
        pieces = _PLACE.split(message) if isinstance(message, str) else []
        if len(pieces) > 1:
            fixed, names = pieces[::2], pieces[1::2]
            body = re.escape(fixed[0]) + "".join(f"(.+?){re.escape(piece)}" for piece in fixed[1:])
            found.append((max(fixed, key=len), re.compile(body, re.DOTALL), names, message))
    return sorted(found, key=lambda one: -sum(len(piece) for piece in _PLACE.split(one[3])[::2]))
