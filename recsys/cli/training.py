"""Training: the additive scorer in seconds, BERT itself in minutes to hours."""

import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recsys.cli.privacy import fit_private
from recsys.cli.shared import (
    DataDir,
    DeviceName,
    EncoderName,
    JsonFlag,
    ProgressFile,
    ProgressReport,
    app,
    open_named,
    print_json,
    settings_of,
)
from recsys.cli.transferring import carry_over
from recsys.errors import ConfigError
from recsys.schema import Dataset
from recsys.settings import DEFAULT_DATASET, Settings

if TYPE_CHECKING:
    from recsys.encoder import TransformerEncoder
    from recsys.finetuning import FineTuning

_NameArgument = Annotated[str, typer.Argument(help="Dataset name or folder.")]
_Seed = Annotated[int, typer.Option(min=0, help="Of everything random.")]
_Steps = Annotated[int, typer.Option(min=1, help="Fine-tuned: updates of BERT, at most.")]


@app.command("train")
def train_command(
    name: _NameArgument = DEFAULT_DATASET,
    scorer: Annotated[str, typer.Option(help="additive, fine-tuned or private.")] = "additive",
    seed: _Seed = 0,
    steps: _Steps = 300,
    batch_size: Annotated[int, typer.Option(min=1, help="Fine-tuned: pairs in a step, on each device.")] = 64,
    accumulate: Annotated[int, typer.Option(min=1, help="Fine-tuned: batches whose gradients make one step.")] = 1,
    learning_rate: Annotated[float, typer.Option(help="Fine-tuned: of BERT, at its peak.")] = 5e-5,
    head_rate: Annotated[float, typer.Option(help="Fine-tuned: multiplies it for all that is not BERT.")] = 20.0,
    loss: Annotated[str, typer.Option(help="Fine-tuned: softmax or bce.")] = "softmax",
    scale: Annotated[float, typer.Option(help="Fine-tuned: of the inner product, at the start.")] = 14.0,
    negatives: Annotated[int, typer.Option(min=0, help="Fine-tuned: items drawn for each pair.")] = 1,
    single_interest: Annotated[
        float, typer.Option(help="Fine-tuned: share of texts that are one interest alone.")
    ] = 0.25,
    lora: Annotated[
        int, typer.Option(min=0, help="Fine-tuned: rank of adapters in place of all weights; 0 for none.")
    ] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Fine-tuned: begin anew although there are checkpoints.")
    ] = False,
    epsilon: Annotated[float, typer.Option(help="Private: what one user can change, 0.01 to 50; less is safer.")] = 3.0,
    delta: Annotated[float, typer.Option(help="Private: at most one in the number of users.")] = 1e-5,
    columns: Annotated[
        Path | None, typer.Option("--columns", help="Private: JSON list of the genders and attribute values there are.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Carry over what the users of this dataset teach; needs --to.")
    ] = None,
    target: Annotated[str | None, typer.Option("--to", help="The dataset that is to be served; needs --from.")] = None,
    no_prior: Annotated[
        bool, typer.Option("--no-prior", help="Carried over: popularity is zero, not predicted from the texts.")
    ] = False,
    progress: ProgressFile = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    wandb: Annotated[bool, typer.Option("--wandb", help="Send the run to Weights & Biases as well.")] = False,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit a scorer to what the users of a dataset liked, and record the run (for `tensorboard --logdir` too)."""
    if scorer not in ("additive", "fine-tuned", "private"):
        fix = "Choose additive, fine-tuned or private; cosine needs no training."
        raise ConfigError("This scorer cannot be trained", scorer, fix=fix)
    settings = settings_of(data_dir, encoder, device)
    if source or target:
        if scorer != "additive" or wandb:
            fix = "Leave --scorer and --wandb out: what carries over is the additive scorer's, and its fit is no run."
            raise ConfigError("This does not go with --from and --to", "--wandb" if wandb else scorer, fix=fix)
        carry_over(source, target, settings, ProgressReport(progress), has_prior=not no_prior, as_json=as_json)
        return
    if no_prior:
        fix = "Add --from and --to, or leave --no-prior out."
        raise ConfigError("Only what is carried over can be without a prior", "--no-prior", fix=fix)
    if scorer == "private":
        if wandb:
            fix = "Leave --wandb out."
            raise ConfigError("A private fit has no run that could be sent", scorer, fix=fix)
        fit_private(name, settings, epsilon=epsilon, delta=delta, columns=columns, as_json=as_json)
        return
    if scorer == "additive":
        _fit_additive(open_named(name, settings), settings, seed, wandb=wandb, as_json=as_json)
        return
    from recsys.finetuning import FineTuningConfig, with_steps

    config = FineTuningConfig(
        loss=loss,
        batch_size=batch_size,
        negatives=negatives,
        learning_rate=learning_rate,
        head_rate=head_rate,
        scale=scale,
        single_interest=single_interest,
        lora_rank=lora,
        seed=seed,
    )
    found = _fine_tune(
        open_named(name, settings), settings, with_steps(config, steps), accumulate, fresh=fresh, wandb=wandb
    )
    if found is not None:
        _print_fine_tuned(found, as_json=as_json)


def _print_fine_tuned(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    judged = found["held_out_ndcg@10"]
    print(f"{found['dataset']}: BERT fine-tuned in {found['seconds']:.0f} s; held-out nDCG@10 by step: {judged}.")
    print(
        f"The weights of step {found['best_step']} are kept. Use them with `--scorer fine-tuned`, or choose it in the sidebar."
    )


@app.command("tune")
def tune_command(
    name: _NameArgument = DEFAULT_DATASET,
    trials: Annotated[int, typer.Option(min=1, help="Trainings to try; those of earlier calls are counted.")] = 20,
    steps: _Steps = 300,
    seed: _Seed = 0,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Search how to fine-tune BERT on a dataset (Optuna); a search that was stopped goes on where it was."""
    from recsys.finetuning import FineTuningConfig, search, with_steps
    from recsys.lock import writing
    from recsys.training import runs_folder

    settings = settings_of(data_dir, encoder, device)
    dataset = open_named(name, settings)
    runs = runs_folder(dataset)
    assert dataset.folder is not None and runs is not None
    config = with_steps(FineTuningConfig(seed=seed), steps)
    with writing(dataset.folder, "tune"):
        found = search(
            dataset,
            _encoder(dataset, settings),
            config=config,
            folder=dataset.folder / "training" / "search",
            n_trials=trials,
            progress=lambda done, total: print(f"trial {done} of {total}", file=sys.stderr),
        )
    result = {"dataset": dataset.name, "held_out_ndcg@10": found.ndcg, "best": asdict(found.config)}
    if as_json:
        print_json(result | {"trials": list(found.trials)})
        return
    print(f"{dataset.name}: held-out nDCG@10 {found.ndcg:.4f}, the best of {len(found.trials)} trials.")
    print(f"Train with it: {_train_command(dataset.name, found.config)}")


def _train_command(name: str, config: Any) -> str:
    """The command that trains with what was found."""
    words = ["recsys", "train", name, "--scorer", "fine-tuned", "--steps", str(config.steps), "--loss", config.loss]
    words += ["--learning-rate", f"{config.learning_rate:.3g}", "--head-rate", f"{config.head_rate:.3g}"]
    words += ["--scale", f"{config.scale:.3g}", "--negatives", str(config.negatives)]
    words += ["--single-interest", f"{config.single_interest:.2f}", "--seed", str(config.seed)]
    return shlex.join(words)


def _fit_additive(dataset: Dataset, settings: Settings, seed: int, *, wandb: bool, as_json: bool) -> None:
    from recsys.lock import writing
    from recsys.recommender import Recommender
    from recsys.training import AdditiveConfig, runs_folder, train_and_publish

    assert dataset.folder is not None
    with writing(dataset.folder, "train"):
        ready = Recommender.from_dataset(dataset, scorer="cosine", settings=settings)
        training = train_and_publish(
            dataset,
            ready.embeddings,
            encoder=ready.encoder,
            embeddings_key=ready.embeddings_key,
            views=ready.views,
            config=AdditiveConfig(seed=seed),
            wandb=wandb,
        )
    best = max((trial.ndcg for trial in training.trials), default=None)
    found: dict[str, Any] = {"dataset": dataset.name, "scorer": "additive", "seconds": round(training.seconds, 3)}
    found |= {"held_out_ndcg@10": best, "about": dict(training.model.about), "runs": str(runs_folder(dataset))}
    if as_json:
        print_json(found)
        return
    print(f"{dataset.name}: additive fitted in {training.seconds:.1f} s to {found['about']['n_likes']:,} likes.")
    print(
        f"Runs are in {found['runs']}; with TensorBoard (`make peers`), see them with `tensorboard --logdir {found['runs']}`."
    )


def _fine_tune(
    dataset: Dataset, settings: Settings, config: Any, accumulate: int, *, fresh: bool, wandb: bool
) -> dict[str, Any] | None:
    """Trains in this process, which may be one of several that ``torchrun`` has started; the first returns what was found."""
    from contextlib import nullcontext

    from recsys.finetuning import require_trainer, train_and_keep
    from recsys.lock import writing
    from recsys.recommender import Recommender
    from recsys.training import new_run, record_run, require_wandb, runs_folder

    require_trainer(config)
    if wandb:
        require_wandb()
    is_first = os.environ.get("RANK", "0") == "0"  # set by torchrun; only one process may hold the lock of the dataset
    runs, run = runs_folder(dataset), new_run("fine-tuned")
    assert dataset.folder is not None and runs is not None
    with writing(dataset.folder, "train") if is_first else nullcontext():
        found = train_and_keep(
            dataset,
            _encoder(dataset, settings),
            config=config,
            accumulate=accumulate,
            report_to=("wandb",) if wandb else (),
            events=runs / run if is_first else None,
            fresh=fresh,
            is_first=is_first,
            progress=_tell if is_first else None,
        )
        if not is_first:
            return None
        record_run(
            runs,
            dataset=dataset.name,
            scorer="fine-tuned",
            parameters=asdict(config),
            curve=list(found.judged.values()),
            steps=[f"step {step}" for step in found.judged],
            seconds=found.seconds,
            name=run,
        )
        Recommender.from_dataset(dataset, scorer="fine-tuned", settings=settings)  # the additive fit on top
    return _summary(dataset, found) | {"runs": str(runs)}


def _encoder(dataset: Dataset, settings: Settings) -> "TransformerEncoder":
    from recsys.encoder import TransformerEncoder, open_encoder

    name = settings.encoder_for(dataset.info.encoder)
    found = open_encoder(name, device=settings.device, precision=settings.precision)
    if not isinstance(found, TransformerEncoder):
        fix = "Name an encoder that transformers loads."
        raise ConfigError("This encoder cannot be fine-tuned", name, fix=fix)
    return found


def _summary(dataset: Dataset, found: "FineTuning") -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "scorer": "fine-tuned",
        "seconds": round(found.seconds, 3),
        "loss": {str(step): round(value, 4) for step, value in found.losses.items()},
        "held_out_ndcg@10": {str(step): round(value, 4) for step, value in found.judged.items()},
        "best_step": found.best_step,
        "config": asdict(found.config),
    }


def _tell(done: int, total: int) -> None:
    if done % max(1, total // 20) == 0 or done == total:
        print(f"step {done} of {total}", file=sys.stderr)
