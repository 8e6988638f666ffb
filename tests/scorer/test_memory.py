"""What a large catalog must not hold twice."""

import tracemalloc
from dataclasses import replace

import numpy as np
from scipy import sparse

from recsys.recommender import Recommender
from recsys.schema import Dataset, Profile
from recsys.scorer.additive import AdditiveScorer, Known
from tests.toy import ToyEncoder


def test_item_vectors_are_kept_once_and_a_taste_reads_only_what_is_liked(toy_folder: Dataset, toy_encoder: ToyEncoder):
    scorer = Recommender.from_dataset(toy_folder, scorer="additive", encoder=toy_encoder).scorer
    assert isinstance(scorer, AdditiveScorer)
    assert np.shares_memory(scorer.item_vectors, scorer.model.items)
    liked = np.zeros((200_000, scorer.model.liked.shape[1]), np.float32)
    liked[7] = 1.0
    marks = sparse.csr_matrix(([1.0], [7], [0, 1]), shape=(1, len(liked)))
    no_words = np.zeros((1, scorer.model.interests.shape[0]))
    known = Known([Profile()], no_words, np.zeros(1), marks, np.ones(1))
    model = replace(scorer.model, liked=liked, liked_offset=1.0)
    tracemalloc.start()
    taste = known.taste(model)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    nobody = Known([Profile()], no_words, np.zeros(1), sparse.csr_matrix((1, len(liked))), np.zeros(1)).taste(model)
    np.testing.assert_allclose(taste - nobody, 0.5)
    assert peak < liked.nbytes / 2
