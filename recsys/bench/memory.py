"""What a dashboard on a large catalog takes: seconds to its first list, milliseconds of a click, and memory."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap

from recsys.artifact import ArtifactStore
from recsys.bench.clicking import acts_on, change_often
from recsys.bench.dashboard import Dashboard, running
from recsys.bench.visitor import visiting
from recsys.datasets import write_folder
from recsys.encoder import Encoder, open_encoder
from recsys.recommender import Recommender
from recsys.schema import Dataset, DatasetInfo
from recsys.settings import Settings
from recsys.training import AdditiveConfig, train_additive
from recsys.training.store import model_key
from recsys.views.embeddings import embeddings_key
from recsys.views.kept_vectors import EMBEDDINGS, TEXT
from recsys.views.text import item_texts

_NAME = "synthetic"
_PER_USER, _MOST_USERS = 20, 20_000
_FITTED_ITEMS, _FITTED_USERS = 2_000, 1_000
_ROWS = 1 << 16
_CLICKS = 9
_KINDS = (
    "garden",
    "kitchen",
    "travel",
    "office",
    "sport",
    "music",
    "light",
    "wool",
    "steel",
    "winter",
    "summer",
    "paper",
)
_NOUNS = ("lamp", "kettle", "rucksack", "notebook", "saddle", "teapot", "blanket", "drill", "kite", "compass", "ladder")


def run_memory_bench(settings: Settings, *, n_items: int = 100_000, clicks: int = _CLICKS) -> dict[str, Any]:
    """Starts the dashboard on a synthetic catalog with users, opens the Recommend page in Chromium and changes the profile.

    Embeddings are random and published under the key of the real encoder, so nothing is encoded but the profiles. The additive
    model is fitted to the first two thousand items, and the others get rows of theirs. The process that is measured opens both.

    Returns sizes, seconds and milliseconds as ``run_profile_bench`` does, and the peak memory of the server in MB, looked at
    ten times a second: ``pss`` counts shared pages by share, ``rss`` fully.

    Raises:
        ArtifactError: if the dashboard or Chromium is not there.
        MissingExtraError: if playwright is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="coldlens-memory-") as scratch:
        chosen = replace(settings, data_dir=Path(scratch) / "data", dataset=_NAME, background=False)
        encoder = open_encoder(settings.encoder_for(), device=settings.device, precision=settings.precision)
        started = time.perf_counter()
        dataset = write_folder(_catalog(n_items, np.random.default_rng(0)), chosen.data_dir / _NAME)
        _publish_embeddings(dataset, encoder)
        _publish_model(Recommender.from_dataset(dataset, scorer="cosine", encoder=encoder, settings=chosen))
        prepared = round(time.perf_counter() - started, 1)
        sizes = {"items": n_items, "users": len(dataset.users), "interactions": len(dataset.interactions)}
        categories = dataset.categories
        del dataset
        with visiting() as visitor, running(chosen) as dashboard, _watching(dashboard) as peak:
            first = visitor.open(dashboard.url)
            at_first = dashboard.memory_mb()
            found = change_often(visitor, dashboard, acts_on(categories), clicks)
            after = dashboard.memory_mb()
    return {
        **sizes,
        "index": chosen.index,
        "seconds_to_prepare": prepared,
        "start_to_list_seconds": round(first.drawn - dashboard.started, 2),
        **found,
        "memory_at_first_list_mb": at_first,
        "memory_mb": after,
        "peak_memory_mb": peak,
    }


@contextmanager
def _watching(dashboard: Dashboard) -> Iterator[dict[str, float]]:
    """Yields the largest memory so far, which grows while the block runs."""
    peak: dict[str, float] = {"pss": 0.0, "rss": 0.0}
    done = Event()

    def watch() -> None:
        while not done.wait(0.1):
            for name, value in dashboard.memory_mb().items():
                peak[name] = max(peak[name], value)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _catalog(n_items: int, rng: np.random.Generator) -> Dataset:
    kinds = np.array(_KINDS)[rng.integers(0, len(_KINDS), (n_items, 2))]
    nouns = np.array(_NOUNS)[rng.integers(0, len(_NOUNS), n_items)]
    ids = [f"i{number:08d}" for number in range(n_items)]
    items = pd.DataFrame(
        {
            "item_id": ids,
            "title": [
                f"{kind} {noun} {number}" for number, (kind, noun) in enumerate(zip(kinds[:, 0], nouns, strict=True))
            ],
            "categories": [tuple(dict.fromkeys(map(str, pair))) for pair in kinds],
            "year": rng.integers(1990, 2026, n_items),
        }
    )
    n_users = max(20, min(_MOST_USERS, n_items // 10))
    user_ids = np.array([f"u{number}" for number in range(n_users)])
    users = pd.DataFrame({"user_id": user_ids, "age": rng.integers(14, 90, n_users).astype(float)})
    users["gender"] = rng.choice(["F", "M"], n_users)
    n = n_users * _PER_USER
    rows = np.minimum((n_items * rng.random(n) ** 2).astype(int), n_items - 1)
    interactions = pd.DataFrame({"user_id": user_ids[rng.integers(0, n_users, n)], "item_id": np.array(ids)[rows]})
    return Dataset(_NAME, DatasetInfo("Synthetic", simulated=True), items, users, interactions)


def _publish_embeddings(dataset: Dataset, encoder: Encoder) -> None:
    """Publishes random vectors of length 1 where the embeddings of the catalog are looked for."""
    assert dataset.folder is not None
    texts, rng = item_texts(dataset), np.random.default_rng(1)
    about = {"dataset": dataset.name, "encoder": encoder.name, "identity": encoder.identity, "n_items": len(texts)}
    store = ArtifactStore(dataset.folder / "artifacts")
    with store.publish(TEXT, embeddings_key(texts, encoder), about=about) as folder:
        shape = (len(texts), encoder.dim)
        vectors = open_memmap(folder / EMBEDDINGS, mode="w+", dtype=np.float32, shape=shape)
        for start in range(0, len(texts), _ROWS):
            block = rng.standard_normal((min(_ROWS, len(texts) - start), encoder.dim), np.float32)
            vectors[start : start + len(block)] = block / np.linalg.norm(block, axis=1, keepdims=True)
        vectors.flush()


def _publish_model(ready: Recommender) -> None:
    """Publishes an additive model where that of the catalog is looked for: large as it would be, and quickly made."""
    dataset, rng = ready.dataset, np.random.default_rng(2)
    assert dataset.folder is not None
    items, users = dataset.items.head(_FITTED_ITEMS), dataset.users.head(_FITTED_USERS)
    known = dataset.interactions["item_id"].isin(items["item_id"]) & dataset.interactions["user_id"].isin(
        users["user_id"]
    )
    small = Dataset(_NAME, dataset.info, items, users, dataset.interactions[known].reset_index(drop=True))
    model = train_additive(small, np.asarray(ready.embeddings[: len(items)]), encoder=ready.encoder).model
    rows = rng.integers(0, len(items), len(dataset.items))
    rows[: len(items)] = np.arange(len(items))
    large = replace(
        model,
        items=model.items[rows],
        liked=model.liked[rows],
        prior=model.prior[rows],
        own_share=model.own_share[rows],
        own_liked_share=model.own_liked_share[rows],
    )
    key = model_key(dataset, ready.embeddings_key, AdditiveConfig(), ready.views)
    with ArtifactStore(dataset.folder / "artifacts").publish("additive", key, about={}) as folder:
        large.save(folder)
