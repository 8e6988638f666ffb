"""Matrix factorisation of likes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.errors import MissingExtraError
from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.features import known_only, liked_matrix
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.schema import Dataset, Profile


class ImplicitMf:
    """Weighted matrix factorisation by alternating least squares; a new user's factors are solved from the liked items.

    Source: Hu, Koren and Volinsky 2008; the implementation is the package ``implicit``.
    """

    name = "implicit mf"
    grid: tuple[Parameters, ...] = (
        {"factors": 16, "regularization": 10, "alpha": 1},
        {"factors": 8, "regularization": 10, "alpha": 1},
        {"factors": 32, "regularization": 10, "alpha": 1},
        {"factors": 64, "regularization": 10, "alpha": 1},
        {"factors": 16, "regularization": 20, "alpha": 1},
        {"factors": 16, "regularization": 30, "alpha": 1},
        {"factors": 64, "regularization": 30, "alpha": 1},
        {"factors": 16, "regularization": 50, "alpha": 1},
        {"factors": 64, "regularization": 100, "alpha": 10},
        {"factors": 16, "regularization": 400, "alpha": 10},
    )

    def can_use(self, level: Level) -> bool:
        """Where there are liked items."""
        return level.n_liked > 0

    def fit(self, material: Material, parameters: Parameters) -> "_Factors":
        """Factorises the likes.

        Raises:
            MissingExtraError: if ``implicit`` is not installed.
        """
        try:
            from implicit.cpu.als import AlternatingLeastSquares
        except ImportError:
            fix = "Run `make peers`, which installs the extra peers."
            raise MissingExtraError("The rival 'implicit mf' needs a package", "implicit", fix=fix) from None
        from threadpoolctl import threadpool_limits

        likes = material.histories.all_likes.astype(np.float32)
        with threadpool_limits(1, "blas"):  # the package is slow, and warns, with more
            model = AlternatingLeastSquares(
                factors=int(parameters["factors"]),
                regularization=float(parameters["regularization"]),
                alpha=float(parameters["alpha"]),
                random_state=material.seed,
                num_threads=1,
            )
            model.fit(likes, show_progress=False)
        return _Factors(material.histories.dataset, model, np.asarray(likes.sum(axis=0)).ravel())


@dataclass(frozen=True)
class _Factors:
    dataset: Dataset
    model: Any
    popularity: np.ndarray

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``; ``NaN`` for items that nobody liked, and for profiles without liked items."""
        users = self.model.recalculate_user(np.arange(len(profiles)), liked_matrix(profiles, self.dataset))
        scores = np.asarray(users @ self.model.item_factors.T, dtype=np.float64)
        return known_only(scores, profiles=profiles, popularity=self.popularity)
