"""A fitted model is trained once, opened afterwards, and trained anew where its data, encoder or files changed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.datasets import write_folder
from recsys.errors import MissingExtraError, NotTrainedError
from recsys.schema import Dataset
from recsys.scorer import AdditiveModel
from recsys.training import (
    AdditiveConfig,
    list_runs,
    model_key,
    open_or_train,
    runs_folder,
    store,
    train_additive,
    train_and_publish,
)
from tests.toy import ToyEncoder
from tests.training.world import vectors, world


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return write_folder(world(n_users=60), tmp_path / "world")


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Dataset]]:
    """Every dataset that is trained on."""
    found: list[Dataset] = []

    def counted(dataset: Dataset, *arguments: Any, **options: Any) -> Any:
        found.append(dataset)
        return train_additive(dataset, *arguments, **options)

    monkeypatch.setattr(store, "train_additive", counted)
    yield found


def opened(dataset: Dataset, encoder: ToyEncoder | None = None, **options: Any) -> AdditiveModel:
    options = {"embeddings_key": "key"} | options
    return open_or_train(dataset, vectors(dataset), encoder=encoder or ToyEncoder(), **options)


def published(dataset: Dataset) -> list[Path]:
    return sorted((dataset.folder / "artifacts").glob("additive-*"))


def assert_same(a: AdditiveModel, b: AdditiveModel) -> None:
    for name in AdditiveModel._ARRAYS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.calibration, a.basis.to_dict(), dict(a.about)) == (b.calibration, b.basis.to_dict(), dict(b.about))


class Deaf(ToyEncoder):
    """An encoder that must not be asked."""

    def encode(self, texts: Any, **options: Any) -> np.ndarray:
        raise AssertionError(f"encoded {list(texts)}")


def test_trained_once_then_opened_without_training_or_encoding(dataset: Dataset, trainings: list[Dataset]):
    first = opened(dataset)
    again = opened(dataset, Deaf())
    assert len(trainings) == 1
    assert len(published(dataset)) == len(list_runs(runs_folder(dataset))) == 1
    assert_same(first, again)


def test_what_is_opened_is_what_was_trained(dataset: Dataset):
    training = train_additive(dataset, vectors(dataset), encoder=ToyEncoder())
    model = opened(dataset)
    for name in AdditiveModel._ARRAYS:
        expected = getattr(training.model, name)
        np.testing.assert_allclose(getattr(model, name), expected, atol=1e-5 * max(1.0, np.abs(expected).max()))
    assert np.linalg.norm(model.prior) > 0
    assert dict(model.about) == dict(training.model.about)


@pytest.mark.parametrize("name", ["manifest.json", "model.json", "items.npy"])
def test_a_damaged_model_is_trained_again_and_replaced(dataset: Dataset, trainings: list[Dataset], name: str):
    first = opened(dataset)
    (published(dataset)[0] / name).write_bytes(b"damaged")
    assert_same(opened(dataset), first)
    assert len(trainings) == 2
    assert_same(opened(dataset, Deaf()), first)
    assert len(trainings) == 2


def test_other_interactions_embeddings_or_settings_give_another_model(dataset: Dataset, trainings: list[Dataset]):
    opened(dataset)
    fewer = replace(dataset, interactions=dataset.interactions[:-5])
    opened(fewer)
    opened(dataset, embeddings_key="other")
    opened(dataset, config=AdditiveConfig(seed=1))
    assert len(trainings) == len(published(dataset)) == 4
    opened(dataset)
    assert len(trainings) == 4


@pytest.mark.parametrize(
    "change",
    [
        lambda d: replace(d, users=d.users.assign(age=d.users["age"] + 1)),
        lambda d: replace(d, items=d.items.assign(title=d.items["title"] + "!")),
        lambda d: replace(d, interactions=d.interactions.assign(rating=4.5)),
    ],
    ids=["users", "items", "ratings"],
)
def test_the_key_depends_on_every_frame(dataset: Dataset, change: Any):
    config = AdditiveConfig()
    assert model_key(dataset, "key", config) == model_key(world(n_users=60), "key", config)
    assert model_key(change(dataset), "key", config) != model_key(dataset, "key", config)


def test_a_dataset_in_memory_is_trained_each_time_and_leaves_nothing(trainings: list[Dataset]):
    in_memory = world(n_users=60)
    assert_same(opened(in_memory), opened(in_memory))
    assert len(trainings) == 2
    assert runs_folder(in_memory) is None


def test_progress_is_told_only_where_something_is_trained(dataset: Dataset):
    steps: list[tuple[int, int]] = []
    opened(dataset, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    opened(dataset, progress=lambda done, total: steps.append((done, total)))
    assert len(steps) == 3


def test_a_training_that_fails_publishes_and_records_nothing(dataset: Dataset):
    empty = replace(dataset, interactions=dataset.interactions[:0])
    with pytest.raises(NotTrainedError):
        opened(empty)
    assert published(dataset) == []
    assert list_runs(runs_folder(dataset)) == []


def test_wandb_is_looked_for_before_anything_is_trained(
    dataset: Dataset, trainings: list[Dataset], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("recsys.training.runs.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError):
        train_and_publish(
            dataset, vectors(dataset), encoder=ToyEncoder(), embeddings_key="key", config=AdditiveConfig(), wandb=True
        )
    assert trainings == [] == published(dataset)
