"""Searches how to train: Optuna tries configurations and remembers every trial, so a search that was stopped goes on."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.encoder import TransformerEncoder
from recsys.errors import MissingExtraError
from recsys.finetuning.config import LOSSES, MEASURE, FineTuningConfig
from recsys.finetuning.finetune import FineTuning, fine_tune, require_trainer
from recsys.schema import Dataset

if TYPE_CHECKING:
    import optuna

Progress = Callable[[int, int], None]
"""Called with (trials done, trials in all)."""


@dataclass(frozen=True)
class Search:
    """What a search has found.

    Attributes:
        config: the best one.
        ndcg: its nDCG@10 of the held-out users.
        trials: ``number``, ``state``, ``ndcg`` (``None`` if it was stopped early or failed) and ``parameters`` of each.
    """

    config: FineTuningConfig
    ndcg: float
    trials: tuple[dict[str, Any], ...]


def search(
    dataset: Dataset,
    encoder: TransformerEncoder,
    *,
    config: FineTuningConfig,
    folder: Path,
    n_trials: int,
    progress: Progress | None = None,
) -> Search:
    """Tries configurations until there are so many finished trials in the journal of a folder.

    A trial is ended where it is behind the median of the others at the same step. The first trial is the configuration given.

    Args:
        config: gives steps, seed and everything that is not searched.
        folder: of the journal (``study.log``) and of the checkpoints of the trial that runs.
        n_trials: those of earlier calls are counted.

    Raises:
        MissingExtraError: without the extra ``tune``.
        NotTrainedError: for a dataset without likes of other users.
    """
    if find_spec("optuna") is None:
        fix = "Run `make peers`, or `pip install 'coldlens[tune]'`."
        raise MissingExtraError("The package that searches is missing", "optuna", fix=fix)
    require_trainer(config)
    study = _study(folder, dataset, config)
    report = progress or (lambda done, total: None)
    while (done := _n_done(study)) < n_trials:
        report(done, n_trials)
        study.optimize(lambda trial: _try(trial, dataset, encoder, config, folder), n_trials=1)
    report(n_trials, n_trials)
    best = study.best_trial
    trials = [
        {"number": trial.number, "state": trial.state.name.lower(), "ndcg": trial.value, "parameters": trial.params}
        for trial in study.trials
    ]
    return Search(_chosen(config, best.params), float(best.value or 0.0), tuple(trials))


def _study(folder: Path, dataset: Dataset, config: FineTuningConfig) -> "optuna.Study":
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=f"{dataset.fingerprint[:16]}-{config.steps}-{config.seed}",  # another dataset is another question
        storage=JournalStorage(JournalFileBackend(str(folder / "study.log"))),
        sampler=optuna.samplers.TPESampler(seed=config.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        direction="maximize",
        load_if_exists=True,
    )
    if not study.trials:
        study.enqueue_trial(_searched(config))
    return study


def _n_done(study: "optuna.Study") -> int:
    """Trials that came to an end by themselves; one that was running when the process was killed never will."""
    return sum(trial.state.name in ("COMPLETE", "PRUNED") for trial in study.trials)


def _searched(config: FineTuningConfig) -> dict[str, Any]:
    """What is searched, with the values of a configuration."""
    names = ("loss", "learning_rate", "head_rate", "scale", "negatives", "single_interest")
    return {name: getattr(config, name) for name in names}


def _chosen(config: FineTuningConfig, parameters: dict[str, Any]) -> FineTuningConfig:
    return replace(config, **parameters)


def _try(
    trial: "optuna.Trial", dataset: Dataset, encoder: TransformerEncoder, config: FineTuningConfig, folder: Path
) -> float:
    from recsys.finetuning.trainer import Course

    found = {
        "loss": trial.suggest_categorical("loss", LOSSES),
        "learning_rate": trial.suggest_float("learning_rate", 1e-6, 1e-2, log=True),
        "head_rate": trial.suggest_float("head_rate", 1.0, 100.0, log=True),
        "scale": trial.suggest_float("scale", 4.0, 40.0, log=True),
        "negatives": trial.suggest_int("negatives", 0, 4),
        "single_interest": trial.suggest_float("single_interest", 0.0, 0.5),
    }
    course = Course(folder / "trial", encoder.device.type, encoder.precision)
    try:
        made = fine_tune(
            dataset,
            encoder,
            config=_chosen(config, found),
            course=course,
            resume=False,
            callbacks=(_pruner(trial),),
        )
    finally:
        shutil.rmtree(course.folder, ignore_errors=True)
    return _best(made)


def _best(made: FineTuning) -> float:
    return max(value for step, value in made.judged.items() if step)


def _pruner(trial: "optuna.Trial") -> Any:
    """Tells Optuna how good a training is at each judgement, and ends it where others were better."""
    import optuna
    from transformers import TrainerCallback

    class Pruner(TrainerCallback):
        def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
            if state.global_step:
                trial.report(metrics[MEASURE], state.global_step)
                if trial.should_prune():
                    raise optuna.TrialPruned

    return Pruner()
