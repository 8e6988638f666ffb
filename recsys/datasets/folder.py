"""A dataset on disk: ``dataset.toml`` and Parquet files; see ``versions`` for where those lie.

What tells of people is sealed where a key is set; see ``recsys.sealing``.
"""

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.datasets.people_files import INTERACTIONS_FILE, USER_VECTORS, USERS_FILE, forget_others, refuse_unsealing
from recsys.datasets.versions import files_of, publish_version, read_info
from recsys.errors import DataError
from recsys.schema import (
    AGE,
    CATEGORIES,
    GRAPH_COLUMNS,
    ITEM_ID,
    TITLE,
    USER_ID,
    YEAR,
    Dataset,
    no_graph,
)
from recsys.sealing import NO_SEAL, Seal, is_sealed_file

ITEMS_FILE, GRAPH_FILE, ITEM_VECTORS, MEDIA = "items.parquet", "graph.parquet", "item_vectors", "media"


def read_folder(folder: Path, *, seal: Seal = NO_SEAL) -> Dataset:
    """Reads a dataset folder.

    Args:
        seal: opens what is sealed.

    Raises:
        DataError: if a file is missing or unreadable, a required column is missing, or an id is missing or repeated.
        ConfigError: if a file is sealed and the key is missing, or another one.
    """
    where = files_of(folder)
    if not (where / ITEMS_FILE).is_file():
        fix = "A dataset folder needs items.parquet with the columns item_id and title."
        raise DataError("The dataset folder has no items", where / ITEMS_FILE, fix=fix)
    items = _read(where / ITEMS_FILE)
    item_ids = items[ITEM_ID].astype(str) if ITEM_ID in items else pd.Series(dtype=str)  # in the order of the file
    items = _items(items, where / ITEMS_FILE)
    users = _users(_read(where / USERS_FILE, seal), where / USERS_FILE)
    interactions = _interactions(_read(where / INTERACTIONS_FILE, seal), where / INTERACTIONS_FILE)
    graph = _graph(_read(where / GRAPH_FILE), where / GRAPH_FILE)
    media = where / MEDIA if (where / MEDIA).is_dir() else None
    vectors = _vectors(where, ITEM_VECTORS, item_ids)
    if vectors is not None:
        vectors = _in_order(vectors, item_ids, items[ITEM_ID])
    of_users = _vectors(where, USER_VECTORS, users[USER_ID], seal)
    _check_dims(vectors, of_users, where)
    return Dataset(
        folder.name,
        read_info(folder),
        items,
        users,
        interactions,
        folder,
        graph,
        media,
        item_vectors=vectors,
        user_vectors=of_users,
    )


def item_ids_as_imported(folder: Path) -> list[str]:
    """Returns the item_ids of a dataset folder in the order of its file, which vectors without ids follow.

    Raises:
        DataError: as ``read_folder``.
    """
    where = files_of(folder)
    frame = _read(where / ITEMS_FILE)
    return _with_ids(frame, (ITEM_ID,), where / ITEMS_FILE)[ITEM_ID].tolist()


def write_folder(dataset: Dataset, folder: Path, *, seal: Seal = NO_SEAL) -> Dataset:
    """Writes a dataset folder and returns the dataset living there; what was made from an older version is kept beside it.

    Args:
        seal: closes what tells of people; an older version that it has not closed is removed then.

    Raises:
        ColdlensError: if the folder cannot be written, or another process is writing it.
    """
    refuse_unsealing(folder, seal)
    with publish_version(folder, dataset.info) as draft:
        dataset.items.assign(**_stored_categories(dataset.items)).to_parquet(draft / ITEMS_FILE)
        if len(dataset.graph):
            dataset.graph.to_parquet(draft / GRAPH_FILE)
        if dataset.item_vectors is not None:
            _save(dataset.item_vectors, draft / f"{ITEM_VECTORS}.npy")
        _write_people(dataset, draft, seal)
        if dataset.media is not None:
            shutil.copytree(dataset.media, draft / MEDIA)
    if seal.has_key:
        forget_others(folder, seal)
    media = None if dataset.media is None else files_of(folder) / MEDIA
    return replace(dataset, name=folder.name, folder=folder, media=media)


def _write_people(dataset: Dataset, draft: Path, seal: Seal) -> None:
    """Writes what tells of people; what is sealed is never on the disk otherwise."""
    for name, frame in ((USERS_FILE, dataset.users), (INTERACTIONS_FILE, dataset.interactions)):
        if len(frame) and not seal.has_key:
            frame.to_parquet(draft / name)
        elif len(frame):
            (draft / name).write_bytes(seal.close(frame.to_parquet()))
    if dataset.user_vectors is None:
        return
    path = draft / f"{USER_VECTORS}.npy"
    if not seal.has_key:
        _save(dataset.user_vectors, path)
        return
    held = io.BytesIO()
    _save(dataset.user_vectors, held)
    path.write_bytes(seal.close(held.getvalue()))


def _save(vectors: np.ndarray, to: Path | io.BytesIO) -> None:
    np.save(to, np.asarray(vectors, np.float32), allow_pickle=False)


def _stored_categories(items: pd.DataFrame) -> dict[str, Any]:
    return {CATEGORIES: items[CATEGORIES].map(list)} if CATEGORIES in items else {}


def _read(path: Path, seal: Seal = NO_SEAL) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame()
    try:
        return pd.read_parquet(io.BytesIO(seal.read(path)) if is_sealed_file(path) else path)
    except (OSError, ValueError) as error:
        raise DataError(f"The file is not readable Parquet ({error})", path, fix="Write it again.") from None


def _items(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    frame = _with_ids(frame, (ITEM_ID,), path)
    if TITLE not in frame:
        raise DataError("A required column is missing", f"{path}, column '{TITLE}'", fix="Add it.")
    repeated = frame[ITEM_ID][frame[ITEM_ID].duplicated()]
    if len(repeated):
        raise DataError("An item_id is repeated", f"{path}, '{repeated.iloc[0]}'", fix="Keep one row for each item.")
    frame[TITLE] = frame[TITLE].fillna("").astype(str)
    if CATEGORIES in frame:
        frame[CATEGORIES] = frame[CATEGORIES].map(_as_categories)
    if YEAR in frame:
        frame[YEAR] = pd.to_numeric(frame[YEAR], errors="coerce").astype("Int64")
    return frame.sort_values(ITEM_ID, kind="stable", ignore_index=True)


def _as_categories(value: object) -> tuple[str, ...]:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ()
    parts = [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
    return tuple(str(part) for part in parts)


def _users(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if frame.empty:
        return pd.DataFrame({USER_ID: pd.Series(dtype=str)})
    frame = _with_ids(frame, (USER_ID,), path)
    repeated = frame[USER_ID][frame[USER_ID].duplicated()]
    if len(repeated):
        raise DataError("A user_id is repeated", f"{path}, '{repeated.iloc[0]}'", fix="Keep one row for each user.")
    if AGE in frame:
        frame[AGE] = pd.to_numeric(frame[AGE], errors="coerce").astype(float)
    return frame.reset_index(drop=True)


def _interactions(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if frame.empty:
        return pd.DataFrame({USER_ID: pd.Series(dtype=str), ITEM_ID: pd.Series(dtype=str)})
    return _with_ids(frame, (USER_ID, ITEM_ID), path).reset_index(drop=True)


def _graph(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    return no_graph() if frame.empty else _with_ids(frame, GRAPH_COLUMNS, path)[[*GRAPH_COLUMNS]].reset_index(drop=True)


def _vectors(where: Path, name: str, ids: pd.Series, seal: Seal = NO_SEAL) -> np.ndarray | None:
    """Vectors that lie beside the tables, ``(n, dim)`` in the order of the ids; ``None`` where there are none."""
    from recsys.datasets.importing.vectors import read_vectors  # it needs a part of what the whole import needs

    paths = [path for ending in ("npy", "parquet") if (path := where / f"{name}.{ending}").is_file()]
    if len(paths) > 1:
        raise DataError("There are two files of the same vectors", paths[1], fix="Delete one of them.")
    if not paths:
        return None
    role = ITEM_ID if name == ITEM_VECTORS else USER_ID
    content = seal.read(paths[0]) if is_sealed_file(paths[0]) else None
    found = read_vectors(paths[0], role, ids=ids.tolist(), content=content)
    if first := next((finding for finding in found.findings.kept if finding.is_error), None):
        raise DataError(first.what, f"{paths[0]}, row {first.row}, '{first.value}'", fix=first.fix)
    return found.vectors


def _in_order(vectors: np.ndarray, before: pd.Series, after: pd.Series) -> np.ndarray:
    """The vectors of items in the order in which these were sorted; no copy is made where they were sorted already."""
    rows = pd.Index(before).get_indexer(pd.Index(after))
    return vectors if (rows == np.arange(len(rows))).all() else vectors[rows]


def _check_dims(items: np.ndarray | None, users: np.ndarray | None, where: Path) -> None:
    if users is None:
        return
    if items is None:
        fix = f"Add {ITEM_VECTORS}.npy, made by the same model, or delete this file."
        raise DataError("There are vectors of users, but none of items", where / USER_VECTORS, fix=fix)
    if items.shape[1] != users.shape[1]:
        value = f"{where}, {users.shape[1]:,} and {items.shape[1]:,} numbers"
        fix = "Give vectors of users and items that one model made for each other."
        raise DataError("The vectors of users are not as long as those of items", value, fix=fix)


def _with_ids(frame: pd.DataFrame, columns: tuple[str, ...], path: Path) -> pd.DataFrame:
    for name in columns:
        if name not in frame:
            raise DataError("A required column is missing", f"{path}, column '{name}'", fix="Add it.")
        if frame[name].isna().any():
            row = int(frame[name].isna().to_numpy().argmax())
            raise DataError(
                "An id is missing", f"{path}, row {row}, column '{name}'", fix="Fill it in or drop the row."
            )
    return frame.assign(**{name: frame[name].astype(str) for name in columns})
