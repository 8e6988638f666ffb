"""Any sentence encoder that transformers can load, batched by tokens and sorted by length."""

import copy
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.encoder.bulk_model import INT8, bulk_model, needs_autocast
from recsys.encoder.device import choose_device, choose_precision, describe, one_thread
from recsys.encoder.folder import Recipe, identity_of, locate, read_recipe
from recsys.encoder.pooling import pool
from recsys.encoder.protocol import Progress, TextCheck, TokenEmbeddings
from recsys.errors import ConfigError

if TYPE_CHECKING:
    import torch

_CPU_TOKENS, _GPU_TOKENS = 1024, 65536
"""Tokens in a batch. On a CPU a small batch stays in the cache: 1,024 was 1.2 times as fast as 4,096."""
_SMALL = 1024
"""Tokens of a profile's batch up to which one thread computes: a second one gains little (6.1 against 7.9 ms for one text),
and waiting for it costs up to 100 ms a text when a browser keeps the cores busy."""
_WAVE = 16384
"""Texts that are tokenised together; a GPU computes one wave while the processor tokenises the next."""
_GPU_MULTIPLE = 8
"""Batches on a GPU are padded to a multiple of this, the width that its matrix units work in."""
_NO_LIMIT = 1 << 20
_SPACE = "\u2581"

_Take = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""Takes what is wanted from hidden states and mask, on the device."""


class TransformerEncoder:
    """A transformers model with the pooling its own configuration names; safe to use from several threads.

    Embeddings always have length 1 (an all-zero one stays zero), because scores are cosines.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, recipe: Recipe, name: str, identity: str, device: Any, precision: str
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.recipe = recipe
        self.device = device
        self.precision = precision
        self._lock = threading.Lock()
        self._budget = _CPU_TOKENS if device.type == "cpu" else _GPU_TOKENS
        self.name = name
        self.pooling = recipe.pooling
        self._identity = identity
        self.identity = f"{identity}-{precision}"
        self.dim = int(model.config.hidden_size)
        self.description = describe(device, precision)

    @classmethod
    def from_pretrained(cls, name: str, *, device: str = "auto", precision: str = "auto") -> "TransformerEncoder":
        """Loads an encoder from a packaged name, a local folder or a hub name.

        Raises:
            ConfigError: if it cannot be found or loaded, or the device or precision is unknown.
        """
        return cls.from_folder(locate(name), name=name, device=device, precision=precision)

    @classmethod
    def from_folder(
        cls, folder: Path, *, name: str, device: str = "auto", precision: str = "auto"
    ) -> "TransformerEncoder":
        """Loads an encoder from a folder.

        Raises:
            ConfigError: as ``from_pretrained``.
        """
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        where = choose_device(device)
        chosen = choose_precision(precision, where)
        recipe = read_recipe(folder)
        logging.disable_progress_bar()
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except Exception as error:  # transformers raises whatever the folder's content provokes
            fix = "Give a folder that AutoModel and AutoTokenizer load, with weights as safetensors."
            raise ConfigError(f"The encoder does not load ({type(error).__name__})", folder, fix=fix) from error
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.use_cache = False  # decoders would keep what they need for a next word, which nobody asks for
        identity = identity_of(folder, recipe)
        model = model.to(where).eval().float()
        made = cls(model, tokenizer, recipe=recipe, name=name, identity=identity, device=where, precision=chosen)
        if chosen == INT8:
            made._bulk_model  # noqa: B018  a model without linear layers is refused at the door
        return made

    def randomised(self, *, seed: int) -> "TransformerEncoder":
        """Returns an encoder of the same architecture with random weights, to see what an explanation owes to learned ones."""
        import torch
        from transformers import AutoModel

        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = AutoModel.from_config(self.model.config)
        return TransformerEncoder(
            model.to(self.device).eval().float(),
            self.tokenizer,
            recipe=self.recipe,
            name=f"{self.name}, random weights",
            identity=f"{self.identity}-random-{seed}",
            device=self.device,
            precision=self.precision,
        )

    def copied_model(self) -> Any:
        """Returns a copy of the transformers model whose weights can be trained."""
        return copy.deepcopy(self.model).requires_grad_(True)

    def with_model(self, model: Any, *, name: str) -> "TransformerEncoder":
        """Returns an encoder that reads texts as this one does, with another model of the same kind."""
        digest = hashlib.sha256(self._identity.encode())
        for key, value in sorted(model.state_dict().items()):
            digest.update(key.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return TransformerEncoder(
            model.to(self.device).eval().float(),
            self.tokenizer,
            recipe=self.recipe,
            name=name,
            identity=digest.hexdigest(),
            device=self.device,
            precision=self.precision,
        )

    @property
    def padding(self) -> int:
        """The token id that fills short texts up; one that was added to the tokenizer alone has no vector in the model."""
        found = int(self.tokenizer.pad_token_id or 0)
        return found if found < self.model.get_input_embeddings().num_embeddings else 0

    @property
    def max_length(self) -> int:
        """Tokens that are read of a text, special tokens included."""
        positions = (getattr(self.model.config, "max_position_embeddings", None) or _NO_LIMIT) - _skipped(self.model)
        wanted = self.recipe.max_length or min(self.tokenizer.model_max_length, _NO_LIMIT)
        return int(min(wanted, positions))

    @cached_property
    def _bulk_model(self) -> Any:
        return bulk_model(self.model, self.precision, self.device)

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        """Returns ``(n_texts, dim)`` float32, each row of length 1, in the order of the texts."""
        import torch

        result = np.zeros((len(texts), self.dim), np.float32)
        waiting: list[tuple[np.ndarray, torch.Tensor]] = []  # on the device, which may still be at work on them
        done = 0
        for start in range(0, len(texts), _WAVE):
            ids = self.token_ids(texts[start : start + _WAVE])
            _fetch(waiting, into=result)
            waiting = []
            for rows, pooled in self._batches(ids, self._unit, bulk=bulk):
                waiting.append((start + rows, pooled))
                done += len(rows)
                if progress:
                    progress(done, len(texts))
        _fetch(waiting, into=result)
        return result

    def pool_ids(self, ids: list[list[int]]) -> np.ndarray:
        """Returns ``(n, dim)`` float32, pooled but not scaled, for token ids as they are; in the fast precision."""
        result = np.zeros((len(ids), self.dim), np.float32)
        _fetch(list(self._batches(ids, self._pool, bulk=True)), into=result)
        return result

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenEmbeddings]:
        """Returns the token embeddings of each text in float32, with the character span of each piece."""
        if not texts:
            return []
        found = self.tokenizer(
            [self.recipe.prefix + text for text in texts],
            truncation=True,
            max_length=self.max_length,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        tokens: dict[int, TokenEmbeddings] = {}
        for rows, hidden in self._batches(self._filled(found["input_ids"]), lambda hidden, mask: hidden):
            for row, states in zip(rows, hidden.cpu().numpy(), strict=True):
                ids = found["input_ids"][row]
                offsets = np.array(found["offset_mapping"][row]).reshape(-1, 2) - len(self.recipe.prefix)
                offsets = _without_spaces(texts[row], np.maximum(offsets, 0))
                tokens[row] = TokenEmbeddings(
                    embeddings=states[: len(ids)].copy(),
                    pieces=tuple(self.tokenizer.convert_ids_to_tokens(ids)),
                    offsets=offsets,
                    is_special=np.array(found["special_tokens_mask"][row], bool),
                )
        return [tokens[row] for row in range(len(texts))]

    def check(self, text: str) -> TextCheck:
        """Says how long a text is, whether it is cut, and whether it means nothing to the encoder."""
        ids = self.tokenizer(self.recipe.prefix + text, truncation=False, verbose=False)["input_ids"]
        special = set(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}
        bare = self.tokenizer(text, truncation=False, verbose=False)["input_ids"]  # the prompt is always known
        own = [token for token in bare if token not in special]
        unknown = self.tokenizer.unk_token_id
        is_unknown = not own or (unknown is not None and all(token in (unknown, self._space) for token in own))
        return TextCheck(len(ids), len(ids) > self.max_length, is_unknown)

    @cached_property
    def _space(self) -> int | None:
        """The piece that a space alone becomes in sentence pieces, which says nothing."""
        found: int | None = self.tokenizer.get_vocab().get(_SPACE)
        return found

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the ids of the tokens that are read of each text, special ones included; at least one each."""
        if not texts:
            return []
        prefixed = [self.recipe.prefix + text for text in texts]
        ids: list[list[int]] = self.tokenizer(prefixed, truncation=True, max_length=self.max_length)["input_ids"]
        return self._filled(ids)

    def _filled(self, ids: list[list[int]]) -> list[list[int]]:
        """A text without a token, as decoders make of an empty one, gets the padding token."""
        return [row or [self.padding] for row in ids]

    def _batches(
        self, ids: list[list[int]], take: _Take, *, bulk: bool = False
    ) -> Iterator[tuple[np.ndarray, "torch.Tensor"]]:
        """Yields (rows, what is taken of them), longest texts first; a batch that runs out of memory is halved."""
        import torch

        lengths = np.array([len(row) for row in ids], int)
        order = np.argsort(-lengths, kind="stable")
        start = 0
        while start < len(order):
            size = max(1, self._budget // self._width(int(lengths[order[start]])))
            rows = order[start : start + size]
            outcome = self._forward([ids[row] for row in rows], take, bulk)
            if outcome is None:  # after the except block: its traceback would keep the memory alive
                self._budget = max(1, int(lengths[rows].sum()) // 2)
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
                continue
            yield rows, outcome
            start += len(rows)

    def _width(self, longest: int) -> int:
        """Tokens that a batch is padded to; never more than the model has positions for."""
        if self.device.type != "cuda":
            return longest
        return min(-(-longest // _GPU_MULTIPLE) * _GPU_MULTIPLE, max(longest, self.max_length))

    def _forward(self, ids: list[list[int]], take: _Take, bulk: bool) -> "torch.Tensor | None":
        import torch

        padded = np.full((len(ids), self._width(max(map(len, ids)))), self.padding)
        for row, tokens in enumerate(ids):
            padded[row, : len(tokens)] = tokens
        precision = self.precision if bulk else "float32"
        mixed = torch.autocast(self.device.type, enabled=False)
        if needs_autocast(precision, self.device):
            mixed = torch.autocast(self.device.type, getattr(torch, precision))
        try:
            with (
                self._lock,
                one_thread(self.device.type == "cpu" and not bulk and padded.size <= _SMALL),
                torch.inference_mode(),
                mixed,
            ):
                inputs = self._moved(padded)
                lengths = self._moved(np.array([len(tokens) for tokens in ids]))
                attention = (torch.arange(padded.shape[1], device=self.device) < lengths[:, None]).long()
                model = self._bulk_model if bulk else self.model
                hidden = model(input_ids=inputs, attention_mask=attention).last_hidden_state
                return take(hidden.float(), attention)
        except torch.OutOfMemoryError:
            if len(ids) == 1:
                raise
            return None

    def _moved(self, values: np.ndarray) -> "torch.Tensor":
        """Copies to the device; to a GPU without waiting for what it still computes."""
        import torch

        found = torch.from_numpy(values)
        return (
            found.pin_memory().to(self.device, non_blocking=True)
            if self.device.type == "cuda"
            else found.to(self.device)
        )

    def _unit(self, hidden: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        import torch

        return torch.nn.functional.normalize(self._pool(hidden, mask), dim=1)

    def _pool(self, hidden: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        return pool(hidden, mask, self.pooling)


def _skipped(model: Any) -> int:
    """Positions that no token gets: RoBERTa and its kin, XLM-R among them, begin to count after the padding token's id."""
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def _without_spaces(text: str, offsets: np.ndarray) -> np.ndarray:
    """Spans of characters less the space before them, which sentence pieces count as theirs."""
    found = offsets.copy()
    for row, (start, end) in enumerate(offsets):
        own = text[start:end]
        if own.strip():
            found[row, 0] = start + len(own) - len(own.lstrip())
    return found


def _fetch(waiting: "list[tuple[np.ndarray, torch.Tensor]]", *, into: np.ndarray) -> None:
    """Copies finished rows from the device in one piece, which waits for it."""
    import torch

    if waiting:
        into[np.concatenate([rows for rows, _ in waiting])] = torch.cat([pooled for _, pooled in waiting]).cpu().numpy()
