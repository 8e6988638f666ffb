"""How far a map can be believed: whether neighbours on it are neighbours in truth, and the other way round."""

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
        kept: ``(n_items,)``, the share of each item's 15 true neighbours that are among its 15 nearest on the map.
        n_sampled: items that the first two were measured on.

    Source: J. Venna, S. Kaski, Local multidimensional scaling, 2006.
    """

    trustworthiness: float
    continuity: float
    kept: np.ndarray
    n_sampled: int

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
        return Trust(float("nan"), float("nan"), np.zeros(n), n)
    known = (nearest_items(vectors, k) if true is None else true)[:, :k]
    shown = nearest_on_map(coordinates, k)
    kept = np.array([len(np.intersect1d(a, b, assume_unique=True)) / k for a, b in zip(known, shown, strict=True)])
    rows = np.arange(n) if n <= _SAMPLED else np.sort(np.random.default_rng(0).choice(n, _SAMPLED, replace=False))
    from sklearn.manifold import trustworthiness

    unit = unit_rows(np.asarray(vectors[rows], np.float32))
    places = np.asarray(coordinates[rows], np.float32)
    there = trustworthiness(unit, places, n_neighbors=k, metric="cosine")
    back = trustworthiness(places, unit, n_neighbors=k)  # between unit rows, the distance orders as the cosine does
    return Trust(float(there), float(back), kept, len(rows))


def nearest_items(vectors: np.ndarray, k: int = _K) -> np.ndarray:
    """Returns ``(n, k)`` item_rows: the nearest others of every item by cosine, best first, exactly."""
    unit = unit_rows(np.asarray(vectors, np.float32))
    return _nearest(len(unit), k, lambda block: unit[block] @ unit.T)


def nearest_on_map(coordinates: np.ndarray, k: int = _K) -> np.ndarray:
    """Returns ``(n, k)``: the nearest others of every item on the map."""
    from sklearn.neighbors import NearestNeighbors

    # asked for no points in particular, scikit-learn leaves each point out of its own neighbours
    return np.asarray(NearestNeighbors(n_neighbors=k).fit(coordinates).kneighbors(return_distance=False))


def _nearest(n: int, k: int, similarities) -> np.ndarray:  # type: ignore[no-untyped-def]
    result = np.zeros((n, k), np.int64)
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        found = similarities(rows)
        found[np.arange(len(rows)), rows] = -np.inf
        best = np.argpartition(-found, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(found, best, axis=1)
        order = np.lexsort((best, -values), axis=1)
        result[rows] = np.take_along_axis(best, order, axis=1)
    return result


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns the rows at length 1; zero rows stay zero."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
