"""Vectors in the place of an encoder: lengths, similarities, and texts only where it is known what made them."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.encoder import BroughtVectors, CachedEncoder, brought, encoder_for, open_encoder, reads_text
from recsys.errors import ConfigError, DataError
from recsys.schema import Dataset, VectorsInfo
from recsys.settings import Settings
from recsys.views.embeddings import embed_items
from recsys.views.text import item_texts
from tests.toy import ToyEncoder

ROWS = np.array([[3.0, 4.0], [0.0, 0.5], [0.0, 0.0]], np.float32)


def own(similarity: str = "cosine", rows: np.ndarray = ROWS, reader: ToyEncoder | None = None) -> BroughtVectors:
    return BroughtVectors(rows, similarity=similarity, key="k", reader=reader)


def test_cosine_takes_the_lengths_away_and_dot_keeps_them_and_both_say_so():
    cosine, dot = own(), own("dot")

    assert cosine.item_vectors.dtype == np.float32
    np.testing.assert_allclose(cosine.item_vectors, [[0.6, 0.8], [0, 1], [0, 0]], rtol=1e-6)
    assert (dot.item_vectors == ROWS).all()
    assert cosine.description == "similarity: cosine, lengths 0.5 to 5 (brought to 1)"
    assert dot.description == "similarity: dot, lengths 0.5 to 5"
    assert own(rows=ROWS[[1, 1]] * 2).description == "similarity: cosine, lengths 1 to 1"
    assert own("dot", ROWS[[0, 0]]).description == "similarity: dot, lengths 5 to 5"
    assert cosine.scale == 1
    assert dot.scale == pytest.approx(np.sqrt((25 + 0.25 + 0) / 3))


def test_without_its_encoder_a_text_is_refused_and_no_text_needs_none():
    came = own()

    assert not reads_text(came) and not reads_text(CachedEncoder(came))
    assert brought(CachedEncoder(came)) is came
    assert came.encode([]).shape == (0, 2)
    assert came.check("space").is_unknown
    with pytest.raises(
        ConfigError, match="A text cannot be compared with vectors whose encoder is not known: 'space'. Name"
    ):
        came.encode(["space"])


def test_with_its_encoder_texts_are_read_by_that(toy_encoder: ToyEncoder):
    came = own(rows=np.eye(8, dtype=np.float32), reader=toy_encoder)

    assert reads_text(came)
    assert (came.encode(["space"]) == toy_encoder.encode(["space"])).all()
    assert not came.check("space").is_unknown and came.check("zzz").is_unknown
    assert came.name == "vectors that came with the dataset, made by toy"
    assert reads_text(toy_encoder) and brought(toy_encoder) is None


def test_the_identity_tells_vectors_similarities_and_encoders_apart(toy: Dataset):
    def identity(vectors: np.ndarray, info: VectorsInfo, reader: ToyEncoder | None = None) -> str:
        dataset = replace(toy, item_vectors=vectors, info=replace(toy.info, vectors=info))
        return BroughtVectors.from_dataset(dataset, reader=reader).identity

    vectors = np.ones((12, 8), np.float32)
    first = identity(vectors, VectorsInfo())
    others = [
        identity(vectors * 2, VectorsInfo()),
        identity(vectors, VectorsInfo(similarity="dot")),
        identity(vectors, VectorsInfo("toy"), ToyEncoder()),
        identity(vectors, VectorsInfo("toy"), ToyEncoder("toy-2")),
        identity(vectors[:, :4], VectorsInfo()),
    ]
    assert len({first, *others}) == 6
    assert identity(vectors, VectorsInfo()) == first


def test_agreement_is_the_cosine_with_what_the_encoder_makes_now(toy: Dataset, toy_encoder: ToyEncoder):
    texts = item_texts(toy)
    made = toy_encoder.encode(texts)

    assert own(rows=7 * made, reader=toy_encoder).agreement(texts) == pytest.approx(1)
    assert own(rows=made[:, ::-1].copy(), reader=toy_encoder).agreement(texts) < 0.5
    assert np.isnan(own().agreement(texts))
    assert np.isnan(own(rows=np.zeros((12, 8), np.float32), reader=toy_encoder).agreement(texts))


def test_the_door_opens_no_encoder_unless_one_is_named(toy: Dataset, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []

    def note(name: str, **_: str) -> ToyEncoder:
        opened.append(name)
        return ToyEncoder()

    monkeypatch.setattr("recsys.encoder.opening.open_encoder", note)
    vectors = np.ones((12, 8), np.float32)

    came = encoder_for(replace(toy, item_vectors=vectors), Settings(encoder="default"))
    assert isinstance(came, BroughtVectors) and came.reader is None and opened == []
    assert (embed_items(toy, came)[0] == came.item_vectors).all()

    named = replace(toy, item_vectors=vectors, info=replace(toy.info, vectors=VectorsInfo("theirs")))
    assert reads_text(encoder_for(named, Settings(encoder="default"))) and opened == ["theirs"]

    encoder_for(toy, Settings(encoder="default"))
    assert opened == ["theirs", "default"]
    with pytest.raises(
        ConfigError, match="The encoder makes vectors of 8 numbers, and those of the dataset have 3: 'toy'"
    ):
        encoder_for(replace(named, item_vectors=vectors[:, :3]), Settings())
    with pytest.raises(DataError, match="No vectors came with this dataset: 'toy'"):
        BroughtVectors.from_dataset(toy)
    assert open_encoder is not note
