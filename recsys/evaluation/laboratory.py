"""The laboratory: every method learns from the same folds and is judged on the same users."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from recsys.encoder import Encoder
from recsys.errors import DataError
from recsys.evaluation.contenders import PRIOR_ALONE, Additive, FittedAdditive, view_contenders
from recsys.evaluation.evaluation import OURS, Evaluation, Plan, bootstrapped
from recsys.evaluation.measures import (
    NDCG,
    CalibrationError,
    Coverage,
    Diversity,
    Novelty,
    Ranked,
    RankingMeasure,
    Recall,
    ReciprocalRank,
    Success,
)
from recsys.evaluation.private_fits import private_contenders
from recsys.evaluation.protocols import Fold, Level, check_shots, levels, make_folds
from recsys.evaluation.rivals.catalogue import ablations_of, rival
from recsys.evaluation.rivals.protocol import Fitted, Material, Rival
from recsys.evaluation.tuned_bert import fine_tuned_contenders
from recsys.evaluation.tuning import fit_tuned, tune
from recsys.intervals import interval
from recsys.schema import ITEM_ID, Dataset
from recsys.training import Histories
from recsys.views.view import ItemView

DEPTH = 10
RANKING: tuple[RankingMeasure, ...] = (NDCG(10), Recall(20), ReciprocalRank(), Success(10))
_BINS = 15


@dataclass(frozen=True)
class Step:
    """How far an evaluation is.

    Attributes:
        fold: from 1.
        method: what is being learned.
        done: steps that are finished.
        total: steps in all.
    """

    fold: int
    method: str
    done: int
    total: int


Progress = Callable[[Step], None]
"""Called before each step; raising from it ends the evaluation, and nothing is kept."""


@dataclass
class _Findings:
    """What has been collected so far."""

    users: list[pd.DataFrame] = field(default_factory=list)
    lists: list[pd.DataFrame] = field(default_factory=list)
    shown: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    probabilities: dict[str, list[np.ndarray]] = field(default_factory=dict)
    outcomes: dict[str, list[np.ndarray]] = field(default_factory=dict)
    chosen: list[dict[str, Mapping[str, Mapping[str, float | int | str]]]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def evaluate(
    dataset: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    plan: Plan,
    views: Mapping[str, ItemView] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Runs a plan.

    Args:
        views: of all items beside the text, by name; ours learns from them.

    Raises:
        ConfigError: for an unknown protocol or rival, or shots out of range.
        DataError: for a dataset without users or interactions, or with no user who can be judged.
        MissingExtraError: for a rival whose package is not installed.
    """
    check_shots(plan.shots)
    seen = dict(views or {})
    fused, marginals = view_contenders(tuple(seen)) if plan.views else ((), ())
    contestants: list[Rival] = [Additive(), *map(rival, plan.rivals), *ablations_of(plan.rivals), *fused]
    tuned = fine_tuned_contenders(plan.fine_tuned)
    private = private_contenders(plan.private)
    contestants += [*tuned, *private]
    found, report = _Findings(), progress or (lambda step: None)
    total = plan.folds * len(contestants)
    for number, fold in enumerate(make_folds(dataset, plan.protocol, folds=plan.folds, seed=plan.seed)):
        material = Material(Histories.from_dataset(fold.train), item_vectors, encoder, plan.seed, seen)
        found.chosen.append({})
        if not fold.cases:
            continue
        for place, contestant in enumerate(contestants):
            report(Step(number + 1, contestant.name, number * len(contestants) + place, total))
            _run(contestant, material, fold, number, levels(plan.shots), found)
    if not any(len(frame) for frame in found.users):
        fix = "It needs users with at least ten likes each."
        raise DataError("No user of this dataset can be judged", dataset.name, fix=fix)
    report(Step(plan.folds, "intervals", total, total))
    made = _evaluation(plan, found, len(dataset.users))
    about = {"views": list(seen), "marginals": [vars(marginal) for marginal in marginals]}
    about |= {"fine_tuned": [method.name for method in tuned], "private": [method.name for method in private]}
    return replace(made, about={**made.about, **about})


def _run(
    contestant: Rival, material: Material, fold: Fold, number: int, asked: Sequence[Level], found: _Findings
) -> None:
    started = time.perf_counter()
    chosen = tune(contestant, material, asked, seed=material.seed)
    fitted = fit_tuned(contestant, material, chosen)
    found.chosen[number][contestant.name] = chosen
    for level in asked:
        if level.name in fitted:
            ranked = _judge(contestant.name, fitted[level.name], material, fold, number, level, found)
            if contestant.name == OURS:
                _look_closer(fitted[level.name], ranked, material, fold, number, level, found)  # type: ignore[arg-type]
    spent = time.perf_counter() - started
    found.seconds[contestant.name] = found.seconds.get(contestant.name, 0.0) + spent


def _judge(
    name: str, fitted: Fitted, material: Material, fold: Fold, number: int, level: Level, found: _Findings
) -> Ranked:
    scores = np.asarray(fitted.scores([level.of(case.profile) for case in fold.cases]), np.float64)
    ranked = Ranked(scores, fold.mask(), [case.targets for case in fold.cases])
    popularity = np.asarray(material.histories.all_likes.sum(0)).ravel()
    values = {measure.name: measure.per_user(ranked) for measure in RANKING}
    novelty, diversity = Novelty(DEPTH), Diversity(DEPTH)
    values[novelty.name] = novelty.per_user(ranked, popularity=popularity, n_users=len(material.histories))
    values[diversity.name] = diversity.per_user(ranked, item_vectors=material.item_vectors)
    about = {"method": name, "level": level.name, "user_id": [case.user_id for case in fold.cases], "fold": number}
    found.users.append(pd.DataFrame({**about, **values}))
    found.shown.setdefault((name, level.name), []).append(Coverage(DEPTH).overall(ranked))
    return ranked


def _look_closer(
    fitted: FittedAdditive, ranked: Ranked, material: Material, fold: Fold, number: int, level: Level, found: _Findings
) -> None:
    """What is kept of the additive scorer alone: its prior as a method of its own, its lists, its probabilities."""
    _judge(PRIOR_ALONE, FittedAdditive(fitted.scorer, prior_alone=True), material, fold, number, level, found)
    ids = material.histories.dataset.items[ITEM_ID].to_numpy()
    shown = [[str(ids[row]) for row in rows if row >= 0] for rows in ranked.rankings[:, :DEPTH]]
    users = [case.user_id for case in fold.cases]
    found.lists.append(pd.DataFrame({"user_id": users, "level": level.name, "fold": number, "item_ids": shown}))
    liked = np.zeros(ranked.mask.shape, bool)
    for row, case in enumerate(fold.cases):
        liked[row, case.targets] = True
    found.probabilities.setdefault(level.name, []).append(fitted.scorer.probability(ranked.scores)[ranked.mask])
    found.outcomes.setdefault(level.name, []).append(liked[ranked.mask])


def _evaluation(plan: Plan, found: _Findings, n_users: int) -> Evaluation:
    from recsys import __version__

    overall = []
    for (method, level), values in found.shown.items():
        over_folds = interval(np.array(values))
        overall.append((method, level, over_folds.mean, over_folds.low, over_folds.high))
    bins, errors = [], {}
    for level, parts in found.probabilities.items():
        probabilities, outcomes = np.concatenate(parts), np.concatenate(found.outcomes[level])
        error = CalibrationError().overall(probabilities, outcomes)
        errors[level] = error if np.isfinite(error) else None
        bins += [(level, *row) for row in _bins(probabilities, outcomes)]
    users = pd.concat(found.users, ignore_index=True)
    about = {
        "n_left_out": n_users - int(users["user_id"].nunique()),
        "ablations": [PRIOR_ALONE, *(method.name for method in ablations_of(plan.rivals))],
        "chosen": found.chosen,
        "seconds": {name: round(seconds, 2) for name, seconds in found.seconds.items()},
        "calibration_error": errors,
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "version": __version__,
    }
    return Evaluation(
        plan,
        users,
        bootstrapped(users),
        pd.DataFrame(overall, columns=["method", "level", "mean", "low", "high"]),
        pd.DataFrame(bins, columns=["level", "probability", "share", "n"]),
        pd.concat(found.lists, ignore_index=True),
        about,
    )


def _bins(probabilities: np.ndarray, outcomes: np.ndarray) -> list[tuple[float, float, int]]:
    """Mean probability and share of likes in bins of geometrically growing probability, which is where the likes are."""
    known = np.isfinite(probabilities)
    edges = np.geomspace(1e-3, 1, _BINS)[:-1]
    place = np.searchsorted(edges, probabilities[known])
    found = []
    for number in range(_BINS):
        own = place == number
        if own.any():
            found.append((float(probabilities[known][own].mean()), float(outcomes[known][own].mean()), int(own.sum())))
    return found
