"""Fine-tuned BERT, as the laboratory meets it: trained anew on the training users of every fold."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys.encoder import CachedEncoder
from recsys.evaluation.contenders import FittedAdditive
from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.protocol import Fitted, Material, Parameters
from recsys.finetuning import FineTuning, FineTuningConfig, tuned_in_memory, with_steps
from recsys.schema import Dataset, Profile
from recsys.scorer import AdditiveScorer
from recsys.training import train_additive
from recsys.views.text import item_texts, profile_text

FINE_TUNED = "fine-tuned"
TOWERS_ALONE = "fine-tuned, two towers alone"


class Trainings:
    """The last training, so that two methods that judge the same one do not train twice."""

    def __init__(self, steps: int) -> None:
        self._config = with_steps(FineTuningConfig(), steps)
        self._material: Material | None = None
        self._found: FineTuning | None = None

    def of(self, material: Material) -> FineTuning:
        """Returns the towers trained on some material."""
        if self._found is None or self._material is not material:
            encoder = material.encoder
            bare = encoder.uncached if isinstance(encoder, CachedEncoder) else encoder
            config = FineTuningConfig(**{**vars(self._config), "seed": material.seed})
            self._found = tuned_in_memory(material.histories.dataset, bare, config=config)
            self._material = material
        return self._found


@dataclass(frozen=True)
class FineTunedAdditive:
    """The additive fit on top of a BERT that has learned from the same users."""

    trainings: Trainings = field(repr=False)
    name: str = FINE_TUNED
    grid: tuple[Parameters, ...] = ({},)

    def can_use(self, level: Level) -> bool:
        """Whether this level reveals anything that the method can use."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> Fitted:
        """Trains BERT, encodes the catalog anew, and fits the additive scorer to that."""
        dataset = material.histories.dataset
        encoder = CachedEncoder(self.trainings.of(material).encoder)
        vectors = encoder.encode(item_texts(dataset), bulk=True)
        model = train_additive(dataset, vectors, encoder=encoder, views=material.views).model
        return FittedAdditive(AdditiveScorer(model, dataset=dataset, encoder=encoder))


@dataclass(frozen=True)
class TwoTowersAlone:
    """The two towers as they were trained, without anything on top."""

    trainings: Trainings = field(repr=False)
    name: str = TOWERS_ALONE
    grid: tuple[Parameters, ...] = ({},)

    def can_use(self, level: Level) -> bool:
        """Whether this level reveals anything that the method can use."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> Fitted:
        """Trains BERT."""
        return FittedTowers(self.trainings.of(material), material.histories.dataset)


@dataclass(frozen=True)
class FittedTowers:
    """Two towers after training."""

    training: FineTuning
    dataset: Dataset

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``."""
        import torch

        texts = [profile_text(profile, self.dataset) for profile in profiles]
        with torch.inference_mode():
            from recsys.finetuning.judging import two_tower_scores  # needs torch, which pages of this room do not

            return two_tower_scores(
                self.training.towers, self.training.collator, profiles, texts, n_items=len(self.dataset.items)
            )


def fine_tuned_contenders(steps: int) -> tuple[FineTunedAdditive | TwoTowersAlone, ...]:
    """Returns the methods that tell what fine-tuning adds; none for 0 steps."""
    trainings = Trainings(steps) if steps else None
    return (FineTunedAdditive(trainings), TwoTowersAlone(trainings)) if trainings else ()
