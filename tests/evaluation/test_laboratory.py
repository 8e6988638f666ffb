"""The laboratory in a world of known tastes: who wins, what is kept, and that every number is the mean that it says it is."""

import importlib.util
import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.datasets import open_dataset, write_folder
from recsys.errors import ConfigError, DataError, NotTrainedError
from recsys.evaluation import (
    HEADLINE,
    MERGED_BELOW,
    OURS,
    PRIOR_ALONE,
    Evaluation,
    Plan,
    Step,
    all_rivals,
    evaluate,
    evaluation_key,
    keep_evaluation,
    kept_evaluations,
    make_folds,
    nearest,
    slices,
    split_rivals,
)
from recsys.evaluation.rivals import choice
from recsys.evaluation.rivals.catalogue import ablations_of
from recsys.evaluation.slices import N_NEAREST, fitting_level, merge_small, shown_counts
from recsys.intervals import interval, paired_difference
from recsys.schema import ITEM_ID, USER_ID, Dataset, DatasetInfo, Profile
from tests.evaluation.test_protocols import counted
from tests.toy import ToyEncoder
from tests.training.world import vectors, world

RIVALS = ("random", "popular", "item knn")
LEVELS = ("demographics", "demographics+interests", "+1", "+3", "+5")
ABLATIONS = (PRIOR_ALONE, *(method.name for method in ablations_of(RIVALS)))
PLAN = Plan("world", folds=2, rivals=RIVALS)
USER_MEASURES = ("nDCG@10", "R@20", "RR", "Success@10", "novelty@10", "diversity@10")


def run(dataset: Dataset, plan: Plan = PLAN, **options) -> Evaluation:
    return evaluate(dataset, vectors(dataset), encoder=ToyEncoder(), plan=plan, **options)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return world()


@pytest.fixture(scope="module")
def found(dataset: Dataset) -> Evaluation:
    return run(dataset)


@pytest.fixture(scope="module")
def cold_items(dataset: Dataset) -> Evaluation:
    return run(dataset, replace(PLAN, protocol="cold-item"))


# Who wins.


def test_additive_beats_random_at_every_level_beyond_doubt(found: Evaluation):
    for level in LEVELS:
        assert found.versus(level, "random").low > 0
    assert found.versus("demographics", "popular").low > 0


def test_more_liked_items_help(found: Evaluation):
    least, most = (found.results[level][OURS][HEADLINE].mean for level in ("demographics", "+5"))
    assert most > least


def test_an_unknown_item_is_ranked_by_its_text(cold_items: Evaluation):
    for level in LEVELS:
        assert cold_items.versus(level, "random").low > 0
    assert cold_items.plan.protocol == "cold-item"
    assert cold_items.methods[0] == OURS


# What is kept.


def assert_numbers(values: dict, keys: set[str]) -> None:
    assert set(values) == keys
    assert all(type(value) is float and np.isfinite(value) for value in values.values())


def check_structure(summary: dict, rivals: tuple[str, ...]) -> None:
    assert {
        "dataset", "protocol", "seed", "folds", "n_users", "results", "versus_best_rival",
    } <= set(summary)  # fmt: skip
    assert list(summary["results"]) == list(LEVELS)
    for level, methods in summary["results"].items():
        assert set(methods) == {OURS, *ABLATIONS, *(r for r in rivals if level.startswith("+") or r != "item knn")}
        for measures in methods.values():
            assert set(measures) == {*USER_MEASURES, "coverage@10"}
            for name, values in measures.items():
                assert_numbers(values, {"mean", "low", "high"})
                assert values["low"] <= values["mean"] <= values["high"], name
    for level, best in summary["versus_best_rival"].items():
        assert level in LEVELS
        assert best["rival"] in rivals
        assert_numbers({key: value for key, value in best.items() if key != "rival"}, {"difference", "low", "high"})


@pytest.mark.parametrize("protocol", ["cold-user", "cold-item"])
def test_the_summary_has_the_agreed_structure_and_is_strict_json(
    found: Evaluation, cold_items: Evaluation, protocol: str
):
    evaluation = found if protocol == "cold-user" else cold_items
    summary = evaluation.to_dict()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    check_structure(summary, RIVALS)
    assert list(summary["versus_best_rival"]) == list(LEVELS)
    about = {key: summary[key] for key in ("dataset", "protocol", "seed", "folds", "n_users")}
    assert about == {
        "dataset": "world", "protocol": protocol, "seed": 0, "folds": 2, "n_users": evaluation.n_users,
    }  # fmt: skip
    assert all(len(evaluation.values(OURS, level)) == evaluation.n_users for level in LEVELS)
    assert evaluation.n_users + summary["n_left_out"] == 160


def test_a_user_tested_in_several_folds_counts_once(cold_items: Evaluation):
    ours = cold_items.users[(cold_items.users["method"] == OURS) & (cold_items.users["level"] == LEVELS[0])]
    assert not ours["user_id"].is_unique
    assert cold_items.n_users == ours["user_id"].nunique()
    expected = ours.groupby("user_id")[HEADLINE].mean()
    values = dict(zip(cold_items.user_ids(OURS, LEVELS[0]), cold_items.values(OURS, LEVELS[0]), strict=True))
    assert values == pytest.approx(expected.to_dict())
    interval = cold_items.results[LEVELS[0]][OURS][HEADLINE]
    assert interval.n == cold_items.n_users
    assert interval.mean == pytest.approx(expected.mean())


def test_every_mean_is_the_mean_over_users_and_every_interval_theirs(found: Evaluation):
    summary = found.to_dict()
    for (method, level), frame in found.users.groupby(["method", "level"]):
        for name in USER_MEASURES:
            values = frame[name].dropna().to_numpy()
            shown, expected = summary["results"][level][method][name], interval(values)
            assert shown["mean"] == pytest.approx(values.sum() / len(values), abs=1e-12)
            assert (shown["low"], shown["high"]) == (expected.low, expected.high)


def test_one_value_by_hand(dataset: Dataset, found: Evaluation):
    # what "popular" does for a user needs no model: the most liked of the other users' items, less the revealed ones
    for fold in make_folds(dataset, "cold-user", folds=2, seed=0):
        popularity = fold.train.popularity
        for case in fold.cases[:5]:
            hidden = [dataset.item_row(item_id) for item_id in case.profile.liked]
            shown = [row for row in np.argsort(-popularity, kind="stable") if row not in hidden]
            tied = len(set(popularity[shown[:11]])) < 11
            hits = [row in case.targets for row in shown]
            ideal = sum(1 / np.log2(rank + 2) for rank in range(min(10, len(case.targets))))
            gain = sum(hit / np.log2(rank + 2) for rank, hit in enumerate(hits[:10])) / ideal
            row = found.users[(found.users["method"] == "popular") & (found.users["user_id"] == case.user_id)]
            assert row[HEADLINE].nunique() == 1
            if not tied:
                assert row[HEADLINE].iloc[0] == pytest.approx(gain)
            assert abs(row[HEADLINE].iloc[0] - gain) < 0.35


def test_the_best_rival_and_the_difference_to_it(found: Evaluation):
    for level in LEVELS:
        means = {r: found.values(r, level).mean() for r in RIVALS if found.values(r, level) is not None}
        best = max(means, key=means.get)
        difference = found.values(OURS, level) - found.values(best, level)
        told = found.to_dict()["versus_best_rival"][level]
        expected = paired_difference(found.values(OURS, level), found.values(best, level))
        assert told["rival"] == best == found.best_rival(level)
        assert told["difference"] == pytest.approx(difference.mean())
        assert (told["low"], told["high"]) == (expected.low, expected.high)


def test_all_methods_are_judged_on_the_same_users_in_the_same_order(found: Evaluation, cold_items: Evaluation):
    for evaluation in (found, cold_items):
        orders = [
            list(zip(frame["user_id"], frame["fold"], strict=True))
            for _, frame in evaluation.users.groupby(["method", "level"], sort=False)
        ]
        assert all(order == orders[0] for order in orders)
    assert found.users.groupby(["method", "level"])["user_id"].nunique().eq(found.n_users).all()


def test_a_rival_that_cannot_use_a_level_is_absent_there(found: Evaluation):
    for level in LEVELS:
        assert (found.values("item knn", level) is None) == (not level.startswith("+"))
        assert ("item knn" in found.results[level]) == level.startswith("+")


def test_same_seed_same_result_and_another_one_differs(dataset: Dataset, found: Evaluation):
    again, other = run(dataset), run(dataset, replace(PLAN, seed=1))
    for name in Evaluation._FRAMES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name), check_exact=True)
    assert again.to_dict() == found.to_dict()
    assert not other.users.equals(found.users)


def test_the_lists_are_what_additive_would_have_shown(dataset: Dataset, found: Evaluation):
    likes = dataset.likes.sort_values("timestamp").groupby(USER_ID)[ITEM_ID].apply(list)
    assert len(found.lists) == found.n_users * len(LEVELS)
    for level, lists in found.lists.groupby("level"):
        success = found.values(OURS, level, "Success@10")
        for row, hit in zip(lists.itertuples(), success, strict=True):
            shown, own = list(row.item_ids), likes[row.user_id]
            assert len(set(shown)) == 10
            assert not set(shown) & set(own[:5])
            assert bool(set(shown) & set(own[5:])) == bool(hit)


def test_calibration_counts_every_candidate_once(dataset: Dataset, found: Evaluation):
    n_pairs = sum(int(fold.mask().sum()) for fold in make_folds(dataset, "cold-user", folds=2, seed=0))
    n_likes = sum(len(c.targets) for fold in make_folds(dataset, "cold-user", folds=2, seed=0) for c in fold.cases)
    for level, bins in found.calibration.groupby("level"):
        assert bins["n"].sum() == n_pairs
        assert (bins["share"] * bins["n"]).sum() == pytest.approx(n_likes)
        assert bins["probability"].is_monotonic_increasing
        assert found.about["calibration_error"][level] < 0.1


def test_shots_choose_the_levels(dataset: Dataset):
    assert run(dataset, replace(PLAN, shots=(1,), rivals=())).levels == ("+1",)


@pytest.mark.parametrize("protocol", ["cold-user", "cold-item"])
@pytest.mark.parametrize("likes", [{"ten": 10, "many": 20}, {"a": 29, "b": 29, "c": 28}], ids=["two", "three"])
def test_a_handful_of_users_still_gives_strict_json(likes: dict[str, int], protocol: str):
    dataset = counted(likes)
    item_vectors = ToyEncoder().encode(["space", "romance"] * 15)
    rivals = ("random", "popular", "item knn", "user knn", "ease", "tf-idf", "bert cosine", "popular by age and gender")
    plan = Plan("counted", protocol, folds=5, rivals=rivals)  # some folds have no one to judge
    evaluation = evaluate(dataset, item_vectors, encoder=ToyEncoder(), plan=plan)
    summary = evaluation.to_dict()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert set(summary["calibration_error"].values()) == {None}
    assert evaluation.n_users >= 1


# Progress.


def test_progress_is_told_before_every_step_and_ends_at_the_total(dataset: Dataset):
    steps: list[Step] = []
    run(dataset, progress=steps.append)
    methods = [OURS, *RIVALS, *(method.name for method in ablations_of(RIVALS))]
    assert [step.done for step in steps] == list(range(2 * len(methods) + 1))
    assert {step.total for step in steps} == {2 * len(methods)}
    assert [step.method for step in steps] == [*methods, *methods, "intervals"]
    assert [step.fold for step in steps] == [1] * len(methods) + [2] * len(methods) + [2]


def test_raising_from_progress_ends_it_and_nothing_is_kept(kept_dataset: Dataset):
    class Cancelled(Exception):
        pass

    steps: list[Step] = []

    def cancel(step: Step) -> None:
        steps.append(step)
        if step.fold == 2:
            raise Cancelled

    before = sorted(path for path in kept_dataset.folder.rglob("*"))
    with pytest.raises(Cancelled):
        keep_evaluation(kept_dataset, "key", run(kept_dataset, progress=cancel))
    assert steps[-1].fold == 2 and len(steps) == len(RIVALS) + 1 + 2 + 1
    assert sorted(path for path in kept_dataset.folder.rglob("*")) == before
    assert kept_evaluations(kept_dataset, "key") == []


# Errors.


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"protocol": "warm"}, "There is no such protocol: 'warm'."),
        ({"folds": 1}, "There are too few folds: '1'."),
        ({"rivals": ("magic",)}, "There is no such rival: 'magic'."),
        ({"shots": ()}, "The shots are out of range"),
        ({"shots": (0, 6)}, "The shots are out of range: '0,6'. Choose numbers of liked items from 0 to 5."),
        ({"shots": (-1,)}, "The shots are out of range: '-1'."),
    ],
)
def test_a_bad_plan_is_refused_before_anything_is_learned(dataset: Dataset, changed: dict, message: str):
    steps: list[Step] = []
    with pytest.raises(ConfigError) as refused:
        run(dataset, replace(PLAN, **changed), progress=steps.append)
    assert message in str(refused.value)
    assert steps == []


def test_data_that_cannot_be_judged_is_named(toy: Dataset, dataset: Dataset):
    item_vectors = ToyEncoder().encode(toy.items["title"].tolist())
    with pytest.raises(
        DataError, match=r"No user of this dataset can be judged: 'toy'. It needs users with at least ten"
    ):
        evaluate(toy, item_vectors, encoder=ToyEncoder(), plan=Plan("toy", folds=2))
    with pytest.raises(DataError, match="Nothing can be evaluated on this dataset: 'world'"):
        run(replace(dataset, interactions=dataset.interactions[:0]))


def test_one_user_alone_leaves_nobody_to_learn_from():
    dataset = counted({"alone": 20})
    with pytest.raises(NotTrainedError, match="no likes of other users"):
        evaluate(dataset, ToyEncoder().encode(["space"] * 30), encoder=ToyEncoder(), plan=Plan("counted", folds=2))


# The shelf.


@pytest.fixture
def kept_dataset(dataset: Dataset, tmp_path: Path) -> Dataset:
    return write_folder(dataset, tmp_path / "data" / "world")


def test_saved_and_loaded_it_says_the_same(found: Evaluation, tmp_path: Path):
    found.save(tmp_path)
    loaded = Evaluation.load(tmp_path)
    assert loaded.plan == found.plan
    assert loaded.about == found.about
    assert loaded.to_dict() == found.to_dict()
    for name in ("users", "intervals", "overall", "calibration"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(found, name), check_exact=True)
    assert [list(row) for row in loaded.lists["item_ids"]] == list(found.lists["item_ids"])
    assert json.loads((tmp_path / "summary.json").read_text("utf-8")) == found.to_dict()


def test_the_command_repeats_the_plan():
    plan = replace(PLAN, dataset="my world", protocol="cold-item", seed=3, shots=(0, 5))
    assert shlex.split(plan.command) == [
        "recsys", "evaluate", "--dataset", "my world", "--protocol", "cold-item", "--shots", "0,5", "--folds", "2",
        "--seed", "3", "--rivals", "random,popular,item knn",
    ]  # fmt: skip
    assert replace(plan, rivals=()).words[-1] == "none"


def test_kept_evaluations_are_found_newest_first(kept_dataset: Dataset, found: Evaluation):
    older = replace(found, plan=replace(PLAN, seed=9), about={**found.about, "made": "2020-01-01 00:00 UTC"})
    newest = replace(found, plan=replace(PLAN, seed=8), about={**found.about, "made": "2999-01-01 00:00 UTC"})
    assert kept_evaluations(kept_dataset, "key") == []
    for evaluation in (older, newest, found):
        keep_evaluation(kept_dataset, "key", evaluation)
    listed = kept_evaluations(open_dataset("world", data_dir=kept_dataset.folder.parent), "key")
    assert [each.plan.seed for each in listed] == [8, 0, 9]
    assert listed[1].to_dict() == found.to_dict()


def test_the_same_plan_is_kept_once(kept_dataset: Dataset, found: Evaluation):
    keep_evaluation(kept_dataset, "key", replace(found, about={**found.about, "made": "2020-01-01 00:00 UTC"}))
    keep_evaluation(kept_dataset, "key", found)
    assert [each.about["made"] for each in kept_evaluations(kept_dataset, "key")] == [found.about["made"]]


def test_an_evaluation_of_other_data_or_embeddings_is_not_listed(kept_dataset: Dataset, found: Evaluation):
    keep_evaluation(kept_dataset, "key", found)
    assert len(kept_evaluations(kept_dataset, "key")) == 1
    assert kept_evaluations(kept_dataset, "other key") == []
    changed = replace(kept_dataset, interactions=kept_dataset.interactions[:-1])
    assert kept_evaluations(changed, "key") == []
    keys = {evaluation_key(d, key, PLAN) for d in (kept_dataset, changed) for key in ("key", "other key")}
    assert len(keys | {evaluation_key(kept_dataset, "key", replace(PLAN, seed=1))}) == 5


@pytest.mark.parametrize("name", ["users.parquet", "evaluation.json", "manifest.json"])
@pytest.mark.parametrize("damage", [b"", b"{}"], ids=["emptied", "overwritten"])
def test_a_damaged_evaluation_is_left_out(kept_dataset: Dataset, found: Evaluation, name: str, damage: bytes):
    keep_evaluation(kept_dataset, "key", found)
    keep_evaluation(kept_dataset, "key", replace(found, plan=replace(PLAN, seed=9)))
    first = next((kept_dataset.folder / "artifacts").glob("evaluation-*"))
    (first / name).write_bytes(damage)
    assert len(kept_evaluations(kept_dataset, "key")) == 1


def test_a_dataset_in_memory_has_no_shelf(dataset: Dataset, found: Evaluation):
    assert kept_evaluations(dataset, "key") == []
    with pytest.raises(DataError, match=r"no folder to keep an evaluation in: 'world'. Save it first."):
        keep_evaluation(dataset, "key", found)


# For whom.


def people(
    ages: list[float], genders: list[str | None], values: list[float], **more: list
) -> tuple[Evaluation, Dataset]:
    """An evaluation of one level whose users and values are given."""
    ids = [f"p{number:03d}" for number in range(len(ages))]
    users = pd.DataFrame({"user_id": ids, "age": ages, "gender": genders, **more})
    items = pd.DataFrame({"item_id": ["a"], "title": ["A"]})
    dataset = Dataset("people", DatasetInfo("People"), items, users, pd.DataFrame({"user_id": [], "item_id": []}))
    frame = pd.DataFrame({"method": OURS, "level": "demographics", "user_id": ids, "fold": 0, HEADLINE: values})
    nothing = pd.DataFrame()
    return Evaluation(Plan("people"), frame, nothing, nothing, nothing, nothing, {}), dataset


def test_groups_below_20_are_merged_and_never_shown_alone():
    ages = [30.0] * 25 + [50.0] * 19 + [70.0] * 3 + [np.nan] * 2
    values = [0.5] * 25 + [1.0] * 19 + [0.0] * 3 + [0.0] * 2
    evaluation, dataset = people(ages, ["F"] * 49, values)
    found = slices(evaluation, dataset, "age", method=OURS, level="demographics", measure=HEADLINE)
    assert [(each.group, each.value.n) for each in found] == [("25 to 34", 25), ("others", 24)]
    assert found[0].value.mean == 0.5
    assert found[1].value.mean == pytest.approx(19 / 24)


def test_a_small_rest_takes_the_next_smallest_group_with_it():
    groups = np.array(["a"] * 40 + ["b"] * 21 + ["c"] * 4, dtype=object)
    merged = pd.Series(merge_small(groups)).value_counts().to_dict()
    assert merged == {"a": 40, "others": 25}
    just = merge_small(np.array(["a"] * 20 + ["b"] * 19 + ["c"] * 25, dtype=object))
    assert pd.Series(just).value_counts().to_dict() == {"others": 39, "c": 25}
    assert set(merge_small(np.array(["a"] * 3, dtype=object))) == {"others"}
    assert list(merge_small(np.array([], dtype=object))) == []
    assert set(groups) == {"a", "b", "c"}


def test_whatever_another_table_hides_is_among_the_others():
    rng = np.random.default_rng(0)
    for _ in range(200):
        counts = rng.choice([1, 4, 9, 12, 19, 20, 20, 25, 60, 90], rng.integers(1, 7))
        groups = np.repeat(np.array([f"g{n}" for n in range(len(counts))], dtype=object), counts)
        hidden = {group for group, n in shown_counts(groups).items() if n is None}
        merged = set(groups[merge_small(groups) == "others"])
        assert hidden <= merged


def test_bands_stand_in_order_with_the_right_ages():
    ages = [float(age) for age in (10, 17, 18, 24, 25, 34, 35, 44, 45, 54, 55, 90) for _ in range(10)]
    evaluation, dataset = people(ages, ["F"] * 120, ages)
    found = slices(evaluation, dataset, "age", method=OURS, level="demographics", measure=HEADLINE)
    assert [each.group for each in found] == [
        "under 18", "18 to 24", "25 to 34", "35 to 44", "45 to 54", "55 and over",
    ]  # fmt: skip
    assert [each.value.mean for each in found] == [13.5, 21.0, 29.5, 39.5, 49.5, 72.5]


def test_gender_unknowns_stand_last_and_a_dataset_without_it_is_one_group():
    evaluation, dataset = people([30.0] * 60, ["M"] * 20 + [None] * 20 + ["F"] * 20, [0.0] * 40 + [1.0] * 20)
    by = {"by": "gender", "method": OURS, "level": "demographics", "measure": HEADLINE}
    assert [each.group for each in slices(evaluation, dataset, **by)] == ["F", "M", "unknown"]
    bare = replace(dataset, users=dataset.users[["user_id"]])
    assert [(each.group, each.value.n) for each in slices(evaluation, bare, **by)] == [("unknown", 60)]
    assert slices(evaluation, dataset, **{**by, "method": "absent"}) == []


def test_with_fewer_than_20_people_no_group_is_shown():
    evaluation, dataset = people([30.0] * (MERGED_BELOW - 1), ["F"] * (MERGED_BELOW - 1), [1.0] * (MERGED_BELOW - 1))
    by = {"method": OURS, "level": "demographics", "measure": HEADLINE}
    assert slices(evaluation, dataset, "gender", **by) == []
    assert nearest(evaluation, dataset, Profile(30, "F")) is None


def test_slices_of_a_real_evaluation_cover_everybody_once(found: Evaluation, dataset: Dataset):
    for by in ("age", "gender"):
        parts = slices(found, dataset, by, method=OURS, level="+5", measure=HEADLINE)
        assert sum(part.value.n for part in parts) == found.n_users
        assert all(part.value.n >= MERGED_BELOW for part in parts)
        total = sum(part.value.mean * part.value.n for part in parts) / found.n_users
        assert total == pytest.approx(found.results["+5"][OURS][HEADLINE].mean)


def test_nearest_takes_the_50_closest_people():
    # 50 women of 30 with 1.0, then 50 women of 36 (6 years apart: 0.6) and 50 men of 30 (another gender: 1.0)
    ages, genders = [36.0] * 50 + [30.0] * 100, ["F"] * 100 + ["M"] * 50
    evaluation, dataset = people(ages, genders, [0.5] * 50 + [1.0] * 50 + [0.0] * 50)
    found = nearest(evaluation, dataset, Profile(30, "F"))
    assert (found.level, found.measure, found.value.n, found.value.mean) == ("demographics", HEADLINE, N_NEAREST, 1.0)
    assert (found.everyone.n, found.everyone.mean) == (150, 0.5)
    assert nearest(evaluation, dataset, Profile(30, "M")).value.mean == 0.0
    assert nearest(evaluation, dataset, Profile(36, "F")).value.mean == 0.5
    assert nearest(evaluation, dataset, Profile(gender="M")).value.mean == 0.0


def test_an_attribute_counts_half_a_gender_and_unknowns_half_a_difference():
    jobs = ["student"] * 50 + ["engineer"] * 50 + [None] * 50
    evaluation, dataset = people([30.0] * 150, ["F"] * 150, [1.0] * 50 + [0.0] * 50 + [0.5] * 50, job=jobs)
    assert nearest(evaluation, dataset, Profile(30, "F", {"job": "student"})).value.mean == 1.0
    # nobody has this job: those who do not say come first
    assert nearest(evaluation, dataset, Profile(30, "F", {"job": "wizard"})).value.mean == 0.5
    # four years apart (0.4) is closer than another job (0.5), six years (0.6) are not
    for years, expected in ((4.0, 1.0), (6.0, 0.0)):
        evaluation, dataset = people(
            [30.0 + years] * 50 + [30.0] * 50,
            ["F"] * 100,
            [1.0] * 50 + [0.0] * 50,
            job=["student"] * 50 + ["cook"] * 50,
        )
        assert nearest(evaluation, dataset, Profile(30, "F", {"job": "student"})).value.mean == expected


def test_the_level_is_the_richest_that_reveals_no_more(found: Evaluation, dataset: Dataset):
    cases = {
        "demographics": Profile(30, "F"),
        "demographics+interests": Profile(30, interests=("space",)),
        "+1": Profile(liked=("000", "001")),
        "+3": Profile(liked=("000", "001", "002", "003")),
        "+5": Profile(liked=tuple(f"{n:03d}" for n in range(9)), interests=("space",)),
    }
    for level, profile in cases.items():
        assert fitting_level(found, profile) == level
        assert nearest(found, dataset, replace(profile, age=30.0)).level == level


def test_without_a_fact_nobody_is_nearest(found: Evaluation, dataset: Dataset):
    for profile in (Profile(), Profile(interests=("space",)), Profile(liked=("000", "001"))):
        assert nearest(found, dataset, profile) is None


def test_everybody_as_close_as_the_fiftieth_is_taken():
    evaluation, dataset = people([30.0] * 100, ["F"] * 60 + ["M"] * 40, [1.0] * 30 + [0.0] * 70)
    assert nearest(evaluation, dataset, Profile(gender="F")).value.n == 60
    assert nearest(evaluation, dataset, Profile(age=30)).value.n == 100


def test_without_a_fitting_level_nothing_is_said(found: Evaluation, dataset: Dataset):
    only_likes = replace(found, users=found.users[found.users["level"] == "+5"])
    assert nearest(only_likes, dataset, Profile(30)) is None


# Which rivals.


NAMES = tuple(rival.name for rival in all_rivals())


@pytest.fixture
def without_implicit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = importlib.util.find_spec
    monkeypatch.setattr(choice, "find_spec", lambda name: None if name == "implicit" else real("json"))
    yield


@pytest.mark.parametrize("text", ["none", "", " none "])
def test_no_rivals(text: str):
    assert split_rivals(text) == ((), ())


def test_all_rivals_are_those_that_are_installed(without_implicit: None):
    chosen, missing = split_rivals(" all ")
    assert missing == ("implicit mf",)
    assert chosen == tuple(name for name in NAMES if name != "implicit mf")


def test_named_rivals_are_taken_once_in_order_and_never_left_out(without_implicit: None):
    assert split_rivals(" implicit mf, popular ,implicit mf") == (("implicit mf", "popular"), ())


@pytest.mark.parametrize("text", ["magic", "popular,magic", "popular,", "all,popular"])
def test_unknown_rivals_are_named(text: str):
    with pytest.raises(ConfigError, match=r"There is no such rival: '(magic|all)?'. Use one of: random, popular"):
        split_rivals(text)
