"""A against B: known lists in the toy world, and sums that must hold whatever the people are."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.errors import DataError, UnknownItemError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.whatif import compare, overlap_matrix

SPACE, ROMANCE = Profile(interests=("space",)), Profile(interests=("romance",))
FULL = Profile(30, "F", {"occupation": "student"}, ("space",), ("03",))
OTHER = Profile(55, "M", {"occupation": "engineer"}, ("comedy", "space"), ("01",))


@pytest.fixture(params=["cosine", "additive"])
def recommender(request, toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder)


@pytest.fixture
def cosine(toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)


def kinds(found):
    return {change.item_id: change.kind for change in found.changes}


def test_somebody_else_sees_something_else(cosine):
    found = compare(cosine, SPACE, ROMANCE, k=3)

    # space: 03, 06, 09 (00 is about students as well); romance: 04, 07, 10
    assert [change.item_id for change in found.changes] == ["04", "07", "10", "03", "06", "09"]
    assert kinds(found) == dict.fromkeys(["04", "07", "10"], "entered") | dict.fromkeys(["03", "06", "09"], "left")
    assert found.overlap == found.rank_biased_overlap == 0
    assert found.mean_shift == pytest.approx(0)
    assert found.categories.to_dict("records") == [
        {"category": "romance", "first": 0, "second": 1, "shift": 1},
        {"category": "space", "first": 1, "second": 0, "shift": -1},
    ]


def test_why_an_item_entered(cosine):
    found = compare(cosine, SPACE, ROMANCE, k=3)

    change = found.of_kind("entered")[0]

    assert (change.first_score, change.second_score) == (pytest.approx(0), pytest.approx(1))
    assert change.first_place is None and change.second_place == change.second_rank == 1
    assert change.first_rank == 7  # behind four about space; of those that score 0, 01 and 02 come first by id
    assert [(part.label, part.before, part.after) for part in change.shifts] == [
        ("now “romance”", 0, pytest.approx(1)),
        ("no “space”", pytest.approx(0), 0),
    ]


def test_the_same_person_twice_changes_nothing(recommender):
    found = compare(recommender, FULL, FULL, k=5)

    assert set(kinds(found).values()) == {"same"}
    assert found.overlap == 1 and found.rank_biased_overlap == pytest.approx(1)
    assert found.mean_shift == 0
    assert all(change.shifts == () for change in found.changes)


@pytest.mark.parametrize("popularity", [1.0, 0.3])
def test_lists_ranks_and_scores_are_those_of_each_person_alone(recommender, popularity):
    found = compare(recommender, FULL, OTHER, k=4, popularity=popularity)

    for profile, made, name in ((FULL, found.first, "first"), (OTHER, found.second, "second")):
        alone = recommender.recommend(profile, k=4, popularity=popularity)
        assert made.to_records() == alone.to_records()
        for change in found.changes:
            explained = recommender.explain(profile, change.item_id, popularity=popularity)
            assert getattr(change, f"{name}_score") == pytest.approx(explained.total, abs=1e-6)
            if change.item_id not in profile.liked:
                assert getattr(change, f"{name}_rank") == explained.rank
            else:
                assert getattr(change, f"{name}_rank") is None
            places = list(made.table[ITEM_ID])
            place = places.index(change.item_id) + 1 if change.item_id in places else None
            assert getattr(change, f"{name}_place") == place


def test_shifts_add_up_to_the_shift_of_the_score(recommender):
    for first, second in ((FULL, OTHER), (Profile(), FULL), (OTHER, Profile()), (FULL, replace(FULL, age=31.0))):
        for change in compare(recommender, first, second, k=6).changes:
            assert sum(part.value for part in change.shifts) == pytest.approx(change.shift, abs=1e-6)
            for part in change.shifts:
                assert part.value == part.after - part.before


def test_only_what_differs_is_named(recommender):
    found = compare(recommender, FULL, replace(FULL, age=60.0, gender="M"), k=3)

    if recommender.scorer.name == "additive":
        assert {part.label for part in found.changes[0].shifts} == {"Age 30 → Age 60", "Gender F → Gender M"}
    else:  # a sentence is read as a whole, so every facet may weigh otherwise
        assert {"Age 30 → Age 60", "Gender F → Gender M"} <= {part.label for part in found.changes[0].shifts}


def test_moves_go_by_the_place_in_the_list(recommender):
    found = compare(recommender, FULL, OTHER, k=8)

    for change in found.changes:
        if change.first_place and change.second_place:
            step = np.sign(change.first_place - change.second_place)
            assert {1: "up", -1: "down", 0: "same"}[int(step)] == change.kind


def test_filters_and_diversity_are_those_of_the_list(recommender):
    keep = ItemFilter(categories=("comedy",))

    found = compare(recommender, FULL, OTHER, k=3, keep=keep, diversity=0.5)

    for profile, made in ((FULL, found.first), (OTHER, found.second)):
        alone = recommender.recommend(profile, k=3, keep=keep, diversity=0.5)
        assert list(made.table[ITEM_ID]) == list(alone.table[ITEM_ID])
    assert set(found.categories["category"]) == {"comedy"}


def test_nothing_passes_the_filters(recommender):
    found = compare(recommender, FULL, OTHER, k=3, keep=ItemFilter(years=(1800, 1801)))

    assert found.changes == () and found.overlap == 1
    assert math.isnan(found.mean_shift) and math.isnan(found.likes[0])
    assert json.dumps(found.to_dict(), allow_nan=False)


def test_the_mean_shift_is_what_the_second_list_scores_more(cosine):
    both = Profile(interests=("space", "romance"))  # every item of one kind scores cos 45 degrees

    found = compare(cosine, SPACE, both, k=3)

    assert found.mean_shift == pytest.approx(np.sqrt(0.5) - 1, abs=1e-6)


def test_likes_and_prices_of_the_lists(toy, toy_encoder):
    likes = pd.DataFrame({"user_id": ["u0", "u1", "u2", "u3"], "item_id": ["03", "03", "03", "04"]})
    priced = replace(toy, items=toy.items.assign(price=np.arange(12.0)), interactions=likes)
    recommender = Recommender.from_dataset(priced, scorer="cosine", encoder=toy_encoder)

    found = compare(recommender, SPACE, ROMANCE, k=3)

    assert found.price == (6, 7)
    assert found.likes == (1, pytest.approx(1 / 3))


def test_json_holds_no_nan_and_both_lists(recommender):
    values = json.loads(json.dumps(compare(recommender, FULL, OTHER, k=4).to_dict(), allow_nan=False))

    assert len(values["first"]["recommendations"]) == len(values["second"]["recommendations"]) == 4
    assert values["second"]["profile"]["gender"] == "M"
    assert {change["kind"] for change in values["changes"]} <= {"entered", "left", "up", "down", "same"}


def test_what_is_unknown_is_refused(recommender):
    with pytest.raises(DataError, match="gender"):
        compare(recommender, FULL, Profile(gender="x"))
    with pytest.raises(UnknownItemError):
        compare(recommender, FULL, Profile(liked=("99",)))
    with pytest.raises(DataError, match="length"):
        compare(recommender, FULL, OTHER, k=0)


def test_the_matrix_of_overlaps():
    lists = [np.array([1, 2]), np.array([2, 3]), np.array([4, 5])]

    np.testing.assert_array_equal(overlap_matrix(lists), [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]])
    ranked = overlap_matrix(lists, ranked=True)
    assert ranked[0, 0] == 1 and ranked[0, 1] == ranked[1, 0] < 0.5 and ranked[0, 2] == 0
