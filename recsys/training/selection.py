"""Chooses penalties and calibrates probabilities inside the training users, by cross-validation over users."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.encoder import Encoder
from recsys.schema import Profile
from recsys.scorer.additive import UNCALIBRATED, AdditiveModel, Calibration, Known, calibration_features
from recsys.training.additive import AdditiveConfig, ViewScales, Workbench
from recsys.training.content import Content
from recsys.training.histories import Histories

FOLDS = 3
_MIN_USERS, _MAX_USERS, _MAX_JUDGED = 40, 6_000, 1_500
_DEPTH = 10
_PAIRS = 400_000

_STAGES: tuple[tuple[str, tuple[float, ...], tuple[str, ...]], ...] = (
    ("facts_penalty", (15.0, 25.0, 60.0), ("facts", "a few")),
    ("attribute_weight", (0.03, 0.1, 0.3), ("facts", "a few")),
    ("overlap", (0.0, 0.5), ("facts", "interests")),
    ("interests_penalty", (8.0, 25.0, 80.0), ("one interest", "interests")),
    ("interest_offset", (0.0, 1.0, 3.0), ("one interest", "interests")),
    ("liked_gain", (2.0, 3.5, 5.0), ("one liked", "all", "a few")),
    ("liked_penalty", (15.0, 30.0, 60.0), ("one liked", "all", "a few")),
    ("liked_offset", (2.0, 4.0, 8.0), ("one liked", "all", "a few")),
)


@dataclass(frozen=True)
class Trial:
    """One setting that was tried: held-out nDCG@10, mean over users and presentations."""

    parameter: str
    value: float
    ndcg: float


@dataclass(frozen=True)
class Selection:
    """What cross-validation found.

    Attributes:
        config: with the chosen values.
        calibration: see ``AdditiveModel``.
        trials: everything that was tried, in order.
        n_judged: users that it was judged on, over all folds.
        scales: of the views beside the text; ``None`` if there was nobody to judge on.
    """

    config: AdditiveConfig
    calibration: Calibration
    trials: tuple[Trial, ...]
    n_judged: int
    scales: ViewScales | None = None


class _Fold:
    """A part of the training users held out from the rest, presented with different subsets of their facets."""

    def __init__(
        self, held_out: Histories, bench: Workbench, presented: dict[str, list[Profile]], encoder: Encoder
    ) -> None:
        self.bench = bench
        self.known = {
            name: Known.from_profiles(profiles, held_out.dataset, encoder) for name, profiles in presented.items()
        }
        later, revealed = held_out.later_likes, held_out.revealed_likes
        self.targets = later.toarray().astype(bool)
        self._hidden = revealed.toarray().astype(bool)
        self.allowed = ~self._hidden
        self._items, self._prior = bench.items.astype(np.float32), bench.prior.astype(np.float32)

    def scores(self, model: AdditiveModel, presentation: str) -> np.ndarray:
        """Returns ``(n_users, n_items)`` float32; what is not ranked is minus infinity."""
        taste = self.known[presentation].taste(model).astype(np.float32)
        scores = taste @ self._items.T + self._prior
        scores[self._hidden] = -np.inf
        return np.asarray(scores)

    def ndcg(self, model: AdditiveModel, presentations: Sequence[str]) -> np.ndarray:
        """Returns nDCG@10 of each user, mean over the presentations."""
        return np.mean([ndcg_of_rows(self.scores(model, name), self.targets) for name in presentations], axis=0)


def select(histories: Histories, content: Content, *, encoder: Encoder, config: AdditiveConfig) -> Selection:
    """Tries the settings one parameter after the other on users held out from the fit.

    A setting replaces the default where it is better by more than one standard error; too few users keep the defaults.
    """
    sampled = np.random.default_rng(config.seed).permutation(len(histories))[:_MAX_USERS]
    judged = np.array([user for user in sampled if len(histories.later(user)) >= 2], int)
    if len(judged) < _MIN_USERS:
        return Selection(config, UNCALIBRATED, (), 0)
    folds = list(_folds(histories, judged, content, encoder, config))
    trials: list[Trial] = []
    for parameter, values, presentations in _STAGES:
        tried = [replace(config, **{parameter: value}) for value in values]  # type: ignore[arg-type]
        found = [_judge(folds, candidate, presentations) for candidate in tried]
        usual = found[tried.index(config)] if config in tried else _judge(folds, config, presentations)
        trials += [Trial(parameter, value, float(each.mean())) for value, each in zip(values, found, strict=True)]
        best = int(np.argmax([each.mean() for each in found]))
        if _is_better(found[best], usual):
            config = tried[best]
    return Selection(
        config,
        _calibrate(folds, config),
        tuple(trials),
        sum(len(fold.targets) for fold in folds),
        folds[0].bench.scales,
    )


def _folds(
    histories: Histories, judged: np.ndarray, content: Content, encoder: Encoder, config: AdditiveConfig
) -> Iterator[_Fold]:
    rng = np.random.default_rng(config.seed)
    users = rng.permutation(len(histories))[:_MAX_USERS]  # the same as where ``judged`` comes from
    scales: ViewScales | None = None
    for number in range(FOLDS):
        tested = np.intersect1d(users[number::FOLDS], judged)[: _MAX_JUDGED // FOLDS]
        fitted = np.sort(np.setdiff1d(users, users[number::FOLDS]))
        bench = Workbench(histories.of(fitted), content, encoder=encoder, config=config, scales=scales)
        scales = bench.scales
        held_out = histories.of(tested)
        profiles = held_out.profiles(shares=bench.histories.category_shares)
        yield _Fold(held_out, bench, _presented(profiles, rng), encoder)


def _presented(profiles: Sequence[Profile], rng: np.random.Generator) -> dict[str, list[Profile]]:
    """Different subsets of each user's facets; the last one is random."""
    facts = [replace(profile, interests=(), liked=()) for profile in profiles]
    few = [[facet.key for facet in profile.facets if rng.random() < 0.4] for profile in profiles]
    return {
        "facts": facts,
        "one interest": [Profile(interests=profile.interests[:1]) for profile in profiles],
        "interests": [replace(profile, liked=()) for profile in profiles],
        "one liked": [replace(profile, liked=profile.liked[:1]) for profile in profiles],
        "all": list(profiles),
        "a few": [profile.keeping(keys) for profile, keys in zip(profiles, few, strict=True)],
    }


def _judge(folds: Sequence[_Fold], config: AdditiveConfig, presentations: Sequence[str]) -> np.ndarray:
    return np.concatenate([fold.ndcg(fold.bench.model(config), presentations) for fold in folds])


def _is_better(values: np.ndarray, usual: np.ndarray) -> bool:
    """Whether the mean over the same users is larger by more than one standard error; less than that is mostly noise."""
    gain = values - usual
    return float(gain.mean()) > float(gain.std(ddof=1)) / np.sqrt(len(gain))


def ndcg_of_rows(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """nDCG@10 of each row; binary gains, logarithmic discount, ties in any order."""
    depth = min(_DEPTH, scores.shape[1])
    best = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    hits = np.take_along_axis(targets, np.take_along_axis(best, order, axis=1), axis=1)
    discount = 1 / np.log2(np.arange(2, depth + 2))
    ideal = np.cumsum(discount)[np.minimum(depth, targets.sum(axis=1)) - 1]
    return np.asarray(hits @ discount / ideal)


def _calibrate(folds: Sequence[_Fold], config: AdditiveConfig) -> Calibration:
    """Fits ``AdditiveModel.calibration`` to the likes of held-out users, over all presentations."""
    from sklearn.linear_model import LogisticRegression

    scores, liked = [], []
    rng = np.random.default_rng(config.seed)
    for fold in folds:
        model, pairs = fold.bench.model(config), np.flatnonzero(fold.allowed)
        for name in fold.known:
            kept = rng.choice(pairs, min(len(pairs), _PAIRS // (len(folds) * len(fold.known))), replace=False)
            scores.append(fold.scores(model, name).ravel()[kept])
            liked.append(fold.targets.ravel()[kept])
    features, labels = calibration_features(np.concatenate(scores)), np.concatenate(liked)
    if labels.all() or not labels.any():
        return UNCALIBRATED
    fitted = LogisticRegression(C=np.inf).fit(features, labels)
    slopes = fitted.coef_[0]
    if (slopes < 0).any():  # a probability must not fall as the score grows
        only = int(slopes.argmax())
        fitted = LogisticRegression(C=np.inf).fit(features[:, [only]], labels)
        slopes = np.where(np.arange(2) == only, fitted.coef_[0, 0], 0.0)
    return float(slopes[0]), float(slopes[1]), float(fitted.intercept_[0])
