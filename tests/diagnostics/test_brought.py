"""What is odd about vectors that came with a dataset."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.diagnostics import Finding
from recsys.recommender import Recommender
from recsys.schema import Dataset, VectorsInfo


def findings(toy: Dataset, vectors: np.ndarray, similarity: str = "cosine") -> dict[str, Finding]:
    info = replace(toy.info, vectors=VectorsInfo(similarity=similarity))
    found = Recommender.from_dataset(replace(toy, info=info, item_vectors=vectors.astype(np.float32)), views=["text"])
    return {one.key: one for one in found.diagnose()}


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((12, 6)) + 0.1


def test_nothing_is_said_of_texts_that_nobody_read(toy: Dataset, vectors: np.ndarray):
    found = findings(toy, vectors)

    assert set(found) == {"hubness", "duplicates", "anisotropy", "outliers", "categories", "lengths"}
    assert not any("text" in f"{one.meaning} {one.advice}".lower() for one in found.values())


@pytest.mark.parametrize(
    ("similarity", "told", "is_issue"),
    [("cosine", "which count for nothing here", False), ("dot", "scores twice as high", True)],
)
def test_a_long_vector_matters_by_dot_alone(
    toy: Dataset, vectors: np.ndarray, similarity: str, told: str, is_issue: bool
):
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[4] *= 50
    found = findings(toy, vectors, similarity)["lengths"]

    assert told in found.meaning and found.is_issue == is_issue
    assert found.items["item_id"].iloc[0] == "04" and found.items["length"].iloc[0] == 50
    assert found.figures["longest"] == 50 and found.figures["median"] == pytest.approx(1)


def test_lengths_that_follow_the_likes_are_told(toy: Dataset, vectors: np.ndarray):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = findings(toy, unit * (1 + toy.popularity[:, None]), "dot")["lengths"]

    assert found.figures["with popularity"] == pytest.approx(1)
    even = findings(toy, unit, "dot")["lengths"]
    assert "rank alike" in even.meaning and even.figures["with popularity"] == 0


def test_items_without_a_vector_are_counted(toy: Dataset, vectors: np.ndarray):
    vectors[3:5] = 0

    found = findings(toy, vectors)["lengths"]

    assert found.is_issue and found.figures["without a vector"] == 2


def test_the_same_vector_twice_is_a_duplicate(toy: Dataset, vectors: np.ndarray):
    vectors[7] = 3 * vectors[2]

    found = findings(toy, vectors)["duplicates"]

    assert sorted(found.items["item_id"]) == ["02", "07"]
    assert "2 items in 1 groups have vectors that are all but the same" in found.meaning
