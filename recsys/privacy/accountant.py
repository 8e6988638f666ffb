"""How much protection a noise gives, computed by Google's accountant (the package ``dp-accounting``)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from recsys.errors import ConfigError, MissingExtraError

ACCOUNTANT = "dp-accounting, privacy loss of the Gaussian mechanism"
_TOLERANCE, _BEYOND = 1e-7, 700.0
"""How exactly an epsilon is found; those beyond are as good as infinite, and too large for the accountant's exponential."""
_SMALLEST, _LARGEST = 0.01, 50.0


@dataclass(frozen=True)
class Budget:
    """What a fit may reveal of one user: whoever is added or removed, no result becomes more likely than ``e^epsilon``
    times as likely, but for a probability of delta.

    Attributes:
        epsilon: from 0.01 to 50; protection that deserves the name ends somewhere below 10.
        delta: above 0, at most one in the number of users.
    """

    epsilon: float
    delta: float = 1e-5

    def __post_init__(self) -> None:
        if not _SMALLEST <= self.epsilon <= _LARGEST:
            fix = f"Choose a number from {_SMALLEST} to {_LARGEST:g}; 1 protects well, 10 hardly."
            raise ConfigError("The epsilon is out of range", self.epsilon, fix=fix)
        if not 0 < self.delta < 1:
            raise ConfigError("The delta is out of range", self.delta, fix="Choose a small number, for example 1e-5.")

    def check(self, n_users: int) -> None:
        """Refuses a delta that would allow to give single users away.

        Raises:
            ConfigError: for a delta above one in the number of users.
        """
        if self.delta * n_users > 1:
            fix = f"Choose at most one in the number of users, for example {10.0 ** math.floor(-math.log10(n_users)):.0e}."
            raise ConfigError("The delta is too large for this dataset", self.delta, fix=fix)

    @property
    def told(self) -> str:
        """For people."""
        return f"epsilon = {self.epsilon:.4g}, delta = {self.delta:.4g}"


def noise_of(budget: Budget) -> float:
    """Returns the standard deviation that the budget asks for, where one user moves the sums by at most 1.

    Source: B. Balle, Y.-X. Wang, Improving the Gaussian mechanism for differential privacy, 2018, theorem 8, which the
    accountant solves.

    Raises:
        MissingExtraError: without the extra ``privacy``.
    """
    package = _package("accountant")
    parameters = _package("common").DifferentialPrivacyParameters(budget.epsilon, budget.delta)
    return float(package.get_smallest_gaussian_noise(parameters, 1, 1.0))


def epsilon_of(deviations: Sequence[float], delta: float) -> float:
    """Returns the epsilon of several releases about the same users together, from the deviations of their noises.

    Gaussian noises compose exactly: together they reveal what one with the precision of all would. Infinite where one of them
    had no noise, or beyond 700; 0 for none.

    Source: J. Dong, A. Roth, W. Su, Gaussian differential privacy, 2022, corollary 3.3.

    Raises:
        MissingExtraError: without the extra ``privacy``.
    """
    if not deviations:
        return 0.0
    if min(deviations) <= 0:
        return math.inf
    together = sum(deviation**-2 for deviation in deviations) ** -0.5
    loss, common = _package("privacy_loss_mechanism").GaussianPrivacyLoss(together), _package("common")
    search = common.BinarySearchParameters(0.0, _BEYOND, tolerance=_TOLERANCE)
    found = common.inverse_monotone_function(loss.get_delta_for_epsilon, delta, search)
    return math.inf if found is None else float(found)


def _package(name: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(f"dp_accounting.{name}")
    except ImportError:
        fix = "Install it with `pip install 'coldlens[privacy]'`."
        raise MissingExtraError("The accountant of privacy is not installed", "dp-accounting", fix=fix) from None
