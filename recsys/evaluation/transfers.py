"""The protocol ``transfer``: learn on one dataset, or one part of a catalog, and be judged on another that nobody has touched."""

import io
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.encoder import Encoder
from recsys.errors import ConfigError, DataError
from recsys.evaluation.evaluation import HEADLINE
from recsys.evaluation.measures import NDCG, Ranked, RankingMeasure, Recall, ReciprocalRank, Success
from recsys.evaluation.protocols import MIN_TARGETS, Case, Level, levels
from recsys.intervals import Interval, interval, paired_difference
from recsys.schema import CATEGORIES, YEAR, Dataset
from recsys.scorer import AdditiveModel, AdditiveScorer, CosineScorer, Scorer
from recsys.sealing import NO_SEAL, Seal
from recsys.training import N_REVEALED, Histories, train_additive
from recsys.transfer import Source, carry, of_items, shrink

TRANSFER = "transfer"
OURS, COSINE, PRIOR = "transferred", "zero-shot cosine", "prior from texts"
WITHOUT_PRIOR = "transferred, no prior"
ALL = "additive, all likes"
NO_LIKES, ALL_LIKES = 0, -1
_MEASURES: tuple[RankingMeasure, ...] = (NDCG(10), Recall(20), ReciprocalRank(), Success(10))
_PART = re.compile(r"\s*(year|category)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*")
_KEYS = ("method", "likes", "level", "user_id", "fold")

Progress = Callable[[str, int, int], None]
"""Called with (what is being learned, steps done, steps in all); raising from it ends the evaluation."""


def few(n: int) -> str:
    """Returns the name of the method that starts from what was carried over and has n likes of the target."""
    return f"transferred, {n} likes"


def alone(n: int) -> str:
    """Returns the name of the method that has those likes and starts from nothing."""
    return f"additive, {n} likes"


@dataclass(frozen=True)
class TransferPlan:
    """What is evaluated; the same plan on the same data gives the same numbers.

    Attributes:
        dataset: the target, or the dataset that is split.
        source: name of the dataset that is learned from, or the part of the catalog that is, as ``year<1990`` or
            ``category!=Action``; the rest is the target then.
        folds: parts that the people are split into: nobody is learned from and judged.
        seed: draws the parts, and which likes come first.
        shots: as for the other protocols.
        likes: numbers of likes in the target that a few methods have.
    """

    dataset: str
    source: str
    folds: int = 5
    seed: int = 0
    shots: tuple[int, ...] = (0, 1, 3, 5)
    likes: tuple[int, ...] = (10, 100, 1000)

    @property
    def words(self) -> tuple[str, ...]:
        """The words after ``recsys`` that repeat the evaluation."""
        words: tuple[str, ...] = ("evaluate", "--dataset", self.dataset, "--protocol", TRANSFER, "--from", self.source)
        words += ("--shots", ",".join(map(str, self.shots)), "--folds", str(self.folds), "--seed", str(self.seed))
        return (*words, "--likes", ",".join(map(str, self.likes)) or "none")

    @property
    def command(self) -> str:
        """The command line that repeats the evaluation."""
        return shlex.join(["recsys", *self.words])


@dataclass(frozen=True)
class Taught:
    """Another dataset that is learned from.

    Attributes:
        item_vectors: ``(n_items, dim)``, by the same encoder as the target's.
    """

    dataset: Dataset
    item_vectors: np.ndarray


@dataclass(frozen=True)
class TransferEvaluation:
    """What was found.

    Attributes:
        users: one row per method, level and person: ``method``, ``likes`` (of the target that it has; ``-1`` for all),
            ``level``, ``user_id``, ``fold`` and one column per measure; people stand in the same order everywhere.
        about: numbers of items and people on both sides, what was chosen, when and by which version it was made.
    """

    plan: TransferPlan
    users: pd.DataFrame
    about: Mapping[str, Any]

    @property
    def levels(self) -> tuple[str, ...]:
        """In order of what they reveal."""
        return tuple(dict.fromkeys(self.users["level"]))

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method, the transferred one first."""
        return tuple(dict.fromkeys(self.users["method"]))

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures, the headline first."""
        return tuple(str(name) for name in self.users if name not in _KEYS)

    @property
    def n_users(self) -> int:
        """Number of people who were judged."""
        return int(self.users["user_id"].nunique())

    @cached_property
    def _groups(self) -> dict[tuple[str, str], pd.DataFrame]:
        found = self.users.groupby(["method", "level"], sort=False)
        return {(str(method), str(level)): frame for (method, level), frame in found}

    def values(self, method: str, level: str, measure: str = HEADLINE) -> np.ndarray:
        """Returns ``(n_users,)``."""
        return self._groups[method, level][measure].to_numpy()

    def mean(self, method: str, level: str, measure: str = HEADLINE) -> Interval:
        """Returns the mean with its 95 % bootstrap interval over people."""
        return interval(self.values(method, level, measure))

    def versus(self, other: str, level: str, *, method: str = OURS, measure: str = HEADLINE) -> Interval:
        """Returns how much better a method is than another for the same people, a paired difference."""
        return paired_difference(self.values(method, level, measure), self.values(other, level, measure))

    def curve(self, level: str, measure: str = HEADLINE) -> dict[str, dict[int, Interval]]:
        """Returns for what starts from the source, and what starts from nothing, the mean by number of likes in the target."""
        carried = {NO_LIKES: self.mean(OURS, level, measure)}
        carried |= {n: self.mean(few(n), level, measure) for n in self.plan.likes}
        return {OURS: carried, "additive": {n: self.mean(alone(n), level, measure) for n in self.plan.likes}}

    def to_dict(self) -> dict[str, Any]:
        """Returns the summary as plain JSON values."""
        against = {COSINE: OURS, PRIOR: OURS} | {alone(n): few(n) for n in self.plan.likes}
        return {
            "dataset": self.plan.dataset,
            "protocol": TRANSFER,
            "source": self.plan.source,
            "seed": self.plan.seed,
            "folds": self.plan.folds,
            "n_users": self.n_users,
            **{name: self.about[name] for name in ("n_left_out", "n_source_items", "n_target_items", "kept", "lost")},
            "results": {
                level: {
                    method: {name: self.mean(method, level, name).to_dict() for name in self.measures}
                    for method in self.methods
                }
                for level in self.levels
            },
            "versus": {
                level: {other: self.versus(other, level, method=method).to_dict() for other, method in against.items()}
                for level in self.levels
            },
            "command": self.plan.command,
        }

    def save(self, folder: Path, *, seal: Seal = NO_SEAL) -> None:
        """Writes the evaluation into a folder; the table of users is sealed."""
        (folder / "users.parquet").write_bytes(seal.close(self.users.to_parquet(index=False)))
        (folder / "evaluation.json").write_text(
            json.dumps({"plan": asdict(self.plan), "about": dict(self.about)}, indent=1), "utf-8"
        )
        (folder / "summary.json").write_text(json.dumps(self.to_dict(), indent=1), "utf-8")

    @classmethod
    def load(cls, folder: Path, *, seal: Seal = NO_SEAL) -> "TransferEvaluation":
        """Reads what ``save`` wrote.

        Raises:
            ConfigError: if it is sealed and the key is missing, or another one.
        """
        rest = json.loads((folder / "evaluation.json").read_text("utf-8"))
        plan = rest["plan"] | {name: tuple(rest["plan"][name]) for name in ("shots", "likes")}
        users = pd.read_parquet(io.BytesIO(seal.read(folder / "users.parquet")))
        return cls(TransferPlan(**plan), users, rest["about"])


def evaluate_transfer(
    dataset: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    plan: TransferPlan,
    taught: Taught | None = None,
    progress: Progress | None = None,
) -> TransferEvaluation:
    """Runs a plan.

    Nobody is learned from and judged, and no method but those that say so has a like of the target's items. A person is
    shown as they would be to a new catalog: facts, interests that their first likes there tell, and some of those likes.

    Args:
        item_vectors: ``(n_items, dim)``, of all items of the dataset.
        taught: the dataset that ``plan.source`` names; ``None`` where it names a part of this one.

    Raises:
        ConfigError: for a part that cannot be read, fewer than two folds, or shots out of range.
        DataError: for a part without items, or a dataset with nobody to judge.
        NotTrainedError: for a source without likes.
    """
    if plan.folds < 2:
        raise ConfigError("There are too few folds", plan.folds, fix="Choose at least 2.")
    if not plan.shots or not all(0 <= n <= N_REVEALED for n in plan.shots):
        value = ",".join(map(str, plan.shots))
        raise ConfigError(
            "The shots are out of range", value, fix=f"Choose numbers of liked items from 0 to {N_REVEALED}."
        )
    if any(n < 1 for n in plan.likes):
        value = ",".join(map(str, plan.likes))
        raise ConfigError("The numbers of likes are out of range", value, fix="Choose whole numbers from 1.")
    mask = np.zeros(len(dataset.items), bool) if taught else part_of(dataset, plan.source)
    rest = np.ones(len(mask), bool) if taught else _rest_of(dataset, plan.source, mask)
    target = of_items(dataset, rest)
    bench = _Bench(plan, encoder, target, np.asarray(item_vectors)[rest], progress or (lambda what, done, total: None))
    whole = taught or Taught(of_items(dataset, mask), np.asarray(item_vectors)[mask])
    frames: list[pd.DataFrame] = []
    about: dict[str, Any] = {}
    for number, fold in enumerate(_folds(target, plan)):
        if fold.cases:
            found, about = bench.run(number, fold, whole if taught else _without(whole, fold.out))
            frames.append(found)
    if not frames:
        fix = f"It needs people with at least {2 * N_REVEALED} likes of the target's items."
        raise DataError("Nobody can be judged on this target", f"{dataset.name}, learned from {plan.source}", fix=fix)
    return _evaluation(plan, pd.concat(frames, ignore_index=True), whole, target, about)


def part_of(dataset: Dataset, text: str) -> np.ndarray:
    """Returns ``(n_items,)`` of bool: the part of a catalog that a text names, as ``year<1990`` or ``category!=Action``.

    Raises:
        ConfigError: for a text that names no part.
        DataError: for a category or year that leaves nothing, or nothing else.
    """
    found = _PART.fullmatch(text)
    if found is None or (found[1] == "category") != (found[2] in ("=", "!=")):
        fix = "Name a dataset, or write for example year<1990 or category!=Action."
        raise ConfigError("This is no dataset and no part of a catalog", text, fix=fix)
    mask = _category(dataset, found[2], found[3]) if found[1] == "category" else _year(dataset, found[2], found[3])
    if not mask.any() or not _rest_of(dataset, text, mask).any():
        raise DataError("All items or none are in this part of the catalog", text, fix="Choose one that splits it.")
    return mask


def _category(dataset: Dataset, sign: str, name: str) -> np.ndarray:
    has = np.array([name in names for names in dataset.items[CATEGORIES]]) if CATEGORIES in dataset.items else None
    if has is None or not has.any():
        known = ", ".join(dataset.categories[:8]) or "none"
        raise DataError("The catalog has no such category", name, fix=f"Its most frequent are: {known}.")
    return has if sign == "=" else ~has


def _year(dataset: Dataset, sign: str, text: str) -> np.ndarray:
    if YEAR not in dataset.items or not re.fullmatch(r"-?\d{1,6}", text):
        fix = "Write a whole number, and use a catalog with years; or split by category."
        raise DataError("The catalog cannot be split by this year", text, fix=fix)
    years, year = _years(dataset), int(text)
    compare: dict[str, Callable[[np.ndarray, int], np.ndarray]]
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    return np.asarray(compare[sign](years, year))


def _rest_of(dataset: Dataset, text: str, mask: np.ndarray) -> np.ndarray:
    """The target: what is not in the part; an item without a year is on neither side of one."""
    return ~mask & ~np.isnan(_years(dataset)) if text.strip().startswith("year") else ~mask


def _years(dataset: Dataset) -> np.ndarray:
    return np.asarray(dataset.items[YEAR].astype("Float64").to_numpy(float, na_value=np.nan))


def _without(whole: Taught, user_ids: Sequence[str]) -> Taught:
    return Taught(whole.dataset.without_users(user_ids), whole.item_vectors)


@dataclass(frozen=True)
class _Fold:
    """People who are judged; ``out`` are all whom nothing may be learned from."""

    cases: tuple[Case, ...]
    out: tuple[str, ...]


def _folds(target: Dataset, plan: TransferPlan) -> Iterator[_Fold]:
    histories = Histories.from_dataset(target)
    profiles = histories.profiles(shares=target.category_matrix.mean(axis=0))
    order = np.random.default_rng(plan.seed).permutation(len(histories))
    for number in range(plan.folds):
        tested = [int(user) for user in np.sort(order[number :: plan.folds])]
        cases = (Case(histories.user_ids[user], profiles[user], histories.later(user)) for user in tested)
        judged = tuple(
            case for case in cases if len(case.profile.liked) == N_REVEALED and len(case.targets) >= MIN_TARGETS
        )
        yield _Fold(judged, tuple(histories.user_ids[user] for user in tested))


@dataclass(frozen=True, eq=False)
class _Bench:
    """What every fold is judged on.

    Attributes:
        target: all of it; a fold hides people.
        item_vectors: ``(n_items, dim)``, the target's.
    """

    plan: TransferPlan
    encoder: Encoder
    target: Dataset
    item_vectors: np.ndarray
    report: Progress

    def run(self, number: int, fold: _Fold, taught: Taught) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Learns and judges; returns the rows of ``TransferEvaluation.users``, and what carried over."""
        frames, asked = [], levels(self.plan.shots)
        found: dict[str, Any] = {}
        for name, n_likes, scorer, about in self._methods(number, fold, taught):
            found |= about
            for level in asked:
                values = self._judged(scorer, fold, level)
                about_rows = {"method": name, "likes": n_likes, "level": level.name}
                people = [case.user_id for case in fold.cases]
                frames.append(pd.DataFrame({**about_rows, "user_id": people, "fold": number, **values}))
        return pd.concat(frames, ignore_index=True), found

    def _methods(
        self, number: int, fold: _Fold, taught: Taught
    ) -> Iterator[tuple[str, int, Scorer | np.ndarray, dict[str, Any]]]:
        steps, encoder, vectors = 2 + len(self.plan.likes), self.encoder, self.item_vectors
        total = steps * self.plan.folds

        def tell(what: str, done: int) -> None:
            self.report(f"fold {number + 1}, {what}", number * steps + done, total)

        tell(OURS, 0)
        source = Source.from_dataset(taught.dataset, taught.item_vectors, encoder=encoder)
        warm = self.target.without_users(fold.out)
        bare = replace(warm, interactions=warm.interactions.iloc[:0])
        carried = carry(source, bare, vectors)
        about = {"kept": list(carried.kept), "lost": dict(carried.lost)}
        yield OURS, NO_LIKES, self._additive(carried.model), about
        yield WITHOUT_PRIOR, NO_LIKES, self._additive(carry(source, bare, vectors, has_prior=False).model), {}
        yield COSINE, NO_LIKES, CosineScorer(vectors, dataset=self.target, encoder=encoder), {}
        yield PRIOR, NO_LIKES, carried.model.prior, {}
        order = np.random.default_rng((self.plan.seed, number)).permutation(len(warm.likes))
        for place, n in enumerate(self.plan.likes, 1):
            tell(few(n), place)
            some = replace(warm, interactions=warm.likes.iloc[np.sort(order[:n])].reset_index(drop=True))
            moved = shrink(carried, Histories.from_dataset(some), vectors, encoder=encoder)
            yield few(n), n, self._additive(moved), {}
            yield alone(n), n, self._additive(train_additive(some, vectors, encoder=encoder).model), {}
        tell(ALL, steps - 1)
        yield ALL, ALL_LIKES, self._additive(train_additive(warm, vectors, encoder=encoder).model), {}

    def _additive(self, model: AdditiveModel) -> Scorer:
        return AdditiveScorer(model, dataset=self.target, encoder=self.encoder)

    def _judged(self, scorer: Scorer | np.ndarray, fold: _Fold, level: Level) -> dict[str, np.ndarray]:
        profiles = [level.of(case.profile) for case in fold.cases]
        mask = np.ones((len(profiles), len(self.target.items)), bool)
        for row, case in enumerate(fold.cases):
            mask[row, [self.target.item_row(item_id) for item_id in case.profile.liked]] = False
        if isinstance(scorer, np.ndarray):
            scores = np.tile(scorer, (len(profiles), 1))
        else:
            scores = scorer.queries(profiles) @ scorer.item_vectors.T.astype(np.float64)
        ranked = Ranked(np.asarray(scores, np.float64), mask, [case.targets for case in fold.cases])
        return {measure.name: measure.per_user(ranked) for measure in _MEASURES}


def _evaluation(
    plan: TransferPlan, users: pd.DataFrame, source: Taught, target: Dataset, carried: Mapping[str, Any]
) -> TransferEvaluation:
    from recsys import __version__

    about = {
        **carried,
        "n_left_out": len(target.users) - int(users["user_id"].nunique()),
        "n_source_items": len(source.dataset.items),
        "n_target_items": len(target.items),
        "source_is_simulated": source.dataset.info.simulated,
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "version": __version__,
    }
    order = {name: place for place, name in enumerate(dict.fromkeys(users["method"]))}
    found = users.assign(order=users["method"].map(order)).sort_values(["order", "fold"], kind="stable")
    return TransferEvaluation(plan, found.drop(columns="order").reset_index(drop=True), about)
