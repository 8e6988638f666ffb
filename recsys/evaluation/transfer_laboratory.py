"""The protocol ``transfer``: learn on one dataset, or one part of a catalog, and be judged on another that nobody has touched."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from recsys.encoder import Encoder
from recsys.errors import ConfigError, DataError
from recsys.evaluation.catalog_parts import part_of, rest_of
from recsys.evaluation.measures import NDCG, Ranked, RankingMeasure, Recall, ReciprocalRank, Success
from recsys.evaluation.protocols import Case, Fold, Level, check_folds, check_shots, is_judged, levels
from recsys.evaluation.transfers import (
    ALL,
    ALL_LIKES,
    COSINE,
    NO_LIKES,
    OURS,
    PRIOR,
    WITHOUT_PRIOR,
    TransferEvaluation,
    TransferPlan,
    alone,
    few,
)
from recsys.schema import USER_ID, Dataset
from recsys.scorer import AdditiveModel, AdditiveScorer, CosineScorer, Scorer
from recsys.training import N_REVEALED, Histories, train_additive
from recsys.transfer import Source, carry, of_items, shrink

_MEASURES: tuple[RankingMeasure, ...] = (NDCG(10), Recall(20), ReciprocalRank(), Success(10))

Progress = Callable[[str, int, int], None]
"""Called with (what is being learned, steps done, steps in all); raising from it ends the evaluation."""


@dataclass(frozen=True)
class Taught:
    """Another dataset that is learned from.

    Attributes:
        item_vectors: ``(n_items, dim)``, by the same encoder as the target's.
    """

    dataset: Dataset
    item_vectors: np.ndarray


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
    check_folds(plan.folds)
    check_shots(plan.shots)
    if any(n < 1 for n in plan.likes):
        value = ",".join(map(str, plan.likes))
        raise ConfigError("The numbers of likes are out of range", value, fix="Choose whole numbers from 1.")
    mask = np.zeros(len(dataset.items), bool) if taught else part_of(dataset, plan.source)
    rest = np.ones(len(mask), bool) if taught else rest_of(dataset, plan.source, mask)
    target = of_items(dataset, rest)
    bench = _Bench(plan, encoder, target, np.asarray(item_vectors)[rest], progress or (lambda what, done, total: None))
    whole = taught or Taught(of_items(dataset, mask), np.asarray(item_vectors)[mask])
    frames: list[pd.DataFrame] = []
    about: dict[str, Any] = {}
    for number, fold in enumerate(_folds(target, plan)):
        if fold.cases:
            found, about = bench.run(number, fold, whole if taught else _of_the_rest(whole, target, fold))
            frames.append(found)
    if not frames:
        fix = f"It needs people with at least {2 * N_REVEALED} likes of the target's items."
        raise DataError("Nobody can be judged on this target", f"{dataset.name}, learned from {plan.source}", fix=fix)
    return _evaluation(plan, pd.concat(frames, ignore_index=True), whole, target, about)


def _folds(target: Dataset, plan: TransferPlan) -> Iterator[Fold]:
    histories = Histories.from_dataset(target)
    profiles = histories.profiles(shares=target.category_matrix.mean(axis=0))
    order = np.random.default_rng(plan.seed).permutation(len(histories))
    for number in range(plan.folds):
        tested = [int(user) for user in np.sort(order[number :: plan.folds])]
        cases = [Case(histories.user_ids[user], profiles[user], histories.later(user)) for user in tested]
        judged = tuple(case for case in cases if is_judged(case))
        train = target.without_users(case.user_id for case in cases)
        yield Fold(train, judged, np.ones(len(target.items), bool), len(cases) - len(judged))


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

    def run(self, number: int, fold: Fold, taught: Taught) -> tuple[pd.DataFrame, dict[str, Any]]:
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
        self, number: int, fold: Fold, taught: Taught
    ) -> Iterator[tuple[str, int, Scorer | np.ndarray, dict[str, Any]]]:
        steps, encoder, vectors = 2 + len(self.plan.likes), self.encoder, self.item_vectors
        total = steps * self.plan.folds

        def tell(what: str, done: int) -> None:
            self.report(f"fold {number + 1}, {what}", number * steps + done, total)

        tell(OURS, 0)
        source = Source.from_dataset(taught.dataset, taught.item_vectors, encoder=encoder)
        warm = fold.train
        carried = carry(source, warm, vectors)
        about = {"kept": list(carried.kept), "lost": dict(carried.lost)}
        yield OURS, NO_LIKES, self._additive(carried.model), about
        yield WITHOUT_PRIOR, NO_LIKES, self._additive(carry(source, warm, vectors, has_prior=False).model), {}
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

    def _judged(self, scorer: Scorer | np.ndarray, fold: Fold, level: Level) -> dict[str, np.ndarray]:
        profiles = [level.of(case.profile) for case in fold.cases]
        if isinstance(scorer, np.ndarray):
            scores = np.tile(scorer, (len(profiles), 1))
        else:
            scores = scorer.queries(profiles) @ scorer.item_vectors.T.astype(np.float64)
        ranked = Ranked(np.asarray(scores, np.float64), fold.mask(), [case.targets for case in fold.cases])
        return {measure.name: measure.per_user(ranked) for measure in _MEASURES}


def _of_the_rest(whole: Taught, target: Dataset, fold: Fold) -> Taught:
    """What may be learned from: the people of the source who are not tested in the target."""
    tested = set(target.users[USER_ID]) - set(fold.train.users[USER_ID])
    return Taught(whole.dataset.without_users(tested), whole.item_vectors)


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
