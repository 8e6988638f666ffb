"""How BERT itself is trained."""

from dataclasses import dataclass

from recsys.errors import ConfigError

LOSSES = ("softmax", "bce")
MEASURE = "eval_ndcg"
"""What a trainer calls nDCG@10 of the held-out users."""


@dataclass(frozen=True)
class FineTuningConfig:
    """How a two-tower model is trained end to end.

    Attributes:
        loss: ``softmax`` over the items of the batch, with logQ correction; or ``bce``, the sigmoid of each inner product against
            liked or not.
        steps: updates of the weights, at most; early stopping may end before.
        batch_size: pairs of a user and a liked item in a step, on each device.
        negatives: items drawn uniformly from the catalog for each pair; every pair of the batch is held against all of them.
        learning_rate: of BERT, at its peak: it warms up linearly and falls as a cosine.
        warmup: share of the steps in which it rises.
        head_rate: multiplies the learning rate of everything that is not BERT.
        scale: of the inner product of two unit vectors, at the start; the inverse of a temperature.
        weight_decay: of the weights of BERT.
        frozen_layers: lowest layers, the word embeddings with them, that stay as they are.
        lora_rank: rank of low-rank adapters that are trained in place of the weights; 0 trains the weights.
        single_interest: share of examples whose text is one interest alone, as it is typed.
        held_out: share of users on whom training is judged as it goes on; they are not trained on.
        patience: judgements without a gain after which training ends.
        judge_every: steps between two judgements.
        seed: of everything random.
    """

    loss: str = "softmax"
    steps: int = 300
    batch_size: int = 64
    negatives: int = 1
    learning_rate: float = 5e-5
    warmup: float = 0.1
    head_rate: float = 20.0
    scale: float = 14.0
    weight_decay: float = 0.01
    frozen_layers: int = 0
    lora_rank: int = 0
    single_interest: float = 0.25
    held_out: float = 0.1
    patience: int = 3
    judge_every: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ConfigError("The loss is unknown", self.loss, fix=f"Choose one of: {', '.join(LOSSES)}.")
        for name in ("steps", "batch_size", "judge_every", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"The number {name} is too small", getattr(self, name), fix="Choose 1 or more.")
        if self.judge_every > self.steps:
            fix = "Choose at most as many steps between two judgements as there are steps."
            raise ConfigError("Training would end before it is judged", self.judge_every, fix=fix)
        for name in ("negatives", "frozen_layers", "lora_rank", "head_rate"):
            if getattr(self, name) < 0:
                raise ConfigError(f"The number {name} is negative", getattr(self, name), fix="Choose 0 or more.")
        if not 0 < self.learning_rate <= 1:
            fix = "Choose a number above 0 and at most 1, for example 2e-5."
            raise ConfigError("The learning rate is out of range", self.learning_rate, fix=fix)
        if not 0 <= self.single_interest <= 1:
            raise ConfigError(
                "The share of single interests is out of range", self.single_interest, fix="Choose 0 to 1."
            )
        if self.scale <= 0:
            raise ConfigError("The scale is not positive", self.scale, fix="Choose more than 0, for example 14.")
        if not 0 < self.held_out < 1:
            raise ConfigError("The share of held-out users is out of range", self.held_out, fix="Choose 0.1, say.")
