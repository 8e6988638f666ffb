"""What every kind of encoder promises, whatever it is made of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recsys.encoder import MULTILINGUAL, CachedEncoder, Encoder, open_encoder
from tests.encoder.tiny import save_bert, save_gpt2, save_qwen, save_static, save_xlm_roberta

TEXTS = ["space opera", "", "a quiet film about space", "film", "space opera", "a a a film about a quiet space opera"]
KINDS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "bert": (save_bert, "float32"),
    "bert in bfloat16": (save_bert, "bfloat16"),
    "bert in int8": (save_bert, "int8"),
    "decoder": (save_gpt2, "float32"),
    "decoder in bfloat16": (save_qwen, "bfloat16"),
    "static": (save_static, "float32"),
    "multilingual BERT": (save_xlm_roberta, "float32"),
    "universal": (lambda folder: Path(MULTILINGUAL), "float32"),
}


@pytest.fixture(params=KINDS, scope="module")
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    save, precision = KINDS[request.param]
    return open_encoder(str(save(tmp_path_factory.mktemp("encoder"))), device="cpu", precision=precision)


@pytest.mark.parametrize("bulk", [False, True])
def test_nothing_in_nothing_out(encoder: Encoder, bulk: bool):
    assert encoder.encode([], bulk=bulk).shape == (0, encoder.dim)


@pytest.mark.parametrize("bulk", [False, True])
def test_order_type_and_length(encoder: Encoder, bulk: bool):
    found = encoder.encode(TEXTS, bulk=bulk)
    assert (found.shape, found.dtype) == ((len(TEXTS), encoder.dim), np.float32)
    lengths = np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(lengths[[0, 2, 3, 4, 5]], 1, atol=1e-5)
    np.testing.assert_allclose(found[0], found[4], atol=1e-5)
    np.testing.assert_allclose(found[::-1], encoder.encode(TEXTS[::-1], bulk=bulk), atol=0.01)
    assert abs(float(found[0] @ found[3])) < 0.9999


def test_batch_equals_one_by_one(encoder: Encoder):
    single = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode(TEXTS), single, atol=1e-5)


def test_bulk_is_close_to_what_profiles_get(encoder: Encoder):
    known = [text for text in TEXTS if text]
    assert (encoder.encode(known, bulk=True) * encoder.encode(known)).sum(1).min() > 0.995


@pytest.mark.parametrize("bulk", [False, True])
def test_progress_ends_at_all(encoder: Encoder, bulk: bool):
    seen: list[tuple[int, int]] = []
    encoder.encode(TEXTS, bulk=bulk, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(TEXTS), len(TEXTS))


def test_what_it_can_make_of_a_text(encoder: Encoder):
    assert not encoder.check("space 🦑").is_unknown
    assert encoder.check("🦑 🐙").is_unknown
    assert encoder.check("").is_unknown
    assert encoder.check("film " * 40).is_cut == (encoder.name != MULTILINGUAL)
    assert not encoder.check("film").is_cut
    assert encoder.check("film " * 40).n_tokens >= 40


def test_the_end_of_a_text_is_read_unless_it_is_cut(encoder: Encoder):
    long = "film about " * 20
    ends = [long + "space", long + "opera"]
    is_cut = encoder.check(long).is_cut
    assert np.allclose(*encoder.encode(ends), atol=1e-6) == is_cut
    assert np.allclose(*encoder.encode(["film about space", "film about opera"]), atol=1e-6) is False


def test_a_memory_can_be_put_around_it(encoder: Encoder):
    cached = CachedEncoder(encoder)
    np.testing.assert_allclose(cached.encode(TEXTS), encoder.encode(TEXTS), atol=1e-5)
    assert (cached.dim, cached.identity, cached.name) == (encoder.dim, encoder.identity, encoder.name)


def test_it_answers_several_threads_as_it_answers_one(encoder: Encoder):
    expected = encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: encoder.encode(TEXTS), range(12)):
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_identity_follows_the_files(encoder: Encoder):
    if encoder.name == MULTILINGUAL:
        pytest.skip("its files belong to a package, whose digest is checked when it is opened")
    folder = Path(encoder.name)
    again = open_encoder(str(folder), device="cpu", precision=encoder.identity.split("-")[-1])
    assert again.identity == encoder.identity
    config = folder / "config.json"
    config.write_text(config.read_text() + " ")
    changed = open_encoder(str(folder), device="cpu", precision=encoder.identity.split("-")[-1])
    assert changed.identity != encoder.identity
