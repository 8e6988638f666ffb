"""The graph view: an embedding of items from the facts that they share, in which rare facts weigh more.

The rows of the weighted matrix of items and facts, projected on its leading right singular vectors, by subspace iteration with
a fixed seed and over blocks of rows, so that memory does not grow with the catalog but for the embedding itself.
Source: N. Halko, P. G. Martinsson and J. A. Tropp, Finding structure with randomness, SIAM Review 53(2), 2011, algorithm 4.4.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse

from recsys.artifact import ArtifactStore
from recsys.errors import ArtifactError
from recsys.schema import Dataset
from recsys.views.embeddings import Progress
from recsys.views.facts import Facts, facts_of
from recsys.views.kept_vectors import VECTORS, keys_of
from recsys.views.view import GRAPH, ItemView

DIM = 128
_SPARE, _ROUNDS = 16, 8
"""Directions beyond ``DIM`` that are iterated too, and how often: both make the leading ones more exact."""
_ROWS = 65_536
"""Items at a time."""
_MOST_FACTS = 100_000
"""Facts that make the embedding; of more, those that weigh most in all items together. Comparing items uses all of them."""
_METHOD = f"graph-1 {DIM} {_SPARE} {_ROUNDS} {_MOST_FACTS}"
_KEPT = 2


def open_graph_view(
    dataset: Dataset, *, progress: Progress | None = None, facts: Facts | None = None
) -> ItemView | None:
    """Opens the graph view of a catalog, or makes it and keeps it with the dataset.

    Args:
        progress: the step is ``graph``.
        facts: those of the dataset, where the caller has them already.

    Returns:
        The view; an item that shares no fact with another has a row of zeros. ``None`` where no two items share a fact.

    Raises:
        ArtifactError: if it cannot be written.
    """
    facts = facts_of(dataset) if facts is None else facts
    if not facts.matrix.nnz:
        return None
    key = hashlib.sha256(f"{_METHOD} {facts.key}".encode()).hexdigest()
    report = progress or (lambda step, done, total: None)
    if dataset.folder is None:
        vectors = np.concatenate([*_embedded(facts.matrix, report)])
    else:
        vectors = _kept(ArtifactStore(dataset.folder / "artifacts"), key, dataset.name, facts.matrix, report)
    return ItemView(GRAPH, vectors, key, f"{facts.matrix.shape[1]:,} shared facts in {vectors.shape[1]} dimensions")


def _kept(store: ArtifactStore, key: str, dataset: str, matrix: sparse.csr_array, report: Progress) -> np.ndarray:
    try:
        path = store.open(GRAPH, key).path
    except ArtifactError:
        about = {"dataset": dataset, "identity": _METHOD, "n_items": matrix.shape[0], "n_facts": matrix.shape[1]}
        with store.publish(GRAPH, key, about=about) as folder:
            _write(folder / VECTORS, matrix.shape[0], _embedded(matrix, report))
        path = store.open(GRAPH, key).path
        for old in [known for known in keys_of(store, GRAPH, _METHOD) if known != key][_KEPT - 1 :]:
            store.remove(GRAPH, old)
    mapped: np.ndarray = np.load(path / VECTORS, mmap_mode="r", allow_pickle=False)
    return mapped


def _write(path: Path, n_items: int, blocks: Iterator[np.ndarray]) -> None:
    """Writes ``(n_items, dim)``, not memory-mapped: a full disk kills who writes to a map."""
    with path.open("wb") as file:
        for number, block in enumerate(blocks):
            if number == 0:
                header = {"descr": "<f4", "fortran_order": False, "shape": (n_items, block.shape[1])}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(block, "<f4").data)


def _embedded(matrix: sparse.csr_array, report: Progress) -> Iterator[np.ndarray]:
    """Yields the rows of the embedding block by block, of unit length or zero."""
    columns = _heaviest(matrix)
    found = _leading(matrix if len(columns) == matrix.shape[1] else sparse.csr_array(matrix[:, columns]), report)
    basis = np.zeros((matrix.shape[1], found.shape[1]), np.float32)
    basis[columns] = found
    for block in _blocks(matrix):
        rows = block @ basis
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        yield np.where(lengths > 1e-6, rows / np.maximum(lengths, 1e-6), 0).astype(np.float32)


def _heaviest(matrix: sparse.csr_array) -> np.ndarray:
    masses = np.bincount(matrix.indices, matrix.data**2, minlength=matrix.shape[1])
    return np.sort(np.argsort(-masses, kind="stable")[:_MOST_FACTS])


def _leading(matrix: sparse.csr_array, report: Progress) -> np.ndarray:
    """Returns the leading right singular vectors, ``(n_facts, dim)`` float32, dim at most ``DIM`` and the rank."""
    n_facts = matrix.shape[1]
    start = np.random.default_rng(0).standard_normal((n_facts, min(n_facts, DIM + _SPARE)), dtype=np.float32)
    basis = np.linalg.qr(start)[0]
    for done in range(_ROUNDS):
        report(GRAPH, done, _ROUNDS + 1)
        basis = np.linalg.qr(_gram(matrix, basis))[0]
    values, turns = np.linalg.eigh((basis.T @ _gram(matrix, basis)).astype(np.float64))
    kept = np.flatnonzero(values > 1e-6 * values[-1])[::-1][:DIM]
    vectors = basis @ turns[:, kept].astype(np.float32)
    report(GRAPH, _ROUNDS + 1, _ROUNDS + 1)
    return vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(kept))])


def _gram(matrix: sparse.csr_array, basis: np.ndarray) -> np.ndarray:
    """The matrix from both sides on a basis, without ever holding the product with one side for all items."""
    total = np.zeros_like(basis)
    for block in _blocks(matrix):
        total += block.T @ (block @ basis)
    return total


def _blocks(matrix: sparse.csr_array) -> Iterator[sparse.csr_array]:
    for start in range(0, matrix.shape[0], _ROWS):
        yield matrix[start : start + _ROWS]
