"""Where the files of a dataset lie, and how new ones take their place.

``dataset.toml`` is the one commit point: it names the version whose Parquet files, an artifact with checksums, lie in
``versions/``. A new version is written beside the old one and becomes the dataset when ``dataset.toml`` is replaced, which is
one atomic rename; before that moment nothing has changed, whatever is killed. A folder without a named version holds its
Parquet files itself, as somebody made it by hand.
"""

import hashlib
import os
import shutil
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomli_w

from recsys.artifact import MANIFEST, ArtifactStore, sweep, sync, sync_above, why_not_written
from recsys.errors import ArtifactError, ColdlensError, DataError
from recsys.schema import DatasetInfo, Preset, Profile, VectorsInfo

INFO_FILE = "dataset.toml"
_VERSION, _VERSIONS, _KIND = "version", "versions", "data"
_KEPT = 2


def read_info(folder: Path) -> DatasetInfo:
    """Reads ``dataset.toml``; without one, the folder's name is the title and everything else is default.

    Raises:
        DataError: if the file is not valid TOML or holds an unknown key.
    """
    path = folder / INFO_FILE
    values = _read_toml(path)
    values.pop(_VERSION, None)
    try:
        vectors = VectorsInfo(**values.pop("vectors")) if "vectors" in values else None
    except ColdlensError as error:
        raise DataError(f"dataset.toml cannot be read ({error.what}: {error.value})", path, fix=error.fix) from None
    except TypeError as error:
        fix = "Let [vectors] hold encoder and similarity, or delete it."
        raise DataError(f"dataset.toml cannot be read ({error})", path, fix=fix) from None
    try:
        presets = tuple(Preset(row.pop("name"), Profile.from_dict(row)) for row in values.pop("presets", []))
        return DatasetInfo(**{"title": folder.name, **values}, presets=presets, vectors=vectors)
    except ColdlensError as error:
        fix = "Correct the preset, or delete it."
        raise DataError(
            f"A preset of dataset.toml cannot be used ({error.what}: {error.value})", path, fix=fix
        ) from None
    except (TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"dataset.toml cannot be read ({error})", path, fix="Correct the line, or delete the file."
        ) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"dataset.toml cannot be read ({error})", path, fix="Correct the line, or delete the file."
        ) from None


def files_of(folder: Path) -> Path:
    """Returns the folder of the Parquet files, verified where they are a published version.

    Raises:
        DataError: if the version is missing or damaged.
    """
    key = _read_toml(folder / INFO_FILE).get(_VERSION)
    if key is None:
        return folder
    store = ArtifactStore(folder / _VERSIONS)
    try:
        return store.open(_KIND, str(key)).path
    except ArtifactError as error:
        again = _read_toml(folder / INFO_FILE).get(_VERSION)
        if again != key:  # a new version was published since
            return files_of(folder)
        raise DataError(error.what, error.value, fix="Import or fetch the dataset again.") from None


def about_version(folder: Path) -> Mapping[str, Any]:
    """Returns what was written down of how the present version was made; nothing for a folder made by hand.

    Raises:
        ArtifactError: if the version is missing or damaged.
    """
    key = _read_toml(folder / INFO_FILE).get(_VERSION)
    return {} if key is None else ArtifactStore(folder / _VERSIONS).about(_KIND, str(key))


def older_versions(folder: Path) -> list[Path]:
    """Returns the folders of all versions but the present one."""
    store, key = ArtifactStore(folder / _VERSIONS), _read_toml(folder / INFO_FILE).get(_VERSION)
    return [store.path(_KIND, found) for found in store.keys(_KIND) if found != key]


@contextmanager
def publish_version(folder: Path, info: DatasetInfo, *, about: Mapping[str, Any] | None = None) -> Iterator[Path]:
    """Yields an empty folder to write Parquet files into, and makes them the dataset when the block ends without an error.

    Args:
        about: whatever else is to be known of how they were made.

    Raises:
        DataError: if the disk is full or the folder cannot be written.
    """
    draft = folder / _VERSIONS / f".draft-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        draft.mkdir(parents=True)
        yield draft
        commit_version(folder, info, draft, about=about)
    except OSError as error:
        fix = "Free some space or make the folder writable, then try again; nothing was changed."
        told = why_not_written(error, folder)
        raise DataError(f"The dataset could not be written ({told})", folder, fix=fix) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def commit_version(folder: Path, info: DatasetInfo, draft: Path, *, about: Mapping[str, Any] | None = None) -> str:
    """Makes the files of a draft the dataset, and returns the key of the version: a hash of their content.

    Args:
        draft: on the same file system; its files are moved away.
        about: whatever else is to be known of how they were made.

    Raises:
        ArtifactError: if they cannot be written, or the disk does not confirm the new ``dataset.toml``.
        OSError: if ``dataset.toml`` cannot be written.
    """
    store = ArtifactStore(folder / _VERSIONS)
    key = _key_of(draft)
    with store.publish(_KIND, key, about=about or {}) as published:
        for path in sorted(draft.iterdir()):
            path.rename(published / path.name)
    _replace_toml(folder, _info_values(info) | {_VERSION: key})
    _remove_older(store, key)
    return key


def _key_of(draft: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in draft.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest.update(
                f"{path.relative_to(draft).as_posix()} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()
            )
    return digest.hexdigest()


def _replace_toml(folder: Path, values: Mapping[str, Any]) -> None:
    path = folder / INFO_FILE
    draft = folder / f".{INFO_FILE}-{os.getpid()}"
    sweep(folder.glob(f".{INFO_FILE}-*"))
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(tomli_w.dumps(values))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    try:
        sync(folder)
    except OSError as error:
        what = f"The new dataset is there, but the disk does not confirm that it is kept ({error.strerror or error})"
        raise ArtifactError(what, folder, fix="Check the disk, then write the dataset again.") from error
    sync_above(folder, levels=2)


def _remove_older(store: ArtifactStore, key: str) -> None:
    """The version before stays: a reader may have just opened it."""
    paths = [store.path(_KIND, found) for found in store.keys(_KIND) if found != key]
    for path in sorted(paths, key=_age, reverse=True)[_KEPT - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _age(path: Path) -> float:
    try:
        return (path / MANIFEST).stat().st_mtime
    except OSError:
        return 0.0


def _info_values(info: DatasetInfo) -> dict[str, Any]:
    values = {key: value for key, value in vars(info).items() if key not in ("presets", "words", "vectors")}
    if info.vectors is not None:
        values["vectors"] = dict(vars(info.vectors))
    values["words"] = {column: dict(words) for column, words in info.words.items()}
    values["presets"] = [
        {"name": preset.name, **{k: v for k, v in preset.profile.to_dict().items() if v}} for preset in info.presets
    ]
    return values
