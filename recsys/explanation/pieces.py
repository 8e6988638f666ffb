"""A text as the pieces that an explanation deletes: words where there are few, phrases where there are many."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

MAX_PIECES = 14
"""More words than this are grouped into phrases: deleting one word of a long text changes almost nothing."""
_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
_WORD = re.compile(rf"[{_CJK}]{{1,2}}|[^\s{_CJK}]+")
_EDGE = re.compile(r"^[^\w]*(.*?)[^\w]*$", re.DOTALL)
_BREAK = re.compile(r"[.,;:!?。，；：！？、]['\")\]]*$")


@dataclass(frozen=True)
class Piece:
    """A word or phrase: characters ``start`` to ``end`` of the text, without the punctuation around it.

    Attributes:
        raw: what stands in the text, punctuation included.
        glue: the white space before it.
    """

    start: int
    end: int
    raw: str
    glue: str


def split(text: str) -> tuple[Piece, ...]:
    """Returns the pieces of a text in order: at most ``MAX_PIECES``, together the whole text.

    Words are what white space separates. Chinese, Japanese and Korean stand without spaces and are cut into pairs of
    characters; a symbol or an emoji between spaces is a word.
    """
    found = list(_WORD.finditer(text))
    pieces = []
    for group in _groups([match[0] for match in found]):
        first, last = found[group[0]], found[group[-1]]
        raw = text[first.start() : last.end()]
        core = _EDGE.match(raw)
        start, end = core.span(1) if core and core[1] else (0, len(raw))
        before = found[group[0] - 1].end() if group[0] else 0
        pieces.append(Piece(first.start() + start, first.start() + end, raw, text[before : first.start()]))
    return tuple(pieces)


def _groups(words: list[str]) -> list[range]:
    """Cuts a long list of words into at most ``MAX_PIECES`` runs, after punctuation where there is some."""
    if len(words) <= MAX_PIECES:
        return [range(n, n + 1) for n in range(len(words))]
    groups: list[range] = []
    start = 0
    for end in range(1, len(words) + 1):
        left = MAX_PIECES - len(groups) - 1
        longest = -(-(len(words) - start) // (left + 1))
        pause = left > 0 and 2 * (end - start) >= longest and _BREAK.search(words[end - 1])
        if end == len(words) or end - start >= longest or pause:
            groups.append(range(start, end))
            start = end
    return groups


def join(pieces: Iterable[Piece]) -> str:
    """Returns the text that some of its pieces make, in order."""
    return "".join(piece.glue + piece.raw for piece in pieces).strip()


def read_pieces(pieces: tuple[Piece, ...], is_cut: Callable[[str], bool]) -> int:
    """Returns how many pieces, from the first on, fit into what the encoder reads; ``is_cut`` says whether a text does not."""
    low, high = 0, len(pieces)
    if not is_cut(join(pieces)):
        return high
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (low, middle - 1) if is_cut(join(pieces[:middle])) else (middle, high)
    return low
