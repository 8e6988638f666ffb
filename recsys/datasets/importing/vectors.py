"""Vectors of items and users that somebody brings, put in the order of known ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.datasets.importing.files import printable
from recsys.datasets.importing.findings import Finding, Findings, shown
from recsys.datasets.importing.vector_files import (
    ROWS,
    VectorBlock,
    check_size,
    damage_told,
    is_npy,
    mapped_npy,
    npy_blocks,
    parquet_blocks,
)
from recsys.errors import DataError
from recsys.schema import COSINE
from recsys.settings import Limits


@dataclass(frozen=True)
class VectorFiles:
    """Vectors that an import brings along.

    Attributes:
        items: file of the items' vectors.
        users: file of the users' vectors; ``None`` where there are none.
        encoder: that made them; empty where it is not known.
        similarity: how they are compared, see ``recsys.schema.VectorsInfo``.
    """

    items: Path
    users: Path | None = None
    encoder: str = ""
    similarity: str = COSINE


@dataclass(frozen=True, eq=False)
class ReadVectors:
    """Vectors in the order of known ids.

    Attributes:
        vectors: ``(n_ids, dim)`` float32; zeros for an id without a usable vector.
        read: rows of the file, of which ``accepted`` are used and the others rejected, each with a finding.
        rejected: (row, why, id) of every other one.
    """

    vectors: np.ndarray
    findings: Findings
    read: int = 0
    accepted: int = 0
    rejected: tuple[tuple[int, str, str], ...] = ()


def read_vectors(
    path: Path, role: str, *, ids: Sequence[str], limits: Limits | None = None, content: bytes | None = None
) -> ReadVectors:
    """Reads vectors and puts them in the order of the ids.

    A row is rejected if it holds what is no finite number, has another length than the first, or an id that is not known or was
    there before. An id without a vector, and a vector of length zero, are warned of: such an item is like no other.

    Args:
        role: ``item_id`` or ``user_id``, the name of the column of ids.
        content: of the file, where that was sealed and has been opened.

    Raises:
        DataError: if the file is not of a known kind, is damaged, exceeds a limit, or its rows cannot be assigned to the ids.
    """
    limits = limits or Limits()
    with damage_told(path):
        rows = (
            npy_blocks(path, limits, len(ids), role, content)
            if is_npy(path)
            else parquet_blocks(path, limits, role, content=content)
        )
        taking = _Taking(path, role, ids, limits)
        for block in rows:
            taking.take(block)
        return taking.end()


def ids_of(path: Path, role: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """Yields (row of the first, ids) of a file of vectors, part by part; rows of ``.npy`` are numbered with zeros in front, so
    that they keep their order.

    Raises:
        DataError: as ``read_vectors`` does, but for what is wrong with single rows.
    """
    with damage_told(path):
        if is_npy(path):
            n = len(mapped_npy(path, limits))
            width = len(str(max(0, n - 1)))
            for start in range(0, n, ROWS):
                yield start + 1, [f"{row:0{width}d}" for row in range(start, min(n, start + ROWS))]
            return
        for block in parquet_blocks(path, limits, role, with_vectors=False):
            yield block.row, block.ids or []


class _Taking:
    """Puts blocks of rows where they belong, and finds what is wrong with them."""

    def __init__(self, path: Path, role: str, ids: Sequence[str], limits: Limits) -> None:
        self._name, self._role, self._limits = printable(path.name), role, limits
        self._ids = ids
        self._rows = pd.Index(ids)
        self._has = np.zeros(len(ids), bool)
        self._vectors: np.ndarray | None = None
        self._findings = Findings()
        self._rejected: list[tuple[int, str, str]] = []
        self._read = 0

    def take(self, block: VectorBlock) -> None:
        """Takes some rows in."""
        if self._vectors is None and block.vectors.shape[1]:
            check_size(self._name, len(self._ids), block.vectors.shape[1], self._limits)
            self._vectors = np.zeros((len(self._ids), block.vectors.shape[1]), np.float32)
        places = self._places(block)
        faults = self._faults(block, places)
        is_fine = np.array([fault is None for fault in faults])
        if self._vectors is not None:
            self._vectors[places[is_fine]] = block.vectors[is_fine]
            self._has[places[is_fine]] = True
        for row in np.flatnonzero(~is_fine):
            what, fix, value = faults[row] or ("", "", "")
            own = "" if block.ids is None else block.ids[row]
            self._reject(block.row + int(row), what, fix, value or own, own)
        self._read += len(places)

    def _places(self, block: VectorBlock) -> np.ndarray:
        """The place of each row among the known ids, -1 for an id that is not known."""
        if block.ids is None:
            return np.arange(block.row - 1, block.row - 1 + len(block.vectors))
        return np.asarray(self._rows.get_indexer(pd.Index(block.ids)))

    def _faults(self, block: VectorBlock, places: np.ndarray) -> list[tuple[str, str, str] | None]:
        """For each row (what is wrong, what to do, value), ``None`` where it is fine."""
        noun = "item" if self._role == "item_id" else "user"
        dim = block.vectors.shape[1]
        is_finite = np.isfinite(block.vectors).all(axis=1)
        seen = self._has.copy()
        found: list[tuple[str, str, str] | None] = []
        for row, place in enumerate(places):
            fault: tuple[str, str, str] | None = None
            if place < 0:
                what = f"There is no such {noun}" if block.ids and block.ids[row] else "The id is missing"
                fault = (what, f"Add the {noun}, or delete the row.", "")
            elif not block.lengths[row]:
                fault = ("The vector is missing", "Give one, or delete the row.", "")
            elif block.lengths[row] != dim:
                value = f"{block.lengths[row]:,} numbers"
                fault = (
                    f"The vector has not {dim:,} numbers, as the first one has",
                    "Give vectors of one length.",
                    value,
                )
            elif not is_finite[row]:
                what = "The vector holds what is no finite number"
                fault = (what, "Replace NaN and infinity, or delete the row.", _odd(block.vectors[row]))
            elif seen[place]:
                fault = ("The id was there before", "Keep one row for each id; the first one is taken.", "")
            else:
                seen[place] = True
            found.append(fault)
        return found

    def _reject(self, row: int, what: str, fix: str, value: str, own: str) -> None:
        self._findings.add([Finding(self._name, row, self._role, shown(value), what, fix, True)])
        self._rejected.append((row, what, own))

    def end(self) -> ReadVectors:
        """Returns what was taken, with warnings of ids without a vector and of vectors of length zero."""
        if self._vectors is None or not self._has.any():
            fix = f"Give one row for each {self._role}, with finite numbers alone."
            first = next(iter(self._findings.kept), None)
            why = f" ({first.what})" if first else ""
            raise DataError(f"No vector can be used{why}", self._name, fix=fix)
        is_zero = self._has & ~self._vectors.any(axis=1)
        noun = "item" if self._role == "item_id" else "user"
        self._warn(~self._has, f"The {noun} has no vector", f"Add one; until then it is like no other {noun}.")
        self._warn(is_zero, "The vector has the length zero", f"Such a vector is like no other {noun}; it is kept.")
        n_rejected = len(self._rejected)
        return ReadVectors(self._vectors, self._findings, self._read, self._read - n_rejected, tuple(self._rejected))

    def _warn(self, rows: np.ndarray, what: str, fix: str) -> None:
        own = (shown(self._ids[int(row)]) for row in np.flatnonzero(rows))
        self._findings.add(Finding(self._name, None, self._role, value, what, fix, False) for value in own)


def _odd(vector: np.ndarray) -> str:
    place = int(np.argmin(np.isfinite(vector)))
    return f"{vector[place]} at {place + 1:,}"
