"""Private fits kept with their dataset: made once, on demand, and only opened from then on."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder
from recsys.errors import ArtifactError, NotTrainedError
from recsys.privacy.accountant import ACCOUNTANT, Budget, noise_of
from recsys.privacy.columns import UserColumns
from recsys.privacy.config import PrivateConfig
from recsys.privacy.fitting import check_users, os_noise, train_private
from recsys.privacy.ledger import LEDGER, Ledger
from recsys.privacy.statistics import SENSITIVITY, Draw
from recsys.schema import Dataset
from recsys.scorer import AdditiveModel

PRIVATE, FEDERATED = "private", "federated"
"""The scorers that are kept here: only what has its noise and its budget is called private."""


@dataclass(frozen=True)
class PrivateFit:
    """A private fit as it is kept.

    Attributes:
        model: the scorer's.
        about: budget, noise, bounds, accountant; nothing in it tells of the users.
        spent: epsilon of all private fits of this dataset together, at the delta of this one.
        n_fits: how many those are.
    """

    model: AdditiveModel
    about: Mapping[str, Any]
    spent: float
    n_fits: int


def private_key(dataset: Dataset, scorer: str = PRIVATE) -> str | None:
    """Returns the key of the fit that was made last for a dataset as it is now, ``None`` if there is none.

    Args:
        scorer: ``private`` or ``federated``.
    """
    if dataset.folder is None or not (dataset.folder / LEDGER).exists():
        return None
    store, mark = ArtifactStore(dataset.folder / "artifacts"), Ledger.open(dataset.folder).mark(dataset.fingerprint)
    found = []
    for key in store.keys(scorer):
        try:
            about = store.about(scorer, key)
        except ArtifactError:
            continue
        if about.get("data") == mark:
            found.append((str(about.get("made", "")), key))
    return max(found)[1] if found else None


def open_private(dataset: Dataset, scorer: str = PRIVATE, *, embeddings_key: str) -> AdditiveModel:
    """Opens the fit that was made last; one is never made here, as every private fit reveals a little more.

    Raises:
        NotTrainedError: if there is none for the dataset and the encoder as they are now.
        ArtifactError: if it is damaged.
    """
    key = private_key(dataset, scorer)
    train = f"Run `recsys train {dataset.name} --scorer private --epsilon 3`."
    fix = train if scorer == PRIVATE else "Run `recsys federate fit` with the sums of all sites."
    if key is None or dataset.folder is None:
        raise NotTrainedError(f"No {scorer} fit for this dataset as it is now has been made", dataset.name, fix=fix)
    found = ArtifactStore(dataset.folder / "artifacts").open(scorer, key)
    if found.about.get("embeddings") != embeddings_key:
        raise NotTrainedError(f"The {scorer} fit was made with another encoder", found.about.get("encoder"), fix=fix)
    return AdditiveModel.load(found.path)


def told_of(dataset: Dataset, scorer: str = PRIVATE) -> str | None:
    """Returns what the fit of a dataset promises, for people; ``None`` if there is none."""
    key = private_key(dataset, scorer)
    if key is None or dataset.folder is None:
        return None
    return str(ArtifactStore(dataset.folder / "artifacts").about(scorer, key).get("told", ""))


def fit_and_keep(
    dataset: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    embeddings_key: str,
    budget: Budget,
    columns: UserColumns | None = None,
    config: PrivateConfig | None = None,
    draw: Draw = os_noise,
) -> PrivateFit:
    """Fits, publishes the model beside its dataset, which must have a folder, and writes down what that spends.

    Whoever holds the lock of ``recsys.lock.writing`` may call it: two at a time would write the same ledger.

    Raises:
        ConfigError: for a delta above one in the number of users.
        NotTrainedError: for a dataset without users or without likes.
        MissingExtraError: without the extra ``privacy``.
        ArtifactError: if the ledger or the model cannot be written.
    """
    assert dataset.folder is not None
    config = config or PrivateConfig()
    check_users(dataset, budget)
    ledger = Ledger.open(dataset.folder).with_fit(budget, noise_of(budget))
    model, deviation = train_private(
        dataset, item_vectors, encoder=encoder, budget=budget, columns=columns, config=config, draw=draw
    )
    about = {
        "told": budget.told,
        "epsilon": budget.epsilon,
        "delta": budget.delta,
        "deviation": deviation,
        "sensitivity": SENSITIVITY,
        "neighbours": "one user more or less, with all that is known of them",
        "accountant": ACCOUNTANT,
        "noise": "from the operating system, no seed" if draw is os_noise else "given by the caller",
        "columns": "given" if columns is not None else "those that occur, treated as public",
        "config": asdict(config),
    }
    about = keep_model(dataset, model, about, scorer=PRIVATE, encoder=encoder, embeddings_key=embeddings_key)
    return PrivateFit(model, about, ledger.total(budget.delta), len(ledger.spent))


def keep_model(
    dataset: Dataset,
    model: AdditiveModel,
    about: Mapping[str, Any],
    *,
    scorer: str,
    encoder: Encoder,
    embeddings_key: str,
) -> dict[str, Any]:
    """Publishes a model with a dataset that has a folder, in the place of the one before.

    Args:
        scorer: that it is for, ``private`` or ``federated``.
        about: ``told``, for people, and whatever else is to be known.

    Returns:
        What was written down.

    Raises:
        ArtifactError: if the ledger, whose secret marks the data, or the model cannot be written.
    """
    assert dataset.folder is not None
    ledger, store = Ledger.open(dataset.folder).kept(), ArtifactStore(dataset.folder / "artifacts")
    whole = {
        **about,
        "data": ledger.mark(dataset.fingerprint),
        "embeddings": embeddings_key,
        "encoder": encoder.name,
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    before = store.keys(scorer)
    key = hashlib.sha256(json.dumps([whole, secrets.token_hex(16)]).encode()).hexdigest()
    with store.publish(scorer, key, about=whole) as folder:
        replace(model, about={"told": about["told"], "fit": key}).save(folder)
    for old in before:
        store.remove(scorer, old)
    return whole
