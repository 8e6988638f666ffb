"""Can somebody tell from the published model who was among the users? Before a release, as it fits often (P8)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, rankdata

from recsys.privacy import Budget, Public, Statistics, UserColumns, fit, noise_of
from recsys.schema import Dataset, Profile
from recsys.scorer import AdditiveModel, AdditiveScorer
from recsys.training import Histories
from recsys.training.histories import top_categories
from tests.toy import KINDS, ToyEncoder
from tests.training.world import N_ITEMS, world

N_CANARIES, N_ODD, DRAWS = 400, 3_000, 40
pytestmark = pytest.mark.release


@dataclass(frozen=True)
class Attack:
    """Canaries who like items that hardly anybody else likes; half of them are among the users.

    Attributes:
        dataset: with that half.
        rows: the item_rows that each canary likes, earliest first.
        is_member: ``(n_canaries,)`` of bool.
    """

    dataset: Dataset
    rows: np.ndarray
    is_member: np.ndarray

    @classmethod
    def of(cls, n_likes: int, seed: int) -> "Attack":
        rng, base = np.random.default_rng(seed), world(seed=seed, n_users=200)
        ids = [f"{number:05d}" for number in range(N_ITEMS + N_ODD)]
        kinds = [(KINDS[number % 3],) for number in range(len(ids))]
        items = pd.DataFrame({"item_id": ids, "title": [f"Story {i}" for i in ids], "categories": kinds})
        rows = N_ITEMS + np.array([rng.choice(N_ODD, n_likes, replace=False) for _ in range(N_CANARIES)])
        is_member = rng.permutation(np.arange(N_CANARIES) % 2 == 0)
        named = np.array([f"canary{number:03d}" for number in range(N_CANARIES)])
        facts = {"age": rng.integers(15, 75, N_CANARIES).astype(float), "gender": rng.choice(["F", "M"], N_CANARIES)}
        users = pd.DataFrame({"user_id": named, **facts, "occupation": "student"})[is_member]
        theirs = pd.DataFrame(
            {
                "user_id": np.repeat(named, n_likes),
                "item_id": np.array(ids)[rows.ravel()],
                "rating": 5.0,
                "timestamp": np.tile(np.arange(n_likes), N_CANARIES),
            }
        )[np.repeat(is_member, n_likes)]
        ordinary = base.interactions.assign(item_id="00" + base.interactions["item_id"])
        joined = replace(
            base,
            items=items,
            users=pd.concat([base.users, users], ignore_index=True),
            interactions=pd.concat([ordinary, theirs], ignore_index=True),
        )
        return cls(joined, rows, is_member)

    def models(self, epsilon: float | None, seed: int) -> Iterator[AdditiveModel]:
        """Many fits to the same users, which differ in their noise alone."""
        vectors = ToyEncoder().encode([f"Story. {kinds[0]}" for kinds in self.dataset.items["categories"]])
        columns = UserColumns(("F", "M"), {"occupation": ("engineer", "student")})
        public = Public.from_catalog(self.dataset, vectors, encoder=ToyEncoder(), columns=columns)
        sums = Statistics.of(self.dataset, vectors, public)
        if epsilon is None:
            yield fit(sums, vectors, public)
            return
        draw, deviation = np.random.default_rng(seed).standard_normal, noise_of(Budget(epsilon))
        for _ in range(DRAWS):
            yield fit(sums.noised(deviation, draw), vectors, public)

    def by_prior(self, model: AdditiveModel) -> float:
        """Area under the curve of an attacker who sees the model and adds up the priors of a canary's items."""
        return area(model.prior[self.rows].sum(axis=1), self.is_member)

    def by_score(self, model: AdditiveModel) -> float:
        """The same for one who only sees scores, and asks with the canary's own first likes."""
        n_revealed = min(5, self.rows.shape[1] // 2)
        ids = self.dataset.items["item_id"].to_numpy()
        shares = Histories.from_dataset(self.dataset).category_shares
        profiles = [
            Profile(
                liked=tuple(ids[rows[:n_revealed]]), interests=top_categories(rows[:n_revealed], self.dataset, shares)
            )
            for rows in self.rows
        ]
        scorer = AdditiveScorer(model, dataset=self.dataset, encoder=ToyEncoder())
        scores = scorer.queries(profiles) @ scorer.item_vectors.T
        return area(np.take_along_axis(scores, self.rows[:, n_revealed:], axis=1).sum(axis=1), self.is_member)


def area(values: np.ndarray, is_member: np.ndarray) -> float:
    """Area under the ROC curve: how often a member's value is above another's."""
    ranks, n = rankdata(values), int(is_member.sum())
    return float((ranks[is_member].sum() - n * (n + 1) / 2) / (n * (len(values) - n)))


def areas(n_likes: int, epsilon: float | None) -> tuple[float, float]:
    """Mean areas of both attacks over splits and draws of noise."""
    found = [
        (attack.by_prior(model), attack.by_score(model))
        for seed in range(3)
        for attack in [Attack.of(n_likes, seed)]
        for model in attack.models(epsilon, seed)
    ]
    by_prior, by_score = np.mean(found, axis=0)
    return float(by_prior), float(by_score)


@pytest.mark.parametrize("n_likes", [12, 70])
def test_without_noise_the_attack_works(n_likes: int):
    assert min(areas(n_likes, None)) > 0.6


@pytest.mark.parametrize(("n_likes", "epsilon"), [(12, 1.0), (70, 0.5)])
def test_with_noise_members_cannot_be_told_from_others(n_likes: int, epsilon: float):
    """Ordinary users at epsilon 1; at 0.5 also those who like so much that they reach the bound of what one can move."""
    assert max(areas(n_likes, epsilon)) <= 0.55


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_no_attack_beats_the_bound_of_the_mechanism(epsilon: float):
    """The best attack there can be has the area that two normal distributions ``1 / deviation`` apart have."""
    bound = norm.cdf(1 / noise_of(Budget(epsilon)) / np.sqrt(2))
    assert max(areas(70, epsilon)) <= bound + 0.015
