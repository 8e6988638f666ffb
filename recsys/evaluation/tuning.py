"""Tuning: the setting of a rival that ranks best for some of the training users after learning from the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.evaluation.measures import NDCG, Ranked
from recsys.evaluation.protocols import MIN_TARGETS, Level
from recsys.evaluation.rivals.protocol import Fitted, Material, Parameters, Rival
from recsys.schema import Profile
from recsys.training import N_REVEALED, Histories

MEASURE = NDCG(10)
MIN_USERS = 20
"""With fewer users to tune on, the default setting is taken."""
_SHARE = 0.2


def tune(rival: Rival, material: Material, levels: Sequence[Level], *, seed: int) -> dict[str, Parameters]:
    """Returns the best setting for each level that the rival can use, by mean nDCG@10; the first of equal ones.

    Only the training users are looked at: four fifths are learned from, the others are ranked for as if they were new.

    Args:
        seed: draws the users.
    """
    usable = [level for level in levels if rival.can_use(level)]
    default = {level.name: rival.grid[0] for level in usable}
    if not usable or len(rival.grid) == 1:
        return default
    trial = _Trial.from_material(material, seed=seed)
    if len(trial.profiles) < MIN_USERS:
        return default
    found = np.array([trial.values(rival.fit(trial.material, setting), usable) for setting in rival.grid])
    return {level.name: rival.grid[best] for level, best in zip(usable, found.argmax(axis=0), strict=True)}


def fit_tuned(rival: Rival, material: Material, chosen: Mapping[str, Parameters]) -> dict[str, Fitted]:
    """Returns the fitted rival for each level; a setting chosen for several levels learns once."""
    fitted: dict[tuple[tuple[str, float | int | str], ...], Fitted] = {}
    for setting in chosen.values():
        key = tuple(setting.items())
        if key not in fitted:
            fitted[key] = rival.fit(material, setting)
    return {level: fitted[tuple(setting.items())] for level, setting in chosen.items()}


@dataclass(frozen=True)
class _Trial:
    """A split of the training users: what may be learned from, and who is ranked for."""

    material: Material
    profiles: tuple[Profile, ...]
    targets: tuple[np.ndarray, ...]
    mask: np.ndarray

    @classmethod
    def from_material(cls, material: Material, *, seed: int) -> "_Trial":
        everyone = material.histories
        order = np.random.default_rng(seed).permutation(len(everyone))
        tested = np.sort(order[: int(len(order) * _SHARE)])
        dataset = everyone.dataset.without_users(everyone.user_ids[user] for user in tested)
        train = Histories.from_dataset(dataset)
        kept = [user for user in tested if _is_judged(everyone, user)]
        profiles = everyone.profiles(shares=train.category_shares)
        mask = np.ones((len(kept), len(dataset.items)), bool)
        for n, user in enumerate(kept):
            mask[n, everyone.revealed(user)] = False
        return cls(
            replace(material, histories=train),
            tuple(profiles[user] for user in kept),
            tuple(everyone.later(user) for user in kept),
            mask,
        )

    def values(self, fitted: Fitted, levels: Sequence[Level]) -> list[float]:
        """Returns the mean of the measure at each level."""
        scores = (fitted.scores([level.of(profile) for profile in self.profiles]) for level in levels)
        return [float(MEASURE.per_user(Ranked(found, self.mask, self.targets)).mean()) for found in scores]


def _is_judged(histories: Histories, user: int) -> bool:
    return len(histories.revealed(user)) == N_REVEALED and len(histories.later(user)) >= MIN_TARGETS
