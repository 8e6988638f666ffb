"""Training: what other users liked -> a fitted scorer."""

from recsys.training.additive import AdditiveConfig
from recsys.training.histories import N_INTERESTS, N_REVEALED, Histories
from recsys.training.runs import Run, list_runs, new_run, record_run, require_wandb
from recsys.training.store import model_key, open_or_train, runs_folder, train_and_publish
from recsys.training.train import Training, train_additive

__all__ = [
    "N_INTERESTS",
    "N_REVEALED",
    "AdditiveConfig",
    "Histories",
    "Run",
    "Training",
    "list_runs",
    "model_key",
    "new_run",
    "open_or_train",
    "record_run",
    "require_wandb",
    "runs_folder",
    "train_additive",
    "train_and_publish",
]
