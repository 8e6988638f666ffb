"""What is switched off for ranking has no effect at all: another age or gender gives the same list, to the last bit."""

import numpy as np
import pytest

from recsys.datasets import open_dataset
from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import Dataset, Profile
from recsys.settings import Settings
from recsys.whatif import check_scenario, make_scenario
from tests.toy import ToyEncoder, toy_dataset
from tests.training.world import world

OFF = ("age", "gender")


def people(dataset: Dataset, n: int, *, seed: int = 0) -> list[tuple[Profile, Profile]]:
    """Pairs of profiles that differ in age and gender alone."""
    rng = np.random.default_rng(seed)
    ages, genders = np.arange(1, 100), (*dataset.genders, None)
    found = []
    for _ in range(n):
        rest = {
            "attributes": {
                name: str(rng.choice(values)) for name, values in dataset.user_attributes.items() if rng.random() < 0.7
            },
            "interests": tuple(map(str, rng.choice(dataset.categories, int(rng.integers(0, 3)), replace=False))),
            "liked": tuple(map(str, rng.choice(dataset.items["item_id"], int(rng.integers(0, 3)), replace=False))),
        }
        one, other = rng.choice(ages, 2, replace=False)
        first, second = rng.permutation(len(genders))[:2]
        found.append(
            (Profile(float(one), genders[first], **rest), Profile(float(other), genders[second], **rest))  # type: ignore[arg-type]
        )
    return found


def differences(recommender: Recommender, pairs: list[tuple[Profile, Profile]], k: int) -> int:
    """How many pairs differ in items, order, scores or any contribution."""
    first = recommender.recommend_many([one for one, _ in pairs], k=k)
    second = recommender.recommend_many([other for _, other in pairs], k=k)
    return sum(
        not one.table.equals(other.table) or one.facets != other.facets
        for one, other in zip(first, second, strict=True)
    )


@pytest.fixture(scope="module", params=["additive", "cosine"])
def recommender(request) -> Recommender:
    dataset = world(n_users=120)
    return Recommender.from_dataset(dataset, scorer=request.param, encoder=ToyEncoder())


def test_swaps_change_nothing_when_age_and_gender_are_off_and_something_when_they_are_on(recommender):
    pairs = people(recommender.dataset, 60)

    assert differences(recommender.ignoring(OFF), pairs, 5) == 0
    assert differences(recommender, pairs, 5) > 30


def test_what_is_off_is_in_no_facet_explanation_or_warning(recommender):
    blind, profile = (
        recommender.ignoring(OFF),
        Profile(age=119, gender=recommender.dataset.genders[0], interests=("space",)),
    )
    found = blind.recommend(profile, k=3)
    explanation = blind.explain(profile, str(found.table["item_id"][0])).checked()

    assert {facet.kind for facet in found.facets} <= {"prior", "interest"}
    assert {part.facet.kind for part in explanation.parts} <= {"prior", "interest"}
    assert not any("119" in warning for warning in found.warnings)
    assert any("119" in warning for warning in recommender.recommend(profile, k=3).warnings)
    assert "119" not in blind.sentence(profile)
    assert blind.answers_key != recommender.answers_key


def test_it_goes_together_with_weights_of_views_and_can_be_taken_back(recommender):
    profile = Profile(age=30, interests=("space",))
    weighted = recommender.ignoring(OFF).with_views({"text": 0.5})

    assert weighted.ignored == {"age", "gender"}
    assert weighted.ignoring(()).ignored == frozenset()
    expected = recommender.with_views({"text": 0.5}).recommend(profile, k=4).table
    assert weighted.ignoring(()).recommend(profile, k=4).table.equals(expected)


def test_an_unknown_fact_is_refused(recommender):
    with pytest.raises(DataError, match="shoe size"):
        recommender.ignoring(("shoe size",))


def test_what_the_settings_switch_off_stays_off(toy_encoder):
    dataset = toy_dataset()
    settings = Settings.from_environment({"COLDLENS_UNUSED": "age, gender,no such attribute"})
    made = Recommender.from_dataset(dataset, scorer="cosine", encoder=toy_encoder, settings=settings)

    assert made.ignored == made.base.ignored == made.ignoring(()).ignored == {"age", "gender"}
    assert made.with_views({"text": 0.5}).ignored == {"age", "gender"}


def test_a_scenario_remembers_what_was_off(recommender):
    profile = people(recommender.dataset, 1)[0][0]
    made = make_scenario(recommender.ignoring(OFF), {"A": profile}, k=5, made="2026-01-01T00:00:00+00:00")

    assert made.controls["unused"] == ["age", "gender"]
    assert check_scenario(made, recommender).holds


@pytest.mark.release
@pytest.mark.parametrize("scorer", ["additive", "cosine"])
def test_a_thousand_swaps_on_movielens(scorer, tmp_path):
    recommender = Recommender.from_dataset(open_dataset("movielens-100k", data_dir=tmp_path), scorer=scorer)
    pairs = people(recommender.dataset, 1000)

    assert differences(recommender.ignoring(OFF), pairs, 20) == 0
    assert differences(recommender, pairs, 20) > 900
