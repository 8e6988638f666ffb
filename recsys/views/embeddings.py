"""The text embeddings of a catalog, made once and kept with their dataset; a changed catalog encodes only its new texts.

Texts that no kept artifact has are encoded in blocks, always the same ones in the same order, and every block is published as
soon as it is done. A build that is killed loses at most one block, and ends with the same bytes as one that is not.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder, brought
from recsys.errors import ArtifactError
from recsys.schema import Dataset
from recsys.views.kept_vectors import (
    EMBEDDINGS,
    HASHES,
    PART,
    TEXT,
    VECTORS,
    KeptVectors,
    digest,
    join_hashes,
    keys_of,
    split_hashes,
    text_hash,
)
from recsys.views.text import item_texts

Progress = Callable[[str, int, int], None]
"""Called with (step, done, in all); the steps are ``encode`` and ``index``."""
BLOCK = 512
"""Texts that are encoded and kept at a time: a few seconds of work."""
GPU_BLOCK = 32 * BLOCK
"""The same on a GPU, which smaller blocks would leave waiting."""
_KEPT = 2
"""Embeddings of an encoder that stay: the newest, and the ones before, which an open dashboard may still read."""


@dataclass(frozen=True, eq=False)
class Embedded:
    """The embeddings of a catalog.

    Attributes:
        vectors: ``(n_items, dim)`` float32, memory-mapped where the dataset has a folder.
        key: see ``embeddings_key``.
        n_encoded: texts that were encoded for them, each once; all others were known.
    """

    vectors: np.ndarray
    key: str
    n_encoded: int


def embed_items(dataset: Dataset, encoder: Encoder, *, progress: Progress | None = None) -> tuple[np.ndarray, str]:
    """Returns the embeddings of all items, and their key (see ``embeddings_key``).

    The embeddings are ``(n_items, dim)`` float32, memory-mapped from the dataset's artifacts and made there where needed.
    """
    found = build_embeddings(dataset, encoder, progress=progress)
    return found.vectors, found.key


def build_embeddings(dataset: Dataset, encoder: Encoder, *, progress: Progress | None = None) -> Embedded:
    """Opens the embeddings of all items, or makes them from what is kept and what has to be encoded.

    Vectors that came with the dataset are taken as they are; ``BroughtVectors`` in the place of an encoder holds them.

    Args:
        progress: ``encode`` counts items, those whose text is known already as done.

    Raises:
        ArtifactError: if they cannot be written.
    """
    if (came := brought(encoder)) is not None:
        return Embedded(came.item_vectors, came.identity, 0)
    texts = item_texts(dataset)
    key = embeddings_key(texts, encoder)
    report = progress or (lambda step, done, total: None)
    if dataset.folder is None:
        vectors = encoder.encode(texts, bulk=True, progress=lambda done, total: report("encode", done, total))
        return Embedded(vectors, key, len(texts))
    store, n_encoded = ArtifactStore(dataset.folder / "artifacts"), 0
    try:
        artifact = store.open(TEXT, key)
        _forget_parts(store, artifact.path, encoder.identity)
    except ArtifactError:
        n_encoded = _make(store, key, dataset.name, texts, encoder, report)
        artifact = store.open(TEXT, key)
        report("index", 1, 1)
    mapped: np.ndarray = np.load(artifact.path / EMBEDDINGS, mmap_mode="r", allow_pickle=False)
    return Embedded(mapped, key, n_encoded)


def embeddings_key(texts: Sequence[str], encoder: Encoder) -> str:
    """Returns the SHA-256 of everything that item embeddings depend on: the encoder and every text in order."""
    whole = hashlib.sha256(encoder.identity.encode())
    for text in texts:
        whole.update(digest(text))
    return whole.hexdigest()


def _make(
    store: ArtifactStore, key: str, dataset: str, texts: Sequence[str], encoder: Encoder, report: Progress
) -> int:
    """Publishes the embeddings and returns how many texts were encoded for them."""
    hashes = [text_hash(text) for text in texts]
    kept = KeptVectors.from_store(store, identity=encoder.identity, dim=encoder.dim)
    missing = {known: text for known, text in zip(hashes, texts, strict=True) if known not in kept}
    _Blocks(store, encoder, Counter(hashes), report).encode(missing, into=kept)
    report("index", 0, 1)
    about = {"dataset": dataset, "encoder": encoder.name, "identity": encoder.identity, "n_items": len(texts)}
    with store.publish(TEXT, key, about=about) as folder:
        kept.save(folder / EMBEDDINGS, hashes)
        np.save(folder / HASHES, join_hashes(hashes), allow_pickle=False)
    _forget(store, key, encoder.identity)
    return len(missing)


@dataclass(frozen=True)
class _Blocks:
    """Encodes block by block.

    Attributes:
        n_items: for the hash of a text, the items that have it.
    """

    store: ArtifactStore
    encoder: Encoder
    n_items: Counter[bytes]
    report: Progress

    def encode(self, missing: dict[bytes, str], *, into: KeptVectors) -> None:
        """Encodes the texts that are missing; several blocks are published one by one, a single one need not be."""
        total, order = self.n_items.total(), list(missing)
        done = total - self._count(order)
        if done:
            self.report("encode", done, total)
        size = GPU_BLOCK if self.encoder.description.startswith("cuda") else BLOCK
        for start in range(0, len(order), size):
            block = order[start : start + size]
            own = self._count(block)
            vectors = self.encoder.encode(
                [missing[known] for known in block], bulk=True, progress=self._within(done, own, total)
            )
            is_alone = len(order) <= size
            into.add(block, vectors if is_alone else publish_part(self.store, self.encoder, block, vectors))
            done += own
            self.report("encode", done, total)

    def _count(self, hashes: Sequence[bytes]) -> int:
        return sum(self.n_items[known] for known in hashes)

    def _within(self, before: int, own: int, total: int) -> Callable[[int, int], None]:
        def tell(done: int, n_texts: int) -> None:
            if done < n_texts:
                self.report("encode", before + own * done // n_texts, total)

        return tell


def publish_part(store: ArtifactStore, encoder: Encoder, hashes: Sequence[bytes], vectors: np.ndarray) -> np.ndarray:
    """Keeps vectors of some texts for the build that will need them, and returns them again, but memory-mapped.

    Args:
        hashes: ``text_hash`` of each text.
        vectors: ``(n_texts, dim)``.

    Raises:
        ArtifactError: if they cannot be written.
    """
    key = hashlib.sha256(b"".join((encoder.identity.encode(), *hashes))).hexdigest()
    about = {"encoder": encoder.name, "identity": encoder.identity, "n_texts": len(hashes)}
    with store.publish(PART, key, about=about) as folder:
        np.save(folder / HASHES, join_hashes(hashes), allow_pickle=False)
        np.save(folder / VECTORS, np.asarray(vectors, np.float32), allow_pickle=False)
    mapped: np.ndarray = np.load(store.open(PART, key).path / VECTORS, mmap_mode="r", allow_pickle=False)
    return mapped


def _forget(store: ArtifactStore, key: str, identity: str) -> None:
    """Removes the parts of a build that is done, and embeddings that are older than the last ones before."""
    for part in keys_of(store, PART, identity):
        store.remove(PART, part)
    before = [known for known in keys_of(store, TEXT, identity) if known != key]
    for old in before[_KEPT - 1 :]:
        store.remove(TEXT, old)


def _forget_parts(store: ArtifactStore, whole: Path, identity: str) -> None:
    """Removes what a build left that was killed between publishing the whole and removing its parts.

    Parts with other texts stay: another build may be making them.
    """
    parts = keys_of(store, PART, identity)
    with suppress(OSError, ValueError):  # no hashes, or removed by another process
        known = set(split_hashes(np.load(whole / HASHES, allow_pickle=False))) if parts else set()
        for part in parts:
            hashes = np.load(store.path(PART, part) / HASHES, allow_pickle=False)
            if known.issuperset(split_hashes(hashes)):
                store.remove(PART, part)
