"""A text as pieces: whatever is deleted, the rest stays as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.explanation.pieces import MAX_PIECES, join, read_pieces, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A 27-year-old who likes noir.", ["A", "27-year-old", "who", "likes", "noir"]),
        ("Toy Story (1995). Children's", ["Toy", "Story", "1995", "Children's"]),
        ("naïve café!", ["naïve", "café"]),
        ("🎬 & drama", ["🎬", "&", "drama"]),
        ("科幻 和 爱情片", ["科幻", "和", "爱情", "片"]),
        ("love love", ["love", "love"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words_are_those_of_the_original_text(text, words):
    assert [text[piece.start : piece.end] for piece in split(text)] == words


@given(st.text(max_size=200))
def test_all_pieces_together_are_the_text_and_there_are_never_too_many(text):
    pieces = split(text)

    assert join(pieces) == text.strip()
    assert len(pieces) <= MAX_PIECES
    assert all(piece.start < piece.end for piece in pieces)
    assert [piece.start for piece in pieces] == sorted(piece.start for piece in pieces)


def test_a_long_text_is_cut_into_phrases_at_its_punctuation():
    text = "one two three, four five six. " * 10

    phrases = [text[piece.start : piece.end] for piece in split(text)]

    assert len(phrases) <= MAX_PIECES
    assert "four five six" in " ".join(phrases)
    assert max(len(phrase.split()) for phrase in phrases) <= 9


def test_deleting_keeps_the_spaces_of_what_is_left():
    pieces = split("deep space, nine")

    assert join([pieces[0], pieces[2]]) == "deep nine"
    assert join(split("科幻爱情")[1:]) == "爱情"


def test_what_the_encoder_does_not_read_is_found_by_asking_it():
    pieces = split("a b c d e f")

    assert read_pieces(pieces, lambda text: len(text.split()) > 4) == 4
    assert read_pieces(pieces, lambda text: False) == 6
    assert read_pieces(pieces, lambda text: True) == 0
