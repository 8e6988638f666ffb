"""Distillation: a teacher and texts in, the folder of a smaller encoder out."""

import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.distillation.layers import LayerConfig, train_layers
from recsys.distillation.table import TableConfig, save_table
from recsys.encoder import Encoder, TransformerEncoder, open_encoder
from recsys.encoder.protocol import Progress
from recsys.errors import ConfigError

KINDS = ("layers", "static")
_HELD_OUT = 10
"""Every tenth text is kept from the student, to be asked about."""


@dataclass(frozen=True)
class Distilled:
    """A student.

    Attributes:
        folder: where it is; ``open_encoder`` loads it.
        n_texts: texts that it learned from.
        neighbours_kept: share of each held-out text's ten nearest texts that teacher and student agree on, 0 to 1.
        cosine: mean cosine to the teacher over held-out texts; ``None`` where the dimensions differ.
        seconds: to make it.
    """

    folder: Path
    kind: str
    n_texts: int
    neighbours_kept: float
    cosine: float | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self) | {"folder": str(self.folder)}


def distil(
    teacher: Encoder,
    texts: Sequence[str],
    *,
    into: Path,
    config: LayerConfig | TableConfig,
    progress: Progress | None = None,
) -> Distilled:
    """Makes a student of the teacher that has learned from the texts; the config decides its kind.

    Raises:
        ConfigError: for a folder that exists, a teacher that is no transformer, too few texts, or layers out of range.
    """
    if not isinstance(teacher, TransformerEncoder):
        raise ConfigError(
            "Only a transformer can be distilled", teacher.name, fix="Name the encoder that it came from."
        )
    if into.exists():
        raise ConfigError("The folder exists already", into, fix="Name a new folder, or remove this one.")
    learned: list[str] = []
    asked: list[str] = []
    for row, text in enumerate(dict.fromkeys(texts)):
        (asked if row % _HELD_OUT == _HELD_OUT - 1 else learned).append(text)
    if len(asked) < 2:
        raise ConfigError("There are too few texts to learn from", len(texts), fix="Use a dataset of 20 texts or more.")
    started = time.perf_counter()
    draft = into.parent / f".draft-{uuid.uuid4().hex[:8]}"
    try:
        draft.mkdir(parents=True)
        if isinstance(config, LayerConfig):
            train_layers(teacher, learned, into=draft, config=config, progress=progress)
        else:
            save_table(teacher, learned, into=draft, config=config, progress=progress)
        draft.rename(into)
    except OSError as error:
        fix = f"Name a folder that can be written ({error.strerror})."
        raise ConfigError("The student cannot be saved", into, fix=fix) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    student = open_encoder(str(into), device=str(teacher.device), precision="float32")
    theirs, ours = teacher.encode(asked), student.encode(asked)
    same = theirs.shape == ours.shape
    return Distilled(
        folder=into,
        kind="layers" if isinstance(config, LayerConfig) else "static",
        n_texts=len(learned),
        neighbours_kept=round(_kept(theirs, ours), 4),
        cosine=round(float((theirs * ours).sum(1).mean()), 4) if same else None,
        seconds=round(time.perf_counter() - started, 1),
    )


def _kept(theirs: np.ndarray, ours: np.ndarray) -> float:
    k = min(10, len(theirs) - 1)
    near = [np.argsort(-(own @ own.T - 9 * np.eye(len(own))), axis=1, kind="stable")[:, :k] for own in (theirs, ours)]
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)]))
