"""A static encoder: one vector for each token, and the mean of them for a text. No model runs, so it is fast on any machine.

Source: the format of Model2Vec (S. Tulkens and T. van Dongen, Model2Vec: Fast State-of-the-Art Static Embeddings, 2024), which
sentence-transformers reads too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoder.folder import identity_of
from recsys.encoder.protocol import Progress, TextCheck, TokenEmbeddings
from recsys.errors import ConfigError

_CHUNK = 4096
_MAX_LENGTH = 512
_DAMAGED = "Download or distil the encoder again."


@dataclass(frozen=True)
class StaticRecipe:
    """How token vectors become one embedding; the mean of them, always.

    Attributes:
        max_length: tokens that are read of a text; ``None`` for all.
    """

    max_length: int | None = _MAX_LENGTH


def is_static(folder: Path) -> bool:
    """Whether a folder holds a static encoder."""
    return _read(folder / "config.json").get("model_type") == "model2vec"


class StaticEncoder:
    """The mean of token vectors, scaled to length 1; a text without a known token stays zero. Safe between threads.

    Args:
        table: ``(n_tokens, dim)`` float32, with the weight of each token in it and zeros for the unknown token.
    """

    pooling = "mean"

    def __init__(self, table: np.ndarray, tokenizer: Any, *, recipe: StaticRecipe, name: str, identity: str) -> None:
        self.table = table
        self.tokenizer = tokenizer
        self.max_length = recipe.max_length
        self.name = name
        self.identity = identity
        self.dim = int(table.shape[1])
        self.description = "cpu, static"
        self._unknown = unknown_id(tokenizer)

    @classmethod
    def from_folder(cls, folder: Path, *, name: str, precision: str = "auto") -> "StaticEncoder":
        """Loads an encoder from a folder in the layout of Model2Vec.

        Raises:
            ConfigError: if a file is missing or damaged, or for a precision other than float32.
        """
        from tokenizers import Tokenizer

        if precision not in ("auto", "float32"):
            fix = "Use auto or float32; there is no model to speed up."
            raise ConfigError("A static encoder has no such precision", precision, fix=fix)
        recipe = StaticRecipe(_read(folder / "config.json").get("max_length", _MAX_LENGTH))
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the tokenizer's own, which have no class
            raise ConfigError("The tokenizer does not load", folder / "tokenizer.json", fix=_DAMAGED) from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        table = _table(folder / "model.safetensors", tokenizer.get_vocab_size())
        unknown = unknown_id(tokenizer)
        if unknown is not None:
            table[unknown] = 0.0
        return cls(table, tokenizer, recipe=recipe, name=name, identity=f"{identity_of(folder, recipe)}-float32")

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        """Returns ``(n_texts, dim)`` float32, each row of length 1 or zero, in the order of the texts."""
        result = np.zeros((len(texts), self.dim), np.float32)
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            result[start : start + len(chunk)] = self._sums(chunk)
            if progress:
                progress(start + len(chunk), len(texts))
        lengths = np.linalg.norm(result, axis=1, keepdims=True)
        return np.divide(result, lengths, out=result, where=lengths > 0)

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenEmbeddings]:
        """Returns the vectors of the tokens of each text; that of the unknown one is zero."""
        found = []
        for encoding in self.tokenizer.encode_batch(list(texts), add_special_tokens=False):
            ids = encoding.ids[: self.max_length]
            offsets = np.array(encoding.offsets[: self.max_length], int).reshape(-1, 2)
            pieces = tuple(encoding.tokens[: self.max_length])
            found.append(TokenEmbeddings(self.table[ids], pieces, offsets, np.zeros(len(ids), bool)))
        return found

    def check(self, text: str) -> TextCheck:
        """Says how long a text is, whether it is cut, and whether it means nothing to the encoder."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        limit = self.max_length
        return TextCheck(len(ids), limit is not None and len(ids) > limit, all(token == self._unknown for token in ids))

    def _sums(self, texts: Sequence[str]) -> np.ndarray:
        """The direction of a mean is that of a sum, and the length is set afterwards."""
        found = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        ids = [encoding.ids[: self.max_length] for encoding in found]
        sums = np.zeros((len(ids), self.dim), np.float32)
        filled = [row for row, own in enumerate(ids) if own]
        if filled:
            starts = np.cumsum([0, *(len(ids[row]) for row in filled[:-1])])
            sums[filled] = np.add.reduceat(self.table[np.concatenate([ids[row] for row in filled])], starts, axis=0)
        return sums


def unknown_id(tokenizer: Any) -> int | None:
    """Returns the id of the unknown token; ``None`` for a tokenizer that knows every byte."""
    model = json.loads(tokenizer.to_str())["model"]
    if model.get("unk_token") is not None:
        found: int | None = tokenizer.token_to_id(model["unk_token"])
        return found
    unigram: int | None = model.get("unk_id")
    return unigram


def _table(path: Path, n_tokens: int) -> np.ndarray:
    """Returns the vectors of all tokens, times their weights; tokens that share a vector (a mapping) get one each."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        parts = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError("The encoder's weights cannot be read", path, fix=_DAMAGED) from error
    if "embeddings" not in parts:
        raise ConfigError("The encoder has no token vectors", path, fix=_DAMAGED)
    table = parts["embeddings"].astype(np.float32)
    table = table[parts["mapping"]] if "mapping" in parts else table
    table = table * parts["weights"].astype(np.float32)[:, None] if "weights" in parts else table
    if table.ndim != 2 or len(table) < n_tokens:
        fix = f"The tokenizer has {n_tokens} tokens. {_DAMAGED}"
        raise ConfigError("The encoder lacks vectors for some tokens", f"{path}: {table.shape}", fix=fix)
    return table


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ConfigError("A file of the encoder cannot be read", path, fix=_DAMAGED) from None
    return found if isinstance(found, dict) else {}
