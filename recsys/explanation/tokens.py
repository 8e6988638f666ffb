"""How the number is assembled: the exact sum over output tokens. It is no measure of importance.

A mean-pooled embedding is a sum of token embeddings, so a cosine is a sum over pairs of tokens, to the last digit. But each token
embedding already holds its neighbours, and the marks at the ends hold much of the rest: deleting the token with the largest
share moves a top film out of the top ten far less often than deleting the word with the largest Shapley value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

import numpy as np

from recsys.encoder import TokenEmbeddings
from recsys.explanation.pieces import Piece, split
from recsys.schema import Line
from recsys.scorer import TextMap

_MARKS = "[CLS] and [SEP]"
_ORIGIN = "what says nothing"


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder whose embedding of a text is the mean of its token embeddings."""

    @property
    def pooling(self) -> str:
        """How token embeddings become the text's: ``mean`` for an average."""
        ...

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenEmbeddings]:
        """Returns the token embeddings of each text."""
        ...


@dataclass(frozen=True, eq=False)
class TokenAssembly:
    """The text part of a score as a sum over the output tokens of two texts, word pieces summed into words.

    Attributes:
        values: ``(n_rows, n_columns)`` float64.
        total: their sum.
    """

    rows: tuple[Line, ...]
    columns: tuple[Line, ...]
    values: np.ndarray

    @property
    def total(self) -> float:
        """The sum of all cells."""
        return float(self.values.sum())


def can_assemble(encoder: object) -> TypeGuard[TokenEncoder]:
    """Whether an encoder's embeddings are sums of token embeddings."""
    return isinstance(encoder, TokenEncoder) and encoder.pooling == "mean"


def assemble(
    encoder: TokenEncoder, profile_text: str, profile_map: TextMap, item_text: str, item_map: TextMap
) -> TokenAssembly:
    """Returns the assembly of a text of the profile with the text of an item, each as it enters the score."""
    tokens = encoder.encode_tokens([profile_text, item_text])
    rows, left = _side(profile_text, tokens[0], profile_map)
    columns, right = _side(item_text, tokens[1], item_map)
    return TokenAssembly(rows, columns, left @ right.T)


def _side(text: str, tokens: TokenEmbeddings, entering: TextMap) -> tuple[tuple[Line, ...], np.ndarray]:
    pieces = split(text)
    wide = tokens.embeddings.astype(np.float64)
    pooled = wide / len(wide)
    parts = pooled / max(float(np.linalg.norm(pooled.sum(axis=0))), 1e-12)
    sums = np.zeros((len(pieces) + 1, parts.shape[1]))
    for token, part in enumerate(parts):
        sums[_place(tokens, token, pieces)] += part
    lines = [*(Line(text[p.start : p.end], "text", True) for p in pieces), Line(_MARKS, "marks", False)]
    vectors = entering.shift(sums)
    if np.any(entering.origin):
        lines.append(Line(_ORIGIN, "origin", False))
        vectors = np.vstack([vectors, -entering.shift(entering.origin[None])])
    return tuple(lines), vectors


def _place(tokens: TokenEmbeddings, token: int, pieces: tuple[Piece, ...]) -> int:
    """The piece that a token belongs to by its characters; marks come last."""
    start, end = tokens.offsets[token]
    if tokens.is_special[token] or start == end:
        return len(pieces)
    inside = [n for n, piece in enumerate(pieces) if piece.start <= start < piece.end]
    if inside:
        return inside[0]
    before = [n for n, piece in enumerate(pieces) if piece.start <= start]
    return before[-1] if before else 0  # punctuation goes with the word before it
