"""Fitted models kept with their dataset: opened where they fit, trained anew where the data or the encoder changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder
from recsys.errors import ArtifactError
from recsys.schema import Dataset
from recsys.scorer import AdditiveModel
from recsys.training.additive import AdditiveConfig
from recsys.training.runs import record_run, require_wandb
from recsys.training.train import Progress, Training, train_additive
from recsys.views.view import ItemView

_KIND = "additive"
_VERSION = 3
"""Changes when the same data and configuration give another model."""


def model_key(
    dataset: Dataset, embeddings_key: str, config: AdditiveConfig, views: Mapping[str, ItemView] | None = None
) -> str:
    """Returns the SHA-256 of everything that a model depends on."""
    known = {name: view.key for name, view in (views or {}).items()}
    parts = [_VERSION, dataset.fingerprint, embeddings_key, asdict(config), known]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def runs_folder(dataset: Dataset) -> Path | None:
    """Returns where the runs of a dataset are recorded, ``None`` for a dataset in memory."""
    return None if dataset.folder is None else dataset.folder / "runs"


def open_or_train(
    dataset: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    embeddings_key: str,
    views: Mapping[str, ItemView] | None = None,
    config: AdditiveConfig | None = None,
    progress: Progress | None = None,
) -> AdditiveModel:
    """Returns the fitted model of a dataset, trained and published first where there is none.

    Raises:
        NotTrainedError: for a dataset without users or without likes.
    """
    config = config or AdditiveConfig()
    if dataset.folder is None:
        return train_additive(
            dataset, item_vectors, encoder=encoder, views=views, config=config, progress=progress
        ).model
    store, key = ArtifactStore(dataset.folder / "artifacts"), model_key(dataset, embeddings_key, config, views)
    try:
        return AdditiveModel.load(store.open(_KIND, key).path)
    except ArtifactError:
        train_and_publish(
            dataset,
            item_vectors,
            encoder=encoder,
            embeddings_key=embeddings_key,
            views=views,
            config=config,
            progress=progress,
        )
        return AdditiveModel.load(store.open(_KIND, key).path)


def train_and_publish(
    dataset: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    embeddings_key: str,
    views: Mapping[str, ItemView] | None = None,
    config: AdditiveConfig,
    progress: Progress | None = None,
    wandb: bool = False,
) -> Training:
    """Trains, publishes the model beside its dataset, which must have a folder, and records the run.

    Raises:
        NotTrainedError: for a dataset without users or without likes.
        MissingExtraError: if the run is to be sent to Weights & Biases, which is not installed.
    """
    assert dataset.folder is not None
    if wandb:
        require_wandb()
    training = train_additive(dataset, item_vectors, encoder=encoder, views=views, config=config, progress=progress)
    record_run(
        dataset.folder / "runs",
        dataset=dataset.name,
        scorer=_KIND,
        parameters=asdict(training.config),
        curve=[trial.ndcg for trial in training.trials],
        steps=[f"{trial.parameter} = {trial.value:g}" for trial in training.trials],
        seconds=training.seconds,
        wandb=wandb,
    )
    about = {"dataset": dataset.name, "encoder": encoder.name, "config": asdict(training.config)}
    store = ArtifactStore(dataset.folder / "artifacts")
    with store.publish(_KIND, model_key(dataset, embeddings_key, config, views), about=about) as folder:
        training.model.save(folder)
    return training
