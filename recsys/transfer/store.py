"""Transferred scorers kept with their target: made once, on demand, and only opened from then on."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder
from recsys.errors import ArtifactError, DataError, NotTrainedError
from recsys.schema import Dataset, LentFacts
from recsys.scorer import AdditiveModel
from recsys.training import Histories
from recsys.transfer.carrying import Transferred, carry
from recsys.transfer.shrinking import shrink
from recsys.transfer.source import Source

TRANSFERRED = "transferred"
_VERSION = 1
"""Changes when the same source and target give another model."""


def transferred_key(dataset: Dataset) -> str | None:
    """Returns the key of the scorer that was last carried over to a dataset as it is now, ``None`` if there is none."""
    if dataset.folder is None:
        return None
    store, found = ArtifactStore(dataset.folder / "artifacts"), []
    for key in store.keys(TRANSFERRED):
        try:
            about = store.about(TRANSFERRED, key)
        except ArtifactError:
            continue
        if about.get("data") == dataset.fingerprint and about.get("version") == _VERSION:
            found.append((str(about.get("made", "")), key))
    return max(found)[1] if found else None


def transferred_about(dataset: Dataset) -> Mapping[str, Any] | None:
    """Returns where the kept scorer comes from and what carried over, as plain values; ``None`` if there is none."""
    key = transferred_key(dataset)
    if key is None or dataset.folder is None:
        return None
    return ArtifactStore(dataset.folder / "artifacts").about(TRANSFERRED, key)


def as_lent(dataset: Dataset) -> Dataset:
    """Returns the dataset with what the kept scorer knows of people, where the dataset has no users of its own."""
    lent = (transferred_about(dataset) or {}).get("lent")
    return dataset.with_lent(_lent(lent)) if lent else dataset


def open_transferred(dataset: Dataset, *, embeddings_key: str) -> AdditiveModel:
    """Opens the scorer that was carried over last.

    Raises:
        NotTrainedError: if there is none for the dataset and the encoder as they are now.
        ArtifactError: if it is damaged.
    """
    key = transferred_key(dataset)
    fix = f"Run `recsys train --from DATASET --to {dataset.name}`."
    if key is None or dataset.folder is None:
        raise NotTrainedError("Nothing has been carried over to this dataset as it is now", dataset.name, fix=fix)
    found = ArtifactStore(dataset.folder / "artifacts").open(TRANSFERRED, key)
    if found.about.get("embeddings") != embeddings_key:
        raise NotTrainedError(
            "What was carried over was read with another encoder", found.about.get("encoder"), fix=fix
        )
    return AdditiveModel.load(found.path)


def transfer_and_keep(
    source: Source,
    target: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    embeddings_key: str,
    has_prior: bool = True,
) -> Transferred:
    """Carries a source over to a dataset that has a folder, lets its own likes speak where it has any, and publishes that.

    Args:
        item_vectors: ``(n_items, dim)``, the target's.
        embeddings_key: of those.

    Raises:
        DataError: for a source that is the target, or embeddings of another length.
        ArtifactError: if it cannot be written.
    """
    assert target.folder is not None
    if source.name == target.name:
        raise DataError("A dataset cannot be carried over to itself", target.name, fix="Name another one.")
    carried = carry(source, target, item_vectors, has_prior=has_prior)
    model = shrink(carried, Histories.from_dataset(target), item_vectors, encoder=encoder)
    about = {
        **model.about,
        "version": _VERSION,
        "data": target.fingerprint,
        "embeddings": embeddings_key,
        "encoder": encoder.name,
        "lent": None if carried.dataset.lent is None else _plain(carried.dataset.lent),
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    store = ArtifactStore(target.folder / "artifacts")
    before = store.keys(TRANSFERRED)
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    made = Transferred(_marked(model, key), carried.dataset, carried.kept, carried.lost, about)
    with store.publish(TRANSFERRED, key, about=about) as folder:
        made.model.save(folder)
    for old in before:
        if old != key:
            store.remove(TRANSFERRED, old)
    return made


def _marked(model: AdditiveModel, key: str) -> AdditiveModel:
    """The model, which says which fit it is: answers of another one are not mistaken for its own."""
    return replace(model, about={**model.about, "fit": key})


def _plain(facts: LentFacts) -> dict[str, Any]:
    ages = None if facts.age_range is None else list(facts.age_range)
    attributes = {name: list(values) for name, values in facts.attributes.items()}
    return {"age_range": ages, "genders": list(facts.genders), "attributes": attributes, "words": dict(facts.words)}


def _lent(values: Mapping[str, Any]) -> LentFacts:
    ages = values["age_range"]
    attributes = {name: tuple(known) for name, known in values["attributes"].items()}
    return LentFacts(
        None if ages is None else (ages[0], ages[1]), tuple(values["genders"]), attributes, values["words"]
    )
