"""Neural collaborative filtering over user features."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.features import UserFeatures, chosen_likes, first_few
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.schema import Profile

if TYPE_CHECKING:
    import torch

_BATCH = 64
_HIDDEN = 32
_RATE = 0.005
_DECAY = 1e-5
_THREADS = 1
"""The matrices are small, and one thread gives the same sums everywhere."""


class NeuMf:
    """NeuMF, which stands for neural collaborative filtering: a product tower and a perceptron tower, joined by a layer.

    The identity of a user is replaced by the features of LightFM, since a new user has none. In training, facts are dropped at
    random and the first few likes are shown, none to all of those that a profile may have, so that every level can be ranked.
    The loss is the authors' cross-entropy, over all other items instead of sampled ones. Source: He et al. 2017.

    Args:
        later_only: whether only likes after the revealed ones are to be predicted (an ablation).
    """

    grid: tuple[Parameters, ...] = (
        {"epochs": 40, "dim": 16, "dropout": 0.5},
        {"epochs": 10, "dim": 16, "dropout": 0.5},
        {"epochs": 20, "dim": 16, "dropout": 0.7},
        {"epochs": 20, "dim": 32, "dropout": 0.5},
    )

    def __init__(self, *, later_only: bool = False) -> None:
        self.name = "neumf, later likes" if later_only else "neumf"
        self._later_only = later_only

    def can_use(self, level: Level) -> bool:
        """Always: every facet is a feature."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> "_Network":
        """Trains for a fixed number of epochs, on one thread of the CPU, so that the same seed gives the same network."""
        import torch

        features = UserFeatures.from_histories(material.histories)
        popularity = np.asarray(material.histories.all_likes.sum(axis=0)).ravel()
        counted = np.asarray(chosen_likes(material.histories, self._later_only).sum(axis=0)).ravel()
        shares = (counted + 0.5) / (len(material.histories) + 1)
        before = torch.get_num_threads()
        torch.set_num_threads(_THREADS)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(material.seed)
                towers = _towers(len(features), shares, int(parameters["dim"]))
                _train(towers, material, features, parameters, self._later_only)
        finally:
            torch.set_num_threads(before)
        return _Network(features, towers.eval(), popularity > 0)


@dataclass(frozen=True)
class _Network:
    features: UserFeatures
    towers: Any
    known: np.ndarray

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``; ``NaN`` for items that nobody liked: an item is its identity alone."""
        import torch

        rows = [self.features.rows(profile) for profile in profiles]
        with torch.inference_mode():
            parts = [self.towers(*_bags(rows[n : n + _BATCH])).numpy() for n in range(0, len(rows), _BATCH)]
        scores = np.concatenate([np.zeros((0, len(self.known)), np.float32), *parts]).astype(np.float64)
        scores[:, ~self.known] = np.nan
        return scores


def _towers(n_features: int, shares: np.ndarray, dim: int) -> Any:
    import torch
    from torch import nn

    class Towers(nn.Module):
        """Scores ``(n_profiles, n_items)``; the item bias starts at the log-odds of the popularity."""

        def __init__(self) -> None:
            super().__init__()
            self.users = nn.EmbeddingBag(n_features, 2 * dim, mode="mean")
            self.items = nn.Embedding(len(shares), 2 * dim)
            self.bias = nn.Parameter(torch.logit(torch.from_numpy(shares).float()))
            self.hidden = nn.Linear(2 * dim, _HIDDEN)
            self.product = nn.Parameter(torch.ones(dim))
            self.joined = nn.Parameter(torch.randn(_HIDDEN) / _HIDDEN)
            nn.init.normal_(self.users.weight, std=0.1)
            nn.init.normal_(self.items.weight, std=0.1)

        def forward(self, features: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
            product_users, perceptron_users = self.users(features, starts).chunk(2, dim=1)
            product_items, perceptron_items = self.items.weight.chunk(2, dim=1)
            of_users, of_items = self.hidden.weight.chunk(2, dim=1)
            hidden = (perceptron_users @ of_users.T)[:, None] + (perceptron_items @ of_items.T + self.hidden.bias)
            return (product_users * self.product) @ product_items.T + torch.relu(hidden) @ self.joined + self.bias

    return Towers()


def _train(towers: Any, material: Material, features: UserFeatures, parameters: Parameters, later_only: bool) -> None:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    rng = np.random.default_rng(material.seed)
    facts = [features.rows(replace(profile, liked=())) for profile in material.histories.profiles()]
    likes = chosen_likes(material.histories, later_only)
    users = np.flatnonzero(np.diff(likes.indptr))
    liked_columns = features.liked_columns(material.histories.dataset)
    optimiser = torch.optim.Adam(towers.parameters(), lr=_RATE, weight_decay=_DECAY)
    for _ in range(int(parameters["epochs"])):
        order = rng.permutation(users)
        for batch in (order[start : start + _BATCH] for start in range(0, len(order), _BATCH)):
            shown = [first_few(material.histories.liked[user], rng, least=0) for user in batch]
            kept = [facts[user][rng.random(len(facts[user])) >= float(parameters["dropout"])] for user in batch]
            asked = np.ones((len(batch), likes.shape[1]), np.float32)
            for n, user in enumerate(batch):
                asked[n, material.histories.revealed(user) if later_only else shown[n]] = 0
            wanted, weight = torch.from_numpy(likes[batch].toarray().astype(np.float32)), torch.from_numpy(asked)
            found = towers(
                *_bags([np.append(part, liked_columns[rows]) for part, rows in zip(kept, shown, strict=True)])
            )
            loss = binary_cross_entropy_with_logits(found, wanted, weight=weight, reduction="sum") / max(
                1, likes[batch].nnz
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def _bags(rows: Sequence[np.ndarray]) -> "tuple[torch.Tensor, torch.Tensor]":
    import torch

    starts = np.cumsum([0, *(len(part) for part in rows)])[:-1]
    return torch.from_numpy(np.concatenate([*rows, np.zeros(0, np.int64)])), torch.from_numpy(starts.astype(np.int64))
