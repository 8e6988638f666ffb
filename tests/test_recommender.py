from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.encoder import CachedEncoder, TransformerEncoder
from recsys.errors import ConfigError, DataError, NotTrainedError, UnknownItemError
from recsys.recommender import Recommender
from recsys.schema import Dataset, ItemFilter, Profile, Recommendations
from recsys.views.embeddings import embeddings_key
from tests.toy import KINDS, ToyEncoder
from tests.training.world import world

FULL = Profile(30, "F", {"occupation": "student"}, ("space", "romance"), ("03",))
PROFILES = [FULL, Profile(), Profile(interests=("comedy",)), Profile(attributes={"occupation": "student"}), FULL]


@pytest.fixture
def recommender(toy: Dataset, toy_encoder: ToyEncoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)


def ids(found: Recommendations) -> list[str]:
    return found.table["item_id"].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_right_kind_comes_first(recommender: Recommender, kind: str):
    first = KINDS.index(kind)
    found = recommender.recommend(Profile(interests=(kind,)), k=4)
    assert ids(found) == [f"{number:02d}" for number in (first + 3, first + 6, first + 9, first)]
    np.testing.assert_allclose(found.table["score"], [1, 1, 1, 0.5**0.5], atol=1e-6)
    assert found.table["rank"].tolist() == [1, 2, 3, 4]


def test_two_facets_meet_in_one_item(recommender: Recommender):
    found = recommender.recommend(Profile(attributes={"occupation": "student"}, interests=("space",)), k=4)
    assert ids(found) == ["00", "03", "06", "09"]
    assert found.table["score"].iloc[0] == pytest.approx(1, abs=1e-6)
    assert found.contributions.iloc[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-6)


def test_liked_items_are_left_out(recommender: Recommender):
    assert ids(recommender.recommend(Profile(interests=("space",), liked=("06",)), k=3)) == ["03", "09", "00"]


def test_excluded_items_are_left_out(recommender: Recommender):
    profile = Profile(interests=("space",))
    assert ids(recommender.recommend(profile, k=2, exclude=iter(["03", "09"]))) == ["06", "00"]


def test_filter_is_kept_to(recommender: Recommender):
    found = recommender.recommend(Profile(interests=("space",)), k=100, keep=ItemFilter(categories=("comedy",)))
    assert sorted(ids(found)) == ["02", "05", "08", "11"]


def test_long_list_is_the_whole_catalog_without_liked(recommender: Recommender):
    assert sorted(ids(recommender.recommend(FULL, k=100))) == [f"{n:02d}" for n in range(12) if n != 3]
    everything = Profile(liked=tuple(recommender.dataset.items["item_id"]))
    assert len(recommender.recommend(everything)) == 0
    assert recommender.recommend(everything).to_records() == []


def test_empty_profile_scores_nothing(recommender: Recommender):
    found = recommender.recommend(Profile(), k=5)
    assert ids(found) == ["00", "01", "02", "03", "04"]
    assert found.table["score"].tolist() == [0.0] * 5
    assert found.facets == ()
    assert found.to_records()[0]["contributions"] == {}


def test_batch_equals_one_by_one(recommender: Recommender):
    together = recommender.recommend_many(PROFILES, k=7, exclude=iter(["05"]))
    assert recommender.recommend_many([]) == []
    for profile, found in zip(PROFILES, together, strict=True):
        alone = recommender.recommend(profile, k=7, exclude=["05"])
        assert found.profile == profile
        assert ids(found) == ids(alone)
        np.testing.assert_allclose(found.table["score"], alone.table["score"], atol=1e-6)


@pytest.mark.parametrize("profile", PROFILES)
def test_contributions_sum_to_the_score(recommender: Recommender, profile: Profile):
    found = recommender.recommend(profile, k=12)
    scores = recommender.score_all(profile)
    rows = [recommender.dataset.item_row(item_id) for item_id in ids(found)]
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.table["score"], atol=1e-6)
    np.testing.assert_allclose(scores.values[rows], found.table["score"], atol=1e-6)
    for record in found.to_records():
        assert sum(record["contributions"].values()) == pytest.approx(record["score"], abs=1e-6)
        assert record["probability"] is None


def test_liked_item_is_called_by_its_title(recommender: Recommender):
    assert recommender.recommend(FULL).facets[-1].label == "Liked Story 03 (1993)"


def test_same_call_same_answer(recommender: Recommender):
    first, again = recommender.recommend(FULL), recommender.recommend(FULL)
    assert first.table.equals(again.table)


def test_real_encoder_on_the_toy_world(toy: Dataset, minilm: TransformerEncoder):
    real = Recommender.from_dataset(toy, scorer="cosine", encoder=minilm)
    for kind in KINDS:
        found = real.recommend(Profile(interests=(kind,)), k=2, keep=ItemFilter(years=(1993, 2020)))
        assert {recommendation % 3 for recommendation in map(int, ids(found))} == {KINDS.index(kind)}


def test_second_open_does_not_encode(toy_folder: Dataset):
    first, second = ToyEncoder(), ToyEncoder()
    steps: list[tuple[str, int, int]] = []
    made = Recommender.from_dataset(
        toy_folder, scorer="cosine", encoder=first, progress=lambda *step: steps.append(step)
    )
    assert len(first.encoded) == 12
    assert steps == [("encode", 12, 12), ("index", 0, 1), ("index", 1, 1)]
    opened = Recommender.from_dataset(toy_folder, scorer="cosine", encoder=second)
    assert second.encoded == []
    np.testing.assert_array_equal(made.index.vectors, opened.index.vectors)
    assert opened.recommend(FULL).table.equals(made.recommend(FULL).table)


def artifact(dataset: Dataset) -> Path:
    (path,) = (dataset.folder / "artifacts").glob("text-*")
    return path


@pytest.mark.parametrize("file", ["embeddings.npy", "manifest.json"])
def test_damaged_artifact_is_rebuilt(toy_folder: Dataset, file: str):
    before = Recommender.from_dataset(toy_folder, scorer="cosine", encoder=ToyEncoder()).recommend(FULL)
    damaged = artifact(toy_folder) / file
    damaged.write_bytes(damaged.read_bytes()[:-3])
    encoder = ToyEncoder()
    after = Recommender.from_dataset(toy_folder, scorer="cosine", encoder=encoder).recommend(FULL)
    assert len(set(encoder.encoded)) > 11
    assert after.table.equals(before.table)


def test_other_encoder_or_text_gets_its_own_artifact(toy_folder: Dataset):
    Recommender.from_dataset(toy_folder, scorer="cosine", encoder=ToyEncoder())
    other = ToyEncoder("toy-2")
    Recommender.from_dataset(toy_folder, scorer="cosine", encoder=other)
    assert len(other.encoded) == 12
    changed, encoder = replace(toy_folder, info=replace(toy_folder.info, item_template="{title}")), ToyEncoder()
    Recommender.from_dataset(changed, scorer="cosine", encoder=encoder)
    assert encoder.encoded[0] == "Story 00"
    assert len(list((toy_folder.folder / "artifacts").glob("text-*"))) == 3


def test_key_depends_on_order_and_borders():
    encoder = ToyEncoder()
    keys = [embeddings_key(texts, encoder) for texts in (["ab", "c"], ["c", "ab"], ["a", "bc"], ["abc"], [])]
    assert len(set(keys)) == 5


def test_cached_encoder_is_not_wrapped_again(toy: Dataset, toy_encoder: ToyEncoder):
    cached = CachedEncoder(toy_encoder)
    assert Recommender.from_dataset(toy, encoder=cached).encoder is cached


def test_changed_profile_encodes_only_what_is_new(recommender: Recommender, toy_encoder: ToyEncoder):
    recommender.recommend(Profile(interests=("space",)))
    before = len(toy_encoder.encoded)
    recommender.recommend(Profile(interests=("space",)), k=3)
    assert len(toy_encoder.encoded) == before


@pytest.mark.parametrize(
    ("profile", "error", "message"),
    [
        (Profile(gender="X"), DataError, r"no such gender: 'X'. Use one of: F, M"),
        (
            Profile(attributes={"shoe": "43"}),
            DataError,
            r"no such user attribute: 'shoe'. The attributes are: occupation",
        ),
        (Profile(liked=("zz",)), UnknownItemError, r"no such item in the catalog: 'zz'"),
    ],
)
def test_profile_that_does_not_fit_the_dataset(recommender: Recommender, profile: Profile, error, message: str):
    for call in (recommender.recommend, recommender.score_all, recommender.check):
        with pytest.raises(error, match=message):
            call(profile)


@pytest.mark.parametrize("k", [0, -1, 101])
def test_k_out_of_range(recommender: Recommender, k: int):
    with pytest.raises(DataError, match=f"out of range: '{k}'. Choose k from 1 to 100"):
        recommender.recommend(FULL, k=k)


def test_unknown_excluded_item_or_category(recommender: Recommender):
    with pytest.raises(UnknownItemError):
        recommender.recommend(FULL, exclude=["zz"])
    with pytest.raises(DataError, match="no such category"):
        recommender.recommend(FULL, keep=ItemFilter(categories=("opera",)))


def test_the_additive_scorer_reads_no_sentence_so_none_is_cut(toy: Dataset, toy_encoder: ToyEncoder):
    long = Profile(interests=tuple(f"space {number} and many more words to fill it" for number in range(10)))
    warned = {
        name: Recommender.from_dataset(toy, scorer=name, encoder=toy_encoder).check(long)
        for name in ("additive", "cosine")
    }
    assert warned["additive"] == []
    assert "its end was cut" in warned["cosine"][0]


def test_popularity_and_diversity(toy: Dataset, toy_encoder: ToyEncoder):
    additive = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)
    found = additive.recommend(FULL, k=5, popularity=0.5)
    assert found.popularity == 0.5
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.table["score"], atol=1e-6)
    np.testing.assert_allclose(
        found.table["prior"],
        0.5 * additive.recommend(FULL, k=12).table.set_index("item_id")["prior"][ids(found)],
        atol=1e-6,
    )
    assert found.table["probability"].isna().all()
    spread = additive.recommend(Profile(interests=("space",)), k=3, diversity=1.0)
    assert len({int(item_id) % 3 for item_id in ids(spread)}) == 3
    for wrong in ({"popularity": -0.1}, {"popularity": 2}, {"diversity": float("nan")}):
        with pytest.raises(DataError, match="is out of range"):
            additive.recommend(FULL, **wrong)


def test_a_probability_holds_only_for_the_popularity_that_was_learned(toy_encoder: ToyEncoder):
    additive = Recommender.from_dataset(world(), encoder=toy_encoder)
    assert additive.scorer.name == "additive"
    assert additive.recommend(Profile(30, "F")).table["probability"].between(0.01, 0.99).all()
    assert additive.recommend(Profile(30, "F"), popularity=0.5).table["probability"].isna().all()


def test_influence_of_an_empty_and_of_a_telling_profile(toy: Dataset, toy_encoder: ToyEncoder):
    additive = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)
    nothing = additive.influence(additive.recommend(Profile(), k=5))
    assert nothing.changes_nothing
    assert nothing.shares == {"prior": pytest.approx(1.0)}
    told = additive.influence(additive.recommend(Profile(interests=("comedy",), age=30), k=5))
    assert set(told.shares) == {"prior", "age", "interest"}
    assert sum(told.shares.values()) == pytest.approx(1.0)
    assert not told.changes_nothing
    assert told.shares["interest"] > told.shares["age"]


def test_unknown_scorer(toy: Dataset, toy_folder: Dataset, toy_encoder: ToyEncoder):
    with pytest.raises(
        ConfigError,
        match=r"not available: 'magic'. Choose one of: additive, fine-tuned, private, federated, transferred, cosine",
    ):
        Recommender.from_dataset(toy, scorer="magic", encoder=toy_encoder)
    with pytest.raises(NotTrainedError, match="No BERT has been fine-tuned .* Run `recsys train toy"):
        Recommender.from_dataset(toy_folder, scorer="fine-tuned", encoder=toy_encoder)
    with pytest.raises(NotTrainedError, match="No private fit .* Run `recsys train toy --scorer private"):
        Recommender.from_dataset(toy_folder, scorer="private", encoder=toy_encoder)
    catalog = toy.without_users(toy.users["user_id"])
    with pytest.raises(NotTrainedError, match=r"no likes of other users .* 'toy'. Use the cosine scorer"):
        Recommender.from_dataset(catalog, scorer="additive", encoder=toy_encoder)


def test_ordinary_profile_has_no_warnings(recommender: Recommender):
    assert recommender.check(FULL) == []
    assert recommender.check(Profile()) == []


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (Profile(age=100), "Age 100 is outside the users' range (20 to 60)"),
        (Profile(age=19), "Age 19 is outside"),
        (Profile(attributes={"occupation": "king"}), "No user has the occupation “king”."),
        (Profile(interests=("🦑",)), "The encoder knows no part of the interest “🦑”"),
        (Profile(interests=tuple(f"space and number {n}" for n in range(20))), "its end was cut"),
    ],
)
def test_warnings(recommender: Recommender, profile: Profile, message: str):
    (warning,) = recommender.check(profile)
    assert message in warning
    assert recommender.recommend(profile).warnings == (warning,)


def test_sentence(recommender: Recommender):
    assert recommender.sentence(Profile(gender="F")) == "A female person."


def test_timings_are_named(recommender: Recommender):
    assert set(recommender.recommend(FULL).timings) == {"encode", "search", "contributions"}
