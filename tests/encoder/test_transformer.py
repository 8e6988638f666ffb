from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.encoder import Recipe, TransformerEncoder
from recsys.encoder.folder import locate
from recsys.errors import ConfigError
from recsys.settings import DEFAULT_ENCODER
from recsys.views.text import item_texts
from tests.encoder.tiny import save_xlm_roberta

TEXTS = ["space opera", "a", "A quiet film about a lighthouse keeper and his daughter.", "", "space opera"]


def wrapped(minilm: TransformerEncoder, model: object, recipe: Recipe | None = None) -> TransformerEncoder:
    """Returns MiniLM with another model or recipe in it."""
    return TransformerEncoder(
        model,
        minilm.tokenizer,
        recipe=recipe or minilm.recipe,
        name="wrapped",
        identity="wrapped",
        device=torch.device("cpu"),
        precision="float32",
    )


class Tight:
    """A model that runs out of memory above some rows in a batch."""

    def __init__(self, model: torch.nn.Module, n_rows: int) -> None:
        self._model = model
        self._n_rows = n_rows
        self.config = model.config
        self.failures = 0

    def get_input_embeddings(self) -> torch.nn.Module:
        return self._model.get_input_embeddings()

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
        if len(input_ids) > self._n_rows:
            self.failures += 1
            raise torch.OutOfMemoryError("out of memory")
        return self._model(input_ids=input_ids, attention_mask=attention_mask)


def test_equals_sentence_transformers(minilm: TransformerEncoder, movielens):
    from sentence_transformers import SentenceTransformer

    texts = item_texts(movielens)[::17]
    theirs = SentenceTransformer(str(locate(DEFAULT_ENCODER)), device="cpu").encode(texts, show_progress_bar=False)
    assert len(texts) >= 98
    np.testing.assert_allclose(minilm.encode(texts), theirs, atol=1e-5)


def test_bulk_stays_close_to_float32(minilm: TransformerEncoder):
    cosines = (minilm.encode(TEXTS, bulk=True) * minilm.encode(TEXTS)).sum(1)
    assert cosines.min() > 0.999


def test_order_and_length_are_kept(minilm: TransformerEncoder):
    found = minilm.encode(TEXTS)
    assert found.shape == (5, minilm.dim)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found[::-1], minilm.encode(TEXTS[::-1]), atol=1e-5)
    np.testing.assert_allclose(found[0], found[4], atol=1e-5)


def test_batch_equals_one_by_one(minilm: TransformerEncoder):
    single = np.concatenate([minilm.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(minilm.encode(TEXTS), single, atol=1e-5)


def test_nothing_gives_nothing(minilm: TransformerEncoder):
    assert minilm.encode([]).shape == (0, minilm.dim)
    assert minilm.encode([], bulk=True).shape == (0, minilm.dim)
    assert minilm.encode_tokens([]) == []


def test_progress_ends_at_all(minilm: TransformerEncoder):
    seen: list[tuple[int, int]] = []
    minilm.encode(TEXTS, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)
    assert seen == sorted(seen)


def test_mean_of_tokens_is_the_embedding(minilm: TransformerEncoder):
    means = np.stack([tokens.embeddings.mean(0) for tokens in minilm.encode_tokens(TEXTS)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(means, minilm.encode(TEXTS), atol=1e-5)


def test_offsets_map_pieces_to_the_text(minilm: TransformerEncoder):
    text = "Unquestionably a space-opera."
    (tokens,) = minilm.encode_tokens([text])
    assert tokens.pieces[0] == "[CLS]"
    assert tokens.is_special.tolist() == [True] + [False] * (len(tokens.pieces) - 2) + [True]
    assert tokens.embeddings.shape == (len(tokens.pieces), minilm.dim)
    for piece, (start, end), special in zip(tokens.pieces, tokens.offsets, tokens.is_special, strict=True):
        assert text[start:end].lower() == ("" if special else piece.removeprefix("##"))


def test_prompt_is_put_in_front(minilm: TransformerEncoder):
    prompted = wrapped(minilm, minilm.model, Recipe(prompts={"query": "query: "}, default_prompt="query"))
    np.testing.assert_allclose(prompted.encode(["space"]), minilm.encode(["query: space"]), atol=1e-6)
    (tokens,) = prompted.encode_tokens(["space"])
    at = tokens.pieces.index("space")
    assert tokens.offsets[at].tolist() == [0, 5]
    assert prompted.check("space").n_tokens == minilm.check("query: space").n_tokens
    assert prompted.check("🦑🦑").is_unknown


def test_out_of_memory_halves_the_batch_and_remembers(minilm: TransformerEncoder):
    texts = [f"story number {n} of many" for n in range(40)]
    model = Tight(minilm.model, 5)
    tight = wrapped(minilm, model)
    np.testing.assert_allclose(tight.encode(texts), minilm.encode(texts), atol=1e-5)
    failures = model.failures
    assert failures > 0
    tight.encode(texts)
    assert model.failures == failures


def test_out_of_memory_with_a_single_text_is_not_hidden(minilm: TransformerEncoder):
    with pytest.raises(torch.OutOfMemoryError):
        wrapped(minilm, Tight(minilm.model, 0)).encode(["space"])


@pytest.mark.parametrize("text", ["🦑", "🦑 🐙🐙", ""])
def test_unknown_text(minilm: TransformerEncoder, text: str):
    assert minilm.check(text).is_unknown


@pytest.mark.parametrize("text", ["space", "space 🦑"])
def test_known_text(minilm: TransformerEncoder, text: str):
    found = minilm.check(text)
    assert not found.is_unknown
    assert not found.is_cut


def test_long_text_is_cut(minilm: TransformerEncoder):
    edge = minilm.max_length - 2
    assert not minilm.check("word " * edge).is_cut
    found = minilm.check("word " * (edge + 1))
    assert found.is_cut
    assert found.n_tokens == minilm.max_length + 1
    short, long = minilm.encode(["word " * edge, "word " * (edge + 500)])
    np.testing.assert_allclose(short, long, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "meta"}, "device is not available: 'meta'"),
        ({"device": "abacus"}, "device is not available: 'abacus'"),
        ({"device": "cpu", "precision": "float3"}, "precision is unknown: 'float3'"),
    ],
)
def test_unknown_device_or_precision(options: dict[str, str], message: str):
    with pytest.raises(ConfigError, match=message):
        TransformerEncoder.from_pretrained(DEFAULT_ENCODER, **options)


def test_identity_depends_on_precision(minilm: TransformerEncoder):
    other = TransformerEncoder.from_pretrained(DEFAULT_ENCODER, device="cpu", precision="float16")
    assert other.identity != minilm.identity
    assert other.identity.split("-")[0] == minilm.identity.split("-")[0]


def test_folder_that_does_not_load(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ConfigError, match="does not load"):
        TransformerEncoder.from_pretrained(str(tmp_path), device="cpu")


def test_unknown_name_while_the_hub_is_away(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"cannot be loaded .*'no-such/encoder'"):
        TransformerEncoder.from_pretrained("no-such/encoder", device="cpu")


def test_sentence_pieces_point_into_the_text(tmp_path: Path):
    """XLM-R counts the space before a word as part of the word's first piece."""
    encoder = TransformerEncoder.from_pretrained(str(save_xlm_roberta(tmp_path)), device="cpu")
    text = "科幻电影， quiet  film"
    (found,) = encoder.encode_tokens([text])
    own = [(piece, text[start:end]) for piece, (start, end) in zip(found.pieces, found.offsets, strict=True)]
    assert [pair for pair in own if pair[1].strip() and pair[0] != "▁"] == [
        ("科幻", "科幻"), ("电影", "电影"), ("，", "，"), ("▁quiet", "quiet"), ("▁film", "film")
    ]  # fmt: skip


def test_multilingual_model_equals_sentence_transformers(tmp_path: Path):
    from sentence_transformers import SentenceTransformer

    folder = save_xlm_roberta(tmp_path)
    texts = ["科幻电影", "爱情的电影，a film", "space", "film " * 60]
    theirs = SentenceTransformer(str(folder), device="cpu").encode(
        texts, show_progress_bar=False, normalize_embeddings=True
    )
    np.testing.assert_allclose(
        TransformerEncoder.from_pretrained(str(folder), device="cpu").encode(texts), theirs, atol=1e-5
    )


def test_positions_that_the_padding_token_takes_are_not_read_into(tmp_path: Path):
    """Of 32 positions XLM-R uses 30; a tokenizer that names no limit must not let a long text run past them."""
    encoder = TransformerEncoder.from_pretrained(str(save_xlm_roberta(tmp_path, max_length=None)), device="cpu")
    assert encoder.max_length == 30
    assert np.isfinite(encoder.encode(["film " * 60])).all()
