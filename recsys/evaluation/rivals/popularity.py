"""Rivals that count: random order, the most liked, the most liked among people like you."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import sparse

from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.features import chosen_likes
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.schema import Profile


@dataclass(frozen=True)
class _SameForAll:
    values: np.ndarray

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``."""
        return np.tile(self.values, (len(profiles), 1))


class Random:
    """Any order, the same for every user: the floor."""

    name = "random"
    grid: tuple[Parameters, ...] = ({},)

    def can_use(self, level: Level) -> bool:
        """Always: it needs nothing."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> _SameForAll:
        """Draws one number per item."""
        return _SameForAll(np.random.default_rng(material.seed).random(len(material.item_vectors)))


class Popular:
    """Most liked first.

    Args:
        later_only: whether only likes after the revealed ones are counted (an ablation, not the method of the field).
    """

    grid: tuple[Parameters, ...] = ({},)

    def __init__(self, *, later_only: bool = False) -> None:
        self.name = "popular, later likes" if later_only else "popular"
        self._later_only = later_only

    def can_use(self, level: Level) -> bool:
        """Always: it needs nothing."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> _SameForAll:
        """Counts."""
        return _SameForAll(np.asarray(chosen_likes(material.histories, self._later_only).sum(axis=0)).ravel())


class PopularByAgeAndGender:
    """Most liked among people of about this age and of this gender: likes weighted by a Gaussian kernel over age.

    A profile without age or gender is not restricted by it; a training user without gender weighs like one of the other gender,
    one without age like the average user.

    Args:
        later_only: as for ``Popular``.
    """

    grid: tuple[Parameters, ...] = tuple(
        {"bandwidth": bandwidth, "other gender": other} for bandwidth, other in product((8, 5, 12), (0.3, 0.1, 0.5))
    )

    def __init__(self, *, later_only: bool = False) -> None:
        self.name = "popular by age and gender" + (", later likes" if later_only else "")
        self._later_only = later_only

    def can_use(self, level: Level) -> bool:
        """Always: every level reveals age and gender."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> "_Kernel":
        """Keeps the users and their likes."""
        profiles = material.histories.profiles()
        ages = np.array([np.nan if profile.age is None else profile.age for profile in profiles], float)
        genders = np.array([profile.gender for profile in profiles], dtype=object)
        likes = chosen_likes(material.histories, self._later_only)
        return _Kernel(ages, genders, likes, float(parameters["bandwidth"]), float(parameters["other gender"]))


@dataclass(frozen=True)
class _Kernel:
    ages: np.ndarray
    genders: np.ndarray
    likes: sparse.csr_matrix
    bandwidth: float
    other: float

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``, the share of similar people who liked each item, in [0, 1]."""
        weights = np.array([self._weights(profile) for profile in profiles]).reshape(len(profiles), len(self.ages))
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
        return np.asarray((self.likes.T @ weights.T).T)

    def _weights(self, profile: Profile) -> np.ndarray:
        """Returns ``(n_users,)``; the nearest age weighs 1, however far it is."""
        weights = np.ones(len(self.ages))
        known = ~np.isnan(self.ages)
        if profile.age is not None and known.any():
            squares = (self.ages - profile.age) ** 2
            weights = np.exp((np.nanmin(squares) - squares) / (2 * self.bandwidth**2))
            weights[~known] = weights[known].mean()
        if profile.gender is not None:
            weights = weights * np.where(self.genders == profile.gender, 1.0, self.other)
        return weights
