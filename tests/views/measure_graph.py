"""Measures what the graph says about taste: liked items as the whole profile, no scorer and nothing fitted.

Run with ``python -m tests.views.measure_graph``; takes a minute on two cores. A score is the mean cosine of an item with the
liked ones; ``sum`` adds those of graph and BERT. ``number of facts`` gives everybody the same list and is there as a control:
well known films have more facts. Rows that begin with it add it, in standard deviations, and are compared with its sum with BERT:
what the graph knows of taste beyond fame.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from recsys.datasets import open_dataset
from recsys.encoder import TransformerEncoder
from recsys.evaluation.measures import NDCG, Ranked
from recsys.evaluation.protocols import PROTOCOLS, Fold, make_folds
from recsys.intervals import Interval, interval, paired_difference
from recsys.schema import Dataset
from recsys.settings import DEFAULT_ENCODER
from recsys.views.embeddings import embed_items
from recsys.views.facts import facts_of
from recsys.views.graph import open_graph_view
from recsys.views.learned_graph import learned_graph_vectors

Score = Callable[[np.ndarray, Fold], np.ndarray]
"""Of profiles, ``(n_cases, n_items)`` that sum to 1 in each row, and their fold: the scores, of the same shape."""
SHOTS = (1, 3, 5)
BERT, FAME = "BERT", "number of facts"


def scores_of(dataset: Dataset, *, learned: tuple[str, ...], epochs: int) -> dict[str, Score]:
    text, _ = embed_items(dataset, TransformerEncoder.from_pretrained(DEFAULT_ENCODER, device="cpu"))
    view, facts = open_graph_view(dataset), facts_of(dataset)
    assert view is not None, "this copy has no graph: fetch it again"
    vectors = {BERT: np.asarray(text), "graph": np.asarray(view.vectors)}
    for model in learned:
        found = learned_graph_vectors(dataset, model=model, epochs=epochs)
        assert found is not None
        vectors[model] = found
    exact = facts.matrix @ facts.matrix.T
    fame = np.log1p(np.diff(facts.matrix.indptr))
    ours = {name: cosine(found) for name, found in vectors.items()}
    single = ours | {
        "graph, not reduced": lambda profiles, fold: profiles @ exact,
        "sum": lambda profiles, fold: ours[BERT](profiles, fold) + ours["graph"](profiles, fold),
        FAME: lambda profiles, fold: np.tile(fame, (len(profiles), 1)),
        "most popular": lambda profiles, fold: np.tile(fold.train.popularity, (len(profiles), 1)).astype(float),
    }
    return single | {f"{FAME} + {name}": both(single[FAME], single[name]) for name in (BERT, "graph", "sum")}


def both(one: Score, other: Score) -> Score:
    """Both in standard deviations over the items."""

    def standard(scores: np.ndarray) -> np.ndarray:
        return (scores - scores.mean(axis=1, keepdims=True)) / np.maximum(scores.std(axis=1, keepdims=True), 1e-12)

    return lambda profiles, fold: standard(one(profiles, fold)) + standard(other(profiles, fold))


def cosine(vectors: np.ndarray) -> Score:
    return lambda profiles, fold: profiles @ vectors @ vectors.T


def per_user(dataset: Dataset, score: Score, folds: Sequence[Fold], shots: int) -> np.ndarray:
    """nDCG@10 of every case of all folds."""
    found = []
    for fold in folds:
        profiles = np.zeros((len(fold.cases), len(dataset.items)))
        for row, case in enumerate(fold.cases):
            profiles[row, [dataset.item_row(item_id) for item_id in case.profile.liked[:shots]]] = 1 / shots
        ranked = Ranked(score(profiles, fold), fold.mask(), [case.targets for case in fold.cases])
        found.append(NDCG(10).per_user(ranked))
    return np.concatenate(found)


def written(found: Interval, *, sign: str = "") -> str:
    return f"{found.mean:{sign}.3f} [{found.low:{sign}.3f}, {found.high:{sign}.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--learned", nargs="*", default=(), help="also models of the extra graph, for example RotatE")
    parser.add_argument("--epochs", type=int, default=50)
    options = parser.parse_args()
    torch.set_num_threads(1)
    dataset = open_dataset("movielens-100k", data_dir=options.data_dir)
    scores = scores_of(dataset, learned=tuple(options.learned), epochs=options.epochs)
    for protocol in PROTOCOLS:
        folds = list(make_folds(dataset, protocol, folds=5, seed=0))
        for shots in SHOTS:
            values = {name: per_user(dataset, score, folds, shots) for name, score in scores.items()}
            print(f"\n{protocol}, {shots} liked, {len(values[BERT])} cases: nDCG@10, and what it is more than {BERT}")
            for name, found in values.items():
                rival = f"{FAME} + {BERT}" if name.startswith(f"{FAME} + ") else BERT
                more = "" if name == rival else written(paired_difference(found, values[rival]), sign="+")
                print(f"  {name:24s} {written(interval(found))}  {more}")


if __name__ == "__main__":
    main()
