"""A record of every training: parameters, curve and result, for the page and for TensorBoard or Weights & Biases."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from recsys.errors import MissingExtraError

_CURVE = "selection/nDCG@10"


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        name: folder of the run; begins with its time in UTC.
        dataset: its name.
        scorer: what was trained.
        parameters: the chosen ones.
        curve: one value per step: held-out nDCG@10 of each setting that was tried.
        steps: what was tried at each step.
        seconds: wall-clock time.
        has_events: whether TensorBoard finds it.
    """

    name: str
    dataset: str
    scorer: str
    parameters: Mapping[str, Any]
    curve: tuple[float, ...]
    steps: tuple[str, ...]
    seconds: float
    has_events: bool = False


def record_run(
    folder: Path,
    *,
    dataset: str,
    scorer: str,
    parameters: Mapping[str, Any],
    curve: Sequence[float],
    steps: Sequence[str],
    seconds: float,
    wandb: bool = False,
    name: str | None = None,
) -> Run:
    """Writes a run below ``folder``; with TensorBoard installed, also as event files for ``tensorboard --logdir folder``.

    Args:
        name: of a run whose folder something has been written into already, from ``new_run``.

    Raises:
        MissingExtraError: if Weights & Biases is asked for and not installed.
    """
    if wandb:
        require_wandb()
    name = name or new_run(scorer)
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    has_events = find_spec("tensorboard") is not None
    run = Run(name, dataset, scorer, dict(parameters), tuple(curve), tuple(steps), seconds, has_events)
    if has_events:
        _write_events(run, target)
    if wandb:
        _send_to_wandb(run, target)
    (target / "run.json").write_text(json.dumps(asdict(run), indent=1), "utf-8")
    return run


def new_run(scorer: str) -> str:
    """Returns the name of a new run, which begins with its time."""
    return f"{time.strftime('%Y-%m-%dT%H-%M-%S', time.gmtime())}-{scorer}-{uuid.uuid4().hex[:6]}"


def require_wandb() -> None:
    """Fails before any work is done where a run could not be sent.

    Raises:
        MissingExtraError: if Weights & Biases is not installed.
    """
    if find_spec("wandb") is None:
        raise MissingExtraError(
            "Weights & Biases is not installed", "wandb", fix="Install it with `pip install wandb`."
        )


def list_runs(folder: Path) -> list[Run]:
    """Returns the runs below a folder, newest first; what cannot be read is left out."""
    found = []
    for path in sorted(folder.glob("*/run.json"), reverse=True):
        try:
            values = json.loads(path.read_text("utf-8"))
            found.append(Run(**values | {"curve": tuple(values["curve"]), "steps": tuple(values["steps"])}))
        except (OSError, ValueError, TypeError, LookupError):
            continue
    return found


def _write_events(run: Run, target: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(target)) as writer:
        for step, value in enumerate(run.curve):
            writer.add_scalar(_CURVE, value, step)
        writer.add_text("parameters", json.dumps(run.parameters, indent=1))
        writer.add_text("steps", "\n".join(f"{n}. {step}" for n, step in enumerate(run.steps)))
        plain = {key: value for key, value in run.parameters.items() if isinstance(value, int | float | str)}
        writer.add_hparams(plain, {"seconds": run.seconds}, run_name=".")


def _send_to_wandb(run: Run, target: Path) -> None:
    import wandb

    with wandb.init(project="coldlens", name=run.name, dir=str(target), config=dict(run.parameters)) as session:
        for value in run.curve:
            session.log({_CURVE: value})
