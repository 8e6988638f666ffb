"""CLAP with random weights: the interface is the same as that of a learned one, the meaning is not there."""

from pathlib import Path

import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.settings import Settings
from recsys.views.audio import open_audio_view
from recsys.views.clap import Clap
from tests.views.sounds import catalog, tone, write

RATE = 48_000
WORDS = ("<s>", "<pad>", "</s>", "<unk>", "a", "bird", "sings", "loud", "drum", "slow", "piano")


def save_tiny_clap(folder: Path, *, fusion: bool = False) -> Path:
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, PreTrainedTokenizerFast

    text = {
        "vocab_size": len(WORDS),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 20,
    }
    audio = {
        "hidden_size": 16,
        "patch_embeds_hidden_size": 8,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "enable_fusion": fusion,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=12)).save_pretrained(folder)
    ClapFeatureExtractor(truncation="fusion" if fusion else "rand_trunc").save_pretrained(folder)
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "fusion"])
def folder(request, tmp_path_factory) -> Path:
    return save_tiny_clap(tmp_path_factory.mktemp("clap"), fusion=request.param)


@pytest.fixture(scope="module")
def clap(folder) -> Clap:
    return Clap.from_pretrained(str(folder), device="cpu")


def test_sounds_and_words_have_unit_length_in_one_space(clap):
    heard = clap.hear(tone(rate=RATE))
    words = clap.encode_words(["a bird sings", "loud drum", "slow piano"])

    assert (clap.dim, heard.shape, words.shape) == (12, (12,), (3, 12))
    assert heard.dtype == words.dtype == np.float32
    assert np.linalg.norm(heard) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(words, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert clap.encode_words([]).shape == (0, 12)
    assert abs(float(words[0] @ words[1])) < 0.9999


def test_a_batch_of_words_is_the_same_as_one_by_one_and_the_longest_fits(clap):
    texts = ["bird", "a loud drum sings", "piano " * 500, ""]
    together = clap.encode_words(texts)
    alone = np.concatenate([clap.encode_words([text]) for text in texts])

    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_long_sound_is_heard_the_same_every_time_and_to_its_end(clap):
    noise = np.random.default_rng(0).normal(scale=0.1, size=11 * RATE).astype(np.float32)
    long = np.concatenate([tone(seconds=11, rate=RATE), noise])
    first, second = clap.hear(long), clap.hear(long)

    np.testing.assert_array_equal(first, second)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert float(first @ clap.hear(long[: 10 * RATE])) < 0.99999


def test_what_is_too_little_of_a_window_at_the_end_does_not_count(clap):
    long = tone(seconds=10.5, rate=RATE)
    np.testing.assert_array_equal(clap.hear(long), clap.hear(long[: 10 * RATE]))


def test_the_view_lets_words_reach_sounds(folder, tmp_path):
    media = tmp_path / "media"
    media.mkdir()
    write(media / "low.wav", tone(220))
    write(media / "high.wav", tone(3000))
    settings = Settings(audio_encoder=str(folder), device="cpu")
    view = open_audio_view(catalog(["low.wav", None, "high.wav"], media), settings=settings)

    assert view.words is view.vectors and view.words_by
    assert view.made_by.startswith("CLAP")
    assert view.has.tolist() == [True, False, True]
    assert view.encode_words(["bird"]).shape == (1, view.dim)
    assert view.words[1].tolist() == [0] * view.dim


def test_a_folder_without_a_clap_is_our_error(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="The audio encoder does not load") as caught:
        Clap.from_pretrained(str(tmp_path), device="cpu")
    assert "COLDLENS_AUDIO_ENCODER" in caught.value.fix


def test_other_weights_are_another_encoder(folder, clap, tmp_path):
    other = save_tiny_clap(tmp_path / "other", fusion=True)
    (other / "config.json").write_text((other / "config.json").read_text() + " ")
    assert Clap.from_pretrained(str(other), device="cpu").identity != clap.identity
