"""Cold to warm: every stage is the list that the profile of that moment gets."""

from itertools import pairwise

import numpy as np
import pytest

from recsys.errors import DataError, UnknownItemError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.settings import MAX_LIKED
from recsys.whatif import Reaction, side_by_side, simulate

START = Profile(30, "F", {"occupation": "student"}, ("space",))
STEPS = (Reaction("01", True), Reaction("00", False), Reaction("04", True))
ROMANCE = {"01", "04", "07", "10"}


@pytest.fixture(params=["cosine", "additive"])
def recommender(request, toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder)


def list_of(recommender, profile, **asked):
    return tuple(recommender.recommend(profile, **asked).table[ITEM_ID])


def test_every_stage_is_the_list_of_the_profile_of_that_moment(recommender):
    asked = {"k": 4, "popularity": 0.5, "diversity": 0.2, "keep": ItemFilter(years=(1990, 1999))}

    stages = simulate(recommender, START, STEPS, **asked)

    profiles = [Profile(30, "F", {"occupation": "student"}, ("space",), liked) for liked in ((), ("01",), ("01", "04"))]
    assert [stage.profile for stage in stages] == [profiles[0], profiles[1], profiles[1], profiles[2]]
    assert [stage.disliked for stage in stages] == [(), (), ("00",), ("00",)]
    for stage in stages:
        assert stage.item_ids == list_of(recommender, stage.profile, exclude=stage.disliked, **asked)
        expected = recommender.influence(stage.found, exclude=stage.disliked, keep=asked["keep"])
        assert stage.influence == expected


def test_what_enters_and_leaves_is_told_against_the_stage_before(recommender):
    stages = simulate(recommender, START, STEPS, k=4)

    assert (stages[0].entered, stages[0].left, stages[0].overlap, stages[0].overlap_with_start) == ((), (), 1.0, 1.0)
    for before, stage in pairwise(stages):
        old, new = set(before.item_ids), set(stage.item_ids)
        assert set(stage.entered) == new - old
        assert set(stage.left) == old - new
        assert stage.overlap == len(old & new) / 4
        assert stage.overlap_with_start == len(set(stages[0].item_ids) & new) / 4


def test_a_dislike_takes_the_item_out_and_nothing_else(recommender):
    best = list_of(recommender, START, k=1)[0]

    start, after = simulate(recommender, START, [Reaction(best, False)], k=4)

    assert start.item_ids[0] == best
    assert after.item_ids[:3] == start.item_ids[1:]
    assert after.left == (best,)
    assert len(after.entered) == 1
    assert after.overlap == 0.75


def test_likes_of_one_kind_fill_the_list_with_it(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)

    stages = simulate(recommender, Profile(), [Reaction("01", True), Reaction("04", True)], k=2, popularity=0.0)

    assert set(stages[-1].item_ids) == ROMANCE - {"01", "04"}
    assert set(stages[-1].influence.shares) == {"prior", "liked"}


def test_two_people_who_like_the_same_grow_alike(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)
    steps = [Reaction("01", True), Reaction("04", True)]
    first = simulate(recommender, Profile(interests=("space",)), steps, k=2, popularity=0.0)
    second = simulate(recommender, Profile(interests=("romance",)), steps, k=2, popularity=0.0)

    found = side_by_side(first, second)

    assert found[0] == 0.0
    assert found.shape == (3,)
    assert np.array_equal(side_by_side(first, first), np.ones(3))
    assert found.tolist() == [len(set(a.item_ids) & set(b.item_ids)) / 2 for a, b in zip(first, second, strict=True)]


def test_no_reaction_is_one_stage(recommender):
    (only,) = simulate(recommender, START, [], k=50)

    assert len(only.item_ids) == 12


def test_when_everything_was_reacted_to_nothing_is_left(recommender):
    stages = simulate(recommender, START, [Reaction(f"{n:02d}", n % 2 == 0) for n in range(12)], k=3)

    assert stages[-1].item_ids == ()
    assert stages[-1].overlap == 0.0


@pytest.mark.parametrize(
    ("start", "reactions", "match"),
    [
        (START, [Reaction("01", True), Reaction("01", False)], r"had a reaction: 'Story 01 \(1991\) \(reaction 2\)'"),
        (Profile(liked=("02",)), [Reaction("02", False)], r"liked from the start: 'Story 02 \(1992\) \(reaction 1\)'"),
    ],
)
def test_a_second_reaction_is_refused(recommender, start, reactions, match):
    with pytest.raises(DataError, match=match):
        simulate(recommender, start, reactions)


def test_an_unknown_item_is_refused(recommender):
    with pytest.raises(UnknownItemError, match="'99'"):
        simulate(recommender, START, [Reaction("99", False)])


def test_too_many_likes_are_refused_before_any_work(toy, toy_encoder, monkeypatch):
    recommender = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)
    monkeypatch.setattr("recsys.whatif.simulation.MAX_LIKED", 2)
    monkeypatch.setattr(recommender, "recommend", None)
    assert MAX_LIKED == 100

    with pytest.raises(DataError, match="too many likes: '3'"):
        simulate(
            recommender, Profile(liked=("02",)), [Reaction("00", True), Reaction("05", False), Reaction("01", True)]
        )


def test_simulations_of_different_length_are_refused(recommender):
    with pytest.raises(DataError, match="2 and 1 stages"):
        side_by_side(simulate(recommender, START, STEPS[:1]), simulate(recommender, START, []))
