"""What an encoder is, for everything that uses one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all)."""


@dataclass(frozen=True)
class TokenEmbeddings:
    """The token embeddings of one text.

    Attributes:
        embeddings: ``(n_tokens, dim)`` float32, before pooling and normalisation.
        pieces: the word pieces, special tokens included.
        offsets: ``(n_tokens, 2)``, character span of each piece in the text; ``(0, 0)`` for special tokens.
        is_special: ``(n_tokens,)`` of bool.
    """

    embeddings: np.ndarray
    pieces: tuple[str, ...]
    offsets: np.ndarray
    is_special: np.ndarray


@dataclass(frozen=True)
class TextCheck:
    """What the encoder can make of one text.

    Attributes:
        n_tokens: length before cutting, special tokens included.
        is_cut: whether the text is longer than the encoder reads.
        is_unknown: whether every piece is the unknown token, so that the text means nothing to the encoder.
    """

    n_tokens: int
    is_cut: bool
    is_unknown: bool


class Encoder(Protocol):
    """Turns texts into unit embeddings.

    Attributes:
        name: for people.
        identity: SHA-256 over weights and recipe; two encoders with the same identity give the same embeddings.
        dim: length of an embedding.
        description: device and precision, for the status line.
    """

    name: str
    identity: str
    dim: int
    description: str

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        """Returns ``(n_texts, dim)`` float32 in the order of the texts; an empty list gives ``(0, dim)``.

        Args:
            bulk: whether this is a catalog, to be encoded in the encoder's fast precision instead of float32.
        """
        ...

    def check(self, text: str) -> TextCheck:
        """Says what the encoder can make of a text."""
        ...
