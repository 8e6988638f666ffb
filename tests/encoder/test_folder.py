"""Tiny random encoders on disk, each compared to sentence-transformers or to a pooling worked out here."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.encoder import MULTILINGUAL, Recipe, TransformerEncoder, open_encoder
from recsys.encoder import folder as folders
from recsys.encoder.folder import identity_of, locate, read_recipe
from recsys.errors import ConfigError, MissingExtraError
from recsys.settings import DEFAULT_ENCODER
from tests.encoder.tiny import MODULES, add_modules, save_bert, save_gpt2

TEXTS = ["space opera", "a quiet film about space", "film", "opera film space a a quiet"]


@pytest.fixture
def tiny_bert(tmp_path: Path) -> Path:
    return save_bert(tmp_path)


@pytest.fixture
def tiny_gpt2(tmp_path: Path) -> Path:
    return save_gpt2(tmp_path)


def theirs(folder: Path, texts: list[str]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    found: np.ndarray = SentenceTransformer(str(folder), device="cpu").encode(texts, show_progress_bar=False)
    return found


def ours(folder: Path, texts: list[str]) -> np.ndarray:
    return TransformerEncoder.from_pretrained(str(folder), device="cpu").encode(texts)


def last_states(folder: Path, text: str) -> np.ndarray:
    """Returns the token embeddings of one text, computed with transformers alone."""
    from transformers import AutoModel, AutoTokenizer

    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.no_grad():
        model = AutoModel.from_pretrained(folder).eval()
        return (
            model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state[0].numpy()
        )


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize(
    ("pooling", "name"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False}, "max"),
        ({"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}, "lasttoken"),
    ],
)
def test_pooling_equals_sentence_transformers(tiny_bert: Path, pooling: dict[str, object], name: str):
    add_modules(tiny_bert, pooling)
    assert read_recipe(tiny_bert) == Recipe(pooling=name, normalize=True, max_length=5)
    np.testing.assert_allclose(ours(tiny_bert, TEXTS), theirs(tiny_bert, TEXTS), atol=1e-5)


def test_new_pooling_config_is_read(tiny_bert: Path):
    add_modules(tiny_bert, {"pooling_mode": "cls"})
    assert read_recipe(tiny_bert).pooling == "cls"


def test_decoder_takes_the_last_token(tiny_gpt2: Path):
    assert read_recipe(tiny_gpt2).pooling == "lasttoken"
    expected = np.stack([unit(last_states(tiny_gpt2, text)[-1]) for text in TEXTS])
    np.testing.assert_allclose(ours(tiny_gpt2, TEXTS), expected, atol=1e-5)


def test_decoder_survives_an_empty_text(tiny_gpt2: Path):
    found = ours(tiny_gpt2, ["", "space"])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    encoder = TransformerEncoder.from_pretrained(str(tiny_gpt2), device="cpu")
    assert [len(tokens.pieces) for tokens in encoder.encode_tokens(["", "space"])] == [0, 1]
    assert encoder.encode_tokens([""])[0].embeddings.shape == (0, 16)


def test_plain_bert_takes_the_mean(tiny_bert: Path):
    expected = np.stack([unit(last_states(tiny_bert, text).mean(0)) for text in TEXTS])
    np.testing.assert_allclose(ours(tiny_bert, TEXTS), expected, atol=1e-5)


def test_default_prompt_is_in_front(tiny_bert: Path):
    add_modules(tiny_bert, {"pooling_mode_mean_tokens": True})
    plain = ours(tiny_bert, ["query : space"])
    prompts = {"prompts": {"query": "query : ", "other": "film "}, "default_prompt_name": "query"}
    (tiny_bert / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    assert read_recipe(tiny_bert).prefix == "query : "
    np.testing.assert_allclose(ours(tiny_bert, ["space"]), plain, atol=1e-6)
    np.testing.assert_allclose(ours(tiny_bert, ["space"]), theirs(tiny_bert, ["space"]), atol=1e-5)


def test_part_that_cannot_be_computed(tiny_bert: Path):
    add_modules(tiny_bert, {"pooling_mode_mean_tokens": True})
    modules = json.loads((tiny_bert / "modules.json").read_text())
    modules[2]["type"] = MODULES + "Dense"
    (tiny_bert / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ConfigError, match="cannot be computed: Dense"):
        read_recipe(tiny_bert)


@pytest.mark.parametrize("pooling", [{"pooling_mode": "weightedmean"}, {"pooling_mode": ["mean", "cls"]}])
def test_pooling_that_cannot_be_computed(tiny_bert: Path, pooling: dict[str, object]):
    add_modules(tiny_bert, pooling)
    with pytest.raises(ConfigError, match="pooling cannot be computed"):
        read_recipe(tiny_bert)


@pytest.mark.parametrize("text", ["{", "3", "[1]", '[{"idx": 0}]'])
def test_damaged_modules_file(tiny_bert: Path, text: str):
    (tiny_bert / "modules.json").write_text(text)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_recipe(tiny_bert)


def test_identity_follows_weights_and_recipe(tiny_bert: Path):
    first = identity_of(tiny_bert, Recipe())
    assert first == identity_of(tiny_bert, Recipe())
    assert first != identity_of(tiny_bert, Recipe(pooling="cls"))
    weights = tiny_bert / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert first != identity_of(tiny_bert, Recipe())


def test_altered_packaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch):
    for name, package in list(folders.PACKAGED.items()):
        monkeypatch.setitem(folders.PACKAGED, name, replace(package, sha256="0" * 64))
        with pytest.raises(ConfigError, match=f"damaged or altered.*Install {package.requirement}"):
            locate(name)


def test_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    package = replace(folders.PACKAGED[DEFAULT_ENCODER], module="no_such_package")
    monkeypatch.setitem(folders.PACKAGED, DEFAULT_ENCODER, package)
    with pytest.raises(ConfigError, match="not installed: 'no_such_package'"):
        locate(DEFAULT_ENCODER)


def test_encoder_of_an_extra_that_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    package = replace(folders.PACKAGED[MULTILINGUAL], module="no_such_package")
    monkeypatch.setitem(folders.PACKAGED, MULTILINGUAL, package)
    with pytest.raises(MissingExtraError, match=rf"not installed: '{MULTILINGUAL}'.*coldlens\[multilingual\]"):
        open_encoder(MULTILINGUAL)
