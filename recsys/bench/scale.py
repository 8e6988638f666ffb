"""How training grows: seconds and peak memory on synthetic users, items and interactions."""

import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from recsys.encoder import TextCheck
from recsys.schema import Dataset, DatasetInfo
from recsys.training import train_additive

_KINDS = 18
_DIM = 384
_PER_USER, _PER_ITEM = 100, 500


class _KindEncoder:
    """Embeds ``kind 7`` as the centre of that kind; stands for a sentence encoder, whose cost is measured elsewhere."""

    name, identity, dim, description = "synthetic", "synthetic", _DIM, "cpu, synthetic"

    def __init__(self, centres: np.ndarray) -> None:
        self._centres = centres

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: object = None) -> np.ndarray:
        """Returns ``(n_texts, dim)``."""
        return self._centres[[int(text.split()[1]) for text in texts]]

    def check(self, text: str) -> TextCheck:
        """Every text is short and known."""
        return TextCheck(4, False, False)


def train_synthetic(n_interactions: int, *, seed: int = 0) -> dict[str, Any]:
    """Trains on synthetic likes, 100 per user and 500 per item on average; tastes follow kinds, popularity a power law.

    Returns the sizes, seconds of making the data and of training, and the peak memory of the process so far in MB. To compare
    sizes, run each in a process of its own.
    """
    started = time.perf_counter()
    dataset, vectors, encoder = _synthetic(n_interactions, np.random.default_rng(seed))
    made, before = time.perf_counter() - started, _peak()
    training = train_additive(dataset, vectors, encoder=encoder)
    return {
        "interactions": len(dataset.interactions),
        "users": len(dataset.users),
        "items": len(dataset.items),
        "seconds": round(training.seconds, 2),
        "seconds_to_make_the_data": round(made, 2),
        "peak_mb": round(_peak()),
        "peak_mb_before_training": round(before),
    }


def _synthetic(n_interactions: int, rng: np.random.Generator) -> tuple[Dataset, np.ndarray, _KindEncoder]:
    n_users, n_items = max(50, n_interactions // _PER_USER), max(50, n_interactions // _PER_ITEM)
    centres = _unit(rng.standard_normal((_KINDS, _DIM)))
    kinds = rng.integers(0, _KINDS, n_items)
    vectors = _unit(centres[kinds] + 0.05 * rng.standard_normal((n_items, _DIM))).astype(np.float32)
    ids = np.array([f"i{number}" for number in range(n_items)], dtype=object)
    order = np.argsort(ids.astype(str), kind="stable")
    items = pd.DataFrame({"item_id": ids, "title": ids, "categories": [(f"kind {kind}",) for kind in kinds]})
    user_ids = np.array([f"u{number}" for number in range(n_users)], dtype=object)
    users = pd.DataFrame({"user_id": user_ids, "age": rng.integers(15, 75, n_users).astype(float)})
    users["gender"] = rng.choice(["F", "M"], n_users)
    user = rng.integers(0, n_users, n_interactions)
    favourite = (users["age"].to_numpy(int)[user] // 10 + 6 * (users["gender"].to_numpy(str)[user] == "F")) % _KINDS
    row = np.minimum((n_items * rng.random(n_interactions) ** 3).astype(int), n_items - 1)
    by_kind = np.argsort(kinds, kind="stable")
    starts, counts = np.searchsorted(kinds[by_kind], np.arange(_KINDS)), np.bincount(kinds, minlength=_KINDS)
    own = by_kind[(starts[favourite] + (counts[favourite] * rng.random(n_interactions) ** 3).astype(int)) % n_items]
    row = np.where(rng.random(n_interactions) < 0.3, own, row)
    frame = {"user_id": _coded(user, user_ids), "item_id": _coded(row, ids)}
    interactions = pd.DataFrame({**frame, "timestamp": rng.integers(0, 10**9, n_interactions)})
    sorted_items = items.iloc[order].reset_index(drop=True)
    dataset = Dataset("synthetic", DatasetInfo("Synthetic", simulated=True), sorted_items, users, interactions)
    return dataset, vectors[order], _KindEncoder(centres.astype(np.float32))


def _coded(codes: np.ndarray, names: np.ndarray) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, names)  # type: ignore[call-overload, unused-ignore]


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _peak() -> float:
    """Peak resident memory of this process in MB (Linux counts kilobytes, macOS bytes)."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 1024**2 if sys.platform == "darwin" else size / 1024
