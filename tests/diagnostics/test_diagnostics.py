"""Planted faults are found, by name; a clean catalog is left in peace."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.diagnostics import LsaEncoder, compare_encoders, diagnose
from recsys.diagnostics.findings import duplicates
from recsys.encoder import TextCheck
from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import Dataset, DatasetInfo
from tests.toy import ToyEncoder

N = 600


class Lengths:
    """Reads forty words."""

    def check(self, text):
        return TextCheck(len(text.split()), len(text.split()) > 40, not text)


def catalog(texts: list[str]) -> Dataset:
    items = pd.DataFrame(
        {
            "item_id": [f"{n:04d}" for n in range(len(texts))],
            "title": texts,
            "categories": [(("even",) if n % 2 == 0 else ("odd",)) for n in range(len(texts))],
        }
    )
    users = pd.DataFrame({"user_id": []}, dtype=str)
    interactions = pd.DataFrame({"user_id": [], "item_id": []}, dtype=str)
    return Dataset("planted", DatasetInfo(title="Planted"), items, users, interactions)


@pytest.fixture
def clean():
    """Even and odd items around two directions, in 40 dimensions."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((N, 40)) + 3.0 * np.eye(40)[np.arange(N) % 2]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"item number {n}" for n in range(N)]
    return vectors.astype(np.float32), texts


def findings(vectors, texts, scores=None):
    return {found.key: found for found in diagnose(catalog(texts), vectors, texts, Lengths(), scores)}


def test_a_clean_catalog_has_no_duplicates_no_cut_no_tiny_texts_and_separate_categories(clean):
    found = findings(*clean)

    assert not any(found[key].is_issue for key in ("duplicates", "cut texts", "tiny texts", "categories", "anisotropy"))
    assert found["duplicates"].items.empty


def test_a_hundred_planted_duplicates_are_found_in_their_groups(clean):
    vectors, texts = clean
    for copy in range(100):
        vectors[500 + copy] = vectors[copy // 2]  # fifty originals, two copies each

    found = findings(vectors, texts)["duplicates"]

    assert found.is_issue
    assert (found.figures["groups"], found.figures["items"], found.figures["pairs"]) == (50, 150, 150)
    groups = found.items.groupby("group")["item_id"].apply(set)
    assert {"0000", "0500", "0501"} in list(groups)


def test_duplicates_are_joined_across_blocks_and_not_by_the_pairs_of_one_block_alone():
    n = 2500
    vectors = np.eye(n, 3000, dtype=np.float32)
    vectors[[3, 1100, 2400]] = vectors[0]
    vectors[[5, 2300]] = vectors[4]

    found = duplicates(catalog([f"item {row}" for row in range(n)]), np.arange(n), vectors)

    groups = found.items.groupby("group")["item_id"].apply(set)
    assert list(groups) == [{"0000", "0003", "1100", "2400"}, {"0004", "0005", "2300"}]
    assert found.figures["pairs"] == 6 + 3


def test_a_sample_is_called_a_sample(clean, monkeypatch):
    monkeypatch.setattr("recsys.diagnostics.findings._MOST", 300)

    found = findings(*clean)

    told = "Judged by a sample of 300 of the 600 items."
    assert {key for key in found if told in found[key].meaning} == {
        "hubness", "duplicates", "anisotropy", "outliers", "categories",
    }  # fmt: skip


def test_twenty_planted_empty_texts_are_found(clean):
    vectors, texts = clean
    for row in range(20):
        texts[row * 7] = ""

    found = findings(vectors, texts)["tiny texts"]

    assert found.is_issue
    assert found.figures["empty"] == 20
    assert set(found.items["item_id"]) == {f"{row * 7:04d}" for row in range(20)}


def test_a_planted_hub_is_the_worst(clean):
    vectors, texts = clean
    before = findings(vectors, texts)["hubness"].figures["skewness"]
    vectors[123] = vectors.mean(axis=0) / np.linalg.norm(vectors.mean(axis=0))

    found = findings(vectors, texts)["hubness"]

    assert found.is_issue
    assert found.items["item_id"].iloc[0] == "0123"
    assert bool(found.items["hub"].iloc[0])
    assert found.figures["largest"] > 60
    assert found.figures["skewness"] > before


def test_an_outlier_is_found(clean):
    vectors, texts = clean
    vectors[77] = 0
    vectors[77, :2] = -1  # away from both kinds

    found = findings(vectors, texts)["outliers"]

    assert found.items["item_id"].iloc[0] == "0077"


def test_a_handful_of_items_has_no_outliers():
    rng = np.random.default_rng(0)
    vectors = np.ones((25, 8)) + 0.05 * rng.standard_normal((25, 8))
    vectors[3] = -vectors[3]

    few = findings(vectors.astype(np.float32), [f"item {n}" for n in range(25)])["outliers"]
    many = findings(np.vstack([vectors, vectors[4:20] + 0.01]).astype(np.float32), [f"item {n}" for n in range(41)])[
        "outliers"
    ]

    assert not few.is_issue and few.items.empty
    assert many.is_issue and many.items["item_id"].iloc[0] == "0003"


def test_cut_texts_are_found(clean):
    vectors, texts = clean
    texts[5] = "long " * 60
    texts[9] = "longer " * 90

    found = findings(vectors, texts)["cut texts"]

    assert list(found.items["item_id"]) == ["0009", "0005"]
    assert list(found.items["tokens"]) == [90, 60]


def test_categories_that_mean_nothing_are_named(clean):
    _, texts = clean
    noise = np.random.default_rng(1).standard_normal((N, 40)).astype(np.float32)

    found = findings(noise, texts)["categories"]

    assert found.is_issue
    assert found.figures["not separated"] == 2
    assert findings(*clean)["categories"].figures["mean silhouette"] > 0.1


def test_a_narrow_cone_is_named(clean):
    vectors, texts = clean
    narrow = vectors * 0.05
    narrow[:, 39] = 1.0

    found = findings(narrow.astype(np.float32), texts)["anisotropy"]

    assert found.is_issue
    assert found.figures["mean cosine"] > 0.9


def test_scores_that_follow_the_length_of_texts_are_named(clean):
    vectors, texts = clean
    texts = [f"{'x' * (1 + n % 50)} y" for n in range(N)]
    lengths = np.array([len(text) for text in texts], float)

    found = findings(vectors, texts, np.stack([lengths, lengths * 2]))["biases"]

    assert found.is_issue
    assert found.figures["length"] == pytest.approx(1.0)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_tiny_catalogs_are_diagnosed(n):
    vectors = np.eye(4, dtype=np.float32)[:n]

    found = diagnose(
        catalog([f"item {row}" for row in range(n)]), vectors, [f"item {row}" for row in range(n)], Lengths()
    )

    assert len(found) == 7
    assert not any(finding.is_issue for finding in found if finding.key in ("outliers", "anisotropy"))
    assert all(isinstance(finding.to_dict()["items"], list) for finding in found)


def test_the_recommender_diagnoses_its_own_catalog(toy, toy_encoder):
    found = Recommender.from_dataset(toy, encoder=toy_encoder).diagnose()

    assert [finding.key for finding in found][-1] == "biases"
    assert {finding.key: finding for finding in found}[
        "duplicates"
    ].is_issue  # nine stories differ in their number alone


def test_an_encoder_against_itself_agrees_and_against_another_does_not(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, encoder=toy_encoder)
    texts = recommender.explainer.item_texts
    own = (toy_encoder, np.asarray(recommender.embeddings))
    shuffled = np.random.default_rng(0).standard_normal(own[1].shape).astype(np.float32)

    same = compare_encoders(toy, texts, own, own)
    other = compare_encoders(toy, texts, own, (ToyEncoder("toy-2"), shuffled))

    assert (same.overlap == 1).all()
    assert same.disparity == pytest.approx(0, abs=1e-9)
    assert other.overlap.mean() < 1
    assert other.disparity > 0.1
    assert len(set(same.names)) == 2
    assert len(other.moved) == 12


def test_one_item_has_nothing_to_compare():
    one = (ToyEncoder(), np.ones((1, 3), np.float32))

    with pytest.raises(DataError, match="There are no neighbours to compare: '1 items'"):
        compare_encoders(catalog(["item"]), ["item"], one, one)


def test_the_lsa_encoder_keeps_the_contract_of_an_encoder():
    texts = ["space war", "space love", "love and kisses", "war and peace", "a comedy of errors", "war comedy"]
    encoder = LsaEncoder(texts, dim=4)

    vectors = encoder.encode(texts)

    assert vectors.shape == (6, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(texts[2:3]), vectors[2:3], atol=1e-6)
    assert encoder.encode([]).shape == (0, encoder.dim)
    assert encoder.check("zebra").is_unknown
    assert not encoder.check("war").is_unknown
    assert not encoder.encode(["zebra"]).any()


def test_quality_is_given_where_there_are_likes(movielens, minilm):
    recommender = Recommender.from_dataset(movielens, scorer="cosine", encoder=minilm)
    texts = recommender.explainer.item_texts
    lsa = LsaEncoder(texts)

    found = compare_encoders(movielens, texts, (minilm, np.asarray(recommender.embeddings)), (lsa, lsa.encode(texts)))

    assert set(found.quality) == set(found.names)
    assert all(0.2 < value < 0.6 for value in found.quality.values())
    bare = replace(movielens, users=movielens.users.iloc[:0], interactions=movielens.interactions.iloc[:0])
    assert compare_encoders(bare, texts, (lsa, lsa.encode(texts)), (lsa, lsa.encode(texts))).quality == {}
