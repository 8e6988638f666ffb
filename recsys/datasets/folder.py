"""A dataset on disk: ``dataset.toml`` beside Parquet files."""

import os
import shutil
import tomllib
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from recsys.errors import ColdlensError, DataError
from recsys.schema import (
    AGE,
    CATEGORIES,
    ITEM_ID,
    TITLE,
    USER_ID,
    YEAR,
    Dataset,
    DatasetInfo,
    Preset,
    Profile,
)

INFO_FILE, ITEMS_FILE, USERS_FILE, INTERACTIONS_FILE = (
    "dataset.toml",
    "items.parquet",
    "users.parquet",
    "interactions.parquet",
)


def read_folder(folder: Path) -> Dataset:
    """Reads a dataset folder.

    Raises:
        DataError: if a file is missing or unreadable, a required column is missing, or an id is missing or repeated.
    """
    if not (folder / ITEMS_FILE).is_file():
        fix = "A dataset folder needs items.parquet with the columns item_id and title."
        raise DataError("The dataset folder has no items", folder / ITEMS_FILE, fix=fix)
    items = _items(_read(folder / ITEMS_FILE), folder / ITEMS_FILE)
    users = _users(_read(folder / USERS_FILE), folder / USERS_FILE)
    interactions = _interactions(_read(folder / INTERACTIONS_FILE), folder / INTERACTIONS_FILE)
    return Dataset(folder.name, read_info(folder), items, users, interactions, folder)


def read_info(folder: Path) -> DatasetInfo:
    """Reads ``dataset.toml``; without one, the folder's name is the title and everything else is default.

    Raises:
        DataError: if the file is not valid TOML or holds an unknown key.
    """
    path = folder / INFO_FILE
    if not path.exists():
        return DatasetInfo(title=folder.name)
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        presets = tuple(Preset(row.pop("name"), Profile.from_dict(row)) for row in values.pop("presets", []))
        return DatasetInfo(**{"title": folder.name, **values}, presets=presets)
    except ColdlensError as error:
        fix = "Correct the preset, or delete it."
        raise DataError(
            f"A preset of dataset.toml cannot be used ({error.what}: {error.value})", path, fix=fix
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"dataset.toml cannot be read ({error})", path, fix="Correct the line, or delete the file."
        ) from None


def write_folder(dataset: Dataset, folder: Path) -> Dataset:
    """Writes a dataset folder (temporary folder, sync, rename) and returns the dataset living there.

    Raises:
        DataError: if the folder cannot be written.
    """
    draft = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    replaced = draft.with_name(f"{draft.name}-replaced")
    try:
        draft.mkdir(parents=True)
        dataset.items.assign(**_stored_categories(dataset.items)).to_parquet(draft / ITEMS_FILE)
        for frame, name in ((dataset.users, USERS_FILE), (dataset.interactions, INTERACTIONS_FILE)):
            if len(frame):
                frame.to_parquet(draft / name)
        (draft / INFO_FILE).write_text(tomli_w.dumps(_info_values(dataset.info)), "utf-8")
        for path in draft.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if folder.exists():
            folder.rename(replaced)
        draft.rename(folder)
    except OSError as error:
        fix = "Free some space or make the folder writable, then try again."
        raise DataError(f"The dataset could not be written ({error.strerror or error})", folder, fix=fix) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(replaced, ignore_errors=True)
    return replace(dataset, name=folder.name, folder=folder)


def _info_values(info: DatasetInfo) -> dict[str, Any]:
    values = {key: value for key, value in vars(info).items() if key not in ("presets", "words")}
    values["words"] = {column: dict(words) for column, words in info.words.items()}
    values["presets"] = [
        {"name": preset.name, **{k: v for k, v in preset.profile.to_dict().items() if v}} for preset in info.presets
    ]
    return values


def _stored_categories(items: pd.DataFrame) -> dict[str, Any]:
    return {CATEGORIES: items[CATEGORIES].map(list)} if CATEGORIES in items else {}


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame()
    try:
        return pd.read_parquet(path)
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
