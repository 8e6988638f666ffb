"""Without words: items like those that the person likes, in sums that add up."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.encoder import encoder_for
from recsys.errors import ColdlensError
from recsys.evaluation.contenders import LateFusion
from recsys.evaluation.rivals.content import BertCosine
from recsys.evaluation.rivals.protocol import Material
from recsys.privacy import train_private
from recsys.recommender import Recommender
from recsys.schema import Dataset, Profile, VectorsInfo
from recsys.scorer import AdditiveScorer, LikedScorer
from recsys.settings import Settings
from recsys.training import Histories
from tests.toy import toy_dataset

ANGLES = np.linspace(0, np.pi / 2, 12)
LENGTHS = np.linspace(1, 10, 12)
FULL = Profile(30, "F", {"occupation": "student"}, ("space",), ("00", "03"))


def with_vectors(similarity: str, *, alone: bool) -> Dataset:
    """Items on a quarter of a circle, each longer than the one before; alone without people."""
    toy = toy_dataset()
    vectors = LENGTHS[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    info = replace(toy.info, vectors=VectorsInfo(similarity=similarity))
    found = replace(toy, info=info, item_vectors=vectors.astype(np.float32))
    return replace(found, users=toy.users.head(0), interactions=toy.interactions.head(0)) if alone else found


def opened(similarity: str = "cosine", *, alone: bool = True, scorer: str | None = None) -> Recommender:
    return Recommender.from_dataset(with_vectors(similarity, alone=alone), scorer=scorer, views=["text"])


def test_the_score_is_the_mean_cosine_with_the_liked_items():
    found = opened()
    assert isinstance(found.scorer, LikedScorer)

    scores = found.score_all(Profile(liked=("00", "03"))).values

    np.testing.assert_allclose(scores, (np.cos(ANGLES) + np.cos(ANGLES - ANGLES[3])) / 2, atol=1e-6)


def test_by_dot_long_vectors_win():
    scores = opened("dot").score_all(Profile(liked=("11",))).values

    np.testing.assert_allclose(scores, 10 * LENGTHS * np.cos(ANGLES - ANGLES[11]), rtol=1e-5, atol=1e-5)
    order = opened("cosine").recommend(Profile(liked=("04",)), k=2).table["item_id"].tolist()
    assert sorted(order) == ["03", "05"]
    assert opened("dot").recommend(Profile(liked=("04",)), k=2).table["item_id"].tolist()[0] not in ("03", "05")


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("scorer", ["cosine", "additive"])
def test_an_explanation_adds_up_without_words(similarity: str, scorer: str):
    found = opened(similarity, alone=False, scorer=scorer)

    explained = found.explain(FULL, "06")

    assert explained.completeness_error < 1e-6 * max(1, abs(explained.total))
    assert not explained.texts
    assert "its vector" in [line.label for line in explained.matrix.columns]
    assert f"similarity: {similarity}" in explained.method
    assert not found.explainer.can_be_exact(FULL, 6)
    assert {part.facet.key for part in explained.parts if part.contribution} >= {"liked:00", "liked:03"}
    assert [part.contribution for part in explained.parts if part.facet.kind == "interest"] == [0]


def test_what_cannot_be_read_is_said():
    alone = opened()
    said = alone.recommend(FULL, k=2).warnings
    assert any("interests cannot be compared with them and count for nothing" in told for told in said)
    assert not any("every item scores 0" in told for told in said)
    assert any("every item scores 0" in told for told in alone.recommend(Profile(interests=("space",)), k=2).warnings)

    learned = opened(alone=False)
    assert learned.scorer.name == "additive"
    assert not any("every item scores 0" in told for told in learned.recommend(Profile(), k=2).warnings)
    assert alone.reasons(alone.recommend(Profile(liked=("04",)), k=1)) == [
        "Its vector is close to that of Story 04 (1994)"
    ]


def test_the_additive_fit_does_not_depend_on_the_unit_of_dot_vectors():
    """Lengths count, but not whether they are written in metres or in miles: penalties are made for vectors of length 1."""
    one = with_vectors("dot", alone=False)
    assert one.item_vectors is not None
    other = replace(one, item_vectors=np.asarray(one.item_vectors * 1024, np.float32))
    scores = [Recommender.from_dataset(each, views=["text"]).score_all(FULL).values for each in (one, other)]

    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    parts = [
        Recommender.from_dataset(each, views=["text"]).scorer.item_parts(np.arange(12))["text"] for each in (one, other)
    ]
    np.testing.assert_allclose(parts[0], parts[1], atol=1e-6)
    assert np.abs(parts[0]).max() > 1e-3


def test_vectors_of_an_encoder_that_is_named_are_read_and_compared(toy, toy_encoder, monkeypatch):
    monkeypatch.setattr("recsys.encoder.opening.open_encoder", lambda *_, **__: toy_encoder)
    plain = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder, views=["text"])
    info = replace(toy.info, vectors=VectorsInfo("toy"))
    same = replace(toy, info=info, item_vectors=3 * np.asarray(plain.embeddings))
    wrong = replace(same, item_vectors=np.asarray(plain.embeddings)[:, ::-1].copy())
    profile = Profile(interests=("space",))

    read = Recommender.from_dataset(same, scorer="cosine", views=["text"])
    np.testing.assert_allclose(read.score_all(profile).values, plain.score_all(profile).values, atol=1e-6)
    assert read.recommend(profile, k=1).warnings == plain.recommend(profile, k=1).warnings
    assert [one.key for one in read.diagnose()][-1] == "agreement" and not read.diagnose()[-1].is_issue
    assert read.explain(profile, "03").completeness_error < 1e-6

    odd = Recommender.from_dataset(wrong, scorer="cosine", views=["text"])
    assert any("makes others of the same items now" in told for told in odd.recommend(profile, k=1).warnings)
    assert odd.diagnose()[-1].is_issue


def test_an_unknown_liked_item_is_refused():
    with pytest.raises(ColdlensError):
        opened().recommend(Profile(liked=("nope",)), k=1)


def test_the_laboratory_judges_them_without_reading_a_text(toy: Dataset):
    """Every method that would read an interest goes by the liked items alone."""
    dataset = with_vectors("cosine", alone=False)
    came = encoder_for(dataset, Settings())
    material = Material(Histories.from_dataset(dataset), np.asarray(came.item_vectors), came)
    profiles = [Profile(liked=("00", "03")), FULL, Profile(interests=("space",))]
    wanted = (np.cos(ANGLES) + np.cos(ANGLES - ANGLES[3])) / 2

    late = LateFusion("late fusion, text alone", views=()).fit(material, {}).scores(profiles)
    np.testing.assert_allclose(late[:2], [wanted, wanted], atol=1e-6)
    for what in ("sentence", "interests", "liked", "interests and liked"):
        scores = BertCosine().fit(material, {"what": what}).scores(profiles)
        np.testing.assert_allclose(scores[0] / scores[0].max(), wanted / wanted.max(), atol=1e-6)
        assert (scores[0] == scores[1]).all() and np.isnan(scores[2]).all()
    model = train_private(dataset, np.asarray(came.item_vectors), encoder=came, budget=None)[0]
    assert not AdditiveScorer(model, dataset=dataset, encoder=came).texts(FULL)
