"""A text as pieces: whatever is deleted, the rest stays as written."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.explanation.pieces import MAX_PIECES, join, read_pieces, split
from recsys.segmenter import words_within


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A 27-year-old who likes noir.", ["A", "27-year-old", "who", "likes", "noir"]),
        ("Toy Story (1995). Children's", ["Toy", "Story", "1995", "Children's"]),
        ("naïve café!", ["naïve", "café"]),
        ("🎬 & drama", ["🎬", "&", "drama"]),
        ("科幻 和 爱情片", ["科幻", "和", "爱情片"]),
        ("我喜欢科幻电影，特别是《2001太空漫游》！", ["我", "喜欢", "科幻电影", "特别", "是", "2001", "太空", "漫游"]),
        ("一位27岁的学生，喜欢科幻、爱情。", ["一位", "27", "岁", "的", "学生", "喜欢", "科幻", "爱情"]),
        ("喜欢Python，Java和“R&B”？", ["喜欢", "Python", "Java", "和", "R&B"]),
        ("iPhone 15手机壳 USB-C线", ["iPhone", "15", "手机", "壳", "USB-C", "线"]),
        ("東京物語は映画です。ナウシカ・ゴジラ", ["東京物語", "は", "映画", "です", "ナウシカ", "ゴジラ"]),
        ("한국 영화를 좋아해요", ["한국", "영화를", "좋아해요"]),
        ("，科幻", ["科幻"]),
        ("《", ["《"]),
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


MIXED = st.text(st.sampled_from("科幻爱情电影的是在，。！？《》“”、 \n\u3000abR&27.'-はカー한\ud83c🎬"), max_size=60)


@given(MIXED)
def test_words_of_any_script_cover_the_text_in_order_and_never_overlap(text):
    pieces = split(text)
    at = 0
    for piece in pieces:
        start = at + len(piece.glue)
        assert text[at:start] == piece.glue and not piece.glue.strip()
        assert text[start : start + len(piece.raw)] == piece.raw
        assert start <= piece.start < piece.end <= start + len(piece.raw)
        at = start + len(piece.raw)
    assert not text[at:].strip()


@given(MIXED)
def test_words_within_a_text_without_spaces_are_the_text(text):
    chunk = "".join(text.split())
    assert "".join(words_within(chunk)) == chunk
    assert all(words_within(chunk)) or not chunk


def test_chinese_is_cut_into_words_and_never_into_single_characters():
    words = list(words_within("一个关于爱情和战争的科幻故事"))
    assert words == ["一个", "关于", "爱情", "和", "战争", "的", "科幻", "故事"]


def test_punctuation_stands_with_the_word_it_belongs_to():
    assert [piece.raw for piece in split("（科幻）“爱情”，看《流浪地球》。")] == [
        "（科幻）",
        "“爱情”，",
        "看",
        "《流浪",
        "地球》。",
    ]


def test_a_long_chinese_text_is_cut_into_phrases_at_its_punctuation():
    text = "退休的灯塔看守人教邻居的孩子认星星，后来海上起了大雾。他们一起点亮了旧灯，让迷路的渔船平安回到港口。"
    phrases = [piece.raw for piece in split(text)]
    assert len(phrases) <= MAX_PIECES
    assert sum(phrase[-1] in "，。" for phrase in phrases) == 4


def test_english_needs_no_segmenter(monkeypatch):
    monkeypatch.setitem(sys.modules, "rjieba", None)
    assert len(split("Amélie 🎬 R&B 27-year-old")) == 4
    with pytest.raises(ImportError):
        split("科幻")


def test_a_long_text_is_cut_into_phrases_at_its_punctuation():
    text = "one two three, four five six. " * 10

    phrases = [text[piece.start : piece.end] for piece in split(text)]

    assert len(phrases) <= MAX_PIECES
    assert "four five six" in " ".join(phrases)
    assert max(len(phrase.split()) for phrase in phrases) <= 9


def test_deleting_keeps_the_spaces_of_what_is_left():
    pieces = split("deep space, nine")

    assert join([pieces[0], pieces[2]]) == "deep nine"
    assert join(split("科幻，爱情")[1:]) == "爱情"


def test_what_the_encoder_does_not_read_is_found_by_asking_it():
    pieces = split("a b c d e f")

    assert read_pieces(pieces, lambda text: len(text.split()) > 4) == 4
    assert read_pieces(pieces, lambda text: False) == 6
    assert read_pieces(pieces, lambda text: True) == 0
