"""How long maps take: fitting beside umap-learn alone, placing one profile, and measuring trust; and how large they are."""

import base64
import json
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.projection import Map, MapConfig, Placer, fit_umap, measure_trust, open_space
from recsys.projection.fitting import moved_from_zero
from recsys.recommender import Recommender
from recsys.schema import Profile
from recsys.sealing import Seal
from recsys.settings import Settings

_PROFILES = 50
_APPROXIMATE = 4_200
"""From about here on UMAP searches neighbours approximately, by other compiled code."""


def run_map_bench(settings: Settings, *, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Returns for each number of items the seconds of our fit and of umap-learn's own in the same run, placing in ms, and bytes.

    Sizes beyond the dataset are its vectors repeated with noise, so that neighbourhoods stay real ones.
    """
    from recsys.datasets import open_dataset

    dataset = open_dataset(settings.dataset, data_dir=settings.data_dir, seal=Seal.from_settings(settings))
    recommender = Recommender.from_dataset(dataset, settings=settings)
    space = open_space("text", recommender.scorer, recommender.embeddings)
    profiles = [Profile(age=float(age), interests=dataset.categories[:2]) for age in np.linspace(10, 80, _PROFILES)]
    vectors = space.profile_vectors(profiles)
    real, names = np.asarray(space.vectors), dataset.labels
    for size in (500, _APPROXIMATE)[: 1 + (max(sizes) >= _APPROXIMATE)]:
        fit_umap(_repeated(real, size))  # compiles what is compiled at first use
    found: dict[str, Any] = {"machine": {"device": recommender.encoder.description, "dataset": dataset.name}}
    for size in sizes:
        items = _repeated(real, size)
        made, ours = _timed(lambda items=items: fit_umap(items, MapConfig(), progress=lambda *step: None))
        _, theirs = _timed(lambda items=items: _bare(items))
        larger = type(space)("text", items, space.origin, recommender.scorer)
        found[str(size)] = {
            "fit_seconds": round(ours, 2),
            "umap_learn_seconds": round(theirs, 2),
            "ratio": round(ours / theirs, 3),
            **_placing(Placer(larger, made), vectors),
            "sent_bytes": sent_bytes(made.coordinates, [names[row % len(names)] for row in range(size)]),
        }
        if size <= 10_000:
            found[str(size)]["trust_seconds"] = round(_timed(lambda: measure_trust(items, made.coordinates))[1], 2)  # noqa: B023
    return found


def _placing(placer: Placer, vectors: np.ndarray) -> dict[str, float]:
    placer.place(vectors[0])
    taken = [1000 * _timed(lambda vector=vector: placer.place(vector))[1] for vector in vectors[1:]]
    return {
        "place_p50_ms": round(float(np.percentile(taken, 50)), 2),
        "place_p95_ms": round(float(np.percentile(taken, 95)), 2),
    }


def sent_bytes(coordinates: np.ndarray, names: Sequence[str]) -> int:
    """Returns what a changed map sends to the browser at least: coordinates, item_rows, a colour and a name for each item.

    Arrays travel in base64 inside JSON, as Plotly writes them. Of more than 50,000 items the page draws a sample instead.
    """
    rows = np.arange(len(coordinates), dtype=np.int32)
    arrays = (*np.asarray(coordinates, np.float32).T, rows, rows.astype(np.float64))
    return len(json.dumps(list(names))) + sum(len(base64.b64encode(array.tobytes())) for array in arrays)


def _repeated(real: np.ndarray, size: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    rows = np.arange(size) % len(real)
    noise = rng.standard_normal((size, real.shape[1]), dtype=np.float32) * 0.3 / np.sqrt(real.shape[1])
    noise[: len(real)] = 0
    return np.asarray(real[rows] + noise, np.float32)


def _bare(items: np.ndarray) -> Map:
    from umap import UMAP

    config = MapConfig()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        UMAP(
            n_neighbors=config.n_neighbors, min_dist=config.min_dist, metric="cosine", random_state=config.seed, n_jobs=1
        ).fit(moved_from_zero(items))  # fmt: skip
    return Map(np.zeros((0, 2), np.float32), config)


def _timed(call) -> tuple[Any, float]:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    made = call()
    return made, time.perf_counter() - started
