"""What every scorer keeps to."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recsys.privacy import train_private
from recsys.recommender import SCORERS, Recommender
from recsys.schema import Dataset, Profile
from recsys.scorer import Scorer
from recsys.transfer import Balance, Source, carry
from recsys.views.text import item_texts
from tests.toy import ToyEncoder

FULL = Profile(30, "F", {"occupation": "student"}, ("space", "romance"))
LONG = Profile(30, "F", {"occupation": "student"}, ("space", "romance", "comedy", "x", "y"))
PROFILES = [FULL, Profile(), Profile(interests=("comedy",)), LONG, Profile(liked=("03",)), FULL]


@pytest.fixture(params=SCORERS)
def scorer(
    request: pytest.FixtureRequest, toy: Dataset, toy_encoder: ToyEncoder, monkeypatch: pytest.MonkeyPatch
) -> Scorer:
    """How BERT itself learns is seen in tests/finetuning; here the toy encoder stands for what has been trained.

    A private or federated fit is one that is kept; here one without noise, which the toy world is too small for, stands for it.
    So is what was carried over: here from the toy world to itself.
    """
    trained = SimpleNamespace(encoder=ToyEncoder("trained"))
    known = toy_encoder.encode(item_texts(toy))
    private = train_private(toy, known, encoder=toy_encoder, budget=None)[0]
    monkeypatch.setattr("recsys.recommender.opening.open_private", lambda *_, **__: private)
    taught = Source.from_dataset(toy, known, encoder=toy_encoder)
    carried = carry(replace(taught, balance=Balance(2.0, 0.2, 0.4)), toy, known)
    monkeypatch.setattr("recsys.recommender.opening.open_transferred", lambda *_, **__: carried.model)
    monkeypatch.setattr("recsys.recommender.opening.tuned_in_memory", lambda *_, **__: trained)
    found = Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder).scorer
    assert found.name == request.param
    return found


def test_nothing_in_nothing_out(scorer: Scorer):
    assert scorer.queries([]).shape == (0, scorer.item_vectors.shape[1])


def test_order_kept_and_batch_equals_one_by_one(scorer: Scorer):
    together = scorer.queries(PROFILES)
    assert together.shape == (len(PROFILES), scorer.item_vectors.shape[1])
    for row, profile in zip(together, PROFILES, strict=True):
        np.testing.assert_allclose(scorer.queries([profile])[0], row, atol=1e-6)


@pytest.mark.parametrize("profile", PROFILES)
def test_contributions_sum_to_the_query(scorer: Scorer, profile: Profile):
    parts = scorer.facet_vectors(profile)
    assert len(parts.vectors) == len(parts.facets)
    np.testing.assert_allclose(parts.vectors.sum(0), scorer.queries([profile])[0], atol=1e-6)


@pytest.mark.parametrize("profile", [FULL, LONG])
def test_removing_the_strongest_contribution_lowers_the_score(scorer: Scorer, profile: Profile):
    parts = scorer.facet_vectors(profile)
    vectors = np.asarray(scorer.item_vectors, float)
    before = vectors @ scorer.queries([profile])[0]
    best = int(before.argmax())
    values = {facet: float(part @ vectors[best]) for facet, part in zip(parts.facets, parts.vectors, strict=True)}
    strongest = max((facet for facet in parts.facets if facet.kind != "prior"), key=values.__getitem__)
    rest = profile.keeping(facet.key for facet in parts.facets if facet != strongest)
    after = vectors @ scorer.queries([rest])[0]
    assert after[best] < before[best]


def test_probability_has_the_shape_of_the_scores(scorer: Scorer):
    assert scorer.probability(np.zeros((2, 3))).shape == (2, 3)
