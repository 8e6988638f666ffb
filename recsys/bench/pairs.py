"""Two ways to do a thing, timed in turns, so that whatever else the machine does slows down both."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_SHORTEST = 0.02
"""Seconds of one measurement; what is shorter is called several times."""


@dataclass(frozen=True)
class Pairs:
    """Seconds of one call of each way, measured next to each other.

    Attributes:
        first: one for each pair.
        second: one for each pair.
    """

    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times as long the second way takes, the median over the pairs."""
        return float(np.median(np.divide(self.second, self.first)))


def time_pairs(first: Callable[[], object], second: Callable[[], object], *, repeats: int) -> Pairs:
    """Calls both ways in turns, each as often as the other first, after one call that does not count."""
    calls = [(call, _calls_for(call)) for call in (first, second)]
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats):
        for place in (0, 1) if turn % 2 else (1, 0):
            call, n = calls[place]
            taken[place].append(_seconds(call, n))
    return Pairs(tuple(taken[0]), tuple(taken[1]))


def _calls_for(call: Callable[[], object]) -> int:
    call()
    return max(1, round(_SHORTEST / max(1e-6, _seconds(call, 1))))


def _seconds(call: Callable[[], object], n: int) -> float:
    started = time.perf_counter()
    for _ in range(n):
        call()
    return (time.perf_counter() - started) / n
