"""Shapley values of words: games whose answer is known, and sums that hold for a real BERT."""

import numpy as np
import pytest

from recsys.encoder import TextCheck
from recsys.explanation import EXACT, FIRST_LAST, words_of


class GameEncoder:
    """An encoder that plays a game: the embedding of a text is a function of the set of its words."""

    name, identity, dim, description = "game", "game-1", 1, "cpu, game"

    def __init__(self, value, longest=100):
        self.value, self.longest, self.asked = value, longest, []

    def encode(self, texts, *, bulk=False, progress=None):
        self.asked += texts
        return np.array([[self.value(text.split())] for text in texts], float).reshape(len(texts), 1)

    def check(self, text):
        return TextCheck(len(text.split()), len(text.split()) > self.longest, not text)


def glove(words):
    """Two left gloves, one right: a pair is worth 1. The known values are 1/6, 1/6, 4/6."""
    return float(min(sum(w.startswith("left") for w in words), words.count("right")))


def test_the_glove_game_has_its_known_values():
    found = words_of("left1 left2 right", GameEncoder(glove))

    assert found.tier == EXACT
    np.testing.assert_allclose(found.vectors[:, 0], [1 / 6, 1 / 6, 4 / 6])


def second_order(words):
    """Every word counts 1, and every pair of neighbours in the alphabet 2 more: no more than two interact."""
    return len(words) + 2.0 * sum(chr(ord(w) + 1) in words for w in words)


def test_first_last_is_exact_where_no_more_than_two_words_interact():
    text = "a b c d e f g"
    encoder = GameEncoder(second_order)

    quick, exact = words_of(text, encoder, tier=FIRST_LAST), words_of(text, encoder, tier=EXACT)

    assert (quick.tier, exact.tier) == (FIRST_LAST, EXACT)
    np.testing.assert_allclose(quick.vectors, exact.vectors, atol=1e-12)
    np.testing.assert_allclose(exact.vectors[:, 0], [2, 3, 3, 3, 3, 3, 2])


def test_first_last_asks_for_few_texts_and_exact_for_all():
    quick, exact = GameEncoder(second_order), GameEncoder(second_order)

    words_of("a b c d e f g", quick, tier=FIRST_LAST)
    words_of("a b c d e f g", exact, tier=EXACT)

    assert len(quick.asked) == 2 * 7 + 2
    assert len(exact.asked) == 2**7


@pytest.mark.parametrize("n", [0, 1, 2, 10, 11, 14])
def test_words_add_up_in_every_tier(n):
    text = " ".join("abcdefghijklmn"[:n])
    encoder = GameEncoder(lambda words: len(words) ** 2.5 + 3)

    found = words_of(text, encoder)

    assert len(found.vectors) == n
    assert found.tier == (EXACT if n <= 10 else FIRST_LAST)
    np.testing.assert_allclose(found.vectors.sum(0) + found.empty, encoder.encode([text])[0])


def test_repeated_words_are_players_of_their_own():
    found = words_of("x x y", GameEncoder(lambda words: float(len(set(words)))))

    np.testing.assert_allclose(found.vectors[:, 0], [0.5, 0.5, 1.0])


def test_words_beyond_the_limit_of_the_encoder_get_no_vector():
    found = words_of("a b c d e", GameEncoder(lambda words: float(len(words[:3])), longest=3))

    assert len(found.pieces) == 5
    np.testing.assert_allclose(found.vectors[:, 0], [1, 1, 1])


def test_rounding_is_spread_evenly():
    found = words_of("a b", GameEncoder(lambda words: float(len(words)))).adding_up_to(np.array([3.0]))

    np.testing.assert_allclose(found.vectors[:, 0], [1.5, 1.5])


@pytest.mark.parametrize("text", ["noir", "science fiction", "科幻电影", "🎬 movies", "naïve café", "word " * 60])
@pytest.mark.parametrize("tier", [FIRST_LAST, EXACT])
def test_a_real_bert_adds_up(minilm, text, tier):
    found = words_of(text, minilm, tier=tier)

    np.testing.assert_allclose(found.vectors.sum(0) + found.empty, minilm.encode([text])[0], atol=1e-5)
