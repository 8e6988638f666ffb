"""Static encoders against the package whose format they are in, and against the mean worked out here."""

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.encoder import StaticEncoder, TransformerEncoder, open_encoder
from recsys.errors import ConfigError
from recsys.explanation import can_assemble
from tests.encoder.tiny import WORDS, save_bert, save_static

TEXTS = [
    "space opera",
    "space 🦑 opera",
    "a quiet film about space",
    "film film a",
    "a a a film about a quiet space opera",
]


@pytest.mark.parametrize("more", [{}, {"weights": True}, {"weights": True, "mapping": True}, {"max_length": 3}])
def test_equals_model2vec(tmp_path: Path, more: dict[str, object]):
    from model2vec import StaticModel

    save_static(tmp_path, **more)
    theirs = StaticModel.from_pretrained(tmp_path).encode(TEXTS)
    found = open_encoder(str(tmp_path))
    assert isinstance(found, StaticEncoder)
    np.testing.assert_allclose(found.encode(TEXTS), theirs, atol=1e-6)


def test_is_the_mean_of_known_tokens(tmp_path: Path):
    encoder = open_encoder(str(save_static(tmp_path)))
    table = encoder.table[[WORDS.index("space"), WORDS.index("film")]]
    assert not encoder.table[WORDS.index("[UNK]")].any()
    mean = table.mean(axis=0)
    np.testing.assert_allclose(encoder.encode(["space 🦑 film"])[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert not encoder.encode(["🦑", ""]).any()


def test_token_embeddings_sum_to_the_embedding(tmp_path: Path):
    encoder = open_encoder(str(save_static(tmp_path)))
    text = "space 🦑 opera"
    (tokens,) = encoder.encode_tokens([text])
    assert can_assemble(encoder)
    assert [text[start:end] for start, end in tokens.offsets] == ["space", "🦑", "opera"]
    assert tokens.pieces == ("space", "[UNK]", "opera")
    whole = tokens.embeddings.sum(0)
    np.testing.assert_allclose(whole / np.linalg.norm(whole), encoder.encode([text])[0], atol=1e-6)
    assert encoder.encode_tokens([]) == []
    assert encoder.encode_tokens([""])[0].embeddings.shape == (0, 8)


def test_many_texts_in_several_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encoder = open_encoder(str(save_static(tmp_path)))
    whole = encoder.encode(TEXTS)
    monkeypatch.setattr("recsys.encoder.static._CHUNK", 2)
    seen: list[int] = []
    np.testing.assert_array_equal(encoder.encode(TEXTS, progress=lambda done, total: seen.append(done)), whole)
    assert seen == [2, 4, 5]


def test_a_transformer_is_not_static(tmp_path: Path):
    assert isinstance(open_encoder(str(save_bert(tmp_path)), device="cpu"), TransformerEncoder)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_there_is_nothing_to_speed_up(tmp_path: Path, precision: str):
    with pytest.raises(ConfigError, match=f"no such precision: '{precision}'"):
        open_encoder(str(save_static(tmp_path)), device="cpu", precision=precision)


def test_unknown_device_or_precision_is_told_for_a_static_encoder_too(tmp_path: Path):
    save_static(tmp_path)
    with pytest.raises(ConfigError, match="device is not available"):
        open_encoder(str(tmp_path), device="abacus")
    with pytest.raises(ConfigError, match="precision is unknown"):
        open_encoder(str(tmp_path), precision="float3")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"no tensors", "weights cannot be read"),
        ("model.safetensors", None, "weights cannot be read"),
        ("tokenizer.json", b"{", "tokenizer does not load"),
        ("config.json", b"{", "cannot be read"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes | None, message: str):
    save_static(tmp_path)
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        open_encoder(str(tmp_path), device="cpu")


def test_tables_that_do_not_fit(tmp_path: Path):
    from safetensors.numpy import save_file

    save_static(tmp_path)
    save_file({"embeddings": np.zeros((3, 8), np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="lacks vectors for some tokens"):
        open_encoder(str(tmp_path))
    save_file({"other": np.zeros((12, 8), np.float32)}, tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="no token vectors"):
        open_encoder(str(tmp_path))


def test_no_limit(tmp_path: Path):
    encoder = open_encoder(str(save_static(tmp_path, max_length=None)))
    assert not encoder.check("film " * 900).is_cut
    assert json.loads((tmp_path / "config.json").read_text())["max_length"] is None
    first, second = encoder.encode(["film " * 600, "film " * 600 + "space"])
    assert np.abs(first - second).max() > 1e-5
