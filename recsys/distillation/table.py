"""Static students: one vector for each token of the teacher's vocabulary.

Each token goes through the teacher alone; what is common to all is taken away, and frequent tokens count less. Then the vectors
move, as little as they can, to where the mean over a text comes near the teacher's embedding of it (ridge regression).

Source: S. Tulkens and T. van Dongen, Model2Vec, 2024, for tokens alone, principal components and weights by rank (Zipf's law with
S. Arora et al., A simple but tough-to-beat baseline for sentence embeddings, 2017).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recsys.encoder import TransformerEncoder
from recsys.encoder.protocol import Progress
from recsys.encoder.static import unknown_id
from recsys.errors import ConfigError

_BLOCK = 4096


@dataclass(frozen=True)
class TableConfig:
    """How a table is made.

    Attributes:
        dim: principal components that are kept; ``None`` stays in the teacher's own space, where cosines can be compared.
        sif: of the weights ``sif / (sif + p)``, for a token of probability ``p``.
        ridge: how firmly tokens stay where the teacher alone has put them; ``None`` leaves them there.
        most_texts: that are learned from; their number squared is what the solution needs in memory.
        seed: chooses texts where there are more.
    """

    dim: int | None = None
    sif: float = 1e-4
    ridge: float | None = 1.0
    most_texts: int = 8000
    seed: int = 0


def save_table(
    teacher: TransformerEncoder, texts: Sequence[str], *, into: Path, config: TableConfig, progress: Progress | None
) -> None:
    """Writes a static student into a folder, in the layout of Model2Vec.

    Raises:
        ConfigError: if the teacher's tokenizer has no file form, or the dimension is out of range.
    """
    tokenizer = _tokenizer(teacher)
    if config.dim is not None and not 1 <= config.dim <= teacher.dim:
        raise ConfigError("The dimension is out of range", config.dim, fix=f"Choose from 1 to {teacher.dim}.")
    table = token_vectors(teacher, tokenizer.get_vocab_size(), progress=progress)
    silent = [*teacher.tokenizer.all_special_ids, *([] if (own := unknown_id(tokenizer)) is None else [own])]
    spoken = np.setdiff1d(np.arange(len(table)), silent)
    mean, axes = table[spoken].mean(axis=0), None
    if config.dim is not None:
        axes = np.linalg.eigh(np.cov(table[spoken].T))[1][:, ::-1][:, : config.dim]
    table = _weights(len(table), config.sif)[:, None] * ((table - mean) if axes is None else (table - mean) @ axes)
    table[silent] = 0.0
    if config.ridge is not None:
        rng = np.random.default_rng(config.seed)
        few = texts if len(texts) <= config.most_texts else rng.choice(texts, config.most_texts, replace=False).tolist()
        wanted = teacher.encode(few, bulk=True)
        table = fitted(table, _counts(tokenizer, few, len(table), silent), wanted if axes is None else wanted @ axes,
                       ridge=config.ridge)  # fmt: skip
    _save(table.astype(np.float32), tokenizer, teacher, into)


def token_vectors(teacher: TransformerEncoder, n: int, *, progress: Progress | None = None) -> np.ndarray:
    """Returns ``(n, dim)``: what the teacher makes of each token alone, between the marks that it puts around a text."""
    first, last = _marks(teacher)
    blocks = []
    for start in range(0, n, _BLOCK):
        ids = range(start, min(start + _BLOCK, n))
        blocks.append(teacher.pool_ids([[*first, token, *last] for token in ids]))
        if progress:
            progress(ids[-1] + 1, n)
    return np.concatenate(blocks).astype(np.float64)


def fitted(table: np.ndarray, counts: Any, wanted: np.ndarray, *, ridge: float) -> np.ndarray:
    """Returns the table nearest to the given one whose means over the texts come near what is wanted.

    It minimises ``|counts @ T - scale * wanted|^2 + ridge * mean_share * |T - table|^2``; ``scale`` brings what is wanted
    to the size of the table's own means.

    Args:
        counts: ``(n_texts, n_tokens)`` sparse, each row the share of each token in a text.
        wanted: ``(n_texts, dim)``, the teacher's embeddings.
    """
    from scipy.linalg import solve

    own = counts @ table
    scale = float((own * wanted).sum() / max(float((wanted * wanted).sum()), 1e-12))
    inner = (counts @ counts.T).toarray()
    inner[np.diag_indices_from(inner)] += ridge * float(np.trace(inner)) / len(inner)
    moved: np.ndarray = counts.T @ solve(inner, scale * wanted - own, assume_a="pos")
    return np.asarray(table + moved)


def _weights(n: int, sif: float) -> np.ndarray:
    """Vocabularies are sorted by frequency, so that Zipf's law gives each token's probability."""
    share = 1 / np.arange(2, n + 2)
    return np.asarray(sif / (sif + share / share.sum()))


def _tokenizer(teacher: TransformerEncoder) -> Any:
    from tokenizers import Tokenizer

    if not getattr(teacher.tokenizer, "is_fast", False):
        fix = "Use an encoder with a tokenizer.json; or `--kind layers`."
        raise ConfigError(
            "The tokenizer of the encoder cannot be written down", type(teacher.tokenizer).__name__, fix=fix
        )
    found = Tokenizer.from_str(teacher.tokenizer.backend_tokenizer.to_str())
    found.no_truncation()
    found.no_padding()
    return found


def _marks(teacher: TransformerEncoder) -> tuple[list[int], list[int]]:
    """The special tokens before and after a text."""
    found = teacher.tokenizer("a", return_special_tokens_mask=True)
    inside = np.flatnonzero(np.array(found["special_tokens_mask"]) == 0)
    ids = list(found["input_ids"])
    return (ids[: inside[0]], ids[inside[-1] + 1 :]) if len(inside) else (ids[: len(ids) // 2], ids[len(ids) // 2 :])


def _counts(tokenizer: Any, texts: Sequence[str], n: int, silent: Sequence[int]) -> Any:
    rows, columns, quiet = [], [], set(silent)
    for row, encoding in enumerate(tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)):
        own = [token for token in encoding.ids if token not in quiet]
        rows += [row] * len(own)
        columns += own
    found = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(texts), n))
    return sparse.diags_array(1 / np.maximum(found.sum(axis=1), 1.0)) @ found


def _save(table: np.ndarray, tokenizer: Any, teacher: TransformerEncoder, into: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"embeddings": np.ascontiguousarray(table)}, into / "model.safetensors")
    tokenizer.save(str(into / "tokenizer.json"), pretty=False)
    about = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "hidden_dim": table.shape[1],
        "normalize": True,
        "max_length": min(teacher.max_length, 512),
        "embedding_dtype": "float32",
    }
    (into / "config.json").write_text(json.dumps(about, indent=1), "utf-8")
    kind = "sentence_transformers.models."
    parts = [(".", "StaticEmbedding"), ("1_Normalize", "Normalize")]
    modules = [{"idx": n, "name": str(n), "path": path, "type": kind + what} for n, (path, what) in enumerate(parts)]
    (into / "modules.json").write_text(json.dumps(modules, indent=1), "utf-8")
