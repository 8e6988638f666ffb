"""What one world's people teach serves another catalog: the shared facets carry over, the rest is listed, own likes move it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.datasets import open_dataset, write_folder
from recsys.errors import ArtifactError, DataError, NotTrainedError
from recsys.recommender import Recommender, available_scorers, default_scorer
from recsys.schema import Dataset, DatasetInfo, Profile
from recsys.scorer import AdditiveModel, AdditiveScorer
from recsys.scorer.additive import Known
from recsys.training import Histories
from recsys.transfer import NEW_ITEMS, Balance, Source, carry, shrink, transfer_and_keep, transferred_key
from recsys.transfer.shrinking import ShrinkConfig, _rows, _trust
from tests.toy import KINDS, ToyEncoder
from tests.training.world import vectors, world


@pytest.fixture(scope="module")
def source() -> Source:
    dataset = world()
    return Source.from_dataset(dataset, vectors(dataset), encoder=ToyEncoder())


def catalog(n_items: int = 12) -> Dataset:
    """Items that nobody knows, of the same kinds."""
    items = pd.DataFrame(
        {
            "item_id": [f"t{number:02d}" for number in range(n_items)],
            "title": [f"Tale {number}" for number in range(n_items)],
            "categories": [(KINDS[number % 3],) for number in range(n_items)],
        }
    )
    nobody = pd.DataFrame({"user_id": pd.Series(dtype=str)})
    nothing = pd.DataFrame({"user_id": pd.Series(dtype=str), "item_id": pd.Series(dtype=str)})
    return Dataset("tales", DatasetInfo("Tales", item_template="{title}[. {categories}]"), items, nobody, nothing)


def with_users(dataset: Dataset, **columns: list) -> Dataset:
    n_users = len(next(iter(columns.values())))
    return replace(dataset, users=pd.DataFrame({"user_id": [f"v{n}" for n in range(n_users)], **columns}))


def best_kind(source: Source, profile: Profile, *, has_prior: bool) -> str:
    target = catalog()
    carried = carry(source, target, vectors(target), has_prior=has_prior)
    scorer = AdditiveScorer(carried.model, dataset=carried.dataset, encoder=ToyEncoder())
    scores = (scorer.queries([profile]) @ scorer.item_vectors.T)[0]
    scores[[target.item_row(item_id) for item_id in profile.liked]] = -np.inf
    return KINDS[int(scores.argmax()) % 3]


@pytest.mark.parametrize(
    ("profile", "kind"),
    [
        (Profile(age=20, gender="M"), "space"),
        (Profile(age=70, gender="M"), "romance"),
        (Profile(gender="F"), "comedy"),
        (Profile(interests=("romance",)), "romance"),
        (Profile(liked=("t02", "t05")), "comedy"),
        (Profile(liked=("t00",)), "space"),
    ],
)
def test_what_people_like_there_they_like_here(source: Source, profile: Profile, kind: str):
    assert best_kind(source, profile, has_prior=False) == kind


def test_words_outweigh_what_texts_tell_of_popularity(source: Source):
    for kind in KINDS:
        assert best_kind(source, Profile(interests=(kind,)), has_prior=True) == kind


def test_everything_comes_from_the_text(source: Source):
    target = catalog()
    model = carry(source, target, vectors(target)).model
    centred = np.asarray(vectors(target), float) - vectors(target).mean(axis=0, dtype=float)
    np.testing.assert_allclose(model.items, centred @ model.text, atol=1e-12)
    np.testing.assert_allclose(model.liked, centred @ model.text_liked, atol=1e-12)
    assert not model.own_share.any() and not model.own_liked_share.any()
    assert np.isnan(model.calibration).all()
    assert model.prior.any()
    assert not carry(source, target, vectors(target), has_prior=False).model.prior.any()


def test_what_all_items_of_a_catalog_have_in_common_says_nothing(source: Source):
    target, shift = catalog(), np.linspace(-1, 1, vectors(catalog()).shape[1])
    plain, shifted = (carry(source, target, vectors(target) + more).model for more in (0.0 * shift, shift))
    np.testing.assert_allclose(shifted.items, plain.items, atol=1e-9)
    np.testing.assert_allclose(shifted.prior, plain.prior, atol=1e-9)


def test_an_attribute_that_the_target_does_not_know_is_listed(source: Source):
    target = with_users(catalog(), gender=["F", "M"])
    carried = carry(source, target, vectors(target))
    assert carried.lost["occupation"] == "tales does not know it"
    assert carried.lost["age"] == "tales knows no ages"
    assert "occupation" not in carried.kept and not carried.model.basis.attributes


def test_similarity_stands_beside_what_was_learned(source: Source):
    target = catalog()
    both = carry(replace(source, balance=Balance(1.0, 0.3, 0.7)), target, vectors(target)).model
    none = carry(replace(source, balance=Balance()), target, vectors(target)).model
    centred = np.asarray(vectors(target), float) - both.text_centre
    known = Known.from_profiles([Profile(interests=("space",), liked=("t01",))], target, ToyEncoder())
    more = known.taste(both) @ both.items.T - known.taste(none) @ none.items.T
    said = (ToyEncoder().encode(["space"]) - both.interest_centre) / (1 + both.interest_offset)
    near = centred[1] / (1 + both.liked_offset)
    np.testing.assert_allclose(more, 0.3 * said @ centred.T + 0.7 * near @ centred.T, atol=1e-6)
    assert np.abs(more).max() > 0.01


def test_a_catalog_without_users_is_lent_the_facts(source: Source):
    carried = carry(source, catalog(), vectors(catalog()))
    assert carried.dataset.genders == world().genders
    assert carried.dataset.user_attributes == world().user_attributes
    assert carried.dataset.age_range == (source.model.basis.knots[0], source.model.basis.knots[-1])
    assert carried.kept[:3] == ("age", "gender", "occupation")
    assert set(carried.lost) == {NEW_ITEMS, "probabilities"}


def test_only_shared_facts_carry_over(source: Source):
    target = with_users(
        catalog(), gender=["Female", "male", None], occupation=["Student", "pilot", None], town=["A", "B", "C"]
    )
    carried = carry(replace(source, views=("image",)), target, vectors(target))
    assert carried.kept[:2] == ("gender", "occupation")
    assert carried.dataset.lent is None
    basis = carried.model.basis
    assert (basis.knots, basis.genders, basis.attributes) == (
        (),
        ("Female", "male"),
        {"occupation": ("engineer", "Student")},
    )
    assert {"age", "occupation: pilot", NEW_ITEMS, "probabilities"} < set(carried.lost) and len(carried.lost) == 5
    assert carried.lost["occupation: pilot"] == "nobody in the source has it"
    theirs, ours = source.model, carried.model
    there = theirs.basis.rows([Profile(gender="F", attributes={"occupation": "student"})]) @ theirs.facts
    here = basis.rows([Profile(gender="Female", attributes={"occupation": "Student"})]) @ ours.facts
    np.testing.assert_allclose(here[:, : there.shape[1]], there, atol=1e-12)
    assert np.abs(there).max() > 0.01
    assert not basis.rows([Profile(age=20, attributes={"occupation": "pilot", "town": "A"})]).any()


def test_age_by_gender_carries_over_for_the_genders_that_are_shared(source: Source):
    target = with_users(catalog(), age=[20.0, 30.0], gender=["male", "other"])
    ours, theirs = carry(source, target, vectors(target)).model, source.model
    assert ours.basis.genders == ("F", "male") and theirs.basis.genders == ("F", "M")
    k = theirs.facts.shape[1]
    for block in ("age", "gender", "age by gender"):
        kept = ours.facts[ours.basis.slices[block], :k]
        np.testing.assert_array_equal(kept, theirs.facts[theirs.basis.slices[block]])
    here, there = (
        model.basis.rows([Profile(age=23, gender=gender)]) for model, gender in ((ours, "male"), (theirs, "M"))
    )
    np.testing.assert_array_equal(here, np.delete(there, np.r_[theirs.basis.slices["attribute:occupation"]], axis=1))


def test_embeddings_of_another_length_are_refused(source: Source):
    with pytest.raises(DataError, match="Read 'tales' with the encoder that 'world' was read with"):
        carry(source, catalog(), np.ones((12, 3), np.float32))


def test_nothing_to_learn_from_is_told():
    with pytest.raises(NotTrainedError):
        Source.from_dataset(catalog(), vectors(catalog()), encoder=ToyEncoder())


# ---- a few likes of the target's own -------------------------------------------------------------------------------------


def opposite(n_likes: int | None = None) -> Dataset:
    """Another world, where old people like space and young ones romance."""
    there = world(seed=5, n_users=400)
    likes = there.interactions
    if n_likes is not None:
        likes = likes.iloc[np.random.default_rng(0).permutation(len(likes))[:n_likes]].reset_index(drop=True)
    users = there.users.assign(age=90 - there.users["age"])
    return replace(there, name="opposite", users=users, interactions=likes)


def lean(model: AdditiveModel, age: float) -> float:
    """How much more a person of an age is shown space than romance."""
    scorer = AdditiveScorer(model, dataset=opposite(0), encoder=ToyEncoder())
    scores = (scorer.queries([Profile(age=age)], popularity=0.0) @ scorer.item_vectors.T)[0]
    return float(scores[0::3].mean() - scores[1::3].mean())


def test_what_is_carried_over_has_seen_no_like_of_the_target(source: Source):
    with_likes, without = (carry(source, dataset, vectors(dataset)).model for dataset in (opposite(), opposite(0)))
    for name in ("facts", "interests", "liked", "items", "text", "text_liked", "prior"):
        np.testing.assert_array_equal(getattr(with_likes, name), getattr(without, name))


def test_without_likes_nothing_moves(source: Source):
    target = catalog()
    carried = carry(source, target, vectors(target))
    assert shrink(carried, Histories.from_dataset(target), vectors(target), encoder=ToyEncoder()) is carried.model


def test_likes_move_what_was_carried_over_the_more_the_more_there_are(source: Source):
    bare = opposite(0)
    carried = carry(source, bare, vectors(bare))
    before = lean(carried.model, 20)
    leans = []
    for n_likes in (5, 200, None):
        few = opposite(n_likes)
        leans.append(lean(shrink(carried, Histories.from_dataset(few), vectors(few), encoder=ToyEncoder()), 20))
    assert abs(leans[0] - before) < 0.1 * before
    assert before > leans[1] > 0 > leans[2]


def test_the_closed_form_is_the_ridge_around_what_was_carried_over(source: Source):
    few = opposite(80)
    carried = carry(replace(source, balance=Balance()), few, vectors(few))
    histories = Histories.from_dataset(few)
    active = histories.of(np.array([user for user, rows in enumerate(histories.liked) if len(rows)]))
    moved = shrink(carried, histories, vectors(few), encoder=ToyEncoder(), config=ShrinkConfig(penalty=3.0))
    before = replace(carried.model, prior=moved.prior)
    centred = np.asarray(vectors(few), float) - before.text_centre
    people, items = _rows(before, active, centred, ToyEncoder()), before.items
    later, revealed = active.later_likes.toarray(), active.revealed_likes.toarray()
    density = later.sum() / (len(active) * before.prior.sum())
    response = later / density - (1 - revealed) * before.prior
    old = np.vstack([before.facts, before.interests, before.text_liked])
    sizes = np.linalg.eigvalsh(items.T @ items)
    charged = 3.0 / density * sizes[sizes > 1e-9 * sizes.max()].mean()

    def slope(coefficients: np.ndarray) -> np.ndarray:
        """The gradient of the objective, which is zero at its only minimum."""
        return people.T @ (people @ coefficients @ items.T - response) @ items + charged * (coefficients - old)

    new = np.vstack([moved.facts, moved.interests, moved.text_liked])
    assert np.abs(new - old).max() > 1e-4
    assert np.abs(slope(new)).max() < 1e-9 * np.abs(slope(old)).max()
    np.testing.assert_allclose(moved.liked, centred @ moved.text_liked)


def test_popularity_follows_the_likes_only_as_far_as_they_tell():
    quiet = np.full(100, 3.0)
    assert _trust(np.random.default_rng(0).poisson(3.0, 100), quiet) > 30
    loud = np.r_[np.full(10, 30.0), np.zeros(90)]
    assert _trust(loud, quiet) < 1
    assert _trust(np.r_[np.ones(3), np.zeros(97)], np.full(100, 0.03)) == 1000.0  # three likes are no evidence at all
    assert _trust(np.r_[2, 1, np.zeros(98)], np.full(100, 0.03)) >= 10.0  # and two of one item are little


def test_the_prior_becomes_that_of_the_target(source: Source):
    many, bare = opposite(), opposite(0)
    carried = carry(source, bare, vectors(bare))
    moved = shrink(carried, Histories.from_dataset(many), vectors(many), encoder=ToyEncoder())
    assert np.corrcoef(moved.prior, many.popularity)[0, 1] > 0.98
    assert np.corrcoef(carried.model.prior, many.popularity)[0, 1] < 0.7


# ---- kept with the target ------------------------------------------------------------------------------------------------


def keep(source: Source, folder: Dataset, encoder: ToyEncoder) -> None:
    ready = Recommender.from_dataset(folder, scorer="cosine", encoder=encoder)
    transfer_and_keep(source, folder, ready.embeddings, encoder=encoder, embeddings_key=ready.embeddings_key)


@pytest.fixture
def folder(tmp_path: Path) -> Dataset:
    return write_folder(catalog(), tmp_path / "tales")


def test_a_catalog_is_served_by_what_another_dataset_taught(source: Source, folder: Dataset):
    encoder = ToyEncoder()
    assert available_scorers(folder) == ("cosine",)
    keep(source, folder, encoder)
    opened = open_dataset(folder.folder)
    assert available_scorers(opened) == ("transferred", "cosine") and default_scorer(opened) == "transferred"
    recommender = Recommender.from_dataset(opened, encoder=encoder)
    profile = Profile(age=20, gender="M", attributes={"occupation": "student"}, interests=("space",))
    found = recommender.recommend(profile, k=3)
    assert [facet.key for facet in found.facets] == ["prior", *(facet.key for facet in profile.facets)]
    assert {int(item_id[1:]) % 3 for item_id in found.table["item_id"]} == {0}
    assert not recommender.check(profile)
    assert recommender.dataset.genders == world().genders
    assert {reason.split(";")[0] for reason in recommender.reasons(recommender.recommend(Profile(), k=12))} == {
        "Expected to be popular",
        "Nothing in the profile speaks for it",
    }
    explanation = recommender.explain(profile, str(found.table["item_id"][0]))
    np.testing.assert_allclose(explanation.total, found.table["score"][0], atol=1e-5)


def test_another_catalog_encoder_or_nothing_at_all_is_told(source: Source, folder: Dataset):
    encoder = ToyEncoder()
    with pytest.raises(NotTrainedError, match="recsys train --from DATASET --to tales"):
        Recommender.from_dataset(folder, scorer="transferred", encoder=encoder)
    keep(source, folder, encoder)
    with pytest.raises(NotTrainedError, match="read with another encoder"):
        Recommender.from_dataset(folder, scorer="transferred", encoder=ToyEncoder("other"))
    assert folder.folder is not None
    changed = write_folder(catalog(13), folder.folder)
    assert transferred_key(changed) is None
    with pytest.raises(NotTrainedError, match="as it is now"):
        Recommender.from_dataset(changed, scorer="transferred", encoder=encoder)


def test_a_second_transfer_takes_the_place_of_the_first(source: Source, folder: Dataset):
    keep(source, folder, ToyEncoder())
    keep(replace(source, name="elsewhere"), folder, ToyEncoder())
    assert folder.folder is not None
    assert len(list((folder.folder / "artifacts").glob("transferred-*"))) == 1
    scorer = Recommender.from_dataset(folder, encoder=ToyEncoder()).informed
    assert isinstance(scorer, AdditiveScorer) and scorer.model.about["source"] == "elsewhere"


def test_a_damaged_one_is_named(source: Source, folder: Dataset):
    keep(source, folder, ToyEncoder())
    assert folder.folder is not None
    (path,) = (folder.folder / "artifacts").glob("transferred-*/facts.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactError):
        Recommender.from_dataset(folder, scorer="transferred", encoder=ToyEncoder())


def test_a_dataset_is_not_carried_over_to_itself(source: Source, tmp_path: Path):
    with pytest.raises(DataError, match="cannot be carried over to itself"):
        keep(source, write_folder(catalog(), tmp_path / "world"), ToyEncoder())
