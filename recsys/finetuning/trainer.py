"""The trainer of transformers, with what it lacks: a loss over the items of all processes, and lists to judge by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from recsys.finetuning.config import MEASURE, FineTuningConfig
from recsys.finetuning.examples import Collator, Examples
from recsys.finetuning.objective import Objective
from recsys.finetuning.two_tower import TwoTower

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


@dataclass(frozen=True)
class Course:
    """Where and how a training runs, which the result must not depend on.

    Attributes:
        folder: of its checkpoints.
        device: a torch device type.
        precision: ``float32``, ``bfloat16`` or ``float16``: of the products, weights are always float32.
        accumulate: batches whose gradients are added up before a step.
        report_to: names of the trackers of transformers, for example ``tensorboard`` and ``wandb``.
    """

    folder: Path
    device: str = "cpu"
    precision: str = "float32"
    accumulate: int = 1
    report_to: tuple[str, ...] = ()


class TwoTowerTrainer(Trainer):
    """Trains by ``Objective`` and judges by ``judge``, which returns the mean nDCG@10 of held-out users."""

    def __init__(
        self, *, objective: Objective, judge: Callable[[TwoTower], float], head_rate: float, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._objective = objective
        self._judge = judge
        self._head_rate = head_rate

    @property
    def towers(self) -> TwoTower:
        """The model, without what wraps it to train it in several processes."""
        found: TwoTower = self.accelerator.unwrap_model(self.model)
        return found

    def compute_loss(  # noqa: D102
        self,
        model: torch.nn.Module,
        inputs: Mapping[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        users, items = model(inputs)
        loss = self._objective(users, items, who=inputs["users"], rows=inputs["rows"])
        return (loss, (users, items)) if return_outputs else loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Returns nDCG@10 of the held-out users."""
        model = self.towers
        was_training = model.training
        model.eval()
        with torch.inference_mode(), self.compute_loss_context_manager():
            metrics = {MEASURE: self._judge(model)}
        model.train(was_training)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW; what is not BERT learns faster, and does not decay."""
        if self.optimizer is None:
            two_tower: Any = model or self.model
            bert = [p for name, p in two_tower.named_parameters() if p.requires_grad and name.startswith("bert.")]
            head = [p for name, p in two_tower.named_parameters() if p.requires_grad and not name.startswith("bert.")]
            rate = self.args.learning_rate
            groups: list[dict[str, Any]] = [{"params": bert, "weight_decay": self.args.weight_decay}]
            groups.append({"params": head, "weight_decay": 0.0, "lr": rate * self._head_rate})
            self.optimizer = torch.optim.AdamW([group for group in groups if group["params"]], lr=rate)
        return self.optimizer


class _Tells(TrainerCallback):
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress(state.global_step, state.max_steps)


def make_trainer(
    model: TwoTower,
    examples: Examples,
    collator: Collator,
    *,
    config: FineTuningConfig,
    course: Course,
    objective: Objective,
    judge: Callable[[TwoTower], float],
    progress: Progress | None = None,
    callbacks: tuple[TrainerCallback, ...] = (),
) -> TwoTowerTrainer:
    """Returns a trainer whose ``train(resume_from_checkpoint=...)`` does everything."""
    made = TwoTowerTrainer(
        model=model,
        args=_arguments(config, course),
        train_dataset=examples,
        eval_dataset=examples,  # asked for, but not looked at: ``judge`` knows the held-out users
        data_collator=collator,
        objective=objective,
        judge=judge,
        head_rate=config.head_rate,
        callbacks=[
            EarlyStoppingCallback(early_stopping_patience=config.patience),
            *([_Tells(progress)] if progress else []),
            *callbacks,
        ],
    )
    made.remove_callback(PrinterCallback)  # who calls a library says what is printed
    return made


def _arguments(config: FineTuningConfig, course: Course) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(course.folder),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=course.accumulate,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, round(config.warmup * config.steps)),
        weight_decay=config.weight_decay,
        train_sampling_strategy="sequential",  # the examples are in random order already, and resume where they were
        eval_strategy="steps",
        eval_steps=config.judge_every,
        eval_on_start=True,
        save_strategy="steps",
        save_steps=config.judge_every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=MEASURE,
        greater_is_better=True,
        logging_steps=min(10, config.judge_every),
        logging_first_step=True,
        bf16=course.precision == "bfloat16",
        fp16=course.precision == "float16",
        use_cpu=course.device == "cpu",
        dataloader_pin_memory=course.device == "cuda",
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        report_to=list(course.report_to) or "none",
        disable_tqdm=True,
        seed=config.seed,
        full_determinism=False,
    )
