"""Words of texts for models that count them; what explanations make of words is tested there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.diagnostics import LsaEncoder
from recsys.diagnostics.findings import tiny_texts
from recsys.distillation import unlabelled_texts
from recsys.segmenter import bare_words, words_of_text
from tests.toy import toy_dataset


def test_words_of_chinese_and_of_everything_else():
    assert bare_words("科幻电影，爱情 R&B 27-year-old") == ["科幻电影", "爱情", "R", "B", "27", "year", "old"]
    assert words_of_text("科幻，爱情 R&B!") == ["科幻，", "爱情", "R&B!"]
    assert bare_words("") == words_of_text(" ") == []


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_without_chinese_words_are_runs_of_letters_and_digits(text):
    import re

    assert bare_words(text) == re.findall(r"(?u)\b\w+\b", text)
    assert words_of_text(text) == text.split()


def test_a_chinese_word_in_two_sentences_makes_them_alike_for_models_that_count_words():
    texts = ["飞船离开了地球", "一部关于爱情的电影", "地球上的最后一棵树", "他们的爱情很短"]
    vectors = LsaEncoder(texts, dim=3).encode(["爱情", *texts])
    assert set(np.argsort(-(vectors[1:] @ vectors[0]))[:2]) == {1, 3}


def test_a_chinese_sentence_is_no_tiny_text():
    dataset = toy_dataset()
    texts = ["飞船离开了地球"] * 11 + ["地球"]
    assert tiny_texts(dataset, texts).figures["items"] == 1


def test_students_read_chinese_words():
    dataset = toy_dataset()
    items = dataset.items.assign(description="飞船离开了地球")
    found = unlabelled_texts(type(dataset)(**{**vars(dataset), "items": items}), n_profiles=0)
    assert "飞船" in found and "地球" in found and "飞船离开了地球" not in found
