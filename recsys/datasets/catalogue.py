"""Which datasets are there, and where they come from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recsys.datasets import movielens, samples
from recsys.datasets.folder import ITEMS_FILE, read_folder, write_folder
from recsys.datasets.versions import INFO_FILE, read_info
from recsys.errors import ColdlensError, DataError
from recsys.schema import Dataset
from recsys.sealing import NO_SEAL, Seal

FETCHABLE: dict[str, Callable[[Path | None], Dataset]] = {movielens.NAME: movielens.read, **samples.READERS}
"""Name to reader of the datasets that an installed package or the repository carries."""


@dataclass(frozen=True)
class DatasetEntry:
    """A line of ``recsys datasets list``; ``state`` is ``ready``, ``can be fetched``, or what is wrong with it."""

    name: str
    title: str
    state: str


def open_dataset(name_or_path: str | Path, *, data_dir: Path = Path("data"), seal: Seal = NO_SEAL) -> Dataset:
    """Opens a dataset by name in ``data_dir``, or the dataset folder at a path.

    A dataset that an installed package or the repository carries is fetched on first use.

    Args:
        seal: opens what is sealed, and closes what is fetched.

    Raises:
        DataError: if there is none, or its files cannot be read.
        ConfigError: if they are sealed and the key is missing, or another one.
    """
    path = Path(name_or_path)
    if path.is_dir() and (path / INFO_FILE).exists():
        return read_folder(path, seal=seal)
    folder = data_dir / str(name_or_path)
    if folder.is_dir() or path.is_dir():
        return read_folder(folder if folder.is_dir() else path, seal=seal)
    if str(name_or_path) in FETCHABLE:
        return fetch_dataset(str(name_or_path), data_dir=data_dir, seal=seal)
    known = ", ".join(entry.name for entry in list_datasets(data_dir))
    raise DataError(
        "There is no such dataset", name_or_path, fix=f"Use one of: {known}, or the path of a dataset folder."
    )


def fetch_dataset(
    name: str, *, data_dir: Path = Path("data"), source: Path | None = None, seal: Seal = NO_SEAL
) -> Dataset:
    """Reads a known dataset from its package, or from a file that the reader already has, into ``data_dir``.

    Raises:
        DataError: for an unknown name, or a source that cannot be read.
    """
    if name not in FETCHABLE:
        raise DataError("This dataset cannot be fetched", name, fix=f"Choose one of: {', '.join(FETCHABLE)}.")
    return write_folder(FETCHABLE[name](source), data_dir / name, seal=seal)


def dataset_folders(data_dir: Path) -> list[Path]:
    """Returns the folder of every dataset in ``data_dir``, published or made by hand, sorted by name."""
    found = {path.parent for name in (INFO_FILE, ITEMS_FILE) for path in data_dir.glob(f"*/{name}")}
    return sorted(found)


def list_datasets(data_dir: Path = Path("data")) -> list[DatasetEntry]:
    """Returns every dataset folder in ``data_dir`` and every dataset that can be fetched, sorted by name."""
    entries = {name: DatasetEntry(name, name, "can be fetched") for name in FETCHABLE}
    for path in sorted(data_dir.glob(f"*/{INFO_FILE}")):
        name = path.parent.name
        try:
            entries[name] = DatasetEntry(name, read_info(path.parent).title, "ready")
        except ColdlensError as error:
            entries[name] = DatasetEntry(name, name, str(error))
    return [entries[name] for name in sorted(entries)]
