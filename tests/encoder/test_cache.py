import numpy as np

from recsys.encoder import CachedEncoder
from tests.toy import ToyEncoder

TEXTS = ["space", "romance", "space", "a female student", "nothing known"]


def test_equals_the_plain_one(toy_encoder: ToyEncoder):
    cached = CachedEncoder(ToyEncoder())
    for _ in range(2):
        np.testing.assert_array_equal(cached.encode(TEXTS), toy_encoder.encode(TEXTS))
    assert cached.encode([]).shape == (0, toy_encoder.dim)
    assert cached.check("space") == toy_encoder.check("space")
    assert (cached.name, cached.identity, cached.dim) == (toy_encoder.name, toy_encoder.identity, toy_encoder.dim)


def test_known_texts_are_not_encoded_again(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder)
    cached.encode(TEXTS)
    cached.encode([*TEXTS, "comedy"])
    assert toy_encoder.encoded == ["space", "romance", "a female student", "nothing known", "comedy"]


def test_memory_is_bounded_and_least_recent_goes_first(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder, size=2)
    cached.encode(["space", "romance"])
    cached.encode(["space"])
    cached.encode(["comedy"])
    cached.encode(["space", "comedy"])
    assert toy_encoder.encoded == ["space", "romance", "comedy"]
    cached.encode(["romance"])
    assert toy_encoder.encoded[-1] == "romance"
    assert len(cached._known) == 2


def test_more_texts_than_memory_in_one_call(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder, size=2)
    np.testing.assert_array_equal(cached.encode(TEXTS), ToyEncoder().encode(TEXTS))
    assert len(cached._known) == 2


def test_bulk_is_not_remembered(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder)
    seen: list[int] = []
    cached.encode(["space"], bulk=True, progress=lambda done, total: seen.append(done))
    cached.encode(["space"])
    assert toy_encoder.encoded == ["space", "space"]
    assert seen == [1]


def test_result_is_a_copy(toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder)
    cached.encode(["space"])[:] = 0
    assert cached.encode(["space"]).any()
