"""The files of a dataset that tell of people: sealed where a key is set, in a published version or a folder made by hand."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recsys.artifact import MANIFEST, sweep
from recsys.datasets.versions import about_version, files_of, older_versions, publish_version, read_info
from recsys.errors import ColdlensError, ConfigError, DataError
from recsys.lock import writing
from recsys.sealing import NO_SEAL, Seal, seal_again

USERS_FILE, INTERACTIONS_FILE, USER_VECTORS = "users.parquet", "interactions.parquet", "user_vectors"
PEOPLE_FILES = (USERS_FILE, INTERACTIONS_FILE, f"{USER_VECTORS}.npy", f"{USER_VECTORS}.parquet")


def seal_people(where: Path, *, opened_by: Seal, closed_by: Seal) -> int:
    """Seals the files in a folder that tell of people, each in one step, and returns how many that took.

    Raises:
        OSError: if one cannot be read or written; it is as before then.
        ColdlensError: if one cannot be opened.
    """
    paths = _not_fitting(where, closed_by)
    return sum(seal_again(path, opened_by=opened_by, closed_by=closed_by) for path in paths)


def refuse_unsealing(folder: Path, seal: Seal) -> None:
    """Raises an error where a dataset is sealed and would be written again without a key.

    Raises:
        ConfigError: if so.
        DataError: if its files cannot be looked at.
    """
    try:
        where = files_of(folder)
    except ColdlensError:  # a damaged one is to be replaced
        return
    if seal.has_key:
        return
    try:
        is_sealed = bool(_not_fitting(where, NO_SEAL))
    except OSError as error:
        fix = "Make its files readable, then try again."
        raise DataError(
            f"The dataset that is there cannot be read ({error.strerror or error})", folder, fix=fix
        ) from None
    if is_sealed:
        fix = "Set COLDLENS_KEY or COLDLENS_KEY_FILE, or open the dataset for good with `recsys seal --undo` first."
        raise ConfigError("The dataset is sealed, and no key is set to seal the new one", folder, fix=fix)


def forget_others(folder: Path, seal: Seal) -> None:
    """Removes the versions before the present one whose people are not sealed as this seal would do it.

    Who still has such a version open reads the dataset again.
    """
    for path in older_versions(folder):
        with suppress(OSError):  # it is being removed already
            if _not_fitting(path, seal):
                shutil.rmtree(path, ignore_errors=True)


def seal_dataset(folder: Path, *, opened_by: Seal, closed_by: Seal) -> int:
    """Seals what a dataset tells of people, seals it with another key, or opens it for good.

    A published version is replaced by a new one, in one step; the files of a folder made by hand are replaced one by one.

    Returns:
        How many files that took; 0 if all are as they should be.

    Raises:
        ColdlensError: if a file cannot be opened, the folder cannot be written, or another process is writing it.
    """
    with writing(folder, "seal"):
        sweep((folder / "versions").glob(".draft-*"))
        where = files_of(folder)
        try:
            if where == folder:
                return seal_people(folder, opened_by=opened_by, closed_by=closed_by)
            paths = _not_fitting(where, closed_by)
            if paths:
                _publish_again(folder, where, paths, opened_by, closed_by)
        except OSError as error:
            fix = "Free some space or make the folder writable, then try again."
            raise DataError(f"The dataset could not be sealed ({error.strerror or error})", folder, fix=fix) from error
        forget_others(folder, closed_by)
        return len(paths)


def _publish_again(folder: Path, where: Path, paths: list[Path], opened_by: Seal, closed_by: Seal) -> None:
    """Publishes a version of the same content; what is to be sealed is never written otherwise."""
    names = [path.name for path in paths]
    with publish_version(folder, read_info(folder), about=about_version(folder)) as draft:
        shutil.copytree(where, draft, ignore=_left_out(where, {MANIFEST, *names}), dirs_exist_ok=True)
        for path in paths:
            (draft / path.name).write_bytes(closed_by.close(opened_by.read(path)))


def _left_out(where: Path, names: set[str]) -> Callable[[str, list[str]], set[str]]:
    return lambda folder, found: names if Path(folder) == where else set()


def _not_fitting(where: Path, seal: Seal) -> list[Path]:
    return [path for name in PEOPLE_FILES if (path := where / name).is_file() and not seal.fits(path)]
