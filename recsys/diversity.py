"""Maximal marginal relevance: a list that does not repeat itself."""

import numpy as np


def diversify(scores: np.ndarray, vectors: np.ndarray, k: int, *, diversity: float) -> np.ndarray:
    """Returns the positions of k candidates, chosen one by one for their score and against what was chosen already.

    Each step takes the largest ``(1 - diversity) * relevance - diversity * similarity``, where relevance is the score scaled
    to [0, 1] over the candidates and similarity the largest cosine with an item already chosen.

    Args:
        scores: ``(n_candidates,)``, best first.
        vectors: ``(n_candidates, dim)``, unit length.
        diversity: 0 keeps the order of the scores, 1 ignores them after the first item.

    Source: J. Carbonell, J. Goldstein, The use of MMR, 1998.
    """
    spread = float(scores.max() - scores.min()) if len(scores) else 0.0
    relevance = (scores - scores.min()) / spread if spread else np.ones(len(scores))
    similarity = np.zeros(len(scores))
    chosen: list[int] = []
    while len(chosen) < min(k, len(scores)):
        value = (1 - diversity) * relevance - diversity * similarity
        value[chosen] = -np.inf
        best = int(value.argmax())
        closeness = vectors @ vectors[best]
        similarity = closeness if not chosen else np.maximum(similarity, closeness)
        chosen.append(best)
    return np.array(chosen, dtype=int)
