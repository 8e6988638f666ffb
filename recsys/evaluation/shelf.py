"""Finished evaluations, kept with their dataset."""

import hashlib
import json
from dataclasses import asdict
from typing import TypeVar

from recsys.artifact import ArtifactStore
from recsys.errors import ColdlensError, DataError
from recsys.evaluation.evaluation import Evaluation, Plan
from recsys.evaluation.transfers import TransferEvaluation, TransferPlan
from recsys.schema import Dataset

_KIND, _TRANSFER = "evaluation", "transfer-evaluation"
_VERSION = 3
"""Changes when the same plan on the same data gives other numbers."""
_Form = TypeVar("_Form", Evaluation, TransferEvaluation)


def evaluation_key(dataset: Dataset, embeddings_key: str, plan: Plan | TransferPlan) -> str:
    """Returns the SHA-256 of everything that an evaluation depends on, but for another dataset that was learned from."""
    known = asdict(plan) if isinstance(plan, TransferPlan) else plan.to_dict()
    parts = [_VERSION, dataset.fingerprint, embeddings_key, known]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def keep_evaluation(dataset: Dataset, embeddings_key: str, evaluation: Evaluation) -> None:
    """Publishes an evaluation beside its dataset.

    Raises:
        DataError: for a dataset in memory.
        ArtifactError: if it cannot be written.
    """
    _keep(dataset, _KIND, embeddings_key, evaluation)


def kept_evaluations(dataset: Dataset, embeddings_key: str) -> list[Evaluation]:
    """Returns the evaluations of this dataset with these embeddings, newest first; damaged or outdated ones are left out."""
    return _kept(dataset, _KIND, embeddings_key, Evaluation)


def keep_transfer(dataset: Dataset, embeddings_key: str, evaluation: TransferEvaluation) -> None:
    """Publishes an evaluation of a transfer beside the dataset that was judged.

    Raises:
        DataError: for a dataset in memory.
        ArtifactError: if it cannot be written.
    """
    _keep(dataset, _TRANSFER, embeddings_key, evaluation)


def kept_transfers(dataset: Dataset, embeddings_key: str) -> list[TransferEvaluation]:
    """Returns the evaluations of transfers to this dataset, as ``kept_evaluations`` does."""
    return _kept(dataset, _TRANSFER, embeddings_key, TransferEvaluation)


def _keep(dataset: Dataset, kind: str, embeddings_key: str, evaluation: Evaluation | TransferEvaluation) -> None:
    if dataset.folder is None:
        raise DataError(
            "A dataset in memory has no folder to keep an evaluation in", dataset.name, fix="Save it first."
        )
    key = evaluation_key(dataset, embeddings_key, evaluation.plan)
    about = {"command": evaluation.plan.command, "made": evaluation.about["made"], "embeddings": embeddings_key}
    with ArtifactStore(dataset.folder / "artifacts").publish(kind, key, about=about) as folder:
        evaluation.save(folder)


def _kept(dataset: Dataset, kind: str, embeddings_key: str, form: type[_Form]) -> list[_Form]:
    if dataset.folder is None:
        return []
    store, found = ArtifactStore(dataset.folder / "artifacts"), []
    for key in store.keys(kind):
        try:
            evaluation = form.load(store.open(kind, key).path)
        except (ColdlensError, OSError, ValueError, LookupError, TypeError):
            continue
        if evaluation_key(dataset, embeddings_key, evaluation.plan) == key:
            found.append(evaluation)
    return sorted(found, key=lambda evaluation: str(evaluation.about["made"]), reverse=True)
