"""Students with some of the teacher's layers, trained to give the teacher's embeddings.

Source: V. Sanh et al., DistilBERT, 2019, for a student that begins with layers of its teacher; N. Reimers and I. Gurevych, Making
monolingual sentence embeddings multilingual using knowledge distillation, 2020, for learning the embedding itself.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.encoder import TransformerEncoder
from recsys.encoder.pooling import pool
from recsys.encoder.protocol import Progress
from recsys.encoder.saving import save_encoder
from recsys.errors import ConfigError

if TYPE_CHECKING:
    import torch

_TOGETHER = 8
"""Batches whose texts are sorted by length among each other."""


@dataclass(frozen=True)
class LayerConfig:
    """How a student of fewer layers is trained.

    Attributes:
        layers: that it keeps, evenly chosen, the first and the last among them.
        steps: batches that it learns from.
        batch: texts in each.
        rate: the largest learning rate; it rises over the first tenth and then falls to zero.
        seed: draws the batches.
    """

    layers: int = 2
    steps: int = 600
    batch: int = 64
    rate: float = 5e-4
    seed: int = 0


def train_layers(
    teacher: TransformerEncoder, texts: Sequence[str], *, into: Path, config: LayerConfig, progress: Progress | None
) -> None:
    """Writes a student into a folder.

    Raises:
        ConfigError: for layers out of range, or a teacher whose layers cannot be told.
    """
    import torch

    answers = torch.from_numpy(teacher.encode(texts, bulk=True)).to(teacher.device)
    model = (
        fewer_layers(teacher.model, config.layers).to(teacher.device).eval()
    )  # without dropout: few steps, few texts
    for parameter in model.get_input_embeddings().parameters():
        parameter.requires_grad_(False)  # words that no text has stay as the teacher knows them
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=config.rate, weight_decay=0.01)
    rising = max(1, config.steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / rising, max(0.0, (config.steps - step) / config.steps))
    )
    half = torch.autocast(teacher.device.type, torch.bfloat16, enabled=teacher.precision == "bfloat16")
    for step, rows in enumerate(_batches(texts, config, np.random.default_rng(config.seed))):
        with half:
            found = _embed(teacher, model, [texts[row] for row in rows])
        loss = (1 - torch.nn.functional.cosine_similarity(found.float(), answers[rows])).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        schedule.step()
        if progress:
            progress(step + 1, config.steps)
    save_encoder(teacher.with_model(model, name=into.name), into)


def fewer_layers(model: Any, n: int) -> Any:
    """Returns a model with ``n`` evenly chosen layers of the given one, as they are.

    Raises:
        ConfigError: if the model has no ``n`` layers, or they cannot be told.
    """
    from torch import nn
    from transformers import AutoModel

    depth = int(getattr(model.config, "num_hidden_layers", 0) or 0)
    stacks = [name for name, part in model.named_modules() if isinstance(part, nn.ModuleList) and len(part) == depth]
    if depth == 0 or len(stacks) != 1:
        fix = "Use an encoder with one stack of layers, such as BERT; or distil it into `--kind static`."
        raise ConfigError("The layers of the encoder cannot be told", type(model).__name__, fix=fix)
    if not 1 <= n <= depth:
        raise ConfigError("The number of layers is out of range", n, fix=f"Choose from 1 to {depth}.")
    kept = [int(row) for row in np.linspace(0, depth - 1, n).round()] if n > 1 else [0]
    config = copy.deepcopy(model.config)
    config.num_hidden_layers = n
    if getattr(config, "layer_types", None):  # decoders that mix kinds of attention
        config.layer_types = [model.config.layer_types[row] for row in kept]
    made = AutoModel.from_config(config, dtype=model.dtype)
    made.load_state_dict(_renumbered(model.state_dict(), stacks[0], kept))
    return made


def _renumbered(state: dict[str, Any], stack: str, kept: Sequence[int]) -> dict[str, Any]:
    place = {old: new for new, old in enumerate(kept)}
    found = {}
    for name, value in state.items():
        layer = re.match(rf"{re.escape(stack)}\.(\d+)\.", name)
        if layer is None:
            found[name] = value
        elif int(layer[1]) in place:
            found[f"{stack}.{place[int(layer[1])]}.{name[layer.end() :]}"] = value
    return found


def _batches(texts: Sequence[str], config: LayerConfig, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yields rows; every text once before any comes again, and texts of like length together, so that little is padded."""
    lengths = np.array([len(text) for text in texts])
    together = config.batch * _TOGETHER
    given = 0
    while True:
        rows = rng.permutation(len(texts))
        for start in range(0, len(rows), together):
            block = rows[start : start + together]
            block = block[np.argsort(lengths[block], kind="stable")]
            batches = [block[first : first + config.batch] for first in range(0, len(block), config.batch)]
            for place in rng.permutation(len(batches)):
                if given == config.steps:
                    return
                given += 1
                yield batches[place]


def _embed(teacher: TransformerEncoder, model: Any, texts: list[str]) -> "torch.Tensor":
    tokens = teacher.tokenizer(
        [teacher.recipe.prefix + text for text in texts],
        truncation=True, max_length=teacher.max_length, padding=True, padding_side="right", return_tensors="pt",
    ).to(teacher.device)  # fmt: skip
    mask = tokens["attention_mask"]
    hidden = model(input_ids=tokens["input_ids"], attention_mask=mask).last_hidden_state
    return pool(hidden, mask, teacher.pooling)
