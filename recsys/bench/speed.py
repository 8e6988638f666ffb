"""How fast is it on this machine: ratios against a rival in the same run, medians and 95th percentiles in milliseconds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.bench.comparing import time_comparisons
from recsys.bench.explaining import time_explanations
from recsys.bench.pairs import time_pairs
from recsys.bench.searching import time_bandwidth, time_searches
from recsys.datasets import open_dataset
from recsys.encoder import Encoder, open_encoder
from recsys.encoder.folder import locate
from recsys.errors import MissingExtraError
from recsys.index import ItemIndex
from recsys.recommender import Recommender, available_scorers
from recsys.schema import Dataset, Profile
from recsys.sealing import Seal
from recsys.settings import Settings
from recsys.training import train_additive
from recsys.views.text import item_texts

_REPEATS = 7
_PROFILES = 200
_TRAININGS = 3
_LARGE = 10_000
"""Items from which the times of a search are compared."""


def run_bench(settings: Settings, *, largest: int = 1_000_000) -> dict[str, Any]:
    """Returns the figures of the README; see there for what they mean.

    Raises:
        MissingExtraError: if the rival, sentence-transformers, is not installed.
    """
    dataset = open_dataset(settings.dataset, data_dir=settings.data_dir, seal=Seal.from_settings(settings))
    encoder = open_encoder(
        settings.encoder_for(dataset.info.encoder), device=settings.device, precision=settings.precision
    )
    recommender = Recommender.from_dataset(
        dataset, scorer="cosine", encoder=encoder, views=()
    )  # as other tools have it
    profiles = _profiles(dataset, np.random.default_rng(0), _PROFILES)
    sizes = [len(dataset.items), *(size for size in (100_000, 1_000_000) if size <= largest)]
    whatif, bandwidth = _whatif(recommender, profiles, sizes)
    found: dict[str, Any] = {
        "machine": {"device": encoder.description, "encoder": encoder.name, "dataset": dataset.name},
        "encode": _encode(dataset, encoder, settings, recommender.scorer.queries(profiles)),
        "whatif": whatif,
        "search": bandwidth,
        **_questions(dataset, encoder, profiles, settings),
        "training": _training(dataset, recommender.embeddings, recommender.encoder),
    }
    return found | {"ratios": _ratios(found)}


def _questions(dataset: Dataset, encoder: Encoder, profiles: list[Profile], settings: Settings) -> dict[str, Any]:
    """Server time of explanations and comparisons with every scorer that the dataset has."""
    found: dict[str, Any] = {"explain": {}, "compare": {}}
    for scorer in available_scorers(dataset):
        recommender = Recommender.from_dataset(dataset, scorer=scorer, encoder=encoder, settings=settings)
        found["explain"][scorer] = time_explanations(recommender, profiles)
        found["compare"][scorer] = time_comparisons(recommender, profiles)
    return found


def _training(dataset: Dataset, vectors: np.ndarray, encoder: Encoder) -> dict[str, Any]:
    """Seconds to fit the additive scorer once the embeddings exist, cross-validation included."""
    if not len(dataset.likes):
        return {}
    seconds = [train_additive(dataset, vectors, encoder=encoder).seconds for _ in range(_TRAININGS)]
    return {
        "seconds": round(float(np.median(seconds)), 2),
        "n_likes": len(dataset.likes),
        "n_users": len(dataset.users),
    }


def _encode(dataset: Dataset, encoder: Encoder, settings: Settings, queries: np.ndarray) -> dict[str, Any]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingExtraError(
            "The rival of this benchmark is missing", fix="pip install sentence-transformers."
        ) from None
    texts = item_texts(dataset)
    device = encoder.description.split(",")[0].split(":")[0]
    rival = SentenceTransformer(str(locate(encoder.name)), device=device)
    pairs = time_pairs(
        lambda: encoder.encode(texts, bulk=True),
        lambda: rival.encode(texts, show_progress_bar=False),
        repeats=_REPEATS,
    )
    ours, theirs = encoder.encode(texts, bulk=True), rival.encode(texts, show_progress_bar=False)
    return {
        "ratio": round(pairs.ratio, 3),
        "texts_per_second": round(len(texts) / float(np.median(pairs.first)), 1),
        "rival_texts_per_second": round(len(texts) / float(np.median(pairs.second)), 1),
        "top_10_overlap": round(_overlap(ours, theirs, queries), 4),
        "n_texts": len(texts),
    }


def _overlap(ours: np.ndarray, theirs: np.ndarray, queries: np.ndarray, k: int = 10) -> float:
    left, right = (ItemIndex(vectors).search(queries, k).rows for vectors in (ours, theirs))
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(left, right, strict=True)]))


def _whatif(
    recommender: Recommender, profiles: Sequence[Profile], sizes: Sequence[int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the times for each size, and the bandwidth at the largest."""
    times: dict[str, Any] = {}
    real = np.asarray(recommender.index.vectors)
    for size in sizes:
        vectors = _synthetic(real, size)
        fresh = _profiles(recommender.dataset, np.random.default_rng(size), 120)
        times[str(size)] = time_searches(recommender.scorer, vectors, fresh)
    return times, time_bandwidth(vectors, recommender.scorer.queries(profiles[:1]))


def _ratios(found: dict[str, Any]) -> dict[str, float]:
    """Every ratio in one place: what can be compared between runs, and between machines.

    Searches of small catalogs take parts of a millisecond, whose ratios say more about the moment than about the machine.
    """
    ratios = {"encode": found["encode"]["ratio"], "bandwidth": found["search"]["bandwidth_fraction"]}
    for size, times in found["whatif"].items():
        if int(size) < _LARGE:
            continue
        ratios |= {f"{name}_{size}": times[name] for name in ("numpy_over_exact", "exact_over_compressed")}
    return ratios


def _synthetic(real: np.ndarray, size: int) -> np.ndarray:
    """Returns the real vectors followed by random unit vectors."""
    rng = np.random.default_rng(0)
    vectors = np.empty((size, real.shape[1]), np.float32)
    vectors[: len(real)] = real
    for start in range(len(real), size, 65536):
        block = rng.standard_normal((min(65536, size - start), real.shape[1]), dtype=np.float32)
        vectors[start : start + len(block)] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def _profiles(dataset: Dataset, rng: np.random.Generator, n: int) -> list[Profile]:
    """Returns n different profiles: any age, gender, attribute values and two categories."""
    ages = rng.uniform(10, 80, n).round(2)
    return [
        Profile(
            age=float(age),
            gender=str(rng.choice(dataset.genders)) if dataset.genders else None,
            attributes={name: str(rng.choice(values)) for name, values in dataset.user_attributes.items() if values},
            interests=tuple(rng.choice(dataset.categories, 2, replace=False)) if len(dataset.categories) > 1 else (),
        )
        for age in ages
    ]
