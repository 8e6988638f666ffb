"""Fixtures that every test may use; the environment is set before anything heavy is imported."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from pathlib import Path

import pytest

from recsys.datasets import open_dataset, write_folder
from recsys.encoder import TransformerEncoder
from recsys.schema import Dataset
from recsys.settings import DEFAULT_ENCODER
from tests.toy import ToyEncoder, toy_dataset

_LONG = ("test_mutations", "test_readme", "test_audit", "test_compare", "test_datasets")
"""Files that are begun first, because one of them at the end would keep everybody waiting (pytest-xdist, whole files)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sorts the long files to the front, and leaves out what runs before a release unless it is asked for."""
    if "release" not in config.getoption("-m"):
        left_out = [item for item in items if item.get_closest_marker("release")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("release")]
    order = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture
def toy() -> Dataset:
    """The toy world in memory."""
    return toy_dataset()


@pytest.fixture
def toy_folder(toy: Dataset, tmp_path: Path) -> Dataset:
    """The toy world on disk, at ``tmp_path / "data" / "toy"``."""
    return write_folder(toy, tmp_path / "data" / "toy")


@pytest.fixture
def toy_encoder() -> ToyEncoder:
    """A real encoder of the toy world's words."""
    return ToyEncoder()


@pytest.fixture(scope="session")
def movielens(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """MovieLens-100K, fetched into a folder of this session."""
    return open_dataset("movielens-100k", data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def minilm() -> TransformerEncoder:
    """The default encoder on the CPU."""
    return TransformerEncoder.from_pretrained(DEFAULT_ENCODER, device="cpu")
