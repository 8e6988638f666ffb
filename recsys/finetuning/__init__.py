"""Fine-tuning: BERT itself learns what people like."""

from recsys.finetuning.config import LOSSES, FineTuningConfig
from recsys.finetuning.finetune import FineTuning, fine_tune, require_trainer, with_steps
from recsys.finetuning.store import open_tuned, train_and_keep, tuned_in_memory, tuned_key
from recsys.finetuning.tuning import Search, search

__all__ = [
    "LOSSES",
    "FineTuning",
    "FineTuningConfig",
    "Search",
    "fine_tune",
    "open_tuned",
    "require_trainer",
    "search",
    "train_and_keep",
    "tuned_in_memory",
    "tuned_key",
    "with_steps",
]
