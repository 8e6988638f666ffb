"""A text as the pieces that an explanation deletes: words where there are few, phrases where there are many."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from recsys.segmenter import words_within

MAX_PIECES = 14
"""More words than this are grouped into phrases: deleting one word of a long text changes almost nothing."""
_CHUNK = re.compile(r"\S+")
_EDGE = re.compile(r"^[^\w]*(.*?)[^\w]*$", re.DOTALL)
_BREAK = re.compile(r"[.,;:!?。，；：！？、…]['\")\]）》」』”’]*$")


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

    Words are what white space separates, and in Chinese and Japanese, which have no spaces, what the segmenter finds; a symbol or
    an emoji between spaces is a word.
    """
    found = _words(text)
    pieces = []
    for group in _groups([text[start:end] for start, end in found]):
        first, last = found[group[0]], found[group[-1]]
        raw = text[first[0] : last[1]]
        core = _EDGE.match(raw)
        start, end = core.span(1) if core and core[1] else (0, len(raw))
        before = found[group[0] - 1][1] if group[0] else 0
        pieces.append(Piece(first[0] + start, first[0] + end, raw, text[before : first[0]]))
    return tuple(pieces)


def _words(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, with the punctuation that stands at it."""
    found = []
    for chunk in _CHUNK.finditer(text):
        start = chunk.start()
        for word in words_within(chunk[0]):
            found.append((start, start + len(word)))
            start += len(word)
    return found


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
