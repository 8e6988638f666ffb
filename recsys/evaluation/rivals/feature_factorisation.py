"""Factorisation of user and item features, so that a new user is a sum of known features."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from scipy import sparse

from recsys.errors import MissingExtraError
from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.features import UserFeatures, training_samples
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.schema import Dataset, Profile


class LightFm:
    """LightFM with the WARP loss.

    A user is age band, gender, attributes, interests and liked items, without an identity; an item is its identity and its
    categories. Source: Kula 2015; the implementation is the package ``rectools-lightfm``.

    Args:
        later_only: whether only likes after the revealed ones are to be predicted (an ablation).
    """

    grid: tuple[Parameters, ...] = (
        {"components": 16, "epochs": 10, "penalty": 1e-5},
        {"components": 8, "epochs": 10, "penalty": 1e-5},
        {"components": 32, "epochs": 20, "penalty": 1e-5},
        {"components": 16, "epochs": 30, "penalty": 1e-4},
        {"components": 64, "epochs": 20, "penalty": 1e-4},
    )

    def __init__(self, *, later_only: bool = False) -> None:
        self.name = "lightfm, later likes" if later_only else "lightfm"
        self._later_only = later_only

    def can_use(self, level: Level) -> bool:
        """Always: every facet is a feature."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> "_Representations":
        """Trains on every user's likes, once per sample of the user's features.

        Raises:
            MissingExtraError: if ``rectools-lightfm`` is not installed.
        """
        lightfm = _package()
        features = UserFeatures.from_histories(material.histories)
        rng = np.random.default_rng(material.seed)
        profiles, likes = training_samples(material.histories, rng, later_only=self._later_only)
        items = _item_features(
            material.histories.dataset, np.asarray(material.histories.all_likes.sum(axis=0)).ravel() > 0
        )
        model = lightfm.LightFM(
            no_components=int(parameters["components"]),
            loss="warp",
            item_alpha=float(parameters["penalty"]),
            user_alpha=float(parameters["penalty"]),
            random_state=material.seed,
        )
        model.fit(
            likes.astype(np.float32).tocoo(),
            user_features=features.matrix(profiles),
            item_features=items,
            epochs=int(parameters["epochs"]),
            num_threads=1,
        )
        biases, vectors = model.get_item_representations(items)
        return _Representations(features, model.user_embeddings, vectors, biases)


@dataclass(frozen=True)
class _Representations:
    features: UserFeatures
    feature_vectors: np.ndarray
    item_vectors: np.ndarray
    item_biases: np.ndarray

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``."""
        users = np.asarray(self.features.matrix(profiles) @ self.feature_vectors)
        return users.astype(np.float64) @ self.item_vectors.T + self.item_biases


def _item_features(dataset: Dataset, is_warm: np.ndarray) -> sparse.csr_matrix:
    """Returns ``(n_items, n_items + n_categories)`` float32, rows summing to 1; a cold item has no identity."""
    identity = sparse.diags(is_warm.astype(np.float32))
    both = sparse.csr_matrix(sparse.hstack([identity, dataset.category_matrix]), dtype=np.float32)
    totals = np.asarray(both.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(totals, 1)) @ both, dtype=np.float32)


def _package() -> ModuleType:
    try:
        import lightfm
    except ImportError:
        fix = "Run `make peers`, which installs the extra peers."
        raise MissingExtraError("The rival 'lightfm' needs a package", "rectools-lightfm", fix=fix) from None
    return lightfm
