"""The audit: its arithmetic on games whose answer is known, and the whole on real data."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from recsys.audit import audit_explanations
from recsys.audit.games import area, best_area, draw_profiles, play, random_area
from recsys.audit.methods import methods
from recsys.errors import DataError
from recsys.explanation import EXACT
from recsys.recommender import Recommender
from recsys.schema import Profile


def test_areas_equal_those_of_trying_every_order():
    rng = np.random.default_rng(0)
    n, values = 4, rng.standard_normal(16)
    sizes = np.array([mask.bit_count() for mask in range(16)])

    areas = [area(values, np.array(order)) for order in permutations(range(n))]

    assert best_area(values, n) == pytest.approx(min(areas))
    assert random_area(values, sizes, n) == pytest.approx(np.mean(areas))


@pytest.mark.parametrize("scorer", ["cosine", "additive"])
def test_a_game_scores_real_profiles(toy, toy_encoder, scorer):
    recommender = Recommender.from_dataset(toy, scorer=scorer, encoder=toy_encoder)
    profile = Profile(age=30, interests=("space and romance", "comedy"))

    game = play(recommender, profile)

    np.testing.assert_allclose(game.queries[-1], recommender.scorer.queries([profile])[0], atol=1e-6)
    texts = recommender.scorer.texts(profile)
    assert game.n == sum(len(text.text.split()) for text in texts)
    if scorer == "additive":
        without_comedy = game.everyone & ~(1 << game.places.index(("interest:comedy", 0)))
        expected = recommender.scorer.queries([Profile(age=30, interests=("space and romance",))])[0]
        np.testing.assert_allclose(game.queries[without_comedy], expected, atol=1e-6)


def test_profiles_have_eight_to_ten_words_and_are_drawn_from_the_seed(movielens, minilm):
    recommender = Recommender.from_dataset(movielens, scorer="cosine", encoder=minilm)

    first, again = (draw_profiles(recommender, 6, np.random.default_rng(3)) for _ in range(2))

    assert first == again
    assert all(8 <= play(recommender, profile).n <= 10 for profile in first[:2])


def test_a_catalog_without_categories_is_refused(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)

    with pytest.raises(DataError, match="too few categories"):
        audit_explanations(recommender, n_pairs=10)


@pytest.mark.parametrize("scorer", ["cosine", "additive"])
def test_the_quick_words_are_judged_even_where_the_exact_ones_are_known(toy, toy_encoder, scorer):
    recommender = Recommender.from_dataset(toy, scorer=scorer, encoder=toy_encoder)
    game = play(recommender, Profile(interests=("space space student romance comedy engineer",)))
    recommender.explain(game.profile, "00", tier=EXACT)
    exact, quick, *_ = methods(recommender, np.random.default_rng(0))

    values = [method.words(game, 0) for method in (exact, quick)]

    assert values[0].sum() == pytest.approx(values[1].sum(), abs=1e-6)
    assert not np.allclose(values[0], values[1], rtol=1e-3, atol=0)


def with_categories(dataset, categories):
    """The dataset with every item in all of these categories."""
    return replace(dataset, items=dataset.items.assign(categories=[tuple(categories)] * len(dataset.items)))


def test_what_is_not_known_of_users_is_left_out_of_drawn_people(toy, toy_encoder):
    bare = replace(toy, users=toy.users.assign(age=np.nan, occupation=[*[None] * 3, *["student"] * 3]))
    dataset = with_categories(bare, [f"space and romance {word}" for word in "abcdef"])
    recommender = Recommender.from_dataset(dataset, scorer="additive", encoder=toy_encoder)

    found = draw_profiles(recommender, 12, np.random.default_rng(0))

    assert {profile.age for profile in found} == {None}
    assert {tuple(profile.attributes.values()) for profile in found} == {(), ("student",)}


def test_categories_that_say_too_much_are_refused_instead_of_drawn_for_ever(toy, toy_encoder):
    long = [f"space and romance and comedy {word} twice" for word in "abcdef"]
    recommender = Recommender.from_dataset(with_categories(toy, long), scorer="additive", encoder=toy_encoder)

    with pytest.raises(DataError, match="do not make profiles of 8 to 10 words"):
        draw_profiles(recommender, 2, np.random.default_rng(0))


def test_the_pairs_are_counted_as_they_were_drawn(toy, toy_encoder):
    dataset = with_categories(toy, ("space", "romance", "comedy", "drama", "noir", "war"))
    recommender = Recommender.from_dataset(dataset, scorer="additive", encoder=toy_encoder)

    found = audit_explanations(recommender, n_pairs=12)

    assert found["n_pairs"] == {"random": 15, "top": 15}  # five for each profile


@pytest.mark.slow
@pytest.mark.parametrize("scorer", [pytest.param("cosine", marks=pytest.mark.release), "additive"])
def test_ours_is_faithful_and_the_control_is_not(movielens, minilm, scorer):
    recommender = Recommender.from_dataset(movielens, scorer=scorer, encoder=minilm)

    found = audit_explanations(recommender, n_pairs=10)

    assert set(found) >= {
        "completeness_max",
        "normalised_deletion",
        "top_word_exit",
        "matrix_correlation",
        "randomised_spearman",
        "cost_ms",
        "rivals",
    }
    assert found["completeness_max"] <= 1e-6
    assert min(found["normalised_deletion"].values()) >= 0.75
    assert max(found["rivals"]["random"]["normalised_deletion"].values()) <= 0.45
    assert set(found["rivals"]) == {
        "first-last vector Shapley",
        "random",
        "leave-one-out",
        "exact token assembly",
        "integrated gradients",
        "attention rollout",
    }
    assert found["top_word_exit"] <= found["top_word_exit_possible"]
    assert found["rivals"]["first-last vector Shapley"]["matrix_correlation"] != found["matrix_correlation"]
