"""The additive scorer learns what is there to be learned, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import NotTrainedError
from recsys.schema import PRIOR, Dataset, Profile
from recsys.scorer import AdditiveModel, AdditiveScorer, FactBasis
from recsys.training import AdditiveConfig, train_additive
from tests.toy import KINDS, ToyEncoder
from tests.training.world import COLD_ROWS, vectors, world

FULL = Profile(30, "F", {"occupation": "student"}, ("space", "comedy"), ("000", "001", "002"))
PROFILES = [
    Profile(),
    Profile(age=20),
    Profile(gender="F"),
    Profile(attributes={"occupation": "engineer"}),
    Profile(interests=("space",)),
    Profile(liked=("003",)),
    Profile(liked=("059",)),
    Profile(age=30, gender="M"),
    FULL,
]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return world()


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> AdditiveModel:
    return train_additive(dataset, vectors(dataset), encoder=ToyEncoder()).model


@pytest.fixture(scope="module")
def scorer(dataset: Dataset, model: AdditiveModel) -> AdditiveScorer:
    return AdditiveScorer(model, dataset=dataset, encoder=ToyEncoder())


def scores(scorer: AdditiveScorer, profile: Profile) -> np.ndarray:
    return scorer.queries([profile])[0] @ scorer.item_vectors.T.astype(float)


def by_kind(values: np.ndarray) -> dict[str, float]:
    return {kind: float(values[number::3].mean()) for number, kind in enumerate(KINDS)}


def test_an_empty_profile_gives_exactly_the_prior(scorer: AdditiveScorer):
    np.testing.assert_array_equal(scores(scorer, Profile()), scorer.item_vectors[:, -1].astype(float))


@pytest.mark.parametrize("profile", PROFILES)
def test_parts_sum_to_the_score(scorer: AdditiveScorer, profile: Profile):
    parts = scorer.facet_vectors(profile)
    assert parts.facets == (PRIOR, *profile.facets)
    contributions = parts.vectors @ scorer.item_vectors.T.astype(float)
    np.testing.assert_allclose(contributions.sum(0), scores(scorer, profile), atol=1e-6)
    np.testing.assert_allclose(scorer.queries([*PROFILES, profile])[-1], scorer.queries([profile])[0], atol=1e-9)


def test_one_facet_is_enough_to_move_the_list_the_right_way(scorer: AdditiveScorer):
    usual = by_kind(scores(scorer, Profile()))
    young, old = (by_kind(scores(scorer, Profile(age=age))) for age in (18, 70))
    assert young["space"] > usual["space"] > old["space"]
    assert old["romance"] > usual["romance"] > young["romance"]
    woman, man = (by_kind(scores(scorer, Profile(gender=gender))) for gender in "FM")
    assert woman["comedy"] > usual["comedy"] > man["comedy"]
    for kind in KINDS:
        told = by_kind(scores(scorer, Profile(interests=(kind,))))
        assert max(told, key=lambda other: told[other] - usual[other]) == kind
    liked = by_kind(scores(scorer, Profile(liked=("000", "003"))))
    assert max(liked, key=lambda kind: liked[kind] - usual[kind]) == "space"


def test_a_cold_item_is_judged_by_its_text(scorer: AdditiveScorer):
    assert set(COLD_ROWS) == {57, 58, 59}
    assert [KINDS[row % 3] for row in COLD_ROWS] == ["space", "romance", "comedy"]
    young, old = scores(scorer, Profile(age=18)), scores(scorer, Profile(age=70))
    assert young[57] > old[57]
    assert old[58] > young[58]
    assert (scores(scorer, Profile())[list(COLD_ROWS)] > 0).all()


def test_liking_a_cold_item_says_what_its_text_says(scorer: AdditiveScorer):
    usual, told = by_kind(scores(scorer, Profile())), by_kind(scores(scorer, Profile(liked=("057",))))
    assert max(told, key=lambda kind: told[kind] - usual[kind]) == "space"


def test_what_is_unheard_of_changes_nothing(scorer: AdditiveScorer):
    known = replace(FULL, attributes={})
    for extra in (
        replace(known, attributes={"occupation": "wizard"}),
        replace(known, interests=(*FULL.interests, "unknowable")),
    ):
        np.testing.assert_array_equal(scores(scorer, extra), scores(scorer, known))


def test_age_moves_scores_smoothly_and_stops_at_the_ends(scorer: AdditiveScorer):
    ages = np.arange(10, 91)
    found = np.stack([scores(scorer, Profile(age=float(age))) for age in ages])
    steps = np.abs(np.diff(found, axis=0)).max(axis=1)
    assert steps.max() < 0.1
    np.testing.assert_array_equal(found[0], scores(scorer, Profile(age=1)))
    np.testing.assert_array_equal(found[-1], scores(scorer, Profile(age=120)))


def test_same_seed_same_model_and_another_one_differs(dataset: Dataset, model: AdditiveModel):
    again = train_additive(dataset, vectors(dataset), encoder=ToyEncoder()).model
    for name in AdditiveModel._ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    other = train_additive(dataset, vectors(dataset), encoder=ToyEncoder(), config=AdditiveConfig(seed=5)).model
    assert other.calibration != model.calibration


def test_probabilities_are_calibrated_on_people_held_out(scorer: AdditiveScorer):
    fresh = world(seed=1, n_users=400)
    likes = fresh.likes.assign(row=fresh.likes["item_id"].astype(int))
    said, happened = [], []
    for user in fresh.users.itertuples():
        own = likes[likes["user_id"] == user.user_id]["row"].to_numpy()
        later, revealed = own[min(5, len(own) // 2) :], own[: min(5, len(own) // 2)]
        shown = np.setdiff1d(np.arange(57), revealed)
        liked = tuple(f"{row:03d}" for row in revealed)
        profile = [Profile(user.age, user.gender), Profile(liked=liked), Profile(user.age, user.gender, liked=liked)]
        said.append(scorer.probability(scores(scorer, profile[user.Index % 3]))[shown])
        happened.append(np.isin(shown, later))
    said, happened = np.concatenate(said), np.concatenate(happened)
    assert abs(said.mean() - happened.mean()) < 0.03
    parts = np.array_split(np.argsort(said), 5)
    assert max(abs(said[part].mean() - happened[part].mean()) for part in parts) < 0.07
    assert happened[parts[-1]].mean() > 2 * happened[parts[0]].mean()


def test_probability_grows_with_the_score(scorer: AdditiveScorer):
    grid = np.linspace(-0.5, 1, 200)
    assert (np.diff(scorer.probability(grid)) > 0).all()


def test_saved_and_loaded_it_scores_the_same(scorer: AdditiveScorer, model: AdditiveModel, dataset: Dataset, tmp_path):
    model.save(tmp_path)
    loaded = AdditiveScorer(AdditiveModel.load(tmp_path), dataset=dataset, encoder=ToyEncoder())
    for profile in PROFILES:
        np.testing.assert_allclose(scores(loaded, profile), scores(scorer, profile), atol=1e-6)
    assert loaded.model.calibration == model.calibration
    assert loaded.model.about == model.about


def test_few_users_keep_the_default_parameters_and_have_no_probability(toy: Dataset):
    training = train_additive(toy, ToyEncoder().encode(["space"] * 12), encoder=ToyEncoder())
    assert training.trials == ()
    assert training.config == AdditiveConfig()
    scorer = AdditiveScorer(training.model, dataset=toy, encoder=ToyEncoder())
    assert np.isnan(scorer.probability(np.array([0.3]))).all()


def test_without_facts_or_timestamps_it_still_learns(dataset: Dataset):
    bare = replace(dataset, users=dataset.users[["user_id"]], interactions=dataset.interactions[["user_id", "item_id"]])
    model = train_additive(bare, vectors(bare), encoder=ToyEncoder()).model
    scorer = AdditiveScorer(model, dataset=bare, encoder=ToyEncoder())
    usual, liked = by_kind(scores(scorer, Profile())), by_kind(scores(scorer, Profile(liked=("000", "003"))))
    assert max(liked, key=lambda kind: liked[kind] - usual[kind]) == "space"
    np.testing.assert_array_equal(scores(scorer, Profile(age=20)), scores(scorer, Profile()))


def test_odd_values_do_not_stop_the_training(dataset: Dataset):
    users = dataset.users.assign(gender=dataset.users["gender"].map({"F": 1, "M": 0}))
    users.loc[0, "age"] = 999.0
    users["zip"] = [f"{number:05d}" for number in range(len(users))]
    items = dataset.items.assign(categories=[("x" * 300, *kinds) for kinds in dataset.items["categories"]])
    odd = replace(dataset, users=users, items=items)
    model = train_additive(odd, vectors(dataset), encoder=ToyEncoder()).model
    scorer = AdditiveScorer(model, dataset=odd, encoder=ToyEncoder())
    woman, man = (by_kind(scores(scorer, Profile(gender=gender))) for gender in ("1", "0"))
    assert woman["comedy"] > man["comedy"]
    assert max(model.basis.knots) < 120


def test_an_attribute_of_very_many_values_keeps_the_frequent_ones():
    people = [Profile(attributes={"zip": str(number % 300) if number < 900 else "7"}) for number in range(1000)]
    basis = FactBasis.from_profiles(people, attribute_weight=1.0)
    assert len(basis.attributes["zip"]) == 200
    assert "7" in basis.attributes["zip"]
    rare = next(str(number) for number in range(300) if str(number) not in basis.attributes["zip"])
    assert (basis.rows([Profile(attributes={"zip": rare})]) == 0).all()


def test_age_by_gender_is_centred_on_those_who_tell_both():
    rng = np.random.default_rng(0)
    people = [
        Profile(float(age), "F" if age > 45 else "M" if number % 2 else None)
        for number, age in enumerate(rng.integers(15, 75, 200))
    ]
    basis = FactBasis.from_profiles(people, attribute_weight=1.0)
    both = basis.rows([person for person in people if person.gender])
    assert abs(both[:, basis.slices["age by gender"]].mean(0)).max() < 1e-12
    none = basis.rows([person for person in people if not person.gender])
    assert (none[:, basis.slices["age by gender"]] == 0).all()


def test_likes_of_unknown_items_alone_are_no_likes(dataset: Dataset):
    stray = replace(dataset, interactions=dataset.interactions.assign(item_id="nowhere"))
    with pytest.raises(NotTrainedError, match="no likes of other users"):
        train_additive(stray, vectors(dataset), encoder=ToyEncoder())


def test_interests_that_the_encoder_cannot_read_do_not_thin_out_the_others(dataset: Dataset):
    items = dataset.items.assign(categories=[(*kinds, "???") for kinds in dataset.items["categories"]])
    odd = replace(dataset, items=items)
    model = train_additive(odd, vectors(dataset), encoder=ToyEncoder()).model
    plain = train_additive(dataset, vectors(dataset), encoder=ToyEncoder()).model
    assert np.linalg.norm(model.interest_centre) == pytest.approx(np.linalg.norm(plain.interest_centre), rel=0.2)


def test_without_likes_it_says_what_to_do(dataset: Dataset):
    with pytest.raises(NotTrainedError, match="no likes of other users .*'world'. Use the cosine scorer"):
        train_additive(dataset.without_users(dataset.users["user_id"]), vectors(dataset), encoder=ToyEncoder())
