"""Profiles that a reader saved under a name: one JSON file for each dataset, readable by its owner only."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from recsys.errors import DataError
from recsys.schema import Preset, Profile

MAX_NAME = 60
MAX_SAVED = 200


@dataclass(frozen=True)
class SavedProfiles:
    """The saved profiles of one dataset, in ``path``; every call reads the file, so two dashboards agree."""

    path: Path

    def all(self) -> list[Preset]:
        """Returns the saved profiles sorted by name.

        Raises:
            DataError: if the file cannot be read.
        """
        try:
            values = json.loads(self.path.read_text("utf-8"))
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

    def _lock(self) -> FileLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path.with_name(f".{self.path.name}.lock"))

    def _write(self, values: dict[str, dict[str, Any]]) -> None:
        draft = self.path.with_name(f".{self.path.name}.draft")
        text = json.dumps(values, ensure_ascii=False, indent=1)
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise DataError("The profile is not valid Unicode", ascii(text[:60]), fix="Type its name and texts again.")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError as error:
            fix = "Free some space or make the folder writable, then try again."
            raise DataError(
                f"The profile could not be saved ({error.strerror or error})", self.path, fix=fix
            ) from error
