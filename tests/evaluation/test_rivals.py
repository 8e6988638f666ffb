import importlib.util
import inspect
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from recsys.errors import ConfigError, MissingExtraError
from recsys.evaluation.protocols import DEMOGRAPHICS, INTERESTS, levels
from recsys.evaluation.rivals import ease
from recsys.evaluation.rivals.catalogue import ablations, ablations_of, all_rivals, rival
from recsys.evaluation.rivals.protocol import Fitted
from recsys.schema import Profile
from tests.evaluation.worlds import N_ITEMS, aged_dataset, material_of
from tests.toy import COLD, toy_dataset

PACKAGES = {"implicit mf": "implicit", "lightfm": "lightfm", "tf-idf": "sklearn"}
PACKAGES["lightfm, later likes"] = "lightfm"
NAMES = tuple(found.name for found in (*all_rivals(), *ablations()))
OF_LIKES = ("item knn", "user knn", "ease", "implicit mf")
PERSONAL = (*OF_LIKES, "lightfm", "neumf", "tf-idf")
FULL = Profile(age=20, gender="F", attributes={"occupation": "student"}, interests=("space",), liked=("00", "03"))
PROFILES = (
    FULL,
    Profile(age=60, gender="M", interests=("comedy",), liked=("02",)),
    Profile(age=33),
    Profile(interests=("romance",)),
    Profile(age=119, gender="unheard of", attributes={"shoe size": "44"}, interests=("knitting",)),
    Profile(),
)


def needed(name: str) -> None:
    package = PACKAGES.get(name)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def fit(name: str, world, *, seed: int = 0) -> Fitted:
    needed(name)
    found = rival(name)
    return found.fit(material_of(world, seed=seed), found.grid[0])


@cache
def in_toy_world(name: str) -> Fitted:
    return fit(name, toy_dataset())


@cache
def in_aged_world(name: str) -> Fitted:
    return fit(name, aged_dataset())


@pytest.mark.parametrize("name", NAMES)
def test_contract_shape_batch_and_order(name: str):
    fitted = in_toy_world(name)
    scores = fitted.scores(PROFILES)
    assert scores.shape == (len(PROFILES), 12)
    assert not np.isinf(scores).any()
    assert np.isfinite(scores[0]).any()
    assert fitted.scores([]).shape == (0, 12)
    alone = np.concatenate([fitted.scores([profile]) for profile in PROFILES])
    np.testing.assert_allclose(alone, scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fitted.scores(PROFILES[::-1])[::-1], scores, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_contract_same_seed_same_scores(name: str):
    np.testing.assert_array_equal(fit(name, toy_dataset()).scores(PROFILES), in_toy_world(name).scores(PROFILES))


@pytest.mark.parametrize("name", NAMES)
def test_contract_every_setting_can_be_fitted(name: str):
    needed(name)
    found = rival(name)
    assert len({tuple(setting.items()) for setting in found.grid}) == len(found.grid)
    for setting in found.grid if name != "neumf" else ({**found.grid[0], "epochs": 1},):
        assert found.fit(material_of(toy_dataset()), setting).scores([FULL]).shape == (1, 12)


@pytest.mark.parametrize("name", NAMES)
def test_contract_a_level_hides_what_it_does_not_name(name: str):
    fitted = in_toy_world(name)
    for level in filter(rival(name).can_use, levels((0, 1))):
        interests = FULL.interests if level.has_interests else ("comedy",)
        changed = replace(FULL, interests=interests, liked=(*FULL.liked[: level.n_liked], "08", "11"))
        np.testing.assert_array_equal(fitted.scores([level.of(FULL)]), fitted.scores([level.of(changed)]))


@pytest.mark.parametrize("name", NAMES)
def test_contract_likes_of_users_that_were_taken_out_change_nothing(name: str):
    world = toy_dataset()
    others = world.interactions.copy()
    others.loc[others["user_id"] == "u5", "item_id"] = "01"
    changed = replace(world, interactions=others.drop_duplicates(["user_id", "item_id"]))
    one, other = (fit(name, dataset.without_users(["u5"])).scores(PROFILES) for dataset in (world, changed))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_contract_a_world_without_facts_about_users(name: str):
    world = toy_dataset()
    bare = replace(world, users=world.users[["user_id"]])
    assert fit(name, bare).scores(PROFILES).shape == (len(PROFILES), 12)


@pytest.mark.parametrize("name", NAMES)
def test_contract_leaves_the_number_of_threads_and_the_random_state_alone(name: str):
    import torch

    state, numbers, threads = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()
    fit(name, toy_dataset()).scores(PROFILES)
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == numbers).all()
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", OF_LIKES)
def test_likes_alone_know_nothing_of_cold_items_and_empty_profiles(name: str):
    scores = in_toy_world(name).scores(PROFILES)
    cold = [int(item_id) for item_id in COLD]
    assert np.isnan(scores[:, cold]).all()
    assert np.isfinite(np.delete(scores[:2], cold, axis=1)).all()
    assert np.isnan(scores[2:]).all()


@pytest.mark.parametrize("name", PERSONAL)
def test_recommends_the_kind_that_was_liked(name: str):
    scores = in_aged_world(name).scores([Profile(liked=("00", "03", "06")), Profile(liked=("01", "04", "07"))])
    for kind, found in enumerate(scores):
        best = [row for row in np.argsort(-found) if row not in (0, 3, 6, 1, 4, 7)][:10]
        assert {row % 3 for row in best} == {kind}


@pytest.mark.parametrize("name", ["popular by age and gender", "lightfm", "neumf"])
def test_follows_the_age(name: str):
    scores = in_aged_world(name).scores([Profile(age=21), Profile(age=46), Profile(age=72)])
    for kind, found in enumerate(scores):
        assert {row % 3 for row in np.argsort(-found)[:10]} == {kind}


def test_age_far_outside_follows_the_nearest():
    scores = in_aged_world("popular by age and gender").scores([Profile(age=119)])[0]
    assert {row % 3 for row in np.argsort(-scores)[:10]} == {2}


def test_kernel_by_hand():
    # u0 (20, F) and u3 (50, M) like the first kind; with bandwidth 8, a man of 50 is 30 years from u0
    found = rival("popular by age and gender").fit(material_of(toy_dataset()), {"bandwidth": 8, "other gender": 0.5})
    weights = np.exp(-(np.array([30, 20, 10, 0, 10]) ** 2) / 128) * np.array([0.5, 1, 0.5, 1, 0.5])
    weights = np.append(weights, np.exp(-(np.array([30, 20, 10, 0, 10]) ** 2) / 128).mean() * 0.5)
    scores = found.scores([Profile(age=50, gender="M")])[0]
    assert scores[0] == pytest.approx((weights[0] + weights[3]) / weights.sum())


@pytest.mark.parametrize("name", ["popular by age and gender", "popular"])
def test_nothing_known_is_plain_popularity(name: str):
    world = aged_dataset()
    counts = world.interactions["item_id"].value_counts().reindex(world.items["item_id"], fill_value=0).to_numpy()
    scores = in_aged_world(name).scores([Profile()])[0]
    np.testing.assert_array_equal(np.argsort(-scores.round(9), kind="stable"), np.argsort(-counts, kind="stable"))


def test_popular_ranks_the_most_liked_first_and_the_ablation_counts_later_likes_only():
    world = aged_dataset()
    histories = material_of(world).histories
    popular, later = (in_aged_world(name).scores([FULL])[0] for name in ("popular", "popular, later likes"))
    np.testing.assert_array_equal(popular, np.bincount(np.concatenate(histories.liked), minlength=N_ITEMS))
    revealed = np.concatenate([rows[:5] for rows in histories.liked])
    np.testing.assert_array_equal(popular - later, np.bincount(revealed, minlength=N_ITEMS))


def test_random_does_not_depend_on_the_profile_but_on_the_seed():
    scores = in_toy_world("random").scores(PROFILES)
    assert (scores == scores[0]).all()
    assert not np.array_equal(fit("random", toy_dataset(), seed=1).scores([FULL]), scores[:1])


def test_tf_idf_finds_the_word():
    scores = in_toy_world("tf-idf").scores([Profile(interests=("student",)), Profile(interests=("knitting",))])
    assert set(np.argsort(-scores[0])[:3]) == {0, 1, 2}
    assert np.isnan(scores[1]).all()


@pytest.mark.parametrize("what", ["sentence", "interests", "liked", "interests and liked"])
def test_bert_cosine_asks_by_meaning(what: str):
    fitted = rival("bert cosine").fit(material_of(toy_dataset()), {"what": what})
    scores = fitted.scores([Profile(interests=("comedy",), liked=("05",)), Profile(interests=("comedy",)), Profile()])
    assert {row % 3 for row in np.argsort(-scores[0])[:3]} == {2}
    assert {row % 3 for row in np.argsort(-scores[1])[:3]} == {2}
    assert np.isnan(scores[2]).all()


def test_item_knn_by_hand():
    # items 0 and 3 are both liked by u0 and u3 and by nobody else
    setting = {"liked power": 0.5, "item power": 0.5, "neighbours": 0, "shrinkage": 2}
    scores = rival("item knn").fit(material_of(toy_dataset()), setting).scores([Profile(liked=("00",))])[0]
    assert scores[3] == pytest.approx(2 / (2**0.5 * 2**0.5) * 2 / (2 + 2))
    assert scores[1] == pytest.approx(0, abs=1e-6)


def test_ease_solves_its_own_equation():
    world = aged_dataset()
    likes = material_of(world).histories.all_likes.toarray()
    weights = np.array([in_aged_world("ease").scores([Profile(liked=(i,))])[0] for i in world.items["item_id"]])
    assert np.allclose(np.diag(weights), 0, atol=1e-6)
    # off the diagonal the gradient of |X - XB|^2 + lambda |B|^2 is zero
    gradient = likes.T @ (likes @ weights - likes) + 1000 * weights
    assert np.abs(gradient[~np.eye(N_ITEMS, dtype=bool)]).max() < 1e-4


def test_ease_refuses_a_large_catalog(monkeypatch):
    monkeypatch.setattr(ease, "MAX_ITEMS", 11)
    with pytest.raises(ConfigError, match=r"'12'.*at most 11"):
        fit("ease", toy_dataset())


class Asked(dict):
    """Parameters that remember which of them were asked for."""

    def __init__(self, parameters) -> None:
        super().__init__(parameters)
        self.keys_asked: set[str] = set()

    def __getitem__(self, key: str):
        self.keys_asked.add(key)
        return super().__getitem__(key)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_the_grid_is_used_when_fitting_or_scoring(name: str):
    needed(name)
    parameters = Asked(rival(name).grid[0])
    rival(name).fit(material_of(toy_dataset()), parameters).scores(PROFILES)
    assert parameters.keys_asked == set(parameters)


@pytest.mark.parametrize("name", ["lightfm", "neumf"])
def test_the_ablation_of_a_learned_rival_never_predicts_a_revealed_like(name: str):
    world = aged_dataset()
    histories = material_of(world).histories
    assert any(len(histories.revealed(user)) for user in range(len(histories)))
    usual, ablation = fit(name, world).scores(PROFILES), fit(f"{name}, later likes", world).scores(PROFILES)
    assert not np.array_equal(usual, ablation, equal_nan=True)
    first = np.asarray(histories.revealed_likes.sum(0)).ravel()
    later = np.asarray(histories.later_likes.sum(0)).ravel()
    shown_first, shown_later = first > later, later > first
    if shown_first.any() and shown_later.any():
        gap = lambda scores: np.nanmean(scores[-1][shown_first]) - np.nanmean(scores[-1][shown_later])  # noqa: E731
        assert gap(ablation) < gap(usual)


def test_which_ablations_run():
    names = {found.name for found in ablations_of(("neumf", "random"))}
    assert names == {"popular, later likes", "popular by age and gender, later likes", "neumf, later likes"}


def test_tf_idf_of_a_catalog_without_a_word_knows_nothing():
    world = toy_dataset()
    silent = replace(world, info=replace(world.info, item_template="{title}"), items=world.items.assign(title="!!!"))
    assert np.isnan(fit("tf-idf", silent).scores(PROFILES)).all()


def test_an_unknown_gender_of_any_kind_is_nobody_s(monkeypatch):
    world = toy_dataset()
    for unknown in (None, np.nan, pd.NA):
        genders = pd.Series([*world.users["gender"][:5], unknown], dtype="string" if unknown is pd.NA else object)
        odd = replace(world, users=world.users.assign(gender=genders))
        assert np.isfinite(fit("popular by age and gender", odd).scores(PROFILES)).all()


def test_what_each_can_use():
    usable = {
        found.name: [found.can_use(level) for level in (DEMOGRAPHICS, INTERESTS, levels()[2])] for found in all_rivals()
    }
    assert all(usable[name] == [False, False, True] for name in OF_LIKES)
    assert usable.pop("tf-idf") == [False, True, True]
    assert all(found == [True] * 3 for name, found in usable.items() if name not in OF_LIKES)


@pytest.mark.parametrize("name", ["implicit mf", "lightfm"])
def test_missing_package_names_the_extra(name: str, monkeypatch):
    for module in ("implicit.cpu.als", "lightfm"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match="make peers"):
        rival(name).fit(material_of(toy_dataset()), rival(name).grid[0])


def test_names():
    assert [found.name for found in all_rivals()] == [
        "random",
        "popular",
        "popular by age and gender",
        "tf-idf",
        "bert cosine",
        "item knn",
        "user knn",
        "ease",
        "implicit mf",
        "lightfm",
        "neumf",
    ]
    assert [found.name for found in ablations()] == [
        "popular, later likes",
        "popular by age and gender, later likes",
        "lightfm, later likes",
        "neumf, later likes",
    ]
    assert all(inspect.getdoc(type(found)) for found in all_rivals())


def test_unknown_rival_says_which_there_are():
    with pytest.raises(ConfigError, match=r"'svd'.*item knn"):
        rival("svd")
