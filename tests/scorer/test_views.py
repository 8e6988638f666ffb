"""Scorers with several views of the items: any subset adds up, a missing view is zero, a switched-off one says nothing."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from recsys.recommender import Recommender
from recsys.schema import Dataset, DatasetInfo, Profile
from recsys.scorer import AdditiveScorer, CosineScorer
from recsys.training import train_additive
from recsys.views.text import item_texts
from recsys.views.view import ItemView
from tests.toy import KINDS, ToyEncoder

N_ITEMS, N_USERS = 120, 80
VIEWS = ("image", "graph")
PROFILE = Profile(30, "F", {}, ("space", "romance"), ("i03", "i10"))
SUBSETS = [dict(zip(("text", *VIEWS), weights, strict=True)) for weights in product((0.0, 1.0), repeat=3)]


def dataset(n_likes: int = 14) -> Dataset:
    """Users like one of four hidden kinds of items, of which each view shows one half and the text nothing."""
    rng = np.random.default_rng(0)
    ids = [f"i{n:02d}" for n in range(N_ITEMS)]
    items = pd.DataFrame({"item_id": ids, "title": [f"Story {n} {KINDS[n % 3]}" for n in range(N_ITEMS)]})
    users = pd.DataFrame({"user_id": [f"u{n}" for n in range(N_USERS)], "age": rng.integers(18, 60, N_USERS) * 1.0})
    users["gender"] = rng.choice(["F", "M"], N_USERS)
    rows = []
    for user in range(N_USERS):
        own = [n for n in range(N_ITEMS) if (n % 2, n // 2 % 2) == (user % 2, user // 2 % 2) and n % 10 != 9]
        for when, n in enumerate(rng.choice(own, n_likes, replace=False)):
            rows.append((f"u{user}", ids[n], when))
    interactions = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    info = DatasetInfo(title="Views", item_template="{title}", words={"gender": {"F": "female", "M": "male"}})
    return Dataset("views", info, items, users, interactions)


def view(name: str, missing: int, *, words: bool = False) -> ItemView:
    rng = np.random.default_rng(len(name))
    vectors = rng.normal(size=(N_ITEMS, 6)).astype(np.float32)
    vectors[:, 0] += 4 * (np.arange(N_ITEMS) // (1 if name == "image" else 2) % 2)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[missing::7] = 0
    seen = np.zeros((N_ITEMS, ToyEncoder.dim), np.float32)
    seen[np.arange(N_ITEMS), np.arange(N_ITEMS) % 3] = 1
    seen[missing::7] = 0
    return ItemView(name, vectors, f"{name}-key", "made up", seen if words else None)


OPENED = {"image": view("image", 1, words=True), "graph": view("graph", 2)}
DATASET = dataset()
ENCODER = ToyEncoder()
EMBEDDINGS = ENCODER.encode(item_texts(DATASET))
MODEL = train_additive(DATASET, EMBEDDINGS, encoder=ENCODER, views=OPENED).model


def made(name: str):
    if name == "cosine":
        return CosineScorer(EMBEDDINGS, dataset=DATASET, encoder=ENCODER, views=OPENED)
    return AdditiveScorer(MODEL, dataset=DATASET, encoder=ENCODER, embeddings=EMBEDDINGS, views=OPENED)


@pytest.fixture(params=["additive", "cosine"])
def scorer(request):
    return made(request.param)


def test_the_view_that_tells_the_taste_is_taken():
    assert min(MODEL.about["view_scales"]["taste"].values()) > 0
    assert set(MODEL.views) == set(VIEWS)


@pytest.mark.parametrize("weights", SUBSETS)
def test_contributions_by_facet_and_view_sum_to_the_score(scorer, weights):
    weighted = scorer.with_views(weights)
    rows = np.arange(N_ITEMS)
    parts, shares = weighted.facet_vectors(PROFILE), weighted.item_parts(rows)
    query = np.asarray(weighted.queries([PROFILE])[0], np.float64)
    scores = np.asarray(weighted.item_vectors, np.float64) @ query
    by_view = np.stack([share @ parts.vectors.T for share in shares.values()], axis=2)

    np.testing.assert_allclose(by_view.sum(axis=(1, 2)), scores, atol=1e-6)
    np.testing.assert_allclose(parts.vectors.sum(axis=0), query, atol=1e-6)
    for place, name in enumerate(shares):
        if weights.get(name) == 0:
            assert not by_view[:, :, place].any(), f"{name} is switched off"


def test_a_missing_view_adds_nothing(scorer):
    parts, rows = scorer.facet_vectors(PROFILE), np.arange(N_ITEMS)
    for name, found in OPENED.items():
        told = scorer.item_parts(rows)[name] @ parts.vectors.sum(axis=0)
        assert not told[~found.has].any()
        assert told[found.has].any()


def test_the_average_item_is_the_mean_of_the_parts(scorer):
    shares, means = scorer.item_parts(np.arange(N_ITEMS)), scorer.mean_parts()
    assert list(shares) == list(means)
    for name, share in shares.items():
        np.testing.assert_allclose(means[name], share.mean(axis=0), atol=1e-6)


def test_weights_of_one_change_nothing_and_others_change_the_scores(scorer):
    query = scorer.queries([PROFILE])
    same = scorer.with_views(dict.fromkeys(scorer.views, 1.0))
    np.testing.assert_array_equal(same.queries([PROFILE]), query)
    np.testing.assert_array_equal(same.item_vectors, scorer.item_vectors)
    before = scorer.item_vectors @ query[0]
    for name in scorer.views:
        other = scorer.with_views({name: 0.0})
        assert np.abs(other.item_vectors @ other.queries([PROFILE])[0] - before).max() > 1e-4


def test_of_a_warm_item_the_learned_part_takes_over_what_a_view_stood_for():
    scorer = made("additive")
    off = scorer.with_views({"graph": 0.0, "image": 0.0, "text": 0.0})
    warm = DATASET.popularity > 12
    lost = np.linalg.norm(scorer.item_vectors - off.item_vectors, axis=1)
    whole = np.linalg.norm(scorer.item_vectors[:, :-1], axis=1)
    cold = DATASET.popularity == 0
    assert cold.any() and warm.any()
    assert (lost[cold] > 0.9 * whole[cold]).all(), "of a cold item the views are everything"
    assert (lost[warm] < 0.2 * whole[warm]).all(), lost[warm] / whole[warm]


def test_of_each_item_as_much_is_lost_as_its_own_likes_do_not_tell():
    scorer = made("additive")
    shares = scorer.item_parts(np.arange(N_ITEMS))
    for gone in (["graph"], ["image", "text"]):
        off = scorer.with_views(dict.fromkeys(gone, 0.0))
        left = 1 - DATASET.popularity / (
            DATASET.popularity + 1
        )  # an item's own likes against one that they have to outweigh
        lost = sum(shares[name] for name in gone) * left[:, None]
        np.testing.assert_allclose(scorer.item_vectors - off.item_vectors, lost, atol=1e-6)
        told = {"text": (EMBEDDINGS - MODEL.text_centre) @ MODEL.text_liked}
        for name, found in MODEL.views.items():
            shown = np.where(OPENED[name].has[:, None], OPENED[name].vectors - found.centre, 0.0)
            told[name] = shown @ found.liked
        share = 1 - MODEL.own_liked_share
        lost = sum(told[name] for name in gone) * share[:, None]
        np.testing.assert_allclose(scorer.model.liked - off.model.liked, lost, atol=1e-6)


@pytest.mark.parametrize("alike", [0.0, 30.0])
def test_a_view_in_which_all_items_are_alike_counts_as_much_as_one_in_which_they_differ(alike):
    base = OPENED["graph"]
    vectors = base.vectors + alike * np.eye(6, dtype=np.float32)[0] * base.has[:, None]
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    scorer = CosineScorer(EMBEDDINGS, dataset=DATASET, encoder=ENCODER, views={"graph": replace(base, vectors=vectors)})
    only = scorer.with_views({"text": 0.0})
    asked = [Profile(liked=(item_id,)) for item_id in DATASET.items["item_id"][base.has]]
    spread = (only.item_vectors @ only.queries(asked).T)[base.has].std(axis=0).mean()
    usual = (EMBEDDINGS @ EMBEDDINGS.T).std(axis=0).mean()
    assert 0.7 < spread / usual < 1.4


def test_views_of_late_fusion_spread_as_widely_as_the_text():
    scorer = made("cosine")
    spreads = {}
    for name in scorer.views:
        only = scorer.with_views({other: float(other == name) for other in scorer.views})
        asked = (
            [Profile(interests=(kind,)) for kind in KINDS]
            if name != "graph"
            else [Profile(liked=(item_id,)) for item_id in DATASET.items["item_id"][:20]]
        )
        has = OPENED[name].has if name in OPENED else np.ones(N_ITEMS, bool)
        spreads[name] = (only.item_vectors @ only.queries(asked).T)[has].std(axis=0).mean()
    assert max(spreads.values()) < 2.5 * min(spreads.values()), spreads


def test_words_meet_pictures_and_likes_meet_what_looks_alike():
    scorer = made("cosine").with_views({"text": 0.0, "graph": 0.0})
    scores = scorer.item_vectors @ scorer.queries([Profile(interests=("space",))])[0]
    shown = OPENED["image"].words[:, 0] > 0
    assert scores[shown].min() > scores[~shown].max()


def test_an_explanation_names_the_views_and_adds_up(monkeypatch):
    import recsys.recommender.recommender as module

    monkeypatch.setattr(module, "open_views", lambda *a, **k: OPENED)
    for name in ("additive", "cosine"):
        recommender = Recommender.from_dataset(DATASET, scorer=name, encoder=ENCODER)
        for weights in ({}, {"graph": 0.0}, {"text": 0.5, "image": 2.0}):
            ready = recommender.with_views(weights)
            for item_id in ("i03", "i09", "i01"):
                found = ready.explain(PROFILE, item_id)
                assert found.is_complete
                assert sum(found.by_view.values()) + found.prior == pytest.approx(found.total, abs=1e-6)
                assert found.above_average().checked().is_complete
                columns = [line.key for line in found.matrix.columns]
                assert {"image", "graph"} <= set(columns)
        listed = recommender.recommend(PROFILE, k=5)
        np.testing.assert_allclose(listed.by_view.sum(axis=2), listed.contributions.to_numpy(), atol=1e-6)
        assert listed.to_records()[0]["views"].keys() == set(listed.views)
