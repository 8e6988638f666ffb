"""What is known of vectors that a dataset brings along instead of having them made by an encoder."""

import hashlib
from dataclasses import dataclass

import numpy as np

from recsys.errors import DataError

COSINE, DOT = SIMILARITIES = ("cosine", "dot")


@dataclass(frozen=True)
class VectorsInfo:
    """What the section ``[vectors]`` of ``dataset.toml`` says.

    Attributes:
        encoder: packaged name, hub name or local folder of the encoder that made them; empty where that is not known, so that
            no text can be compared with them.
        similarity: ``cosine``, by which their lengths say nothing, or ``dot``, by which a long vector counts more.
    """

    encoder: str = ""
    similarity: str = COSINE

    def __post_init__(self) -> None:
        if self.similarity not in SIMILARITIES:
            fix = f"Use one of: {', '.join(SIMILARITIES)}."
            raise DataError("Vectors cannot be compared by this similarity", self.similarity, fix=fix)


def fingerprint_of_vectors(vectors: np.ndarray) -> str:
    """Returns a SHA-256 over shape and values, ``(n, dim)``, read as float32."""
    digest = hashlib.sha256(str(vectors.shape).encode())
    digest.update(np.ascontiguousarray(vectors, np.float32).data)
    return digest.hexdigest()
