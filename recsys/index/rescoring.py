"""Candidates become an answer: scored in float64 row by row, best first, ties to the smaller item_row.

Every kind of index ends here, so their answers are equal wherever their candidates are.
"""

import numpy as np

_RESCORED_ROWS = 1 << 14
_ROUNDING = 1e-5
"""Float32 products of vectors up to a few units long differ from float64 by far less than this."""


def slack(query: np.ndarray) -> float:
    """Returns by how much two float32 scores of a query must differ for their order to be certain."""
    return _ROUNDING * max(1.0, float(np.abs(query).max(initial=0.0)))


def rescore(vectors: np.ndarray, query: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the float64 scores of some rows, each computed on its own."""
    exact = query.astype(np.float64)
    parts = [
        np.einsum("nd,d->n", vectors[rows[at : at + _RESCORED_ROWS]].astype(np.float64), exact)
        for at in range(0, len(rows), _RESCORED_ROWS)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def best_of(vectors: np.ndarray, query: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k best of some rows and their scores."""
    exact = rescore(vectors, query, rows)
    order = np.lexsort((rows, -exact))[:k]
    return rows[order], exact[order]


def near_the_best(
    query: np.ndarray, rows: np.ndarray, scores: np.ndarray, k: int, *, unseen: float
) -> np.ndarray | None:
    """Returns those of some rows that rounding allows among the best k, ``None`` if rows that were not seen may be, too.

    Args:
        scores: float32, of the rows, in any order; the best ones, at least k of them unless there are fewer.
        unseen: what the score of a row that is not here is at most; ``-inf`` if there is none.
    """
    if len(rows) <= k:
        return rows
    threshold = float(np.partition(scores, len(scores) - k)[len(scores) - k]) - slack(query)
    return rows[scores >= threshold] if unseen < threshold else None
