"""Private fits, as the laboratory meets them: what the noise costs, on the same people as every other method.

What an evaluation prints is itself learned from the users and not protected: only the published model is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.evaluation.contenders import FittedAdditive
from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.protocol import Fitted, Material, Parameters
from recsys.privacy import Budget, train_private
from recsys.scorer import AdditiveScorer

WITHOUT_NOISE = "additive, private without noise"
DELTA = 1e-5


def private_name(told: str) -> str:
    """Returns what a private fit is called in the laboratory.

    Args:
        told: see ``Budget.told``.
    """
    return f"additive, private ({told})"


@dataclass(frozen=True)
class PrivateAdditive:
    """The private form of the additive fit, with the noise of a budget or, to tell the two apart, without any.

    The noise is drawn with the plan's seed, so that an evaluation can be repeated; nothing is published.
    """

    budget: Budget | None
    grid: tuple[Parameters, ...] = ({},)

    @property
    def name(self) -> str:
        """As in the results."""
        return WITHOUT_NOISE if self.budget is None else private_name(self.budget.told)

    def can_use(self, level: Level) -> bool:
        """Whether this level reveals anything that the method can use."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> Fitted:
        """Fits to the training users."""
        dataset, encoder = material.histories.dataset, material.encoder
        draw = np.random.default_rng(
            (material.seed, len(dataset.interactions))
        ).standard_normal  # other folds, other noise
        model, _ = train_private(dataset, material.item_vectors, encoder=encoder, budget=self.budget, draw=draw)
        return FittedAdditive(AdditiveScorer(model, dataset=dataset, encoder=encoder))


def private_contenders(epsilons: Sequence[float]) -> tuple[PrivateAdditive, ...]:
    """Returns the private form without noise, then with that of each epsilon; none for none.

    Raises:
        ConfigError: for an epsilon out of range.
    """
    budgets = [None, *(Budget(epsilon, DELTA) for epsilon in epsilons)]
    return tuple(map(PrivateAdditive, budgets)) if epsilons else ()
