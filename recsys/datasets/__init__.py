"""Datasets by name: what is there, how to open it, how to fetch it."""

from recsys.datasets.catalogue import dataset_folders, fetch_dataset, list_datasets, open_dataset
from recsys.datasets.folder import read_folder, write_folder

__all__ = ["dataset_folders", "fetch_dataset", "list_datasets", "open_dataset", "read_folder", "write_folder"]
