"""What is hidden, what is revealed and what is asked, in worlds small enough to count."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from recsys.errors import ConfigError, DataError
from recsys.evaluation import PROTOCOLS, make_folds
from recsys.evaluation.protocols import DEMOGRAPHICS, INTERESTS, MIN_TARGETS, Fold, levels
from recsys.schema import ITEM_ID, RATING, USER_ID, Dataset, DatasetInfo, Profile
from recsys.training import N_REVEALED, Histories
from tests.training.world import N_ITEMS, world

FULL = Profile(30, "F", {"occupation": "student"}, ("space", "comedy"), ("a", "b", "c", "d", "e"))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return world()


def folds_of(dataset: Dataset, protocol: str, *, folds: int = 3, seed: int = 0) -> list[Fold]:
    return list(make_folds(dataset, protocol, folds=folds, seed=seed))


def counted(likes: dict[str, int], n_items: int = 30) -> Dataset:
    """Users who liked the first so many items, in that order, and disliked the last one."""
    ids = [f"{number:02d}" for number in range(n_items)]
    items = pd.DataFrame(
        {"item_id": ids, "title": ids, "categories": [("odd" if int(i) % 2 else "even",) for i in ids]}
    )
    users = pd.DataFrame({"user_id": list(likes), "age": 30.0, "gender": "F"})
    rows = [(user, ids[when], 4.0, when) for user, n in likes.items() for when in range(n)]
    rows += [(user, ids[-1], 3.0, 99) for user in likes]
    interactions = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    return Dataset("counted", DatasetInfo("Counted"), items, users, interactions)


def describe(folds: list[Fold]) -> list[tuple]:
    return [
        (
            fold.train.fingerprint,
            fold.candidates.tolist(),
            fold.n_left_out,
            [(case.user_id, case.profile, case.targets.tolist()) for case in fold.cases],
        )
        for fold in folds
    ]


def test_cold_user_tests_every_user_once_and_trains_on_all_others(dataset: Dataset):
    everyone = set(dataset.users[USER_ID])
    tested: list[str] = []
    for fold in folds_of(dataset, "cold-user"):
        hidden = everyone - set(fold.train.users[USER_ID])
        assert {case.user_id for case in fold.cases} <= hidden
        assert len(hidden) == len(fold.cases) + fold.n_left_out
        assert not hidden & set(fold.train.interactions[USER_ID])
        assert fold.candidates.all() and len(fold.candidates) == N_ITEMS
        tested += sorted(hidden)
    assert sorted(tested) == sorted(everyone)


def test_cold_user_reveals_the_earliest_likes_and_asks_for_all_later_ones(dataset: Dataset):
    likes = dataset.likes.sort_values("timestamp")
    for fold in folds_of(dataset, "cold-user"):
        for case in fold.cases:
            own = likes[likes[USER_ID] == case.user_id][ITEM_ID].tolist()
            assert list(case.profile.liked) == own[:N_REVEALED]
            assert [fold.train.items[ITEM_ID][row] for row in case.targets] == own[N_REVEALED:]
            person = dataset.users.set_index(USER_ID).loc[case.user_id]
            assert (case.profile.age, case.profile.gender) == (person["age"], person["gender"])
            assert dict(case.profile.attributes) == {"occupation": person["occupation"]}


def test_interests_are_the_categories_with_the_largest_lift_over_training_users():
    # the tested user revealed even, odd, even, odd, even: 3 of 5 even. The training user liked one even item alone, so in
    # training all is even and none odd: the lift of odd is the larger one.
    dataset = counted({"tested": 10, "even": 1})
    fold = next(fold for fold in folds_of(dataset, "cold-user", folds=2) if fold.cases)
    assert fold.train.users[USER_ID].tolist() == ["even"]
    assert fold.cases[0].profile.interests == ("odd", "even")


def test_cold_item_hides_every_item_once_from_all_and_ranks_only_hidden_ones(dataset: Dataset):
    times = np.zeros(N_ITEMS, int)
    for fold in folds_of(dataset, "cold-item"):
        hidden = set(dataset.items[ITEM_ID][fold.candidates])
        times += fold.candidates
        assert fold.train.users.equals(dataset.users)
        assert not hidden & set(fold.train.interactions[ITEM_ID])
        kept = dataset.interactions[~dataset.interactions[ITEM_ID].isin(hidden)].reset_index(drop=True)
        assert fold.train.interactions.equals(kept)
        assert fold.train.items.equals(dataset.items)
        assert len(fold.cases) + fold.n_left_out == len(dataset.users)
        for case in fold.cases:
            assert not hidden & set(case.profile.liked)
            own = dataset.likes[(dataset.likes[USER_ID] == case.user_id) & dataset.likes[ITEM_ID].isin(hidden)]
            assert {dataset.items[ITEM_ID][row] for row in case.targets} == set(own[ITEM_ID])
    assert (times == 1).all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_same_seed_same_folds_and_another_one_differs(dataset: Dataset, protocol: str):
    first, again, other = (describe(folds_of(dataset, protocol, seed=seed)) for seed in (4, 4, 5))
    assert first == again
    assert all(one[0] != two[0] for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_parts_are_of_equal_size(dataset: Dataset, protocol: str):
    folds = folds_of(dataset, protocol, folds=7)
    sizes = [len(dataset.users) - len(f.train.users) if protocol == "cold-user" else f.candidates.sum() for f in folds]
    assert len(folds) == 7
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_revealed_is_never_a_target_and_never_ranked(dataset: Dataset, protocol: str):
    for fold in folds_of(dataset, protocol):
        mask = fold.mask()
        assert mask.shape == (len(fold.cases), N_ITEMS)
        for row, case in enumerate(fold.cases):
            revealed = [fold.train.item_row(item_id) for item_id in case.profile.liked]
            assert len(revealed) == N_REVEALED
            assert not set(revealed) & set(case.targets)
            assert not mask[row, revealed].any()
            assert mask[row, case.targets].all()
            expected = fold.candidates.copy()
            expected[revealed] = False
            assert (mask[row] == expected).all()
            assert len(case.targets) >= MIN_TARGETS


def test_each_level_reveals_what_the_one_before_does_and_more():
    shown = [level.of(FULL) for level in levels()]
    assert [level.name for level in levels()] == ["demographics", "demographics+interests", "+1", "+3", "+5"]
    assert [(len(one.interests), len(one.liked)) for one in shown] == [(0, 0), (2, 0), (2, 1), (2, 3), (2, 5)]
    for one, more in pairwise(shown):
        assert (one.age, one.gender, one.attributes) == (FULL.age, FULL.gender, FULL.attributes)
        assert one.interests == more.interests[: len(one.interests)]
        assert one.liked == more.liked[: len(one.liked)]
    assert shown[-1] == FULL


@pytest.mark.parametrize(
    ("shots", "names"),
    [
        ((0,), ["demographics", "demographics+interests"]),
        ((5, 1, 1), ["+1", "+5"]),
        ((3, 0), ["demographics", "demographics+interests", "+3"]),
        ((), []),
    ],
)
def test_levels_follow_the_shots_in_order_and_each_once(shots: tuple[int, ...], names: list[str]):
    assert [level.name for level in levels(shots)] == names


def test_users_with_too_few_likes_are_left_out_and_counted():
    # five to reveal and five to find, so nine likes are one too few; a dislike is no like
    dataset = counted({"ten": 10, "nine": 9, "none": 0, "many": 20})
    folds = folds_of(dataset, "cold-user", folds=2)
    assert sorted(case.user_id for fold in folds for case in fold.cases) == ["many", "ten"]
    assert sum(fold.n_left_out for fold in folds) == 2
    assert sorted(len(case.targets) for fold in folds for case in fold.cases) == [5, 15]


def test_a_cold_item_user_needs_five_likes_on_either_side():
    dataset = counted({"all": 29, "few": 9})
    for fold in folds_of(dataset, "cold-item", folds=2):
        # 14 or 15 of the 30 items are hidden; who liked nine cannot have ten likes outside and five inside
        assert [case.user_id for case in fold.cases] == ["all"]
        assert fold.n_left_out == 1


def test_folds_without_ratings_or_timestamps(dataset: Dataset):
    bare = replace(dataset, interactions=dataset.interactions[[USER_ID, ITEM_ID]])
    for protocol in PROTOCOLS:
        assert sum(len(fold.cases) for fold in folds_of(bare, protocol)) > 20
    own = Histories.from_dataset(bare)
    fold = folds_of(bare, "cold-user")[0]
    user = own.user_ids.index(fold.cases[0].user_id)
    assert fold.cases[0].targets.tolist() == own.liked[user][N_REVEALED:].tolist()


def test_bad_input_is_refused_in_three_parts(dataset: Dataset):
    with pytest.raises(ConfigError, match=r"no such protocol: 'warm-user'. Choose one of: cold-user, cold-item."):
        make_folds(dataset, "warm-user", folds=2, seed=0)
    with pytest.raises(ConfigError, match=r"too few folds: '1'. Choose at least 2."):
        make_folds(dataset, "cold-user", folds=1, seed=0)
    nobody = replace(dataset, users=dataset.users[:0])
    nothing = replace(dataset, interactions=dataset.interactions[:0])
    disliked = replace(dataset, interactions=dataset.interactions.assign(**{RATING: 2.0}))
    for empty in (nobody, nothing, disliked):
        with pytest.raises(DataError, match=r"Nothing can be evaluated on this dataset: 'world'. Choose a dataset"):
            next(make_folds(empty, "cold-user", folds=2, seed=0))


def test_more_folds_than_users_leave_empty_folds_not_errors():
    folds = folds_of(counted({"ten": 10, "many": 20}), "cold-user", folds=4)
    assert [len(fold.cases) for fold in folds].count(1) == 2
    assert [fold.mask().shape for fold in folds if not fold.cases] == [(0, 30)] * 2


def test_the_levels_without_likes_are_told_apart_by_interests():
    assert DEMOGRAPHICS.of(FULL).interests == ()
    assert INTERESTS.of(FULL) == replace(FULL, liked=())
