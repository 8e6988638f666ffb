"""The assembly from output tokens: an exact sum, whatever it is worth."""

import pytest

from recsys.explanation import assemble, can_assemble
from recsys.recommender import Recommender
from recsys.schema import Profile
from tests.toy import ToyEncoder


@pytest.mark.parametrize("scorer", ["cosine", "additive"])
@pytest.mark.parametrize("text", ["science fiction", "naïve café", "科幻 和 爱情", "(noir)!"])
def test_the_cells_add_up_to_the_text_part_of_the_score(movielens, minilm, scorer, text):
    recommender = Recommender.from_dataset(movielens, scorer=scorer, encoder=minilm)
    (own,) = recommender.scorer.texts(Profile(interests=(text,)))
    item_text = recommender.explainer.item_texts[7]

    found = assemble(minilm, own.text, own.map, item_text, recommender.scorer.item_map)

    left, right = own.map(minilm.encode([own.text])), recommender.scorer.item_map(minilm.encode([item_text]))
    assert found.total == pytest.approx(float((left @ right.T)[0, 0]), abs=1e-6)
    assert found.values.shape == (len(found.rows), len(found.columns))


def test_an_encoder_without_tokens_cannot_be_assembled(minilm):
    assert can_assemble(minilm)
    assert not can_assemble(ToyEncoder())
