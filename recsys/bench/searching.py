"""From a changed profile to the ranked top ten, with each kind of index, on catalogs of growing size."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.bench.pairs import time_pairs
from recsys.index import CompressedIndex, Index, ItemIndex
from recsys.index.shards import shards_of
from recsys.schema import Profile
from recsys.scorer import Scorer

_K, _PAIRS = 10, 61


def time_searches(scorer: Scorer, vectors: np.ndarray, profiles: Sequence[Profile]) -> dict[str, Any]:
    """Returns what one size takes.

    ``p50_ms`` and ``p95_ms`` are of encoding and searching for profiles that no cache knows, ``search_ms`` of searching alone.
    The rival is what one writes without a library: a NumPy product, on as many threads as ours, and ``argpartition``.

    Args:
        profiles: the first half is answered with the exact index, the second with the compressed one.
    """
    exact, compressed = ItemIndex(vectors), CompressedIndex.from_vectors(vectors)
    query = scorer.queries(profiles[:1])
    ours, theirs = partial(exact.search, query, _K), partial(_numpy, vectors, query[0].astype(np.float32))
    with threadpool_limits(len(shards_of(len(vectors))), user_api="blas"):  # as many as ours
        against_numpy = time_pairs(ours, theirs, repeats=_PAIRS)
    kinds = time_pairs(partial(compressed.search, query, _K), ours, repeats=_PAIRS)
    half = len(profiles) // 2
    return {
        **_answers(exact, scorer, profiles[:half]),
        "search_ms": _median_ms(kinds.second),
        "numpy_ms": _median_ms(against_numpy.second),
        "numpy_over_exact": round(against_numpy.ratio, 3),
        "compressed": {
            **_answers(compressed, scorer, profiles[half:]),
            "search_ms": _median_ms(kinds.first),
            "recall_at_10_items": round(compressed.recall, 4),
            "recall_at_10_profiles": round(compressed.measured_recall(scorer.queries(profiles)), 4),
        },
        "exact_over_compressed": round(kinds.ratio, 3),
    }


def time_bandwidth(vectors: np.ndarray, query: np.ndarray) -> dict[str, Any]:
    """Returns how fast the exact search reads the matrix, against reading it once and adding it up with all threads."""
    import torch

    index, flat = ItemIndex(vectors), torch.from_numpy(vectors).view(-1)
    pairs = time_pairs(partial(index.search, query, _K), flat.sum, repeats=_PAIRS)
    searching, reading = (vectors.nbytes / float(np.median(seconds)) / 1e9 for seconds in (pairs.first, pairs.second))
    return {
        "bandwidth_fraction": round(pairs.ratio, 3),
        "n_items": len(vectors),
        "achieved_gb_s": round(searching, 1),
        "streaming_gb_s": round(reading, 1),
    }


def _answers(index: Index, scorer: Scorer, profiles: Sequence[Profile]) -> dict[str, float]:
    """Each profile's sentence is new, so nothing comes from a cache."""

    def answer(profile: Profile) -> None:
        index.search(scorer.queries([profile]), _K)

    answer(profiles[0])
    taken = [_milliseconds(partial(answer, profile)) for profile in profiles[1:]]
    return {"p50_ms": round(float(np.percentile(taken, 50)), 2), "p95_ms": round(float(np.percentile(taken, 95)), 2)}


def _numpy(vectors: np.ndarray, query: np.ndarray) -> np.ndarray:
    scores = vectors @ query
    k = min(_K, len(scores))
    best = np.argpartition(-scores, k - 1)[:k]
    return best[np.argsort(-scores[best], kind="stable")]


def _median_ms(seconds: Sequence[float]) -> float:
    return round(1000 * float(np.median(seconds)), 3)


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)
