"""Finished evaluations, kept with their dataset."""

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from recsys.artifact import MANIFEST, ArtifactStore
from recsys.errors import ArtifactError, ColdlensError, ConfigError, DataError
from recsys.evaluation.evaluation import Evaluation, Plan
from recsys.evaluation.transfers import TransferEvaluation, TransferPlan
from recsys.schema import Dataset
from recsys.sealing import NO_SEAL, Seal

_KIND, _TRANSFER = "evaluation", "transfer-evaluation"
_OF_PEOPLE = ("users.parquet", "lists.parquet")
"""Files that have a row for each user that was judged."""
_VERSION = 3
"""Changes when the same plan on the same data gives other numbers."""
_Form = TypeVar("_Form", Evaluation, TransferEvaluation)


def evaluation_key(dataset: Dataset, embeddings_key: str, plan: Plan | TransferPlan) -> str:
    """Returns the SHA-256 of everything that an evaluation depends on, but for another dataset that was learned from."""
    known = asdict(plan) if isinstance(plan, TransferPlan) else plan.to_dict()
    parts = [_VERSION, dataset.fingerprint, embeddings_key, known]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def keep_evaluation(dataset: Dataset, embeddings_key: str, evaluation: Evaluation, *, seal: Seal = NO_SEAL) -> None:
    """Publishes an evaluation beside its dataset.

    Args:
        seal: closes what has a row for each user.

    Raises:
        DataError: for a dataset in memory.
        ArtifactError: if it cannot be written.
    """
    _keep(dataset, _KIND, embeddings_key, evaluation, seal)


def kept_evaluations(dataset: Dataset, embeddings_key: str, *, seal: Seal = NO_SEAL) -> list[Evaluation]:
    """Returns the evaluations of this dataset with these embeddings, newest first; damaged or outdated ones are left out.

    Raises:
        ConfigError: if one is sealed and the key is missing, or another one.
    """
    return _kept(dataset, _KIND, embeddings_key, Evaluation, seal)


def keep_transfer(
    dataset: Dataset, embeddings_key: str, evaluation: TransferEvaluation, *, seal: Seal = NO_SEAL
) -> None:
    """Publishes an evaluation of a transfer beside the dataset that was judged.

    Args:
        seal: closes what has a row for each user.

    Raises:
        DataError: for a dataset in memory.
        ArtifactError: if it cannot be written.
    """
    _keep(dataset, _TRANSFER, embeddings_key, evaluation, seal)


def kept_transfers(dataset: Dataset, embeddings_key: str, *, seal: Seal = NO_SEAL) -> list[TransferEvaluation]:
    """Returns the evaluations of transfers to this dataset, as ``kept_evaluations`` does."""
    return _kept(dataset, _TRANSFER, embeddings_key, TransferEvaluation, seal)


def seal_evaluations(folder: Path, *, opened_by: Seal, closed_by: Seal) -> int:
    """Seals what the evaluations beside a dataset tell of single users, each in one step; returns how many files that took.

    A damaged one, which nothing reads any more, is removed.

    Args:
        folder: of the dataset.

    Raises:
        ColdlensError: if a file cannot be opened, or not written.
    """
    store = ArtifactStore(folder / "artifacts")
    every = [(kind, key) for kind in (_KIND, _TRANSFER) for key in store.keys(kind)]
    return sum(_seal_again(store, kind, key, opened_by, closed_by) for kind, key in every)


def _seal_again(store: ArtifactStore, kind: str, key: str, opened_by: Seal, closed_by: Seal) -> int:
    try:
        found = store.open(kind, key)
    except ArtifactError:
        store.remove(kind, key)
        return 0
    paths = [path for name in _OF_PEOPLE if (path := found.path / name).is_file() and not closed_by.fits(path)]
    if paths:
        with store.publish(kind, key, about=found.about) as draft:
            left_out = shutil.ignore_patterns(MANIFEST, *(path.name for path in paths))
            shutil.copytree(found.path, draft, ignore=left_out, dirs_exist_ok=True)
            for path in paths:
                (draft / path.name).write_bytes(closed_by.close(opened_by.read(path)))
    return len(paths)


def _keep(
    dataset: Dataset, kind: str, embeddings_key: str, evaluation: Evaluation | TransferEvaluation, seal: Seal
) -> None:
    if dataset.folder is None:
        raise DataError(
            "A dataset in memory has no folder to keep an evaluation in", dataset.name, fix="Save it first."
        )
    key = evaluation_key(dataset, embeddings_key, evaluation.plan)
    about = {"command": evaluation.plan.command, "made": evaluation.about["made"], "embeddings": embeddings_key}
    with ArtifactStore(dataset.folder / "artifacts").publish(kind, key, about=about) as folder:
        evaluation.save(folder, seal=seal)


def _kept(dataset: Dataset, kind: str, embeddings_key: str, form: type[_Form], seal: Seal) -> list[_Form]:
    if dataset.folder is None:
        return []
    store, found = ArtifactStore(dataset.folder / "artifacts"), []
    for key in store.keys(kind):
        try:
            evaluation = form.load(store.open(kind, key).path, seal=seal)
        except ConfigError:
            raise
        except (ColdlensError, OSError, ValueError, LookupError, TypeError):
            continue
        if evaluation_key(dataset, embeddings_key, evaluation.plan) == key:
            found.append(evaluation)
    return sorted(found, key=lambda evaluation: str(evaluation.about["made"]), reverse=True)
