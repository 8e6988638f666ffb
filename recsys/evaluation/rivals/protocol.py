"""What a rival is: anything that scores items for profiles after seeing a training dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from recsys.encoder import Encoder
from recsys.evaluation.protocols import Level
from recsys.schema import Profile
from recsys.training import Histories
from recsys.views.view import ItemView

Parameters = Mapping[str, float | int | str]


@dataclass(frozen=True)
class Material:
    """What every rival may learn from.

    Attributes:
        histories: the training users and their likes.
        item_vectors: ``(n_items, dim)`` float32, unit text embeddings of all items, cold ones included.
        encoder: made them; encodes interests.
        seed: the only source of randomness.
        views: of all items beside the text; no rival of the field uses them.
    """

    histories: Histories
    item_vectors: np.ndarray
    encoder: Encoder
    seed: int = 0
    views: Mapping[str, ItemView] = field(default_factory=dict)


class Fitted(Protocol):
    """A rival that has learned."""

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``, higher is better; ``NaN`` where an item cannot be scored (ranked last)."""
        ...


class Rival(Protocol):
    """A method to compare with.

    Attributes:
        name: as in the results.
        grid: the settings that are tried on the training users; the first is the default.
    """

    @property
    def name(self) -> str:
        """As in the results."""
        ...

    @property
    def grid(self) -> tuple[Parameters, ...]:
        """The settings that are tried."""
        ...

    def can_use(self, level: Level) -> bool:
        """Whether this level reveals anything that the method can use."""
        ...

    def fit(self, material: Material, parameters: Parameters) -> Fitted:
        """Learns from the training users."""
        ...
