"""What one user can do to the sums, and what noise is put on them."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from dp_accounting.privacy_loss_distribution import PrivacyLossDistribution
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import kstest, norm

from recsys.errors import ConfigError, MissingExtraError
from recsys.privacy import Budget, PrivateConfig, Public, Statistics, UserColumns, epsilon_of, noise_of, os_noise
from recsys.privacy import statistics as module
from recsys.privacy.statistics import SENSITIVITY, Layout
from recsys.schema import Dataset
from tests.toy import ToyEncoder
from tests.training.world import N_ITEMS, vectors, world

WORLD = world(n_users=12)
VECTORS = vectors(WORLD)
COLUMNS = UserColumns(("F", "M"), {"occupation": ("engineer", "student")})


def public(config: PrivateConfig | None = None) -> Public:
    return Public.from_catalog(WORLD, VECTORS, encoder=ToyEncoder(), columns=COLUMNS, config=config)


PUBLIC = public()
ALONE = Statistics.of(WORLD, VECTORS, PUBLIC)


def with_user(person: dict, liked: list[int], place: int) -> Dataset:
    """The world and one user more, somewhere among the others."""
    users, row = WORLD.users, pd.DataFrame([{"user_id": "new", **person}])
    joined = pd.concat([users[:place], row, users[place:]], ignore_index=True)
    ids = WORLD.items["item_id"].to_numpy()
    theirs = pd.DataFrame({"user_id": "new", "item_id": ids[liked], "rating": 5.0, "timestamp": np.arange(len(liked))})
    interactions = pd.concat([theirs, WORLD.interactions], ignore_index=True) if liked else WORLD.interactions
    return Dataset("world", WORLD.info, WORLD.items, joined, interactions)


def moved(dataset: Dataset, known: Public = PUBLIC, base: Statistics = ALONE) -> float:
    return float(np.linalg.norm(Statistics.of(dataset, VECTORS, known).values - base.values))


PEOPLE = st.fixed_dictionaries(
    {
        "age": st.sampled_from([math.nan, -5.0, 0.0, 19.0, 45.5, 120.0, 999.0]),
        "gender": st.sampled_from([None, "F", "M", "never heard of"]),
        "occupation": st.sampled_from([None, "student", "engineer", "spy"]),
    }
)
EVERYTHING = list(range(N_ITEMS))


@settings(max_examples=60, deadline=None)
@given(
    person=PEOPLE,
    liked=st.lists(st.integers(0, N_ITEMS - 1), unique=True, max_size=N_ITEMS) | st.just(EVERYTHING),
    place=st.integers(0, 12),
)
def test_whoever_is_added_moves_the_sums_by_at_most_one(person, liked, place):
    assert moved(with_user(person, liked, place)) <= SENSITIVITY + 1e-9


SOMEBODY = with_user({"age": 20.0, "gender": "F", "occupation": "student"}, EVERYTHING, 3)


def test_the_bound_is_no_larger_than_needed():
    assert moved(SOMEBODY) > 0.7


def test_without_clipping_the_bound_is_exceeded(monkeypatch):
    wide = public(PrivateConfig(liked_scale=30.0))
    base = Statistics.of(WORLD, VECTORS, wide)
    assert moved(SOMEBODY, wide, base) <= SENSITIVITY + 1e-9
    monkeypatch.setattr(module, "clipped", lambda rows, longest: rows)
    assert moved(SOMEBODY, wide, Statistics.of(WORLD, VECTORS, wide)) > 4


def test_without_shortening_of_likes_the_bound_is_exceeded(monkeypatch):
    monkeypatch.setattr(module, "later_rows", lambda histories, whole_likes: histories.later_likes)
    assert moved(SOMEBODY, base=Statistics.of(WORLD, VECTORS, PUBLIC)) > 2


def test_a_row_depends_on_its_own_user_alone():
    """Nothing that is taken over all users may enter a row: lifts, most frequent values, knots, centres."""
    strange = {"age": 119.0, "gender": "never heard of", "occupation": "spy"}
    crowd = pd.DataFrame([{"user_id": f"x{n}", **strange} for n in range(40)])
    ids = WORLD.items["item_id"][::3]  # all of one kind, which changes the lifts of the others
    likes = pd.DataFrame({"user_id": np.repeat(crowd["user_id"], len(ids)), "item_id": np.tile(ids, 40), "rating": 5.0})
    many = replace(
        WORLD,
        users=pd.concat([WORLD.users, crowd], ignore_index=True),
        interactions=pd.concat([WORLD.interactions, likes.assign(timestamp=0)], ignore_index=True),
    )
    before, after = (
        module.user_rows(module.Histories.from_dataset(each), VECTORS, PUBLIC, catalog=each) for each in (WORLD, many)
    )
    np.testing.assert_array_equal(after[: len(before)], before)


def test_joining_and_parting_are_inverse_and_keep_the_length():
    layout, rng = Layout(4, 2, 7, (0.6, 0.48, 0.64)), np.random.default_rng(0)
    z, v, y = rng.standard_normal(4), rng.standard_normal(2), rng.standard_normal(7)
    joint = layout.join(np.outer(z, z), np.outer(z, v), y)
    for found, given_ in zip(layout.part(joint), (np.outer(z, z), np.outer(z, v), y), strict=True):
        np.testing.assert_allclose(found, given_)
    length = 0.36 * (z @ z) ** 2 + 0.48**2 * (z @ z) * (v @ v) + 0.64**2 * (y @ y)
    assert joint @ joint == pytest.approx(length)


def test_the_noise_on_every_sum_is_as_large_as_claimed():
    draw = np.random.default_rng(5).standard_normal
    noises = np.array([ALONE.noised(2.5, draw).values - ALONE.values for _ in range(40)]) / 2.5
    assert ALONE.noised(2.5, draw).deviation == 2.5
    assert kstest(noises.ravel(), "norm").pvalue > 1e-3
    gram, cross, likes = ALONE.layout.part(ALONE.noised(2.5, draw).values)
    plain = ALONE.layout.part(ALONE.values)
    assert (likes - plain[2]).std() == pytest.approx(2.5 / np.sqrt(0.6), rel=0.3)
    assert (cross - plain[1]).std() == pytest.approx(2.5 / np.sqrt(0.3), rel=0.3)
    np.testing.assert_array_equal(gram, gram.T)


def test_noise_comes_from_the_operating_system_and_no_seed_repeats_it():
    np.random.seed(0)
    first = os_noise(100_000)
    np.random.seed(0)
    assert not np.isin(first, os_noise(100_000)).any()
    assert np.isfinite(first).all()
    assert kstest(first, "norm").pvalue > 1e-6


def closed_form(deviation: float, delta: float) -> float:
    """Epsilon of the Gaussian mechanism: B. Balle, Y.-X. Wang, 2018, theorem 8, solved here and not by the accountant."""
    mu = 1 / deviation

    def excess(epsilon: float) -> float:
        return norm.cdf(mu / 2 - epsilon / mu) - np.exp(epsilon) * norm.cdf(-mu / 2 - epsilon / mu) - delta

    return float(brentq(excess, 0, 100, xtol=1e-12))


@pytest.mark.parametrize("delta", [1e-5, 1e-7])
@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0, 10.0])
def test_epsilon_is_what_the_closed_form_says(epsilon, delta):
    deviation = noise_of(Budget(epsilon, delta))
    assert closed_form(deviation, delta) == pytest.approx(epsilon, abs=1e-3)
    assert epsilon_of([deviation], delta) == pytest.approx(epsilon, abs=1e-3)


def test_several_fits_together_spend_what_one_with_less_noise_would():
    deviations = [noise_of(Budget(3.0)), noise_of(Budget(1.0)), 2.0]
    together = 1 / np.sqrt(sum(1 / deviation**2 for deviation in deviations))
    assert epsilon_of(deviations, 1e-5) == pytest.approx(closed_form(together, 1e-5), abs=1e-3)
    one, *more = map(PrivacyLossDistribution.from_gaussian_mechanism, deviations)
    numerically = one.compose(more[0]).compose(more[1]).get_epsilon_for_delta(1e-5)
    assert epsilon_of(deviations, 1e-5) == pytest.approx(numerically, abs=1e-3)
    assert epsilon_of([0.02], 1e-5) == math.inf
    assert epsilon_of([], 1e-5) == 0
    assert epsilon_of([1.0, 0.0], 1e-5) == math.inf


@pytest.mark.parametrize("values", [(0.0, 1e-5), (51.0, 1e-5), (math.nan, 1e-5), (3.0, 0.0), (3.0, 1.0)])
def test_budgets_out_of_range_are_refused(values):
    with pytest.raises(ConfigError):
        Budget(*values)


def test_a_delta_that_gives_single_users_away_is_refused():
    Budget(3.0, 1e-3).check(1000)
    with pytest.raises(ConfigError, match="at most one in the number of users, for example 1e-04"):
        Budget(3.0, 1e-3).check(1100)
    Budget(3.0, 1e-4).check(1100)


def test_a_missing_accountant_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "dp_accounting", None)
    monkeypatch.setitem(__import__("sys").modules, "dp_accounting.common", None)
    monkeypatch.setitem(__import__("sys").modules, "dp_accounting.accountant", None)
    with pytest.raises(MissingExtraError, match=r"coldlens\[privacy\]"):
        noise_of(Budget(3.0))
