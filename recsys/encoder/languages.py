"""Which texts an encoder reads: told from what it was trained on, and from what its tokenizer makes of a script.

A tokenizer that has learned a language keeps its words nearly whole. One that has not cuts them into single letters, or does
not know the letters. So a script is judged by a few lines in it that we wrote, and a catalog in Latin letters by its own words.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoder.folder import MULTILINGUAL
from recsys.encoder.protocol import Encoder
from recsys.settings import DEFAULT_ENCODER

LATIN = "Latin"
_ALPHABET, _KANA, _WORDS = 0.6, 0.9, 1.2
"""Pieces for each letter, at most. Of an alphabet MiniLM makes 0.26 in English, and 0.9 to 1 in Greek, Russian and Hebrew;
of kana 1, the multilingual encoder 0.5. A Chinese character or a Korean syllable may be a piece of its own in any encoder."""
_UNKNOWN = 0.1
"""Letters that the tokenizer does not know, at most; of Chinese ones MiniLM lacks 67 %."""
_WHOLE_WORDS = 0.33
"""Pieces for each letter of a catalog in Latin letters, at most: 0.21 to 0.30 for English ones, 0.37 to 0.52 for German, French,
Italian, Spanish, Dutch and Turkish in an English encoder."""
_ENOUGH_LETTERS = 200
"""Fewer letters say nothing about a catalog; names alone fall into pieces, too."""
_LOOKED_AT = 500
_MANY = 0.2
"""Share of a catalog that must be unreadable before it is a matter of the encoder."""
_WEIGHT = 3
"""What a character counts for that stands for a word or a syllable, in letters of an alphabet."""


@dataclass(frozen=True)
class _Script:
    letters: str
    lines: str
    most: float = _ALPHABET


_SCRIPTS: Mapping[str, _Script] = {
    "Chinese": _Script(
        "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f",
        "一部安静的电影，讲述两姐妹多年以后回到家里，发现一切都变了。我们喜欢这样的故事。",
        _WORDS,
    ),
    "Japanese": _Script(
        "\u3041-\u30ff\u31f0-\u31ff", "ひさしぶりにいえへかえってきたしまいのしずかなドラマです", _KANA
    ),
    "Korean": _Script("\u1100-\u11ff\uac00-\ud7af", "오랜만에 집으로 돌아온 두 자매의 조용한 영화", _WORDS),
    "Cyrillic": _Script("\u0400-\u052f", "Тихий фильм о двух сестрах, которые через много лет возвращаются домой"),
    "Greek": _Script(
        "\u0370-\u03ff\u1f00-\u1fff", "Μια ήσυχη ταινία για δύο αδελφές που γυρίζουν σπίτι μετά από χρόνια"
    ),
    "Arabic": _Script("\u0600-\u06ff\u0750-\u077f", "فيلم هادئ عن شقيقتين تعودان إلى البيت بعد سنوات طويلة"),
    "Hebrew": _Script("\u0590-\u05ff", "סרט שקט על שתי אחיות שחוזרות הביתה אחרי שנים רבות"),
    "Thai": _Script("\u0e00-\u0e7f", "หนังเงียบๆ เกี่ยวกับพี่น้องสองคนที่กลับบ้านหลังจากหลายปี"),
    "Devanagari": _Script("\u0900-\u097f", "कई साल बाद घर लौटी दो बहनों की एक शांत फिल्म"),
}
_LETTERS = {name: re.compile(f"[{script.letters}]") for name, script in _SCRIPTS.items()}
_SCRIPT_WORDS = {"Cyrillic": "in Cyrillic letters", "Devanagari": "in Devanagari letters"}
"""Scripts of many languages; the others are called as their language is."""

TRAINED_ON: Mapping[str, tuple[str, ...]] = {
    DEFAULT_ENCODER: ("en",),
    MULTILINGUAL: ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"),
}
"""Encoder to the languages (ISO 639-1) that its authors name."""
_NAMES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish", "fi": "Finnish",
    "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True)
class Mismatch:
    """A catalog that its encoder does not read.

    Attributes:
        language: for a sentence, as ``in Chinese``; empty where only the pieces of its words tell that it is not the encoder's.
        share: of the catalog; 1 where the dataset says so of all of it.
        encoder: the one in use.
        other: an encoder that reads it, ``None`` where we know of none.
    """

    language: str
    share: float
    encoder: str
    other: str | None

    @property
    def message(self) -> str:
        """What is wrong, in one sentence."""
        if not self.language:
            return (
                f"The encoder {self.encoder} cuts the words of this catalog into small pieces, as those of a language that it "
                "has not learned; what is ranked by them is unsure."
            )
        part = (
            "The texts of this catalog are"
            if self.share > 0.95
            else f"Of the texts of this catalog, {self.share:.0%} are"
        )
        return (
            f"{part} {self.language}, which the encoder {self.encoder} does not read; what is ranked by them is little more "
            "than chance."
        )

    @property
    def advice(self) -> str:
        """What to do about it, in one sentence."""
        return advice(self.other)


def advice(other: str | None) -> str:
    """Returns what to do about a text that is not read, in one sentence."""
    if other is None:
        return "Name a multilingual encoder with --encoder or COLDLENS_ENCODER."
    return f"Name the encoder {other} with --encoder, COLDLENS_ENCODER, or as encoder in the dataset's dataset.toml."


def unread_script(text: str, encoder: Encoder) -> str | None:
    """Returns the script that most of a text is in, if the encoder does not read it: ``Chinese``, ``Greek``; else ``None``.

    Latin letters are always taken as read: which language a few words of them are in cannot be told from the letters.
    """
    counts = _counts(text)
    unread = {name: n for name, n in counts.items() if name != LATIN and not reads_script(name, encoder)}
    if not unread or 2 * sum(unread.values()) < sum(counts.values()):
        return None
    return max(unread, key=lambda name: unread[name])


def reads_script(script: str, encoder: Encoder) -> bool:
    """Whether an encoder's tokenizer keeps words of a script together, as measured on a few lines of it."""
    if script == LATIN:
        return True
    about = _SCRIPTS[script]
    letters = _LETTERS[script].findall(about.lines)
    if np.mean([encoder.check(letter).is_unknown for letter in letters]) > _UNKNOWN:
        return False
    return _pieces(about.lines, encoder) / len(letters) <= about.most


def in_words(script: str) -> str:
    """Returns for example ``in Chinese``."""
    return _SCRIPT_WORDS.get(script, f"in {script}")


def other_for_script(script: str, encoder: Encoder) -> str | None:
    """Returns the encoder to offer for a script that ``encoder`` does not read."""
    languages = {"Chinese": "zh", "Japanese": "ja", "Korean": "ko", "Cyrillic": "ru", "Arabic": "ar", "Thai": "th"}
    return _other(languages[script], encoder) if script in languages else None


def mismatch_of(texts: Sequence[str], language: str, encoder: Encoder) -> Mismatch | None:
    """Returns why a catalog is not read by its encoder, ``None`` if it is.

    Args:
        texts: of the items; up to 500 of them are looked at.
        language: that the dataset names, as ``zh`` or ``de-AT``; what the texts themselves say comes first.
    """
    looked_at = (
        [texts[row] for row in np.unique(np.linspace(0, len(texts) - 1, _LOOKED_AT).astype(int))] if texts else []
    )
    scripts = Counter(_main_script(text) for text in looked_at)
    unread = {name: n for name, n in scripts.items() if name and not reads_script(name, encoder)}
    share = sum(unread.values()) / max(1, len(looked_at))
    if share >= _MANY:
        script = max(unread, key=lambda name: unread[name])
        return Mismatch(in_words(script), share, encoder.name, other_for_script(script, encoder))
    code = language.lower().partition("-")[0]
    if code not in TRAINED_ON.get(encoder.name, (code,)):
        named = _NAMES.get(code, f"the language {code}")
        return Mismatch(f"in {named}", 1.0, encoder.name, _other(code, encoder))
    latin = [text for text in looked_at if _main_script(text) == LATIN]
    if len(latin) > len(looked_at) / 2 and _is_in_pieces(latin, encoder):
        return Mismatch("", 1.0, encoder.name, _other("", encoder))
    return None


def _other(code: str, encoder: Encoder) -> str | None:
    if encoder.name == MULTILINGUAL or (code and code not in TRAINED_ON[MULTILINGUAL]):
        return None
    return MULTILINGUAL


def _counts(text: str) -> dict[str, int]:
    """Letters of each script; those that stand for words or syllables count more, and unknown scripts are not counted."""
    found = {LATIN: len(_latin(text))}
    for name, letters in _LETTERS.items() if not text.isascii() else ():
        found[name] = len(letters.findall(text)) * (1 if _SCRIPTS[name].most == _ALPHABET else _WEIGHT)
    if found.get("Japanese"):
        found["Japanese"] += found.pop("Chinese")  # Japanese uses both
    return {name: n for name, n in found.items() if n}


def _latin(text: str) -> str:
    return "".join(re.findall(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]", text))


def _main_script(text: str) -> str | None:
    counts = _counts(text)
    return max(counts, key=lambda name: counts[name]) if counts else None


def _pieces(text: str, encoder: Encoder) -> int:
    """Pieces that an encoder cuts the words of a text into; numbers and punctuation say nothing about a language."""
    words = "".join(letter if unicodedata.category(letter)[0] in "LM" else " " for letter in text)
    return encoder.check(words).n_tokens - encoder.check("").n_tokens


def _is_in_pieces(texts: Sequence[str], encoder: Encoder) -> bool:
    letters = sum(len(_latin(text)) for text in texts)
    return letters >= _ENOUGH_LETTERS and sum(_pieces(text, encoder) for text in texts) / letters > _WHOLE_WORDS
