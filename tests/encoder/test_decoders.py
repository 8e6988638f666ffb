"""Decoders as encoders: GPT-2, Qwen2 and Qwen3, random and tiny, with tokenizers of bytes as the real ones have."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.encoder import TransformerEncoder
from recsys.encoder.saving import save_encoder
from tests.encoder.tiny import add_modules, save_byte_tokenizer, save_gpt2, save_qwen, save_qwen2

DECODERS: dict[str, Callable[[Path], Path]] = {"gpt2": save_gpt2, "qwen2": save_qwen2, "qwen3": save_qwen}
TEXTS = ["space opera", "a", "", "a quiet film about space", "电影 🦑", "film " * 40]


@pytest.fixture(params=[("gpt2", False), ("qwen2", True), ("qwen3", False), ("qwen3", True)], ids=str, scope="module")
def decoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TransformerEncoder:
    """With and without an end mark that the tokenizer sets behind every text, as that of Qwen3-Embedding does."""
    kind, ends = request.param
    folder = DECODERS[kind](tmp_path_factory.mktemp("decoder"))
    save_byte_tokenizer(folder, ends=ends)
    return TransformerEncoder.from_pretrained(str(folder), device="cpu", precision="float32")


def test_the_last_token_is_pooled_and_nothing_is_kept_for_generating(decoder: TransformerEncoder):
    assert decoder.pooling == "lasttoken"
    assert decoder.model.config.use_cache is False


def test_texts_beside_which_it_is_padded_change_nothing(decoder: TransformerEncoder):
    single = np.concatenate([decoder.encode([text]) for text in TEXTS])

    np.testing.assert_allclose(decoder.encode(TEXTS), single, atol=1e-5)
    np.testing.assert_allclose(decoder.encode(TEXTS, bulk=True), single, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(single, axis=1), 1, atol=1e-5)


def test_it_is_the_last_hidden_state_of_the_text_alone(decoder: TransformerEncoder):
    """Straight through transformers, one text at a time and so without any padding."""
    for text in (text for text in TEXTS if text):
        ids = decoder.tokenizer(text, truncation=True, max_length=decoder.max_length, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            last = decoder.model(input_ids=ids).last_hidden_state[0, -1].numpy()
        np.testing.assert_allclose(decoder.encode([text])[0], last / np.linalg.norm(last), atol=1e-5)


def test_a_tokenizer_that_pads_on_the_left_changes_nothing(decoder: TransformerEncoder):
    before = decoder.encode(TEXTS)
    decoder.tokenizer.padding_side = "left"
    try:
        np.testing.assert_allclose(decoder.encode(TEXTS), before, atol=1e-6)
    finally:
        decoder.tokenizer.padding_side = "right"


def test_tokens_know_their_characters_and_the_last_one_is_the_embedding(decoder: TransformerEncoder):
    texts = [text for text in TEXTS if text]
    for text, tokens, whole in zip(texts, decoder.encode_tokens(texts), decoder.encode(texts), strict=True):
        last = tokens.embeddings[-1]
        np.testing.assert_allclose(last / np.linalg.norm(last), whole, atol=1e-5)
        assert len(tokens.pieces) == len(tokens.offsets) == len(tokens.is_special) == len(tokens.embeddings)
        own = tokens.offsets[~tokens.is_special]
        assert (own[:, 0] <= own[:, 1]).all() and (np.diff(own[:, 0]) >= 0).all() and own.max() <= len(text)
        covered = {place for start, end in own for place in range(start, end)}
        if not decoder.check(text).is_cut:
            assert {text[place] for place in set(range(len(text))) - covered} <= {" "}
    assert decoder.encode_tokens([""])[0].embeddings.shape[1] == decoder.dim


def test_every_text_but_an_empty_one_is_known_as_bytes(decoder: TransformerEncoder):
    assert not any(decoder.check(text).is_unknown for text in TEXTS if text)
    assert decoder.check("").is_unknown
    assert decoder.check("film " * 40).is_cut and not decoder.check("film").is_cut


def test_a_padding_token_that_the_model_has_no_vector_for_is_not_used(tmp_path: Path):
    """Tokenizers of decoders are often given one by hand, and the model is not."""
    folder = save_gpt2(tmp_path)
    save_byte_tokenizer(folder, ends=False)
    plain = TransformerEncoder.from_pretrained(str(folder), device="cpu", precision="float32")
    before = plain.encode([*TEXTS[:2], TEXTS[3]])
    plain.tokenizer.add_tokens([f"<{number}>" for number in range(300)])
    plain.tokenizer.add_special_tokens({"pad_token": "<pad>"})

    assert plain.tokenizer.pad_token_id > 290
    np.testing.assert_allclose(plain.encode([*TEXTS[:2], TEXTS[3]]), before, atol=1e-6)
    assert plain.encode([""]).shape == (1, 16)


def test_a_prompt_stands_in_front_of_every_text_and_in_the_identity(tmp_path: Path):
    def opened(name: str, **more: object) -> TransformerEncoder:
        folder = save_qwen(tmp_path / name)
        save_byte_tokenizer(folder, ends=True)
        add_modules(folder, {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}, more=more)
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
        return TransformerEncoder.from_pretrained(str(folder), device="cpu", precision="float32")

    prompts = {"query": "a quiet film: ", "document": ""}
    bare, prompted = opened("bare", prompts=prompts), opened("prompted", prompts=prompts, default_prompt_name="query")

    assert (
        len(
            {
                bare.identity,
                prompted.identity,
                opened("other", prompts=prompts, default_prompt_name="document").identity,
            }
        )
        == 3
    )
    assert bare.identity == opened("again", prompts=prompts).identity
    np.testing.assert_allclose(
        prompted.encode(TEXTS[:2]), bare.encode([f"a quiet film: {text}" for text in TEXTS[:2]]), atol=1e-5
    )
    assert np.abs(prompted.encode(TEXTS[:2]) - bare.encode(TEXTS[:2])).max() > 1e-3
    single = np.concatenate([prompted.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(prompted.encode(TEXTS), single, atol=1e-5)
    [tokens] = prompted.encode_tokens(["space"])
    shown = ["space"[start:end] for start, end in tokens.offsets if start < end]
    assert "".join(shown) == "space"  # what belongs to the prompt has no place in the text


def test_sentence_transformers_gives_the_same(tmp_path: Path):
    from sentence_transformers import SentenceTransformer

    folder = save_qwen(tmp_path / "qwen")
    save_byte_tokenizer(folder, ends=True, pads=True)
    more = {"prompts": {"query": "a film: "}, "default_prompt_name": "query", "similarity_fn_name": "cosine"}
    add_modules(folder, {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}, more=more)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
    ours = TransformerEncoder.from_pretrained(str(folder), device="cpu", precision="float32")
    theirs = SentenceTransformer(str(folder), device="cpu")

    texts = [text for text in TEXTS if text]
    np.testing.assert_allclose(ours.encode(texts), theirs.encode(texts), atol=1e-5)

    save_encoder(ours, made := tmp_path / "made")
    again = TransformerEncoder.from_pretrained(str(made), device="cpu", precision="float32")
    np.testing.assert_allclose(again.encode(texts), ours.encode(texts), atol=1e-6)
