"""Our own scorers, as the laboratory meets them: like any rival, they see the training users alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.protocol import Fitted, Material, Parameters
from recsys.schema import Profile
from recsys.scorer import AdditiveScorer
from recsys.training import train_additive


@dataclass(frozen=True)
class FittedAdditive:
    """The additive scorer after training; ``prior_alone`` forgets the profile."""

    scorer: AdditiveScorer
    prior_alone: bool = False

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``."""
        asked = [Profile()] * len(profiles) if self.prior_alone else profiles
        return np.asarray(self.scorer.queries(asked) @ self.scorer.item_vectors.T.astype(np.float64))


@dataclass(frozen=True)
class Additive:
    """The scorer of this project; it chooses its own penalties inside the training users."""

    name: str = "additive"
    grid: tuple[Parameters, ...] = ({},)

    def can_use(self, level: Level) -> bool:
        """Whether this level reveals anything that the method can use."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> Fitted:
        """Trains on the training users."""
        dataset = material.histories.dataset
        model = train_additive(dataset, material.item_vectors, encoder=material.encoder).model
        return FittedAdditive(AdditiveScorer(model, dataset=dataset, encoder=material.encoder))


PRIOR_ALONE = "additive, prior alone"
"""What the additive scorer shows to everybody: smoothed popularity, for cold items predicted from content."""
