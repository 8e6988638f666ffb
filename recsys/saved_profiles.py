"""Profiles on disk, in JSON files that only their owner can read: saved under a name, or behind a link that tells nothing.

Where a key is set they are sealed, see ``recsys.sealing``.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from recsys.errors import DataError
from recsys.schema import Preset, Profile
from recsys.sealing import NO_SEAL, Seal, replace_file, seal_again

MAX_NAME = 60
MAX_SAVED = 200
LINK_DAYS = 30
"""How long a link leads to its profiles."""
MAX_LINKED = 1_000
"""Links of one dataset that lead somewhere at the same time."""
_DAY = 86_400.0


@dataclass(frozen=True)
class SavedProfiles:
    """The saved profiles of one dataset, in ``path``; every call reads the file, so two dashboards agree."""

    path: Path
    seal: Seal = NO_SEAL

    def all(self) -> list[Preset]:
        """Returns the saved profiles sorted by name.

        Raises:
            DataError: if the file cannot be read.
            ConfigError: if it is sealed and the key is missing, or another one.
        """
        try:
            values = json.loads(self.seal.read(self.path).decode())
            return [Preset(name, Profile.from_dict(values[name])) for name in sorted(values)]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
            fix = "Correct the file, or delete it to start anew."
            raise DataError(f"The saved profiles cannot be read ({error})", self.path, fix=fix) from None

    def save(self, name: str, profile: Profile) -> None:
        """Saves a profile under a name, in place of one of the same name.

        Raises:
            DataError: for an empty or too long name, too many profiles, or a file that cannot be written.
            ConfigError: as ``all`` does; the file is left as it is.
        """
        name = " ".join(name.split())
        if not 1 <= len(name) <= MAX_NAME:
            raise DataError("The name does not fit", name, fix=f"Give it 1 to {MAX_NAME} characters.")
        with self._lock():
            values = {saved.name: saved.profile.to_dict() for saved in self.all()} | {name: profile.to_dict()}
            if len(values) > MAX_SAVED:
                raise DataError("There are too many saved profiles", len(values), fix=f"Keep at most {MAX_SAVED}.")
            self._write(values)

    def delete(self, name: str) -> None:
        """Deletes a saved profile; a name that is not there is fine."""
        with self._lock():
            self._write({saved.name: saved.profile.to_dict() for saved in self.all() if saved.name != name})

    def seal_again(self, closed_by: Seal) -> bool:
        """Seals the file as another seal would, and returns whether that was needed.

        Raises:
            OSError: if it cannot be read or written.
            ColdlensError: if it cannot be opened.
        """
        with self._lock():
            return self.path.is_file() and seal_again(self.path, opened_by=self.seal, closed_by=closed_by)

    def _lock(self) -> FileLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path.with_name(f".{self.path.name}.lock"))

    def _write(self, values: dict[str, dict[str, Any]]) -> None:
        _write(self.path, values, self.seal)


@dataclass(frozen=True)
class LinkedProfiles:
    """Profiles that random ids lead to, for a while; one file for each in ``folder``, named by a hash of its id.

    An id has 128 random bits, so nobody finds one by trying, and it tells nothing of whom it leads to.
    """

    folder: Path
    seal: Seal = NO_SEAL

    def keep(self, profiles: Sequence[Profile], *, now: float | None = None) -> str:
        """Keeps some profiles and returns the id that leads to them; what has expired is removed.

        Args:
            now: seconds since 1970.

        Raises:
            DataError: for too many links, or a file that cannot be written.
        """
        found = time.time() if now is None else now
        self._sweep(found)
        if len(list(self.folder.glob("*.json"))) >= MAX_LINKED:
            fix = "Revoke some with `recsys links revoke`, or wait until they expire."
            raise DataError("There are too many links", MAX_LINKED, fix=fix)
        link = secrets.token_urlsafe(16)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        value = {"expires": found + LINK_DAYS * _DAY, "profiles": [profile.to_dict() for profile in profiles]}
        _write(self._path(link), value, self.seal)
        return link

    def open(self, link: str, *, now: float | None = None) -> tuple[Profile, ...]:
        """Returns the profiles that an id leads to; none if unknown, revoked, expired or damaged, which is not told apart.

        Raises:
            ConfigError: if they are sealed and the key is missing, or another one.
        """
        try:
            value = json.loads(self.seal.read(self._path(link)).decode())
            if value["expires"] <= (time.time() if now is None else now):
                return ()
            return tuple(Profile.from_dict(found) for found in value["profiles"])
        except (OSError, ValueError, TypeError, AttributeError, LookupError, DataError):
            return ()

    def revoke(self, link: str) -> bool:
        """Has an id lead nowhere, and returns whether it did lead somewhere."""
        try:
            self._path(link).unlink()
        except FileNotFoundError:
            return False
        return True

    def revoke_all(self) -> int:
        """Has every id lead nowhere, and returns how many did lead somewhere."""
        paths = list(self.folder.glob("*.json"))
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def seal_again(self, closed_by: Seal) -> int:
        """Seals every file as another seal would, and returns for how many that was needed.

        Raises:
            OSError: if one cannot be read or written.
            ColdlensError: if one cannot be opened.
        """
        paths = sorted(self.folder.glob("*.json"))
        return sum(seal_again(path, opened_by=self.seal, closed_by=closed_by) for path in paths)

    def _path(self, link: str) -> Path:
        return self.folder / f"{hashlib.sha256(link.encode('utf-8', 'replace')).hexdigest()}.json"

    def _sweep(self, now: float) -> None:
        for path in self.folder.glob("*.json"):
            if self._expires(path) <= now:
                path.unlink(missing_ok=True)

    def _expires(self, path: Path) -> float:
        """When a link expires; one that is damaged has. One that this key does not open has its time from its last writing."""
        try:
            if not self.seal.opens(path):
                return path.stat().st_mtime + LINK_DAYS * _DAY
            return float(json.loads(self.seal.read(path).decode())["expires"])
        except (OSError, ValueError, TypeError, LookupError, DataError):
            return 0.0


def _write(path: Path, value: dict[str, Any], seal: Seal) -> None:
    """Replaces a file in one step, for its owner's eyes only."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise DataError("The profile is not valid Unicode", ascii(text[:60]), fix="Type its name and texts again.")
    try:
        replace_file(path, seal.close(text.encode()))
    except OSError as error:
        fix = "Free some space or make the folder writable, then try again."
        raise DataError(f"The profile could not be saved ({error.strerror or error})", path, fix=fix) from error


def seal_profiles(root: Path, *, opened_by: Seal, closed_by: Seal) -> int:
    """Seals all profiles below the folder ``profiles`` of the data folder, and returns how many files that took.

    Raises:
        DataError: if a file cannot be read or written; those before it are sealed, and it is as before.
        ConfigError: if a file cannot be opened.
    """
    saved = [SavedProfiles(path, opened_by) for part in ("*.json", "accounts/*/*.json") for path in root.glob(part)]
    linked = [LinkedProfiles(path, opened_by) for path in root.glob("linked/*") if path.is_dir()]
    try:
        n_saved = sum(shelf.seal_again(closed_by) for shelf in saved)
        return n_saved + sum(shelf.seal_again(closed_by) for shelf in linked)
    except OSError as error:
        fix = "Free some space or make the folder writable, then try again."
        raise DataError(f"The profiles could not be sealed ({error.strerror or error})", root, fix=fix) from error
