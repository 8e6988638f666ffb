"""What runs in every process of a cluster: an encoder that is loaded once and sees batch after batch."""

from typing import TYPE_CHECKING

from recsys.encoder import open_encoder
from recsys.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow

HASH, TEXT, VECTOR = "hash", "text", "vector"
"""Columns of what goes in (hash, text) and of what comes out (hash, vector)."""


class TextWorker:
    """Encodes batches of texts.

    Args:
        encoder: packaged name, hub name or a folder that this machine sees.
        device: a torch device name, or ``auto``.
        precision: as for ``open_encoder``.
        identity: of the encoder that the vectors are for.

    Raises:
        ConfigError: if the encoder is another one here, or computes in another precision.
    """

    def __init__(self, *, encoder: str, device: str, precision: str, identity: str) -> None:
        self._encoder = open_encoder(encoder, device=device, precision=precision)
        if self._encoder.identity != identity:
            fix = "Give all machines the same encoder, and set COLDLENS_PRECISION to what all of them compute in."
            told = f"{encoder}, {self._encoder.description}"
            raise ConfigError("The encoder of a worker is not the one that was asked for", told, fix=fix)

    def __call__(self, batch: "pyarrow.Table") -> "pyarrow.Table":
        """Returns the batch with ``(n, dim)`` float32 vectors in the place of the texts."""
        import pyarrow as pa

        vectors = self._encoder.encode(batch[TEXT].to_pylist(), bulk=True)
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
        return pa.table({HASH: batch[HASH], VECTOR: column})
