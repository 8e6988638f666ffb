import numpy as np
import pytest

from recsys.schema import Dataset, Profile
from recsys.scorer import CosineScorer
from recsys.views.text import item_texts
from tests.toy import WORDS, ToyEncoder


@pytest.fixture
def scorer(toy: Dataset, toy_encoder: ToyEncoder) -> CosineScorer:
    return CosineScorer(toy_encoder.encode(item_texts(toy)), dataset=toy, encoder=toy_encoder)


def test_query_is_the_embedding_of_the_sentence(scorer: CosineScorer):
    query = scorer.queries([Profile(gender="F", interests=("space",))])[0]
    expected = np.zeros(len(WORDS))
    expected[[WORDS.index("female"), WORDS.index("space")]] = 0.5**0.5
    np.testing.assert_allclose(query, expected, atol=1e-6)


def test_empty_profile_is_zero(scorer: CosineScorer):
    assert not scorer.queries([Profile()]).any()
    assert scorer.facet_vectors(Profile()).vectors.shape == (0, len(WORDS))


def test_two_interests_share_fairly(scorer: CosineScorer):
    parts = scorer.facet_vectors(Profile(interests=("space", "romance")))
    half = 0.5**0.5
    own, loss = (1 + half) / 2, (half - 1) / 2
    np.testing.assert_allclose(parts.vectors[:, :2], [[own, loss], [loss, own]], atol=1e-6)


@pytest.mark.parametrize(("n", "method"), [(7, "exact"), (8, "first-last")])
def test_method_follows_the_number_of_facets(scorer: CosineScorer, n: int, method: str):
    profile = Profile(interests=tuple(f"space {number}" for number in range(n)))
    assert scorer.facet_vectors(profile).method == method


def test_probability_is_not_known(scorer: CosineScorer):
    assert np.isnan(scorer.probability(np.zeros(3))).all()
