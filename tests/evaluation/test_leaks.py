"""What must be hidden is hidden: whatever test users did later, or anybody did with hidden items, changes nothing learned."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.evaluation import PROTOCOLS, Plan, Step, evaluate, laboratory, make_folds
from recsys.evaluation.contenders import Additive
from recsys.evaluation.protocols import Fold
from recsys.evaluation.rivals import neighbours, popularity
from recsys.evaluation.rivals.catalogue import ablations_of
from recsys.evaluation.rivals.protocol import Material
from recsys.schema import ITEM_ID, USER_ID, Dataset, Profile
from recsys.scorer import AdditiveModel
from recsys.training import Histories, additive, histories, selection, train_additive
from tests.toy import KINDS, ToyEncoder
from tests.training.world import COLD_ROWS, N_ITEMS, vectors, world

FOLDS, SEED = 2, 3
RIVALS = ("random", "popular", "popular by age and gender", "tf-idf", "bert cosine", "item knn", "user knn", "ease")
PROBES = (
    Profile(),
    Profile(age=20, gender="F"),
    Profile(60, "M", {"occupation": "student"}, ("space", "comedy")),
    Profile(interests=("romance",), liked=("000", "004")),
    Profile(age=33, liked=("002", "009", "017", "021", "033")),
)
ROMANCE = KINDS.index("romance")


def rated_world() -> Dataset:
    """The world with ratings from 1 to 5 and more likes, so that under both protocols there are enough users to tune on."""
    plain, rng = world(n_users=240), np.random.default_rng(7)
    ids, warm = plain.items[ITEM_ID].to_numpy(), N_ITEMS - len(COLD_ROWS)
    further = [
        (user_id, ids[row], rng.choice([1.0, 2.0, 3.0, 4.0, 5.0, 5.0]), 100 + when)
        for user_id in plain.users[USER_ID]
        for when, row in enumerate(rng.choice(warm, 16, replace=False))
    ]
    liked = plain.interactions.assign(rating=rng.choice([4.0, 5.0], len(plain.interactions)))
    joined = pd.concat([liked, pd.DataFrame(further, columns=liked.columns)]).drop_duplicates([USER_ID, ITEM_ID])
    return replace(plain, interactions=joined.reset_index(drop=True))


DATASET = rated_world()


# What a fold learns, as one flat record.


class Leak(AssertionError):
    """Something that was learned depends on what must be hidden."""


class Enough(Exception):
    """The fold that is looked at is over."""


@dataclass
class Recorder:
    """Stands in the laboratory, keeps what every method of one fold learned, and ends the evaluation after it."""

    number: int
    found: dict[str, Any] = field(default_factory=dict)
    is_training: bool = False

    def keep(self, name: str, value: object) -> None:
        assert name not in self.found, name
        self.found[name] = value

    def __call__(self, step: Step) -> None:
        if step.fold > self.number + 1:
            raise Enough

    def judged(self, name, fitted, material, fold, number, level, found):
        if number == self.number:
            with np.errstate(all="ignore"):
                self.keep(f"scores of {name} at {level.name}", np.asarray(fitted.scores(PROBES)))
        return _JUDGE(name, fitted, material, fold, number, level, found)

    def ran(self, contestant, material, fold, number, asked, found):
        self.is_training = number == self.number and contestant.name == "additive"
        if self.is_training:
            self.keep_fold(material, fold)
        _RUN(contestant, material, fold, number, asked, found)
        if number == self.number:
            self.keep(f"settings of {contestant.name}", json.dumps(found.chosen[number][contestant.name]))

    def keep_fold(self, material: Material, fold: Fold) -> None:
        self.keep("training data", fold.train.fingerprint)
        self.keep("training data, popularity", fold.train.popularity)
        self.keep("candidates", fold.candidates)
        for case in fold.cases:
            self.keep(f"profile of {case.user_id}", case.profile)
        own = material.histories
        self.keep("training users", own.user_ids)
        self.keep("item vectors", np.asarray(material.item_vectors))
        self.keep("likes in order", np.concatenate(own.liked))
        for name in ("all_likes", "revealed_likes", "later_likes"):
            self.keep(name, getattr(own, name).toarray())
        self.keep("category shares", own.category_shares)
        self.keep("profiles of training users", own.profiles())

    def trained(self, *arguments, **options):
        training = train_additive(*arguments, **options)
        if self.is_training:
            model = training.model
            self.keep("model, settings", asdict(training.config))
            self.keep("model, trials", training.trials)
            self.keep("model, calibration", model.calibration)
            self.keep("model, basis", json.dumps(model.basis.to_dict()))
            self.keep("model, about", dict(model.about))
            for name in AdditiveModel._ARRAYS:
                self.keep(f"model, {name}", getattr(model, name))
        return training


_JUDGE, _RUN = laboratory._judge, laboratory._run


def learned(dataset: Dataset, protocol: str, number: int, rivals: tuple[str, ...] = RIVALS) -> dict[str, Any]:
    """Returns everything that one fold of an evaluation learns, and what it knows of its test users."""
    recorder = Recorder(number)
    plan = Plan(dataset.name, protocol, FOLDS, SEED, shots=(0, 1, 5), rivals=rivals)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(laboratory, "_judge", recorder.judged)
        patch.setattr(laboratory, "_run", recorder.ran)
        patch.setattr("recsys.evaluation.contenders.train_additive", recorder.trained)
        with suppress(Enough):
            evaluate(dataset, vectors(dataset), encoder=ToyEncoder(), plan=plan, progress=recorder)
    return recorder.found


# What must be hidden, changed.


def other_world(protocol: str, number: int) -> Dataset:
    """Returns the world with nothing changed but what a fold must hide."""
    fold = list(make_folds(DATASET, protocol, folds=FOLDS, seed=SEED))[number]
    change = later_likes_replaced if protocol == "cold-user" else hidden_items_taken_over
    return replace(DATASET, interactions=change(fold))


def later_likes_replaced(fold: Fold) -> pd.DataFrame:
    """Test users go on to like as many other items, romances before all, rated otherwise, and dislike none."""
    rng, own = np.random.default_rng(11), Histories.from_dataset(DATASET)
    trained = set(fold.train.users[USER_ID])
    ids = DATASET.items[ITEM_ID].to_numpy()
    rows = []
    for user, user_id in enumerate(own.user_ids):
        if user_id not in trained:
            first, later = own.revealed(user), own.later(user)
            free = np.setdiff1d(np.arange(len(ids)), own.liked[user])[::-1]  # the least popular first
            free = free[np.argsort(free % len(KINDS) != ROMANCE, kind="stable")]
            new = [*free, *rng.permutation(later)][: len(later)]
            rows += [(user_id, ids[row], 5.0, when) for when, row in enumerate([*first, *new])]
    kept = DATASET.interactions[DATASET.interactions[USER_ID].isin(trained)]
    return pd.concat([pd.DataFrame(rows, columns=kept.columns), kept], ignore_index=True)


def hidden_items_taken_over(fold: Fold) -> pd.DataFrame:
    """All is done by half of the users, before anything else, mostly with the romances among the hidden items, and liked."""
    rng, frame = np.random.default_rng(11), DATASET.interactions
    ids = DATASET.items[ITEM_ID].to_numpy()[fold.candidates]
    chance = np.where(np.flatnonzero(fold.candidates) % len(KINDS) == ROMANCE, 10.0, 1.0)
    hidden = frame[ITEM_ID].isin(ids)
    new = frame[hidden].assign(rating=5.0, timestamp=-1)
    new[USER_ID] = rng.choice(DATASET.users[USER_ID].to_numpy()[::2], len(new))
    new[ITEM_ID] = rng.choice(ids, len(new), p=chance / chance.sum())
    return pd.concat([new.drop_duplicates([USER_ID, ITEM_ID]), frame[~hidden]], ignore_index=True)


def check(protocol: str, number: int, rivals: tuple[str, ...] = RIVALS) -> dict[str, Any]:
    """Fails if anything learned, or known of a test user, depends on what must be hidden."""
    before = learned(DATASET, protocol, number, rivals)
    after = learned(other_world(protocol, number), protocol, number, rivals)
    methods = {name for name in before if not name.startswith("profile of ")}
    assert methods == {name for name in after if not name.startswith("profile of ")}
    both = sorted(before.keys() & after.keys())
    if differing := [name for name in both if not same(before[name], after[name])]:
        raise Leak("; ".join(differing))
    return {name: before[name] for name in both}


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b


@pytest.mark.parametrize("number", range(FOLDS))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_that_is_hidden_changes_anything_learned(protocol: str, number: int):
    found = check(protocol, number)

    judged = {name.removeprefix("scores of ").split(" at ")[0] for name in found if name.startswith("scores of ")}
    assert judged == {"additive", "additive, prior alone", *RIVALS, *(method.name for method in ablations_of(RIVALS))}
    assert sum(name.startswith("profile of ") for name in found) > 30
    assert found["model, trials"], "too few users to select on: the selection was not looked at"
    for name in ("prior", "items", "liked", "facts", "interests"):
        assert np.abs(found[f"model, {name}"]).sum() > 0


@pytest.mark.parametrize("number", range(FOLDS))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_other_world_differs_in_what_is_hidden_and_in_nothing_else(protocol: str, number: int):
    fold, other = (
        list(make_folds(dataset, protocol, folds=FOLDS, seed=SEED))[number]
        for dataset in (DATASET, other_world(protocol, number))
    )
    assert fold.train.fingerprint == other.train.fingerprint
    theirs = {case.user_id: case for case in other.cases}
    pairs = [(case, theirs[case.user_id]) for case in fold.cases if case.user_id in theirs]
    assert pairs and all(one.profile == two.profile for one, two in pairs)
    assert np.mean([not np.array_equal(one.targets, two.targets) for one, two in pairs]) > 0.9
    assert (DATASET.popularity != other_world(protocol, number).popularity).mean() > 0.3


# Planted leaks: each must make the check fail.


class Opened:
    """Remembers the full dataset of the evaluation that runs, as a careless method might reach it."""

    dataset: Dataset = DATASET

    def __call__(self) -> Dataset:
        return self.dataset


def plant_kept_users(patch: pytest.MonkeyPatch, full: Opened) -> None:
    def leaky(dataset: Dataset, protocol: str, **options: Any):
        return (replace(fold, train=dataset) for fold in make_folds(dataset, protocol, **options))

    patch.setattr(laboratory, "make_folds", leaky)


def plant_histories_of_everybody(patch: pytest.MonkeyPatch, full: Opened) -> None:
    original = laboratory.Material
    patch.setattr(laboratory, "Material", lambda own, *rest: original(Histories.from_dataset(full()), *rest))


def plant_popularity_of_everybody(patch: pytest.MonkeyPatch, full: Opened) -> None:
    patch.setattr(
        popularity.Popular, "fit", lambda rival, material, parameters: popularity._SameForAll(full().popularity)
    )


def plant_prior_of_everybody(patch: pytest.MonkeyPatch, full: Opened) -> None:
    original = additive.Workbench._items

    def leaky(bench: Any) -> None:
        original(bench)
        bench.prior = full().popularity / len(full().users)

    patch.setattr(additive.Workbench, "_items", leaky)


def plant_number_of_likes_of_everybody(patch: pytest.MonkeyPatch, full: Opened) -> None:
    """Only which items count as warm."""
    original = additive.Workbench._items

    def leaky(bench: Any) -> None:
        bench.n_likes = full().popularity
        original(bench)

    patch.setattr(additive.Workbench, "_items", leaky)


def plant_interests_from_all_likes(patch: pytest.MonkeyPatch, full: Opened) -> None:
    original = histories.Histories.profiles

    def leaky(own: Histories, *, shares: np.ndarray | None = None) -> list[Profile]:
        everything = Histories.from_dataset(full())
        liked = dict(zip(everything.user_ids, everything.liked, strict=True))
        known = everything.category_shares if shares is None else shares
        return [
            replace(profile, interests=histories.top_categories(liked[user_id], full(), known))
            for user_id, profile in zip(own.user_ids, original(own, shares=shares), strict=True)
        ]

    patch.setattr(histories.Histories, "profiles", leaky)


def plant_lift_over_everybody(patch: pytest.MonkeyPatch, full: Opened) -> None:
    """Interests from the revealed likes, but against the category shares of all likes."""
    original = histories.top_categories

    def leaky(rows: np.ndarray, dataset: Dataset, shares: np.ndarray) -> tuple[str, ...]:
        return original(rows, dataset, full().popularity @ full().category_matrix)

    patch.setattr(histories, "top_categories", leaky)


def plant_item_counts_in_neighbours(patch: pytest.MonkeyPatch, full: Opened) -> None:
    """Only the order among equal scores knows the popularity of what is hidden."""
    original = neighbours.known_only
    patch.setattr(
        neighbours, "known_only", lambda scores, *, profiles, popularity: original(
            scores, profiles=profiles, popularity=popularity + full().popularity * 1e-3
        ),
    )  # fmt: skip


def plant_tuning_on_everybody(patch: pytest.MonkeyPatch, full: Opened) -> None:
    """Settings are chosen with the test users; everything else is learned from the training users alone."""
    original = laboratory.tune

    def leaky(rival: Any, material: Material, levels: Any, *, seed: int) -> Any:
        return original(rival, replace(material, histories=Histories.from_dataset(full())), levels, seed=seed)

    patch.setattr(laboratory, "tune", leaky)


def plant_calibration_on_everybody(patch: pytest.MonkeyPatch, full: Opened) -> None:
    original = selection._calibrate

    def leaky(folds: Any, config: Any) -> Any:
        low, high, offset = original(folds, config)
        return low, high, offset + float(np.log(full().popularity[full().popularity > 0]).mean())

    patch.setattr(selection, "_calibrate", leaky)


PLANTED = {
    plant_kept_users: "training data;",
    plant_histories_of_everybody: "later_likes;",
    plant_popularity_of_everybody: "scores of popular at demographics",
    plant_prior_of_everybody: "model, prior",
    plant_number_of_likes_of_everybody: "model, items",
    plant_interests_from_all_likes: "profiles? of",
    plant_lift_over_everybody: "profile of u",
    plant_item_counts_in_neighbours: r"scores of item knn at \+1",
    plant_tuning_on_everybody: "settings of item knn",
    plant_calibration_on_everybody: "model, calibration",
}
FEW = ("popular", "popular by age and gender", "item knn")


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_planted_leak_is_found(protocol: str, plant: Callable[..., None], monkeypatch: pytest.MonkeyPatch):
    full = Opened()
    remember_what_is_evaluated(monkeypatch, full)
    plant(monkeypatch, full)
    with pytest.raises(Leak, match=PLANTED[plant]):
        check(protocol, 0, FEW)


def remember_what_is_evaluated(monkeypatch: pytest.MonkeyPatch, full: Opened) -> None:
    original = evaluate

    def noted(dataset: Dataset, *arguments: Any, **options: Any) -> Any:
        full.dataset = dataset
        return original(dataset, *arguments, **options)

    monkeypatch.setitem(globals(), "evaluate", noted)


# Tuning and selection.


@dataclass
class Seen:
    """Every set of histories that something was fitted to or judged on, per fold."""

    folds: list[list[Histories]] = field(default_factory=list)

    def spied(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def spy(first: Any, second: Any = None, *arguments: Any, **options: Any) -> Any:
            found = next(each for each in (first, second) if isinstance(each, Histories | Material))
            self.folds[-1].append(found.histories if isinstance(found, Material) else found)
            return original(first, second, *arguments, **options)

        return spy


def seen_in(protocol: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Fold], Seen]:
    """Runs an evaluation and returns its folds, with all that its methods saw in each."""
    seen, folds = Seen(), []

    def noted(*arguments: Any, **options: Any):
        for fold in make_folds(*arguments, **options):
            folds.append(fold)
            seen.folds.append([])
            yield fold

    monkeypatch.setattr(laboratory, "make_folds", noted)
    for kind in (popularity.PopularByAgeAndGender, neighbours.ItemKnn, Additive):
        monkeypatch.setattr(kind, "fit", seen.spied(kind.fit))
    monkeypatch.setattr(selection, "Workbench", seen.spied(selection.Workbench))
    monkeypatch.setattr(selection, "_Fold", seen.spied(selection._Fold))
    plan = Plan("world", protocol, FOLDS, SEED, rivals=("popular by age and gender", "item knn"))
    evaluate(DATASET, vectors(DATASET), encoder=ToyEncoder(), plan=plan)
    return folds, seen


def check_seen(folds: list[Fold], seen: Seen) -> None:
    """Fails if anything was fitted to, or judged on, users or items that the fold hides."""
    for fold, found in zip(folds, seen.folds, strict=True):
        trained, hidden = set(fold.train.users[USER_ID]), ~fold.candidates | (fold.train.popularity > 0)
        for own in found:
            if not set(own.user_ids) <= trained or own.all_likes.sum(0).A1[~hidden].any():
                raise Leak("a method saw what the fold hides")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tuning_and_selection_see_training_users_alone(protocol: str, monkeypatch: pytest.MonkeyPatch):
    folds, seen = seen_in(protocol, monkeypatch)

    check_seen(folds, seen)
    for fold, found in zip(folds, seen.folds, strict=True):
        sizes = [len(own) for own in found]
        n_users = len(fold.train.users)
        assert sizes.count(n_users) >= 1 + 2  # each method learns from everybody at the end
        assert sizes.count(n_users - n_users // 5) == 30 + 9 + 9  # every setting is tried on four fifths
        assert sum(size < n_users - n_users // 5 for size in sizes) == 2 * selection.FOLDS
        assert found[0].user_ids == tuple(fold.train.users[USER_ID])


def test_a_method_that_is_tuned_on_test_users_is_found(monkeypatch: pytest.MonkeyPatch):
    plant_tuning_on_everybody(monkeypatch, Opened())
    with pytest.raises(Leak):
        check_seen(*seen_in("cold-user", monkeypatch))


def test_the_selection_judges_nobody_that_it_learned_from():
    own = Histories.from_dataset(DATASET)
    judged: list[set[str]] = []
    learned_from: list[set[str]] = []
    with pytest.MonkeyPatch.context() as patch:
        original = selection._Fold.__init__

        def spy(fold: Any, held_out: Histories, bench: Any, *rest: Any) -> None:
            judged.append(set(held_out.user_ids))
            learned_from.append(set(bench.histories.user_ids))
            original(fold, held_out, bench, *rest)

        patch.setattr(selection._Fold, "__init__", spy)
        train_additive(DATASET, vectors(DATASET), encoder=ToyEncoder())
    assert len(judged) == selection.FOLDS
    assert set.union(*judged) <= set(own.user_ids)
    assert sum(map(len, judged)) == len(set.union(*judged))
    assert all(tested and not tested & fitted for tested, fitted in zip(judged, learned_from, strict=True))
