"""The fairness report: planted differences are found, none is claimed where there is none, small groups are not shown."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ttest_ind

from recsys.errors import DataError
from recsys.evaluation import FairnessReport, comparisons, fair_words, groups_of, report_fairness, shown_counts
from recsys.evaluation.comparisons import Gap, compare_groups, intervals
from recsys.evaluation.fair_words import not_found
from recsys.evaluation.fairness import ALPHA, LIKES
from recsys.evaluation.swaps import FLAGGED_BELOW, swap_lists
from recsys.intervals import Interval, interval
from recsys.recommender import Recommender
from recsys.schema import Profile
from recsys.suppression import MIN_GROUP
from tests.evaluation.fair_worlds import CATEGORIES, LEVEL, fair_world
from tests.toy import KINDS, ToyEncoder
from tests.training.world import world

DRAWS = 199
PLANTED = {"quality": 0.6, "exposure": 2.5}


def report(seed: int, n_draws: int = DRAWS, **planted: float) -> FairnessReport:
    return report_fairness(*fair_world(seed, **planted), n_draws=n_draws)


def alarms(n_runs: int, first: int, **planted: float) -> int:
    """Number of worlds of which a report calls anything a difference."""
    return sum(report(seed, **planted).n_found > 0 for seed in range(first, first + n_runs))


def naive_alarms(n_runs: int, first: int) -> int:
    """The same if every comparison is judged alone, at 5 %."""
    found = 0
    for seed in range(first, first + n_runs):
        evaluation, dataset = fair_world(seed)
        values = evaluation.users[["nDCG@10", "R@20"]].to_numpy()
        told = shown_counts(groups_of(dataset.users, "age"))
        ages, women = dataset.users["age"].to_numpy(), (dataset.users["gender"] == "F").to_numpy()
        assert len(told) > 4
        splits = [
            women,
            *((ages >= low) & (ages < high) for low, high in ((18, 25), (25, 35), (35, 45), (45, 55), (55, 99))),
        ]
        found += any((ttest_ind(values[own], values[~own], equal_var=False).pvalue < 0.05).any() for own in splits)
    return found


def most(n_runs: int, chance: float = 0.05) -> int:
    """So many of independent runs fail with this chance of each, or fewer, in 999 of 1,000 cases."""
    return int(binom.ppf(0.999, n_runs, chance))


def finds(found: FairnessReport) -> tuple[bool, bool]:
    """Whether the planted difference in quality, and the one in exposure, are found for women."""
    worse = any(
        p.gap.is_found and p.gap.difference < 0 for p in found.quality if (p.split, p.gap.group) == ("gender", "F")
    )
    romance = [p for p in found.exposure if (p.split, p.gap.group, p.gap.measure) == ("gender", "F", "romance")]
    return worse, all(p.gap.is_found and p.gap.difference > 0 and p.shown.is_found for p in romance) and bool(romance)


# P7: what is planted is found, and nothing else.


@pytest.fixture
def quick(monkeypatch):
    """Without the intervals of means, which take most of the time and decide nothing."""

    def means(values: np.ndarray) -> list[Interval]:
        return [Interval(float(mean), np.nan, np.nan, len(values)) for mean in values.mean(axis=0)]

    monkeypatch.setattr(comparisons, "intervals", means)


def test_planted_differences_in_quality_and_exposure_are_found(quick):
    found = [finds(report(seed, **PLANTED)) for seed in range(20)]
    assert min(np.sum(found, axis=0)) >= 19  # 95 %


def test_without_a_difference_none_is_claimed(quick):
    assert alarms(60, first=100) <= most(60)


def test_each_comparison_alone_would_raise_far_too_many_alarms():
    assert naive_alarms(40, first=100) > most(40)


@pytest.mark.release
def test_p7_at_full_size(quick):
    planted = [finds(report(seed, **PLANTED)) for seed in range(500)]
    quality, exposure = np.mean(planted, axis=0)
    rates = {spread: alarms(500, first=1000, spread=spread) / 500 for spread in (1.0, 2.0)}
    naive = naive_alarms(500, first=1000) / 500
    print(f"found: quality {quality:.3f}, exposure {exposure:.3f}; false alarms {rates}, each alone {naive:.3f}")
    assert min(quality, exposure) >= 0.95
    assert max(rates.values()) <= 0.05
    assert naive > 0.2


def test_another_taste_is_no_unfair_exposure():
    found = report(7, exposure=2.5, taste=2.5)
    romance = [p for p in found.exposure if p.gap.measure == "romance" and p.split == "gender"]
    assert all(part.shown.is_found and not part.gap.is_found for part in romance)
    assert "That alone is not unfair" in " ".join(fair_words(found))


# The comparisons.


def test_a_comparison_is_found_exactly_if_its_interval_leaves_zero_out():
    found = [part.gap for seed in range(4) for part in report(seed, quality=0.8).quality]
    assert {gap.is_found for gap in found} == {True, False}
    for gap in found:
        assert gap.is_found == (gap.low > 0 or gap.high < 0)
        assert gap.is_found == (gap.p <= ALPHA / 2)
        assert gap.seen_from > gap.high - gap.difference


def test_the_numbers_of_a_gap_are_those_of_the_people():
    values = np.array([[1.0], [3.0], [5.0], [9.0], [2.0]])
    inside = np.array([True, True, False, False, False])
    (gap,) = compare_groups(values, ["m"], {"g": inside, "nobody": inside & False, "all": inside | True}, n_draws=99)
    assert (gap.group, gap.measure, gap.mean.mean, gap.mean.n) == ("g", "m", 2.0, 2)
    assert gap.rest == pytest.approx(16 / 3)
    assert gap.difference == pytest.approx(2 - 16 / 3)
    assert compare_groups(values, [], {"g": inside}) == ()


def test_intervals_of_many_measures_are_those_of_each():
    values = np.random.default_rng(0).random((70, 3))
    for found, column in zip(intervals(values), values.T, strict=True):
        alone = interval(column)
        assert (found.mean, found.low, found.high, found.n) == pytest.approx(
            (alone.mean, alone.low, alone.high, alone.n)
        )


def test_equal_values_are_no_difference():
    (gap,) = compare_groups(np.full((40, 1), 0.5), ["m"], {"g": np.arange(40) < 15}, n_draws=99)
    assert not gap.is_found
    assert np.isnan(gap.seen_from)
    assert not_found([gap]) == "no difference was found; nobody's values differ."


def test_what_would_be_seen_is_said():
    one = Interval(0.0, 0.0, 0.0, 10)
    gaps = [Gap("g", "m", one, 0.0, 0.0, -1.0, 1.0, seen, 1.0, False) for seen in (0.05, 0.2)]
    assert not_found(gaps) == (
        "no difference was found; with this many people one smaller than 0.05 (in the largest group) to 0.20 (in the smallest) "
        "would not have been seen."
    )


def test_a_difference_that_would_be_seen_is_seen_in_four_of_five_samples():
    rng, inside = np.random.default_rng(1), np.arange(300) < 100
    first = compare_groups(rng.normal(size=(300, 1)), ["m"], {"g": inside}, n_draws=DRAWS)[0]
    n = 0
    for _ in range(100):
        values = rng.normal(size=(300, 1))
        values[inside] += first.seen_from
        n += compare_groups(values, ["m"], {"g": inside}, n_draws=DRAWS)[0].is_found
    assert 68 <= n <= 92


# Groups.


def small_world() -> FairnessReport:
    """Four women and nine people under 18."""
    evaluation, dataset = fair_world(0)
    users = dataset.users.copy()
    users["gender"] = ["F"] * 4 + ["X"] * 30 + ["M"] * (len(users) - 34)
    users["age"] = [10.0] * 9 + [30.0] * 200 + [50.0] * (len(users) - 209)
    return report_fairness(evaluation, replace(dataset, users=users), n_draws=DRAWS)


def test_small_groups_and_what_would_give_them_away_are_nowhere_in_the_report():
    found = small_world()
    assert found.sizes["gender"] == {"F": None, "M": 266, "X": None}
    assert found.sizes["age"] == {"under 18": None, "25 to 34": 200, "45 to 54": None}
    assert found.has_hidden
    plain = found.to_dict()
    shown = {(row["by"], row["group"]) for part in ("quality", "exposure") for row in plain[part]}
    assert ("gender", "M") in shown
    assert not shown & {("gender", "F"), ("gender", "X"), ("age", "under 18"), ("age", "45 to 54")}
    assert all(row["n"] >= MIN_GROUP for part in ("quality", "exposure") for row in plain[part])
    assert plain["groups"]["gender"] == {"F": "hidden", "M": 266, "X": "hidden"}
    hidden = {(split, group) for split, parts in found.sizes.items() for group, n in parts.items() if n is None}
    assert not hidden & {(split, group) for split, parts in found.later.items() for group in parts}


def test_a_dataset_without_groups_and_an_evaluation_of_items_are_refused():
    evaluation, dataset = fair_world(0)
    bare = replace(dataset, users=dataset.users[["user_id"]])
    with pytest.raises(DataError, match=r"There are no groups of people to compare: '300 people with a list'"):
        report_fairness(evaluation, bare)
    with pytest.raises(DataError, match=r"This evaluation hides items, not people: 'cold-item'"):
        report_fairness(replace(evaluation, plan=replace(evaluation.plan, protocol="cold-item")), dataset)
    with pytest.raises(DataError, match=r"The evaluation has no such level: '\+9'. Use one of: demographics."):
        report_fairness(evaluation, dataset, level="+9")


def test_the_report_is_plain_json_and_says_how_to_make_it_again():
    found = report(3, quality=0.6, exposure=2.0)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["command"] == "recsys fairness --dataset fair --level demographics"
    assert plain["n_users"] == 300
    assert {row["measure"] for row in plain["exposure"]} == {LIKES, *CATEGORIES}
    assert sum(row["is_found"] for row in plain["quality"]) > 0
    words = " ".join(fair_words(found))
    assert "lists are worse for gender F" in words
    assert "lists are better for gender M" not in words  # that is the same difference
    assert "romance: lists show gender F +" in words


def test_a_list_of_nothing_is_left_out():
    evaluation, dataset = fair_world(0)
    lists = evaluation.lists.copy()
    lists["item_ids"] = [[] if number < 7 else ids for number, ids in enumerate(lists["item_ids"])]
    assert report_fairness(replace(evaluation, lists=lists), dataset, n_draws=DRAWS).n_users == 293


def test_lists_are_those_of_the_same_people_in_whatever_order_they_are_kept():
    evaluation, dataset = fair_world(0, exposure=3.0)
    turned = replace(evaluation, lists=evaluation.lists.iloc[::-1])
    first, second = (report_fairness(found, dataset, n_draws=DRAWS) for found in (evaluation, turned))
    assert first.to_dict() == second.to_dict()


# Swaps.


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    return Recommender.from_dataset(world(), encoder=ToyEncoder())


def swapped(recommender: Recommender, profiles: list[Profile], **groups: dict[str, np.ndarray]) -> dict:
    found = swap_lists(recommender, profiles, groups, {"35 to 44": 40.0, "55 and over": 70.0, "18 to 24": 20.0})
    return {(swap.facet, swap.group): swap for swap in found}


def test_lists_change_with_gender_as_much_as_the_recommender_lets_them(recommender):
    profiles = [Profile(30.0, gender) for gender in ("F", "M") * 10]
    women = np.array([profile.gender == "F" for profile in profiles])
    found = swapped(recommender, profiles, gender={"F": women, "M": ~women})
    assert set(found) == {("gender", "F"), ("gender", "M")}
    for swap in found.values():
        assert swap.jaccard.n == 10
        assert 0 < swap.jaccard.mean < 1
        assert swap.category in KINDS
        assert swap.ratio.mean < FLAGGED_BELOW
        assert swap.is_flagged
    assert found["gender", "F"].jaccard.mean == pytest.approx(found["gender", "M"].jaccard.mean)


def test_what_is_not_known_of_a_person_is_not_swapped(recommender):
    everybody = np.ones(12, bool)
    assert swapped(recommender, [Profile(30.0)] * 12, gender={"unknown": everybody}) == {}
    some = [Profile(30.0, "F")] * 3 + [Profile(30.0, "M")] * 3 + [Profile(30.0)] * 6
    number = np.arange(12)
    groups = {"F": number < 3, "M": (number >= 3) & (number < 6), "unknown": number >= 6}
    assert set(swapped(recommender, some, gender=groups)) == {("gender", "F"), ("gender", "M")}
    alone = [Profile(gender="F")] * 12  # there is no other to swap in
    assert swapped(recommender, alone, gender={"F": everybody}) == {}
    (swap,) = swapped(recommender, [Profile(20.0)] * 12, age={"18 to 24": everybody}).values()
    assert (swap.facet, swap.group) == ("age", "18 to 24")
    assert swap.jaccard.mean < 1


def test_a_scorer_that_ignores_gender_changes_nothing(recommender):
    cosine = Recommender.from_dataset(
        replace(world(), users=world().users.assign(gender=["F", "M"] * 80)),
        scorer="cosine",
        encoder=recommender.encoder,
    )
    profiles = [Profile(gender=gender, interests=("space",)) for gender in ("F", "M") * 6]
    blind = replace(cosine.dataset.info, profile_template="[{interests}]")
    ready = Recommender.from_dataset(replace(cosine.dataset, info=blind), scorer="cosine", encoder=recommender.encoder)
    women = np.array([profile.gender == "F" for profile in profiles])
    for swap in swapped(ready, profiles, gender={"F": women, "M": ~women}).values():
        assert (swap.jaccard.mean, swap.overlap.mean, swap.rank_biased.mean, swap.ratio.mean) == pytest.approx((1,) * 4)
        assert not swap.is_flagged


def test_frames_of_a_world_hold_what_was_asked():
    evaluation, dataset = fair_world(0, quality=0.5)
    women = set(dataset.users["user_id"][dataset.users["gender"] == "F"])
    own = evaluation.users["user_id"].isin(women)
    means = evaluation.users.groupby(own)["nDCG@10"].mean()
    assert means[True] < 0.7 * means[False]
    assert isinstance(evaluation.lists, pd.DataFrame)
    assert set(evaluation.lists["level"]) == {LEVEL}
