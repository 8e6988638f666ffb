"""Learned graph embeddings: entities and relations trained so that the facts of a graph hold, by PyKEEN (extra ``graph``).

An alternative to ``recsys.views.graph``, which needs no training. Source: A. Bordes et al., Translating Embeddings for Modeling
Multi-relational Data, NeurIPS 2013 (TransE); Z. Sun et al., RotatE, ICLR 2019.
"""

import gc
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import ConfigError, MissingExtraError
from recsys.schema import HEAD, ITEM_ID, RELATION, TAIL, Dataset
from recsys.views.fact_sources import sources_of

LEARNED = ("RotatE", "TransE", "DistMult", "ComplEx")
"""The models that can be chosen; RotatE and ComplEx have complex vectors, which are twice as long as real ones."""
_BATCH = 1024


def learned_graph_vectors(
    dataset: Dataset, *, model: str = "RotatE", dim: int = 64, epochs: int = 50, seed: int = 0, device: str = "cpu"
) -> np.ndarray | None:
    """Trains embeddings on the graph of a dataset, or, without one, on its attributes.

    Args:
        model: one of ``LEARNED``.
        dim: numbers per entity, complex ones for RotatE and ComplEx.
        epochs: passes over all triples.
        seed: the same seed gives the same vectors on the same machine.
        device: ``cpu`` or ``cuda``.

    Returns:
        ``(n_items, dim)`` or ``(n_items, 2 * dim)`` float32, rows of unit length, zero for items without facts; ``None`` for a
        dataset without facts.

    Raises:
        ConfigError: for an unknown model, or a dim or a number of epochs below 1.
        MissingExtraError: where PyKEEN is not installed.
    """
    if model not in LEARNED:
        raise ConfigError("There is no such graph model", model, fix=f"Choose one of: {', '.join(LEARNED)}.")
    if min(dim, epochs) < 1:
        raise ConfigError("A graph model needs dimensions and epochs", min(dim, epochs), fix="Choose at least 1.")
    triples = _triples(dataset)
    if triples.empty:
        return None
    entities = pd.factorize(pd.concat([triples[HEAD], triples[TAIL]], ignore_index=True))
    vectors = _trained(triples, entities, model=model, dim=dim, epochs=epochs, seed=seed, device=device)
    places = pd.Series(np.arange(len(entities[1])), index=entities[1]).reindex(dataset.items[ITEM_ID])
    known = places.notna().to_numpy()
    found = np.zeros((len(dataset.items), vectors.shape[1]), np.float32)
    found[known] = vectors[places[known].astype(int)]
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _triples(dataset: Dataset) -> pd.DataFrame:
    if len(dataset.graph):
        return dataset.graph
    ids = dataset.items[ITEM_ID].to_numpy()
    frames = [
        pd.DataFrame(
            {HEAD: ids[s.rows], RELATION: s.relation, TAIL: [f"{s.relation}={name}" for name in s.names[s.codes]]}
        )
        for s in sources_of(dataset)
    ]
    return pd.concat([dataset.graph, *frames], ignore_index=True)


def _trained(
    triples: pd.DataFrame,
    entities: tuple[np.ndarray, pd.Index],
    *,
    model: str,
    dim: int,
    epochs: int,
    seed: int,
    device: str,
) -> np.ndarray:
    """Returns ``(n_entities, dim)`` of floats, real and imaginary parts side by side."""
    import torch

    with _quiet():
        try:
            from pykeen.models import model_resolver
            from pykeen.training import SLCWATrainingLoop
            from pykeen.triples import TriplesFactory
        except ImportError:
            fix = "Run `pip install 'coldlens[graph]'`."
            raise MissingExtraError("Learned graph embeddings need a package", "pykeen", fix=fix) from None
        relations, names = pd.factorize(triples[RELATION])
        heads, tails = np.split(entities[0], 2)
        factory = TriplesFactory(
            mapped_triples=torch.as_tensor(np.stack([heads, relations, tails], axis=1)),
            entity_to_id={str(name): number for number, name in enumerate(entities[1])},
            relation_to_id={str(name): number for number, name in enumerate(names)},
        )
        chosen = model_resolver.make(model, triples_factory=factory, embedding_dim=dim, random_seed=seed).to(device)
        optimizer = torch.optim.Adam(chosen.parameters(), lr=0.01)
        loop = SLCWATrainingLoop(model=chosen, triples_factory=factory, optimizer=optimizer)
        loop.train(triples_factory=factory, num_epochs=epochs, batch_size=_BATCH, use_tqdm=False)
        representations: Any = chosen.entity_representations
        vectors = representations[0](indices=None).detach().cpu()
    return (torch.view_as_real(vectors).flatten(1) if vectors.is_complex() else vectors).numpy()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides what PyKEEN warns of in itself, keeps its garbage collection after every epoch from all older objects, and puts
    back the global generators, which it seeds.
    """
    import torch

    before, before_numpy = random.getstate(), np.random.get_state()
    gc.freeze()
    try:
        with warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            yield
    finally:
        gc.unfreeze()
        random.setstate(before)
        np.random.set_state(before_numpy)
