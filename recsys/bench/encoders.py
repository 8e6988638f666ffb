"""Encoders side by side: what each costs, how far its lists agree with the first one's, and what they are worth to new people."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recsys.bench.captions import match_all
from recsys.encoder import CachedEncoder, Encoder, StaticEncoder, TransformerEncoder, UniversalEncoder, open_encoder
from recsys.encoder.folder import locate
from recsys.errors import ConfigError
from recsys.evaluation import make_folds
from recsys.evaluation.contenders import Additive, LateFusion
from recsys.evaluation.measures import NDCG, Ranked
from recsys.evaluation.protocols import levels
from recsys.evaluation.rivals.protocol import Material
from recsys.index import ItemIndex
from recsys.intervals import interval
from recsys.schema import Dataset, Profile
from recsys.scorer import CosineScorer
from recsys.settings import Settings
from recsys.training import Histories
from recsys.views.text import item_texts, profile_text

_PROFILES, _K = 200, 10
_TIMED = 30
_SHOTS = (0, 5)

Progress = Callable[[str, int, int], None]
"""Called with (what is measured, done, in all)."""


@dataclass(frozen=True, eq=False)
class _Contestant:
    """One encoder in the comparison.

    Attributes:
        label: as it was asked for.
        vectors: ``(n_items, dim)``, the catalog as this encoder reads it in its precision.
    """

    label: str
    encoder: Encoder
    folder: Path
    vectors: np.ndarray


def run_encoder_bench(
    dataset: Dataset,
    labels: Sequence[str],
    *,
    settings: Settings,
    repeats: int = 5,
    folds: int = 2,
    captions: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Returns one row of figures for each encoder; the first, in float32, is what all are compared with.

    Args:
        labels: names or folders, each with an optional ``@precision``.
        repeats: times that each reads the catalog; they take turns, so that a busy machine slows all alike.
        folds: parts of the users for nDCG@10; 0 leaves it out.
        captions: whether each also finds Chinese captions and interests by English ones, and the other way round.

    Raises:
        ConfigError: for an encoder that does not load or is named twice, or a precision that the device lacks.
    """
    report = progress or (lambda step, done, total: None)
    if len(set(labels)) < len(labels):
        raise ConfigError("An encoder is named twice", ", ".join(labels), fix="Name each encoder and precision once.")
    texts = item_texts(dataset)
    people = _people(dataset)
    contestants = [_opened(label, texts, settings) for label in labels]
    anchor = open_encoder(_split(labels[0])[0], device=settings.device, precision="float32")
    anchored = anchor.encode(texts, bulk=True)
    wanted = _lists(dataset, anchor, anchored, people)
    catalog, single = _turns(contestants, texts, [profile_text(one, dataset) for one in people], repeats, report)
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(contestants):
        report(f"evaluate {one.label}", number, len(contestants))
        lists = _lists(dataset, one.encoder, one.vectors, people)
        rows.append(
            {
                "encoder": one.label,
                **_size(one),
                "texts_per_second": round(len(texts) / float(np.median(catalog[number])), 1),
                "times_as_fast": _ratio(catalog[0], catalog[number]),
                "ms_per_profile": round(1000 * float(np.median(single[number])), 3),
                "times_as_fast_profile": _ratio(single[0], single[number]),
                "top_10_overlap": _overlap(wanted, lists),
                "mean_cosine": _cosine(anchored, one.vectors),
                "ndcg@10": _quality(dataset, one, folds) if folds else {},
                "captions": match_all(one.encoder) if captions else {},
            }
        )
    users = max((value["n"] for row in rows for value in row["ndcg@10"].values()), default=0)
    return {
        "dataset": dataset.name,
        "machine": anchor.description,
        "n_texts": len(texts),
        "n_profiles": len(people),
        "n_users": users,
        "folds": folds,
        "encoders": rows,
    }


def _split(label: str) -> tuple[str, str]:
    name, mark, precision = label.rpartition("@")
    return (name, precision) if mark and not Path(label).is_dir() else (label, "auto")


def _opened(label: str, texts: Sequence[str], settings: Settings) -> _Contestant:
    name, precision = _split(label)
    encoder = open_encoder(name, device=settings.device, precision=precision)
    return _Contestant(label, encoder, locate(name), encoder.encode(texts, bulk=True))


def _people(dataset: Dataset) -> list[Profile]:
    """Invented people, each with interests where the dataset has categories."""
    rng = np.random.default_rng(0)
    found = []
    for age in rng.uniform(10, 80, _PROFILES).round():
        liked = rng.choice(dataset.categories, 2, replace=False) if len(dataset.categories) > 1 else ()
        gender = str(rng.choice(dataset.genders)) if dataset.genders else None
        attributes = {name: str(rng.choice(values)) for name, values in dataset.user_attributes.items() if values}
        found.append(Profile(age=age, gender=gender, attributes=attributes, interests=tuple(map(str, liked))))
    return found


def _lists(dataset: Dataset, encoder: Encoder, vectors: np.ndarray, people: Sequence[Profile]) -> np.ndarray:
    """Returns ``(n_people, k)``: what the cosine scorer shows them."""
    scorer = CosineScorer(vectors, dataset=dataset, encoder=encoder)
    hits = ItemIndex(scorer.item_vectors).search(scorer.queries(people), min(_K, len(vectors)))
    return np.stack(hits.rows)


def _overlap(wanted: np.ndarray, lists: np.ndarray) -> float:
    shared = [len(np.intersect1d(a, b)) / len(a) for a, b in zip(wanted, lists, strict=True)]
    return round(float(np.mean(shared)), 4)


def _cosine(anchored: np.ndarray, vectors: np.ndarray) -> float | None:
    return round(float((anchored * vectors).sum(1).mean()), 5) if anchored.shape == vectors.shape else None


def _turns(
    contestants: Sequence[_Contestant], texts: Sequence[str], sentences: Sequence[str], repeats: int, report: Progress
) -> tuple[list[list[float]], list[list[float]]]:
    """Returns the seconds of each contestant for the catalog, and for one sentence at a time."""
    catalog: list[list[float]] = [[] for _ in contestants]
    single: list[list[float]] = [[] for _ in contestants]
    for turn in range(repeats):
        report("time", turn, repeats)
        for number, one in enumerate(contestants):
            catalog[number].append(_seconds(partial(one.encoder.encode, texts, bulk=True)))
    for sentence in sentences[:_TIMED]:
        for number, one in enumerate(contestants):
            single[number].append(_seconds(partial(one.encoder.encode, [sentence])))
    return catalog, single


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _ratio(first: Sequence[float], own: Sequence[float]) -> float:
    """How many times as fast as the first: the median over turns, in each of which both met the same machine."""
    return round(float(np.median(np.divide(first, own))), 3)


def _size(one: _Contestant) -> dict[str, float]:
    """Size of the weights on disk, and numbers in them; an encoder in int8 is read from the same file as one in float32."""
    weights = [path for pattern in ("*.safetensors", "*.npz") for path in one.folder.glob(pattern)]
    n_bytes = sum(path.stat().st_size for path in weights)
    parameters = 0
    if isinstance(one.encoder, TransformerEncoder):
        parameters = sum(int(parameter.numel()) for parameter in one.encoder.model.parameters())
    if isinstance(one.encoder, StaticEncoder):
        parameters = int(one.encoder.table.size)
    if isinstance(one.encoder, UniversalEncoder):
        parameters = one.encoder.n_parameters
    return {"megabytes": round(n_bytes / 1e6, 4), "parameters": parameters}


def _quality(dataset: Dataset, one: _Contestant, folds: int) -> dict[str, dict[str, float]]:
    """Returns nDCG@10 of the additive and of the cosine scorer for new people, at each level that the scorer can use."""
    values: dict[str, list[np.ndarray]] = {}
    encoder = CachedEncoder(one.encoder)
    for fold in make_folds(dataset, "cold-user", folds=folds, seed=0):
        material = Material(Histories.from_dataset(fold.train), one.vectors, encoder, 0, {})
        for contender in (Additive(), LateFusion("cosine", views=())):
            fitted = contender.fit(material, {})
            for level in (level for level in levels(_SHOTS) if fold.cases and contender.can_use(level)):
                scores = fitted.scores([level.of(case.profile) for case in fold.cases])
                ranked = Ranked(np.asarray(scores), fold.mask(), [case.targets for case in fold.cases])
                values.setdefault(f"{contender.name}, {level.name}", []).append(NDCG(_K).per_user(ranked))
    found = {name: interval(np.concatenate(parts)) for name, parts in values.items()}
    return {name: value.to_dict() | {"n": value.n} for name, value in found.items()}
