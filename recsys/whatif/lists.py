"""What two lists share, and what one list is made of. Lists are item_rows, best first, without -1."""

import numpy as np
import pandas as pd

from recsys.schema import Dataset

PRICE = "price"
_PATIENCE = 0.9
"""Of rank-biased overlap: the chance that a reader goes on to the next rank; the first ten then carry 86 % of the weight."""


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the share of items that two lists share, of the longer one; 1 for two empty lists."""
    longer = max(len(first), len(second))
    return len(np.intersect1d(first, second)) / longer if longer else 1.0


def rank_biased_overlap(first: np.ndarray, second: np.ndarray, p: float = _PATIENCE) -> float:
    """Returns the extrapolated rank-biased overlap, in [0, 1]: agreement that counts more at the top; 1 for the same list.

    Source: W. Webber, A. Moffat, J. Zobel, A similarity measure for indefinite rankings, 2010, equation 32.
    """
    short, long = sorted((first.tolist(), second.tolist()), key=len)
    s, n = len(short), len(long)
    if not n:
        return 1.0
    if not s:
        return 0.0
    shared = np.array([len(set(short[:depth]) & set(long[:depth])) for depth in range(1, n + 1)], float)
    depths = np.arange(1, n + 1)
    weights = p**depths
    total = (shared / depths * weights).sum()
    beyond = depths > s
    total += (shared[s - 1] * (depths - s) / (s * depths) * weights)[beyond].sum()
    last = ((shared[-1] - shared[s - 1]) / n + shared[s - 1] / s) * p**n
    return float((1 - p) / p * total + last)


def category_shares(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """Returns ``(n_categories,)``: the share of a list's items that carry each category; all 0 for an empty list."""
    return np.asarray(dataset.category_matrix[rows].sum(axis=0) / max(len(rows), 1))


def exposure(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """Returns ``(n_categories,)``: the share of a reader's attention that items of each category get, ``1 / log2(1 + rank)``.

    An item of several categories counts for each of them, so shares need not sum to 1.

    Source: A. Singh, T. Joachims, Fairness of exposure in rankings, 2018.
    """
    weights = 1 / np.log2(2 + np.arange(len(rows)))
    return np.asarray(weights @ dataset.category_matrix[rows] / max(weights.sum(), 1e-12))


def mean_likes(dataset: Dataset, rows: np.ndarray) -> float:
    """Returns how many likes a list's items have on average, ``NaN`` for an empty list."""
    return float(dataset.popularity[rows].mean()) if len(rows) else float("nan")


def mean_price(dataset: Dataset, rows: np.ndarray) -> float:
    """Returns the mean price of those items of a list that have one, ``NaN`` where none has."""
    if PRICE not in dataset.items:
        return float("nan")
    prices = pd.to_numeric(dataset.items[PRICE].iloc[rows], errors="coerce").dropna()
    return float(prices.mean()) if len(prices) else float("nan")
