"""Where a profile lies on a map of items: by a rule that depends on nothing but the profile.

``umap.transform`` moves all new points of a batch together and draws random numbers, so its result depends on the batch (umap
issues 566 and 1224). Here one point is placed against frozen items: it starts at the mean of its nearest items, weighted by
UMAP's membership strengths, and goes downhill on UMAP's own objective with its expectation in place of random samples.
"""

from dataclasses import dataclass

import numpy as np

from recsys.projection.fitting import Map
from recsys.projection.spaces import ItemSpace

_SAMPLED = 20_000
_NEGATIVES = 5.0
"""Negative samples for each positive one, as in UMAP."""
_NEAR = 1e-3


@dataclass(frozen=True, eq=False)
class Place:
    """A profile on a map.

    Attributes:
        spot: ``(n_components,)``; ``NaN`` for a profile that says nothing, which lies nowhere.
        neighbours: item_rows of its nearest items in the original space, best first.
        kept: the share of them that are among its nearest on the map as well, ``NaN`` where it lies nowhere.
    """

    spot: np.ndarray
    neighbours: np.ndarray
    kept: float

    @property
    def is_somewhere(self) -> bool:
        """Whether the profile says enough to lie somewhere."""
        return bool(np.isfinite(self.spot).all())


class Placer:
    """Places profiles on one map."""

    def __init__(self, space: ItemSpace, items: Map) -> None:
        self._space = space
        self._map = items
        self._coordinates = np.asarray(items.coordinates, np.float64)
        n = len(self._coordinates)
        rows = np.arange(n) if n <= _SAMPLED else np.random.default_rng(0).choice(n, _SAMPLED, replace=False)
        self._others = self._coordinates[rows]

    def place(self, vector: np.ndarray) -> Place:
        """Places one profile's vector in the space; the same vector always gives the same place."""
        similarity = self._space.similarity(vector)
        k = min(self._map.config.n_neighbors, len(similarity))
        near = np.argpartition(-similarity, k - 1)[:k] if k else np.zeros(0, int)
        near = near[np.lexsort((near, -similarity[near]))]
        if not np.any(vector) or not k:
            return Place(np.full(self._coordinates.shape[1], np.nan), near[:0], float("nan"))
        weights = membership(1.0 - similarity[near])
        spot = self._descend(near, weights)
        distance = np.linalg.norm(self._coordinates - spot, axis=1)
        on_map = np.argpartition(distance, k - 1)[:k]
        return Place(spot, near, len(np.intersect1d(near, on_map)) / k)

    def _descend(self, near: np.ndarray, weights: np.ndarray) -> np.ndarray:
        from scipy.optimize import minimize

        anchors = self._coordinates[near]
        start = weights @ anchors / weights.sum()
        if self._map.a == 0:
            return np.asarray(start)
        push = _NEGATIVES * weights.sum() / len(self._others)
        found = minimize(
            self._objective, start, args=(anchors, weights, push), jac=True, method="L-BFGS-B", options={"maxiter": 40}
        )
        return np.asarray(found.x)

    def _objective(
        self, spot: np.ndarray, anchors: np.ndarray, weights: np.ndarray, push: float
    ) -> tuple[float, np.ndarray]:
        """UMAP's cross entropy of one point with its neighbours (pulled) and with all items (pushed), and its gradient."""
        a, b = self._map.a, self._map.b
        to_near, to_all = spot - anchors, spot - self._others
        near = np.maximum((to_near**2).sum(axis=1), 1e-12)
        every = (to_all**2).sum(axis=1) + _NEAR
        near_power, every_power = a * near**b, a * every**b
        pulled = weights @ np.log1p(near_power)
        pushed = push * (np.log1p(every_power) - np.log(every_power)).sum()
        pull = (weights * 2 * b * near_power / near / (1 + near_power)) @ to_near
        repel = (-push * 2 * b / every / (1 + every_power)) @ to_all
        return float(pulled + pushed), pull + repel


def membership(distances: np.ndarray) -> np.ndarray:
    """Returns UMAP's membership strengths of a point's neighbours: the nearest is certain, all sum to ``log2(k)``.

    Args:
        distances: ``(k,)``, ascending.
    """
    beyond = np.maximum(distances - distances[0], 0.0)
    wanted, low, high = np.log2(max(len(distances), 2)), 0.0, np.inf
    width = 1.0
    for _ in range(64):
        total = float(np.exp(-beyond / width).sum())
        if abs(total - wanted) < 1e-5:
            break
        if total > wanted:
            high, width = width, (low + width) / 2
        else:
            low, width = width, width * 2 if high == np.inf else (width + high) / 2
    least = 1e-3 * max(float(distances.mean()), 1e-12)
    return np.asarray(np.exp(-beyond / max(width, least)))
