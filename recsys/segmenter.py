"""Where words begin and end in scripts that are written without spaces.

Chinese characters are cut by jieba, from its dictionary and, for names and new words, a hidden Markov model. A run of katakana is
one word, and so is one of hiragana, which in Japanese are mostly endings and particles. Korean has spaces.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from itertools import groupby

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_HIRAGANA, _KATAKANA = "\u3041-\u309f", "\u30a0-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_SPACELESS = re.compile(f"[{_HAN}{_HIRAGANA}{_KATAKANA}]")
_KANA = re.compile(f"[{_HIRAGANA}]+|[{_KATAKANA}]+")
_OPENING = "（《〈「『【〔〖“‘([{"
_BARE = re.compile(r"\w+")
_LETTER = re.compile(r"\w")
_WIDE_MARK = re.compile(
    r"[\u2014\u2018\u2019\u201c\u201d\u2026\u3001\u3002\u3008-\u3011\u3014-\u301f\u30fb\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
)
_RUN = re.compile(rf"[{_HIRAGANA}]+|[{_KATAKANA}]+|[^{_HIRAGANA}{_KATAKANA}]+")
_NO_CHARACTER = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
"""Half a character is none, and the segmenter refuses it."""


def needs_segmenter(text: str) -> bool:
    """Whether a text has characters that are written without spaces between words."""
    return _SPACELESS.search(text) is not None


@lru_cache(1)
def segmenter_name() -> str:
    """Name and version: another dictionary may cut otherwise."""
    return f"rjieba {version('rjieba')}"


def words_within(chunk: str) -> Iterator[str]:
    """Yields the words of a text without white space, each with its punctuation; together they are the text.

    Closing punctuation stands with the word before it, opening punctuation with the word after it.
    """
    if not needs_segmenter(chunk):
        yield chunk
        return
    word = ""
    for part in _joined(_cut(chunk)):
        is_closing = not _LETTER.search(part) and part[0] not in _OPENING
        if _LETTER.search(word) and not is_closing:
            yield word
            word = ""
        word += part
    yield word


def words_of_text(text: str) -> list[str]:
    """Returns the words of a text, each with the punctuation that stands at it."""
    return [word for chunk in text.split() for word in words_within(chunk)]


def bare_words(text: str) -> list[str]:
    """Returns the words of a text without any punctuation, for models that count words: runs of letters and digits."""
    return [word for run in _BARE.findall(text) for word in words_within(run)]


def _cut(chunk: str) -> Iterator[str]:
    import rjieba

    for run in _RUN.finditer(chunk):
        if _KANA.fullmatch(run[0]):
            yield run[0]
            continue
        start = run.start()
        for word in rjieba.cut(run[0].translate(_NO_CHARACTER)):
            yield chunk[start : start + len(word)]
            start += len(word)


def _joined(parts: Iterator[str]) -> Iterator[str]:
    """Puts together again what jieba cuts of other scripts: ``R&B`` is one word, as it would be between spaces."""
    for is_foreign, group in groupby(parts, lambda part: not needs_segmenter(part) and not _WIDE_MARK.search(part)):
        own = list(group)
        yield from ["".join(own)] if is_foreign else own
