"""The text embeddings of a catalog, made once and kept with their dataset."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder
from recsys.errors import ArtifactError
from recsys.schema import Dataset
from recsys.views.text import item_texts

Progress = Callable[[str, int, int], None]
"""Called with (step, done, in all); the steps are ``encode`` and ``index``."""


def embed_items(dataset: Dataset, encoder: Encoder, *, progress: Progress | None = None) -> tuple[np.ndarray, str]:
    """Returns the embeddings of all items, and their key (see ``embeddings_key``).

    The embeddings are ``(n_items, dim)`` float32, memory-mapped from the dataset's artifacts and made there where needed.
    """
    texts = item_texts(dataset)
    key = embeddings_key(texts, encoder)
    report = progress or (lambda step, done, total: None)

    def encode() -> np.ndarray:
        return encoder.encode(texts, bulk=True, progress=lambda done, total: report("encode", done, total))

    if dataset.folder is None:
        return encode(), key
    store = ArtifactStore(dataset.folder / "artifacts")
    try:
        artifact = store.open("text", key)
    except ArtifactError:
        vectors = encode()
        report("index", 0, 1)
        about = {"dataset": dataset.name, "encoder": encoder.name, "identity": encoder.identity, "n_items": len(texts)}
        with store.publish("text", key, about=about) as folder:
            np.save(folder / "embeddings.npy", vectors, allow_pickle=False)
        artifact = store.open("text", key)
        report("index", 1, 1)
    mapped: np.ndarray = np.load(artifact.path / "embeddings.npy", mmap_mode="r", allow_pickle=False)
    return mapped, key


def embeddings_key(texts: Sequence[str], encoder: Encoder) -> str:
    """Returns the SHA-256 of everything that item embeddings depend on: the encoder and every text in order."""
    digest = hashlib.sha256(encoder.identity.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()
