"""Finished evaluations, kept with their dataset."""

import hashlib
import json

from recsys.artifact import ArtifactStore
from recsys.errors import ColdlensError, DataError
from recsys.evaluation.evaluation import Evaluation, Plan
from recsys.schema import Dataset

_KIND = "evaluation"
_VERSION = 3
"""Changes when the same plan on the same data gives other numbers."""


def evaluation_key(dataset: Dataset, embeddings_key: str, plan: Plan) -> str:
    """Returns the SHA-256 of everything that an evaluation depends on."""
    parts = [_VERSION, dataset.fingerprint, embeddings_key, plan.to_dict()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def keep_evaluation(dataset: Dataset, embeddings_key: str, evaluation: Evaluation) -> None:
    """Publishes an evaluation beside its dataset.

    Raises:
        DataError: for a dataset in memory.
        ArtifactError: if it cannot be written.
    """
    if dataset.folder is None:
        raise DataError(
            "A dataset in memory has no folder to keep an evaluation in", dataset.name, fix="Save it first."
        )
    key = evaluation_key(dataset, embeddings_key, evaluation.plan)
    about = {"command": evaluation.plan.command, "made": evaluation.about["made"], "embeddings": embeddings_key}
    with ArtifactStore(dataset.folder / "artifacts").publish(_KIND, key, about=about) as folder:
        evaluation.save(folder)


def kept_evaluations(dataset: Dataset, embeddings_key: str) -> list[Evaluation]:
    """Returns the evaluations of this dataset with these embeddings, newest first; damaged or outdated ones are left out."""
    if dataset.folder is None:
        return []
    store, found = ArtifactStore(dataset.folder / "artifacts"), []
    for key in store.keys(_KIND):
        try:
            evaluation = Evaluation.load(store.open(_KIND, key).path)
        except (ColdlensError, OSError, ValueError, LookupError, TypeError):
            continue
        if evaluation_key(dataset, embeddings_key, evaluation.plan) == key:
            found.append(evaluation)
    return sorted(found, key=lambda evaluation: str(evaluation.about["made"]), reverse=True)
