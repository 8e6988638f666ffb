"""Whether an encoder reads a text: measured on its tokenizer, and checked against what its authors say."""

from pathlib import Path

import pytest

from recsys.encoder import MULTILINGUAL, Encoder, TransformerEncoder, mismatch_of, open_encoder, unread_script
from recsys.encoder.languages import _SCRIPTS, TRAINED_ON, other_for_script, reads_script
from recsys.settings import DEFAULT_ENCODER
from tests.encoder.tiny import save_gpt2, save_xlm_roberta

ENGLISH = ["A quiet film about two sisters who come home", "Light walking shoes for wet weather, with firm soles"] * 4
GERMAN = [
    "Ein stiller Film über zwei Schwestern, die nach vielen Jahren nach Hause kommen",
    "Leichte Wanderschuhe für nasses Wetter, mit fester Sohle",
    "Nachrichten aus der Stadt: die Brücke wird im Frühjahr gesperrt",
] * 2
CHINESE = ["一部安静的电影", "适合雨天的轻便登山鞋", "大桥将在春天封闭"]


@pytest.fixture(scope="module")
def universal() -> Encoder:
    return open_encoder(MULTILINGUAL)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("科幻", "Chinese"),
        ("大人", "Chinese"),  # both characters are in the vocabulary
        ("我喜欢 Star Wars", "Chinese"),
        ("龙猫 🎬", "Chinese"),
        ("ナウシカの物語", "Japanese"),
        ("한국 영화", "Korean"),
        ("фантастика", "Cyrillic"),
        ("ταινία", "Greek"),
        ("หนัง", "Thai"),
        ("Amélie", None),
        ("Pokémon", None),
        ("🎬", None),
        ("R&B", None),
        ("", None),
        ("1984", None),
        ("science fiction and a little 爱", None),
        ("Wissenschaft und Weltraum", None),
    ],
)
def test_what_an_english_encoder_does_not_read(minilm: TransformerEncoder, text: str, script: str | None):
    assert unread_script(text, minilm) == script


def test_scripts_of_the_multilingual_encoder_are_those_that_its_authors_name(universal: Encoder):
    assert {name for name in _SCRIPTS if reads_script(name, universal)} == {
        "Chinese", "Japanese", "Korean", "Cyrillic", "Arabic", "Thai"
    }  # fmt: skip


def test_none_of_them_is_read_by_an_english_encoder(minilm: TransformerEncoder):
    assert not any(reads_script(name, minilm) for name in _SCRIPTS)


def test_an_encoder_that_nobody_knows_is_judged_by_its_tokenizer(tmp_path: Path):
    (tmp_path / "words").mkdir()
    words = open_encoder(str(save_gpt2(tmp_path / "words")), device="cpu")
    assert unread_script("科幻", words) == "Chinese"
    assert unread_script("space opera", words) is None
    (tmp_path / "pieces").mkdir()
    few = open_encoder(str(save_xlm_roberta(tmp_path / "pieces")), device="cpu")
    assert unread_script("科幻", few) == "Chinese"  # five pieces of Chinese are no Chinese


def test_who_is_offered_instead(minilm: TransformerEncoder, universal: Encoder):
    assert other_for_script("Chinese", minilm) == MULTILINGUAL
    assert other_for_script("Greek", minilm) is None
    assert other_for_script("Greek", universal) is None


def test_a_catalog_in_chinese(minilm: TransformerEncoder, universal: Encoder):
    found = mismatch_of([*CHINESE, *CHINESE, ENGLISH[0]], "zh", minilm)
    assert found is not None and (found.language, found.other) == ("in Chinese", MULTILINGUAL)
    assert found.share == pytest.approx(6 / 7)
    assert found.message.startswith(
        "Of the texts of this catalog, 86% are in Chinese, which the encoder all-MiniLM-L6-v2"
    )
    assert MULTILINGUAL in found.advice and "COLDLENS_ENCODER" in found.advice
    assert mismatch_of(CHINESE, "zh", universal) is None


@pytest.mark.parametrize("language", ["en", "en-GB"])
def test_a_catalog_in_english_with_a_handful_of_others(minilm: TransformerEncoder, language: str):
    assert mismatch_of([*ENGLISH * 4, CHINESE[0], "Амели"], language, minilm) is None
    assert mismatch_of([], language, minilm) is None
    assert mismatch_of(["", "1984", "🎬"], language, minilm) is None


def test_german_is_told_by_what_the_dataset_says_or_by_its_pieces(minilm: TransformerEncoder, universal: Encoder):
    said = mismatch_of(GERMAN, "de-AT", minilm)
    assert said is not None and "in German, which" in said.message
    seen = mismatch_of(GERMAN, "en", minilm)
    assert seen is not None and (seen.language, seen.other) == ("", MULTILINGUAL)
    assert "small pieces" in seen.message
    assert mismatch_of(GERMAN, "de", universal) is None
    assert mismatch_of(GERMAN[:1], "en", minilm) is None  # too little to tell


def test_a_language_that_none_of_ours_reads(universal: Encoder):
    found = mismatch_of(["Μια ήσυχη ταινία", "Ελαφριά παπούτσια"], "el", universal)
    assert found is not None and (found.language, found.other) == ("in Greek", None)
    assert found.advice == "Name a multilingual encoder with --encoder or COLDLENS_ENCODER."


def test_the_default_encoder_is_known():
    assert {DEFAULT_ENCODER, MULTILINGUAL} == set(TRAINED_ON)
