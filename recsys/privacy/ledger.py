"""What private fits of a dataset have spent so far; each is written down before its noise is drawn."""

import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recsys.errors import ArtifactError
from recsys.privacy.accountant import Budget, epsilon_of

LEDGER = "privacy-ledger.json"
_FORMAT = 1


@dataclass(frozen=True)
class Spending:
    """One private fit.

    Attributes:
        made: when, in UTC.
        epsilon: what it was allowed.
        delta: the same.
        deviation: standard deviation of its noise, where one user counts at most 1.
    """

    made: str
    epsilon: float
    delta: float
    deviation: float


@dataclass(frozen=True)
class Ledger:
    """The private fits of one dataset, whatever version of it they saw: the same people are in several versions.

    It lies beside the data, readable for its owner only, and stays when artifacts are removed. Its secret marks which data a
    model was fitted to: a plain fingerprint would tell whoever guesses a user right that they were among them.

    Attributes:
        path: where it lies.
        secret: of this dataset's marks, 64 hexadecimal digits.
        spent: in order.
    """

    path: Path
    secret: str
    spent: tuple[Spending, ...] = ()

    @classmethod
    def open(cls, folder: Path) -> "Ledger":
        """Reads the ledger of a dataset's folder; there is an empty one where nothing was spent.

        Raises:
            ArtifactError: if it cannot be read: then nobody knows what was spent.
        """
        path = folder / LEDGER
        try:
            values = json.loads(path.read_text("utf-8"))
            if values["format"] != _FORMAT:
                raise ValueError
            return cls(path, str(values["secret"]), tuple(Spending(**row) for row in values["spent"]))
        except FileNotFoundError:
            return cls(path, secrets.token_hex(32))
        except (OSError, ValueError, LookupError, TypeError):
            fix = "Restore it from a copy. Without it, what was revealed of the users so far is unknown."
            raise ArtifactError("The ledger of private fits cannot be read", path, fix=fix) from None

    def with_fit(self, budget: Budget, deviation: float) -> "Ledger":
        """Writes a fit down and returns the ledger with it; call it before the noise is drawn.

        Raises:
            ArtifactError: if it cannot be written.
        """
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return replace(self, spent=(*self.spent, Spending(made, budget.epsilon, budget.delta, deviation))).kept()

    def kept(self) -> "Ledger":
        """Writes the ledger and returns it.

        Raises:
            ArtifactError: if it cannot be written.
        """
        try:
            self._write()
        except OSError as error:
            fix = "Free some space or make the folder writable, then try again; nothing was fitted."
            what = f"The ledger of private fits cannot be written ({error.strerror or error})"
            raise ArtifactError(what, self.path, fix=fix) from error
        return self

    def total(self, delta: float) -> float:
        """Returns the epsilon of all fits together at a delta."""
        return epsilon_of([each.deviation for each in self.spent], delta)

    def mark(self, text: str) -> str:
        """Returns what stands for a text in what may be given away: it can be checked only with the secret."""
        return hmac.new(bytes.fromhex(self.secret), text.encode(), hashlib.sha256).hexdigest()

    def _write(self) -> None:
        values: dict[str, Any] = {
            "format": _FORMAT,
            "secret": self.secret,
            "spent": [asdict(row) for row in self.spent],
        }
        draft = self.path.with_name(f".{self.path.name}-{os.getpid()}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(values, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
