"""The audit of explanations: completeness, deletion, joint deletion of pairs, randomised weights, cost."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from recsys.audit.games import Game, area, best_area, draw_profiles, play, random_area
from recsys.audit.methods import Method, forgetful, methods
from recsys.encoder import TransformerEncoder
from recsys.explanation import EXACT, FIRST_LAST, words_of
from recsys.explanation.pieces import join, split
from recsys.recommender import Recommender
from recsys.schema import Explanation

_PER_PROFILE = 5
_TOP = 10
_SUBSETS = 24
_KINDS = (("random", False), ("top", True))
Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Pair:
    """A profile's game and one item."""

    game: Game
    item_row: int
    is_top: bool


def audit_explanations(
    recommender: Recommender, *, n_pairs: int = 200, seed: int = 0, progress: Progress | None = None
) -> dict[str, Any]:
    """Measures explanations on ``n_pairs`` random and as many top-5 pairs; see the README for what the figures mean.

    Raises:
        MissingExtraError: if captum is not installed.
    """
    say, rng = progress or (lambda step: None), np.random.default_rng(seed)
    chosen = methods(recommender, rng)
    say("scoring every subset of every profile's words")
    pairs = _draw(recommender, n_pairs, rng)
    results = {}
    for method in chosen:
        say(f"deleting words by {method.name}")
        results[method.name] = _judge(recommender, method, pairs)
    say("explaining every pair")
    explained = [_explain(recommender, pair) for pair in pairs]
    say("deleting words of both sides")
    matrices = _matrices(recommender, pairs, explained, rng)
    for name, found in matrices.items():
        results.setdefault(name, {})["matrix_correlation"] = found
    ours = results.pop("exact vector Shapley")
    say("randomising the weights")
    return {
        "scorer": recommender.scorer.name,
        "dataset": recommender.dataset.name,
        "n_pairs": {kind: sum(pair.is_top == is_top for pair in pairs) for kind, is_top in _KINDS},
        "completeness_max": max(explanation.completeness_error for explanation in explained),
        **ours,
        "top_word_exit_above_average": _exit_above_average(recommender, pairs),
        "top_word_exit_possible": _exit_possible(recommender, pairs),
        "randomised_spearman": _randomised(recommender, pairs),
        "cost_ms": _cost(recommender, pairs),
        "rivals": results,
    }


def _draw(recommender: Recommender, n_pairs: int, rng: np.random.Generator) -> list[Pair]:
    pairs = []
    for profile in draw_profiles(recommender, -(-n_pairs // _PER_PROFILE), rng):
        game = play(recommender, profile)
        best = recommender.recommend(profile, k=_PER_PROFILE).table["item_id"]
        n_items = len(recommender.dataset.items)
        drawn = rng.choice(n_items, min(_PER_PROFILE, n_items), replace=False)
        pairs += [Pair(game, int(row), False) for row in drawn]
        pairs += [Pair(game, recommender.dataset.item_row(item_id), True) for item_id in best]
    return pairs


def _judge(recommender: Recommender, method: Method, pairs: Sequence[Pair]) -> dict[str, Any]:
    deletion: dict[bool, list[float]] = {True: [], False: []}
    correlation: dict[bool, list[float]] = {True: [], False: []}
    exits, spent = [], 0.0
    for pair in pairs:
        game, values = pair.game, pair.game.values(recommender.index.vectors[pair.item_row])
        started = time.process_time()
        words = method.words(game, pair.item_row)
        spent += time.process_time() - started
        order = np.argsort(-words, kind="stable")
        expected, best = random_area(values, game.sizes, game.n), best_area(values, game.n)
        if expected - best > 1e-9:
            deletion[pair.is_top].append((expected - area(values, order)) / (expected - best))
        correlation[pair.is_top].append(_agreement(words, values, game.n))
        if pair.is_top:
            exits.append(_leaves(recommender, pair, int(order[0])))
    return {
        "normalised_deletion": _by_kind(deletion),
        "subset_correlation": _by_kind(correlation),
        "top_word_exit": round(float(np.mean(exits)), 4),
        "cpu_ms_per_pair": round(1000 * spent / len(pairs), 3),
    }


def _by_kind(values: dict[bool, list[float]]) -> dict[str, float | None]:
    """The mean of each kind of pairs; ``None`` where no pair can be judged, as no word of it matters."""
    return {name: round(float(np.mean(values[kind])), 4) if values[kind] else None for name, kind in _KINDS}


def _agreement(words: np.ndarray, values: np.ndarray, n: int) -> float:
    """Pearson correlation of what the deleted words add, in sum, with what their deletion takes from the score."""
    kept = (np.arange(len(values))[:, None] >> np.arange(n)) & 1
    return _pearson((1 - kept) @ words, values[-1] - values)


def _pearson(left: np.ndarray, right: np.ndarray) -> float:
    if left.std() < 1e-12 or right.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])


def _exit_above_average(recommender: Recommender, pairs: Sequence[Pair]) -> float:
    """The top-word test with the words ranked by what they add above the average item, as the switch on the page does."""
    mean = recommender.explainer.mean_vector
    found = []
    for pair in (pair for pair in pairs if pair.is_top):
        item = np.asarray(recommender.index.vectors[pair.item_row], np.float64)
        parts = recommender.scorer.facet_vectors(pair.game.profile)
        side = recommender.explainer.profile_side(pair.game.profile, parts, EXACT)
        words = side.vectors[[line.is_word for line in side.lines]] @ (item - mean)
        found.append(_leaves(recommender, pair, int(np.argmax(words))))
    return round(float(np.mean(found)), 4)


def _exit_possible(recommender: Recommender, pairs: Sequence[Pair]) -> float:
    """The share of top pairs that leave the top ten for some word at all: no method can reach more."""
    top = [pair for pair in pairs if pair.is_top]
    return round(float(np.mean([any(_leaves(recommender, p, w) for w in range(p.game.n)) for p in top])), 4)


def _leaves(recommender: Recommender, pair: Pair, word: int) -> bool:
    """Whether the item leaves the top ten when a word is deleted."""
    query = pair.game.queries[pair.game.everyone & ~(1 << word)]
    allowed = recommender.allowed(pair.game.profile)
    return recommender.index.rank_of(query, pair.item_row, allowed=allowed) > _TOP


def _explain(recommender: Recommender, pair: Pair) -> Explanation:
    item_id = str(recommender.dataset.items["item_id"].iloc[pair.item_row])
    return recommender.explain(pair.game.profile, item_id, tier=EXACT)


def _matrices(
    recommender: Recommender, pairs: Sequence[Pair], explained: Sequence[Explanation], rng: np.random.Generator
) -> dict[str, dict[str, float | None]]:
    """Correlation of each matrix with what deleting words of both sides at once does to the score."""
    found: dict[str, dict[bool, list[float]]] = {
        name: {True: [], False: []} for name in ("exact vector Shapley", "first-last vector Shapley", "random")
    }
    quick = forgetful(recommender)
    for pair, explanation in zip(pairs, explained, strict=True):
        parts = recommender.scorer.facet_vectors(pair.game.profile)
        rows, columns = quick.profile_side(pair.game.profile, parts, FIRST_LAST), quick.item_side(pair.item_row)
        trial = _Joint(recommender, pair, explanation, rng)
        values = {
            "exact vector Shapley": explanation.matrix.values,
            "first-last vector Shapley": rows.vectors @ columns.vectors.T,
            "random": rng.standard_normal(explanation.matrix.values.shape),
        }
        for name, matrix in values.items():
            found[name][pair.is_top].append(_pearson(trial.predicted(matrix), trial.true))
    return {name: _by_kind(values) for name, values in found.items()}


class _Joint:
    """Random deletions of words of both sides, and what each truly takes from the score."""

    def __init__(
        self, recommender: Recommender, pair: Pair, explanation: Explanation, rng: np.random.Generator
    ) -> None:
        rows = [line.is_word for line in explanation.matrix.rows]
        columns = [line.is_word for line in explanation.matrix.columns]
        self._rows = self._draw(rows, rng)
        self._columns = self._draw(columns, rng)
        words = np.flatnonzero(rows)
        masks = (self._rows[:, words] << np.arange(len(words))).sum(axis=1)
        items = self._items(recommender, pair.item_row, np.flatnonzero(columns))
        full = np.asarray(recommender.index.vectors[pair.item_row], np.float64)
        queries = pair.game.queries
        self.true = (queries[-1] @ full - queries[masks] @ items.T).ravel()

    @staticmethod
    def _draw(is_word: Sequence[bool], rng: np.random.Generator) -> np.ndarray:
        """``(n_subsets, n_lines)`` of 0 and 1: what is kept; lines that are no words always are."""
        kept = rng.integers(0, 2, (_SUBSETS, len(is_word)))
        kept[:, ~np.array(is_word, bool)] = 1
        return kept

    def _items(self, recommender: Recommender, item_row: int, words: np.ndarray) -> np.ndarray:
        """The item's vector with words of its text deleted: what it has beyond its text stays."""
        explainer = recommender.explainer
        pieces = split(explainer.item_texts[item_row])
        texts = [join(piece for piece, keep in zip(pieces, kept[words], strict=True) if keep) for kept in self._columns]
        entering = recommender.scorer.item_map
        full = np.asarray(recommender.index.vectors[item_row], np.float64)
        beyond = full - entering(recommender.embeddings[item_row][None])[0]
        return np.asarray(entering(explainer.encoder.encode(texts, bulk=True)) + beyond)

    def predicted(self, matrix: np.ndarray) -> np.ndarray:
        """What the matrix says the deletions take: every cell of a deleted row or column."""
        return np.asarray(matrix.sum() - self._rows @ matrix @ self._columns.T).ravel()


def _randomised(recommender: Recommender, pairs: Sequence[Pair]) -> float | None:
    """Mean Spearman correlation, without its sign, of the words' values with those of a model of random weights."""
    encoder = recommender.explainer.encoder
    if not isinstance(encoder, TransformerEncoder):
        return None
    random = encoder.randomised(seed=0)
    names = recommender.explainer.item_texts
    found = []
    for pair in pairs:
        parts = recommender.scorer.facet_vectors(pair.game.profile)
        side = recommender.explainer.profile_side(pair.game.profile, parts, EXACT)
        own = side.vectors[[line.is_word for line in side.lines]]
        if recommender.scorer.name == "cosine":
            item = recommender.scorer.item_map(random.encode([names[pair.item_row]]))[0]
        else:
            item = np.asarray(recommender.index.vectors[pair.item_row], np.float64)
        other = [
            text.map.shift(words_of(text.text, random, tier=FIRST_LAST, bulk=True).vectors)
            for text in recommender.scorer.texts(pair.game.profile)
        ]
        real = own @ np.asarray(recommender.index.vectors[pair.item_row], np.float64)
        found.append(float(spearmanr(real, np.concatenate(other) @ item).statistic))
    return round(abs(float(np.nanmean(found))), 4)


def _cost(recommender: Recommender, pairs: Sequence[Pair]) -> dict[str, float]:
    """CPU milliseconds on one thread: the words of a new profile, and one further item for it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    cold, further = [], []
    try:
        for game in dict.fromkeys(pair.game for pair in pairs):
            texts = recommender.scorer.texts(game.profile)
            started = time.process_time()
            found = [words_of(text.text, recommender.explainer.encoder, tier=FIRST_LAST) for text in texts]
            cold.append(time.process_time() - started)
            entering = [text.map.shift(words.vectors) for text, words in zip(texts, found, strict=True)]
            item = np.asarray(recommender.index.vectors[0], np.float64)
            started = time.process_time()
            for _ in range(100):
                for vectors in entering:
                    vectors @ item
            further.append((time.process_time() - started) / 100)
    finally:
        torch.set_num_threads(before)
    return {
        "cold_profile": round(1000 * float(np.median(cold)), 3),
        "further_item": round(1000 * float(np.median(further)), 5),
    }
