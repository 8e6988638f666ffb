"""How far a map can be believed: whether neighbours on it are neighbours in truth, and the other way round."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_K = 15
_SAMPLED = 3_000
_BLOCK = 1_024


@dataclass(frozen=True, eq=False)
class Trust:
    """How much of the truth a map keeps.

    Attributes:
        trustworthiness: 1 where neighbours on the map are neighbours in the original space; about 0.5 by chance.
        continuity: 1 where neighbours in the original space are neighbours on the map.
        kept: ``(n_items,)``, the share of each item's ``k`` true neighbours that are among its ``k`` nearest on the map.
        n_sampled: items that the first two were measured on.
        k: 15, less where there are fewer than 31 items, 0 where there are too few to measure.

    Source: J. Venna, S. Kaski, Local multidimensional scaling, 2006.
    """

    trustworthiness: float
    continuity: float
    kept: np.ndarray
    n_sampled: int
    k: int = _K

    @property
    def mean_kept(self) -> float:
        """The mean share of true neighbours that the map keeps."""
        return float(self.kept.mean()) if len(self.kept) else float("nan")


def measure_trust(vectors: np.ndarray, coordinates: np.ndarray, *, true: np.ndarray | None = None) -> Trust:
    """Measures a map against the cosine neighbours in the original space.

    Args:
        true: the result of ``nearest_items(vectors)`` where it is known already.
    """
    n, k = len(vectors), min(_K, max(0, (len(vectors) - 1) // 2))
    if k == 0:
        return Trust(float("nan"), float("nan"), np.full(n, np.nan), n, 0)
    known = (nearest_items(vectors, k) if true is None else true)[:, :k]
    shown = nearest_on_map(coordinates, k)
    kept = np.array([len(np.intersect1d(a, b, assume_unique=True)) / k for a, b in zip(known, shown, strict=True)])
    rows = np.arange(n) if n <= _SAMPLED else np.sort(np.random.default_rng(0).choice(n, _SAMPLED, replace=False))
    from sklearn.manifold import trustworthiness

    unit = unit_rows(np.asarray(vectors[rows], np.float32))
    places = np.asarray(coordinates[rows], np.float32)
    there = trustworthiness(unit, places, n_neighbors=k, metric="cosine")
    back = trustworthiness(places, unit, n_neighbors=k)  # between unit rows, the distance orders as the cosine does
    return Trust(float(there), float(back), kept, len(rows), k)


def nearest_items(
    vectors: np.ndarray, k: int = _K, *, progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """Returns ``(n, k)`` item_rows: the nearest others of every item by cosine, best first, exactly.

    Args:
        progress: called with the number of items that are done, and of all.
    """
    unit = unit_rows(np.asarray(vectors, np.float32))
    n = len(unit)
    found = np.zeros((n, min(k, max(n - 1, 0))), np.int64)
    for start in range(0, n if found.shape[1] else 0, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        found[rows] = _best(unit[rows] @ unit.T, rows, found.shape[1])
        if progress:
            progress(int(rows[-1]) + 1, n)
    return found


def nearest_to(vectors: np.ndarray, row: int, k: int = _K) -> np.ndarray:
    """Returns the row of ``nearest_items`` for one item, without looking for those of the others."""
    unit = unit_rows(np.asarray(vectors, np.float32))
    k = min(k, len(unit) - 1)
    return _best(unit[[row]] @ unit.T, np.array([row]), k)[0] if k else np.zeros(0, np.int64)


def nearest_on_map(coordinates: np.ndarray, k: int = _K) -> np.ndarray:
    """Returns ``(n, k)``: the nearest others of every item on the map."""
    from sklearn.neighbors import NearestNeighbors

    # asked for no points in particular, scikit-learn leaves each point out of its own neighbours
    return np.asarray(NearestNeighbors(n_neighbors=k).fit(coordinates).kneighbors(return_distance=False))


def _best(similarity: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """The columns of the ``k`` largest values of each line, without the item itself; writes into ``similarity``."""
    similarity[np.arange(len(rows)), rows] = -np.inf
    best = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    values = np.take_along_axis(similarity, best, axis=1)
    order = np.lexsort((best, -values), axis=1)
    return np.take_along_axis(best, order, axis=1)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns the rows at length 1; zero rows stay zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
