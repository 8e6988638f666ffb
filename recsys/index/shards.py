"""A matrix in parts that are scanned at the same time, one thread each.

FAISS's own threads are OpenMP's, which fight for the processor with those of BLAS and torch (measured at a million items: 147 ms
for a scan that takes 54 ms in two shards).
"""

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

_MOST = 4
"""Threads; a few of them read as fast as memory delivers."""
_WORTH_A_THREAD = 20_000
T = TypeVar("T")


def shards_of(n_items: int) -> list[tuple[int, int]]:
    """Returns where the parts of a matrix begin and end; a small one is one part."""
    n_shards = max(1, min(_n_threads(), n_items // _WORTH_A_THREAD))
    return list(pairwise(int(at) for at in np.linspace(0, n_items, n_shards + 1).round()))


def in_threads(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Returns what each call gives, all called at the same time, FAISS on one thread in each."""
    return [future.result() for future in [_pool().submit(call) for call in calls]]


def bits_of(mask: np.ndarray) -> np.ndarray:
    """Returns a mask as FAISS reads it."""
    return np.packbits(mask, bitorder="little")


def _n_threads() -> int:
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        usable = os.cpu_count() or 1
    return min(_MOST, usable)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    import faiss

    return ThreadPoolExecutor(_n_threads(), "search", initializer=functools.partial(faiss.omp_set_num_threads, 1))
