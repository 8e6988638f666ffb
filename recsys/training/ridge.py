"""The closed forms that training is made of; time and memory grow linearly with users, items and interactions."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, svds

from recsys.training.histories import Histories

_DENSE_UP_TO = 4_000_000
_SOFTENING = 60.0


class Response:
    """What is to be predicted: later likes minus their prior, zero where a like was revealed.

    An item that a user revealed says nothing about whether it would be liked later, so it counts neither for nor against:
    ``R = mask * (later - prior)``, kept as a sparse matrix minus an outer product, so it never becomes dense.

    Attributes:
        prior: ``(n_items,)``, share of the users who liked each item later among those who had not revealed it.
        n_shown: ``(n_items,)``, number of those users.
    """

    def __init__(self, histories: Histories) -> None:
        later, revealed = histories.later_likes, histories.revealed_likes
        self.n_shown = len(histories) - np.asarray(revealed.sum(0)).ravel()
        self.n_later = np.asarray(later.sum(0)).ravel()
        self.prior = self.n_later / np.maximum(self.n_shown, 1)
        self._sparse = (later + revealed @ sparse.diags(self.prior)).tocsr()

    def left_times(self, rows: np.ndarray | sparse.spmatrix) -> np.ndarray:
        """Returns ``rows' R`` for ``(n_users, p)`` rows, dense ``(p, n_items)``."""
        total = np.asarray(rows.sum(axis=0)).ravel()
        return np.asarray((self._sparse.T @ rows).T) - np.outer(total, self.prior)

    def right_times(self, columns: np.ndarray) -> np.ndarray:
        """Returns ``R columns`` for ``(n_items, k)`` columns."""
        return np.asarray(self._sparse @ columns) - (self.prior @ columns)[None]

    def directions(self, k: int, *, facts: np.ndarray, seed: int) -> np.ndarray:
        """Returns the directions in which tastes differ, ``(n_items, k)``, orthonormal.

        First those that the facts explain (up to a fifth of them), then the strongest of what is left.

        Args:
            k: how many; fewer where there are fewer users or items.
            facts: ``(n_users, p)``, centred.
        """
        strongest = self._strongest(k, seed)
        explained = self._explained(max(1, k // 5), facts)
        rest = strongest - explained @ (explained.T @ strongest)
        joined = np.linalg.qr(np.hstack([explained, rest[:, : max(1, k - explained.shape[1])]]))[0]
        return joined * np.sign(joined[np.abs(joined).argmax(axis=0), np.arange(joined.shape[1])])

    def _explained(self, k: int, facts: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(facts.T @ facts)
        kept = values > 1e-9 * max(1.0, values.max(initial=0.0))
        whitened = (vectors[:, kept] / np.sqrt(values[kept] + _SOFTENING)).T @ self.left_times(facts)
        sizes, directions = np.linalg.svd(whitened, full_matrices=False)[1:]
        return np.asarray(directions[: min(k, int((sizes > 1e-9).sum()))].T)

    def _strongest(self, k: int, seed: int) -> np.ndarray:
        """The strongest right singular vectors of R, ``(n_items, k)``."""
        shape = self._sparse.shape
        k = max(1, min(k, min(shape) - 1))
        if shape[0] * shape[1] <= _DENSE_UP_TO:
            return np.asarray(self._dense_vectors(k))
        operator = LinearOperator(shape, matvec=self._times, rmatvec=self._times_transposed, dtype=np.float64)
        start = np.random.default_rng(seed).standard_normal(min(shape))
        return np.asarray(svds(operator, k, v0=start, return_singular_vectors="vh")[2][::-1].T)

    def _dense_vectors(self, k: int) -> np.ndarray:
        """The same through the smaller Gram matrix, which is quicker where R fits."""
        dense = self._sparse.toarray() - self.prior[None]
        if dense.shape[0] >= dense.shape[1]:
            return np.linalg.eigh(dense.T @ dense)[1][:, ::-1][:, :k]
        values, left = np.linalg.eigh(dense @ dense.T)
        order = np.argsort(-values, kind="stable")[:k]
        kept = order[values[order] > 1e-9 * max(1.0, values.max())]
        return dense.T @ left[:, kept] / np.sqrt(values[kept])

    def _times(self, vector: np.ndarray) -> np.ndarray:
        return np.asarray(self._sparse @ vector.ravel()) - self.prior @ vector.ravel()

    def _times_transposed(self, vector: np.ndarray) -> np.ndarray:
        return np.asarray(self._sparse.T @ vector.ravel()) - self.prior * vector.sum()

    def own(self, likes: sparse.csr_matrix) -> np.ndarray:
        """Returns, for each item, the sum of R over the users who like it, ``(n_items,)``."""
        kept = np.asarray(likes.multiply(self._sparse).sum(0)).ravel()
        return kept - self.prior * np.asarray(likes.sum(0)).ravel()


def ridge(
    rows: np.ndarray, targets: np.ndarray, *, penalty: float, blocks: Sequence[slice], overlap: float
) -> np.ndarray:
    """Returns the ridge coefficients, ``(p, k)``, under dropout of whole blocks.

    A model that sees each block of columns with probability ``overlap`` meets, on average, the products between different
    blocks that much more rarely than those within one. 1 is the ordinary ridge; 0 fits each block as if it were alone.

    Source: S. Wager, S. Wang, P. Liang, Dropout training as adaptive regularization, 2013 (the marginalised form).
    """
    gram = overlap * (rows.T @ rows)
    for block in blocks:
        gram[block, block] = rows[:, block].T @ rows[:, block]
    return np.linalg.solve(gram + penalty * np.eye(len(gram)), rows.T @ targets)
