"""From a dataset and a BERT to a BERT that knows what people like: trained, judged, saved as an encoder like any other."""

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.encoder import TransformerEncoder
from recsys.errors import ConfigError, MissingExtraError, NotTrainedError
from recsys.finetuning.config import MEASURE, FineTuningConfig
from recsys.finetuning.examples import ATTRIBUTE_WEIGHT, Collator, Examples, item_popularity
from recsys.schema import Dataset
from recsys.scorer.basis import FactBasis
from recsys.training import Histories

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from recsys.finetuning.trainer import Course, TwoTowerTrainer
    from recsys.finetuning.two_tower import TwoTower

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


@dataclass(frozen=True, eq=False)
class FineTuning:
    """A finished training.

    Attributes:
        encoder: the trained BERT, ready to encode.
        config: it was trained with.
        towers: both of them as trained, facts and popularity included.
        collator: makes what they read.
        losses: step to the mean loss since the one before.
        judged: step to nDCG@10 of the held-out users; step 0 is the untouched BERT.
        best_step: whose weights these are.
        seconds: wall-clock time of this run, without what a resumed one had done before.
    """

    encoder: TransformerEncoder
    config: FineTuningConfig
    towers: "TwoTower"
    collator: Collator
    losses: Mapping[int, float]
    judged: Mapping[int, float]
    best_step: int
    seconds: float


def fine_tune(
    dataset: Dataset,
    encoder: TransformerEncoder,
    *,
    config: FineTuningConfig,
    course: "Course",
    resume: bool = True,
    progress: Progress | None = None,
    callbacks: "tuple[TrainerCallback, ...]" = (),
) -> FineTuning:
    """Trains a copy of an encoder's BERT on what the users of a dataset liked; see ``TwoTower`` and ``Objective``.

    Under ``torchrun`` every process calls this, and each gets the same result.

    Args:
        course: where checkpoints lie; they stay, so that a training that was stopped goes on where it was.
        resume: whether to go on from a checkpoint there; it ends with the weights of a training that was not stopped.

    Raises:
        MissingExtraError: without the extra ``finetune``.
        NotTrainedError: for a dataset without likes of other users.
        ConfigError: for an encoder that cannot be trained.
    """
    require_trainer(config)
    started = time.perf_counter()
    if not resume:
        shutil.rmtree(course.folder, ignore_errors=True)
    with _seeded(config.seed):
        collator, trainer = _prepared(dataset, encoder, config, course, progress, callbacks)
        trainer.train(resume_from_checkpoint=_last_checkpoint(course.folder))
    towers, history = trainer.towers, trainer.state.log_history
    assert trainer.state.best_global_step is not None  # the configuration sees to it that it is judged at least once
    return FineTuning(
        encoder=encoder.with_model(_merged(towers.bert), name=f"{encoder.name}, fine-tuned"),
        config=config,
        towers=towers.eval(),
        collator=collator,
        losses={int(entry["step"]): float(entry["loss"]) for entry in history if "loss" in entry},
        judged={int(entry["step"]): float(entry[MEASURE]) for entry in history if MEASURE in entry},
        best_step=trainer.state.best_global_step,
        seconds=time.perf_counter() - started,
    )


def _prepared(
    dataset: Dataset,
    encoder: TransformerEncoder,
    config: FineTuningConfig,
    course: "Course",
    progress: Progress | None,
    callbacks: "tuple[TrainerCallback, ...]",
) -> "tuple[Collator, TwoTowerTrainer]":
    from recsys.finetuning.judging import make_judge
    from recsys.finetuning.objective import Objective
    from recsys.finetuning.trainer import make_trainer

    training, held_out, shares = _split(dataset, config)
    profiles = training.profiles()
    basis = FactBasis.from_profiles(profiles, attribute_weight=ATTRIBUTE_WEIGHT)
    prior, pair_shares = item_popularity(training)
    collator = Collator(dataset, basis=basis, tokenise=encoder.token_ids, pad=encoder.padding)
    n = config.steps * config.batch_size * course.accumulate * max(1, _world_size())
    trainer = make_trainer(
        _towers(encoder, prior, basis, config),
        Examples(training, profiles, config=config, n=n),
        collator,
        config=config,
        course=course,
        objective=Objective(config.loss, likes=training.all_likes, shares=pair_shares, negatives=config.negatives),
        judge=make_judge(held_out, collator, shares=shares),
        progress=progress,
        callbacks=callbacks,
    )
    return collator, trainer


def require_trainer(config: FineTuningConfig | None = None) -> None:
    """Raises ``MissingExtraError`` without what training needs."""
    needed = ["accelerate", *(["peft"] if config is not None and config.lora_rank else [])]
    for package in needed:
        if find_spec(package) is None:
            fix = "Run `make peers`, or `pip install 'coldlens[finetune]'`."
            raise MissingExtraError("A package that fine-tuning needs is missing", package, fix=fix)


def _split(dataset: Dataset, config: FineTuningConfig) -> tuple[Histories, Histories, np.ndarray]:
    """The histories of users to train on and to judge on, and the shares of categories among the former."""
    if not len(dataset.users) or not dataset.popularity.any():
        fix = "Use the cosine scorer, or a dataset with users and interactions."
        raise NotTrainedError("There are no likes of other users to learn from", dataset.name, fix=fix)
    histories = Histories.from_dataset(dataset)
    order = np.random.default_rng([config.seed, 2]).permutation(len(histories))
    n_held_out = max(1, round(config.held_out * len(histories)))
    held_out, trained = np.sort(order[:n_held_out]), np.sort(order[n_held_out:])
    training = histories.of(trained)
    if not training.later_likes.nnz:
        fix = "It needs users with at least two likes each."
        raise NotTrainedError("No user of this dataset can be learned from", dataset.name, fix=fix)
    return training, histories.of(held_out), training.category_shares


def _towers(encoder: TransformerEncoder, prior: np.ndarray, basis: FactBasis, config: FineTuningConfig) -> "TwoTower":
    import torch

    from recsys.finetuning.two_tower import TwoTower

    bert = encoder.copied_model()
    pooler = getattr(bert, "pooler", None)
    for part in (*([pooler] if pooler is not None else []), *_lowest(bert, config.frozen_layers)):
        part.requires_grad_(False)  # the pooler is not read; a weight without a gradient would hold up other processes
    if config.lora_rank:
        bert = _with_adapters(bert, config.lora_rank)
    return TwoTower(
        bert,
        pooling=encoder.pooling,
        prior=torch.from_numpy(np.asarray(prior, np.float32)),
        n_facts=basis.dim,
        scale=config.scale,
    )


def _lowest(bert: Any, n: int) -> list[Any]:
    """The word embeddings and the n lowest layers, if any are to be frozen."""
    if not n:
        return []
    stack = (
        getattr(getattr(bert, "encoder", bert), "layer", None)
        or getattr(bert, "h", None)
        or getattr(bert, "layers", None)
    )
    words = getattr(bert, "embeddings", None) or getattr(bert, "wte", None) or getattr(bert, "embed_tokens", None)
    if stack is None or words is None or n > len(stack):
        fix = "Train all layers (0), or name fewer layers than the encoder has."
        raise ConfigError("These layers cannot be frozen", n, fix=fix)
    return [words, *list(stack)[:n]]


def _with_adapters(bert: Any, rank: int) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.05,
        target_modules="all-linear",
        exclude_modules=r".*pooler.*",  # it is not read
    )
    return get_peft_model(bert, config)


def _merged(bert: Any) -> Any:
    """The model itself, with what adapters have learned added to its weights."""
    return (bert.merge_and_unload() if hasattr(bert, "merge_and_unload") else bert).eval().requires_grad_(False)


def _last_checkpoint(folder: Path) -> str | None:
    from transformers.trainer_utils import get_last_checkpoint

    return get_last_checkpoint(str(folder)) if folder.is_dir() else None


def _world_size() -> int:
    from accelerate import PartialState

    return int(PartialState().num_processes)


@contextmanager
def _seeded(seed: int):  # type: ignore[no-untyped-def]
    """Seeds torch inside the block only."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def with_steps(config: FineTuningConfig, steps: int) -> FineTuningConfig:
    """Returns the configuration with another number of steps, judged at least four times on the way."""
    return replace(config, steps=steps, judge_every=max(1, min(config.judge_every, steps // 4)))
