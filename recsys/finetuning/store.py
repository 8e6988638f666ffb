"""Fine-tuned encoders kept with their dataset, as encoders like any other."""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder, TransformerEncoder
from recsys.encoder.saving import save_encoder
from recsys.errors import ArtifactError, ConfigError, NotTrainedError
from recsys.finetuning.config import FineTuningConfig
from recsys.finetuning.finetune import FineTuning, fine_tune
from recsys.schema import Dataset

KIND = "fine-tuned"
_VERSION = 1
"""Changes when the same data and configuration give another encoder."""
Progress = Callable[[int, int], None]


def fine_tuning_key(dataset: Dataset, encoder: Encoder, config: FineTuningConfig) -> str:
    """Returns the SHA-256 of everything that a fine-tuned encoder depends on."""
    parts = [_VERSION, dataset.fingerprint, encoder.identity, asdict(config)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def tuned_key(dataset: Dataset) -> str | None:
    """Returns the key of the encoder that was fine-tuned last on a dataset as it is now, ``None`` if there is none."""
    if dataset.folder is None:
        return None
    store = ArtifactStore(dataset.folder / "artifacts")
    found = []
    for key in store.keys(KIND):
        try:
            about = store.about(KIND, key)
        except ArtifactError:
            continue
        if about.get("dataset") == dataset.fingerprint:
            found.append((str(about.get("made", "")), key))
    return max(found)[1] if found else None


def open_tuned(dataset: Dataset, *, device: str = "auto", precision: str = "auto") -> TransformerEncoder:
    """Opens the encoder that was fine-tuned last on a dataset.

    Raises:
        NotTrainedError: if there is none for the dataset as it is now.
        ArtifactError: if it is damaged.
    """
    key = tuned_key(dataset)
    if key is None or dataset.folder is None:
        fix = f"Run `recsys train {dataset.name} --scorer fine-tuned`."
        raise NotTrainedError("No BERT has been fine-tuned on this dataset as it is now", dataset.name, fix=fix)
    artifact = ArtifactStore(dataset.folder / "artifacts").open(KIND, key)
    found = TransformerEncoder.from_pretrained(str(artifact.path), device=device, precision=precision)
    found.name = f"{artifact.about['encoder']}, fine-tuned"
    return found


def train_and_keep(
    dataset: Dataset,
    encoder: TransformerEncoder,
    *,
    config: FineTuningConfig,
    accumulate: int = 1,
    report_to: tuple[str, ...] = (),
    events: Path | None = None,
    fresh: bool = False,
    is_first: bool = True,
    progress: Progress | None = None,
) -> FineTuning:
    """Fine-tunes an encoder on a dataset with a folder, and publishes it there; one that was stopped goes on where it was.

    Args:
        accumulate: batches whose gradients are added up before a step.
        report_to: trackers of transformers.
        events: folder for TensorBoard, which then follows the training as it goes on.
        fresh: whether to begin anew although there are checkpoints.
        is_first: whether this process publishes; the others of a ``torchrun`` only train.

    Raises:
        MissingExtraError: without the extra ``finetune``.
        NotTrainedError: for a dataset without likes of other users.
        ArtifactError: if it cannot be written.
    """
    from recsys.finetuning.trainer import Course

    assert dataset.folder is not None
    key = fine_tuning_key(dataset, encoder, config)
    folder = checkpoints(dataset, key)
    course = Course(folder, encoder.device.type, encoder.precision, accumulate, report_to)
    found = fine_tune(
        dataset, encoder, config=config, course=course, resume=not fresh, progress=progress, callbacks=_followed(events)
    )
    if is_first:
        _publish(dataset, encoder, key, found)
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _followed(events: Path | None) -> tuple:
    if events is None or find_spec("tensorboard") is None:
        return ()
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    return (TensorBoardCallback(SummaryWriter(str(events))),)


def checkpoints(dataset: Dataset, key: str) -> Path:
    """Returns where a training keeps its checkpoints."""
    assert dataset.folder is not None
    return dataset.folder / "training" / f"{KIND}-{key[:16]}"


def _publish(dataset: Dataset, encoder: TransformerEncoder, key: str, found: FineTuning) -> None:
    assert dataset.folder is not None
    store = ArtifactStore(dataset.folder / "artifacts")
    before = [known for known in store.keys(KIND) if known != key]
    about = {
        "dataset": dataset.fingerprint,
        "encoder": encoder.name,
        "config": asdict(found.config),
        "best_step": found.best_step,
        "judged": {str(step): value for step, value in found.judged.items()},
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    with store.publish(KIND, key, about=about) as folder:
        save_encoder(found.encoder, folder)
    for old in before:
        store.remove(KIND, old)


def tuned_in_memory(dataset: Dataset, encoder: Encoder, *, config: FineTuningConfig) -> FineTuning:
    """Fine-tunes an encoder on a dataset and keeps nothing.

    Raises:
        ConfigError: for an encoder that is no transformers model.
    """
    from recsys.finetuning.trainer import Course

    if not isinstance(encoder, TransformerEncoder):
        fix = "Choose an encoder that transformers loads."
        raise ConfigError("This encoder cannot be fine-tuned", encoder.name, fix=fix)
    with tempfile.TemporaryDirectory(prefix="coldlens-fine-tuning-") as folder:
        course = Course(Path(folder), encoder.device.type, encoder.precision)
        return fine_tune(dataset, encoder, config=config, course=course)
