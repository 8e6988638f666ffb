"""What is kept of people, sealed with a key: Fernet of the package ``cryptography``, AES-128-CBC with an HMAC-SHA-256.

A sealed file is one line that names its key by eight digits of a hash, and a Fernet token. What is not sealed is read as it is,
so a key can be set at any time; ``recsys seal`` then seals what is there. Of several keys the first one seals, and each opens.
Sealing hides what a file says. It does not hide that the file is there, how long it is, or when it was written.
"""

import base64
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsys.errors import ConfigError, DataError, MissingExtraError
from recsys.settings import KEY, KEY_FILE, Settings

_MARK = b"coldlens-sealed-1 "
_DIGITS, _KEY_BYTES = 8, 32
_HEAD = len(_MARK) + _DIGITS + 1
_MAKE_ONE = "Make one with `recsys key new --to FILE`, and set COLDLENS_KEY_FILE to that file."


@dataclass(frozen=True)
class Seal:
    """Closes and opens the content of files.

    Attributes:
        keys: the first one closes, each opens; without any, content stays as it is, and what is sealed cannot be opened.
    """

    keys: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Seal":
        """Returns the seal of the keys that are set, which stand one a line or with commas.

        Raises:
            ConfigError: for a file that cannot be read, or that others can read; for what is not a key.
        """
        if settings.key and settings.key_file:
            raise ConfigError("Two keys are set", f"{KEY}, {KEY_FILE}", fix="Keep one of them.")
        text, where = settings.key, KEY
        if settings.key_file:
            text, where = _read_key(settings.key_file), str(settings.key_file)
        keys = tuple(text.replace(",", " ").split())
        if settings.key_file and not keys:
            raise ConfigError("The key file is empty", where, fix=_MAKE_ONE)
        for number, key in enumerate(keys, 1):
            if not _is_key(key):
                raise ConfigError("This is not a key", f"{where}, key {number} of {len(keys)}", fix=_MAKE_ONE)
        return cls(keys)

    @property
    def has_key(self) -> bool:
        """Whether it seals anything."""
        return bool(self.keys)

    def close(self, content: bytes) -> bytes:
        """Returns the content as it is to be written: sealed with the first key, or as it is without one.

        Raises:
            MissingExtraError: if ``cryptography`` is not installed.
        """
        if not self.keys:
            return content
        return _head_of(self.keys[0]) + _fernet(self.keys[0]).encrypt(content)

    def open(self, content: bytes, path: Path) -> bytes:
        """Returns what the content of a file says; what is not sealed is returned as it is.

        Args:
            path: for messages.

        Raises:
            ConfigError: if it is sealed and no key is set, or none that opens it.
            DataError: if it is damaged.
            MissingExtraError: if ``cryptography`` is not installed.
        """
        if not is_sealed(content):
            return content
        if content[_HEAD - 1 : _HEAD] != b"\n":
            raise _damaged(path)
        name = content[len(_MARK) : _HEAD].decode("ascii", "replace").strip()
        if not self.keys:
            fix = "Set COLDLENS_KEY or COLDLENS_KEY_FILE to the key that sealed it."
            raise ConfigError("The file is sealed, and no key is set", path, fix=fix)
        key = next((key for key in self.keys if key_name(key) == name), None)
        if key is None:
            fix = f"Set COLDLENS_KEY or COLDLENS_KEY_FILE to the key that is called {name}; the file was left as it is."
            raise ConfigError("The key does not open the file, which another key has sealed", path, fix=fix)
        return _opened(key, content[_HEAD:], path)

    def read(self, path: Path) -> bytes:
        """Returns what a file says, opened where it is sealed.

        Raises:
            OSError: if it cannot be read.
            ColdlensError: as ``open`` does.
        """
        return self.open(path.read_bytes(), path)

    def opens(self, path: Path) -> bool:
        """Whether a file is not sealed, or with one of the keys; its content may still be damaged.

        Raises:
            OSError: if it cannot be read.
        """
        head = _head(path)
        return not is_sealed(head) or any(head == _head_of(key) for key in self.keys)

    def fits(self, path: Path) -> bool:
        """Whether a file is as this seal would write it: sealed with the first key, or not at all where there is none.

        Raises:
            OSError: if it cannot be read.
        """
        head = _head(path)
        return head == _head_of(self.keys[0]) if self.keys else not is_sealed(head)


NO_SEAL = Seal()


def is_sealed(content: bytes) -> bool:
    """Whether content, or the first bytes of it, is sealed."""
    return content.startswith(_MARK)


def is_sealed_file(path: Path) -> bool:
    """Whether a file is sealed.

    Raises:
        OSError: if it cannot be read.
    """
    return is_sealed(_head(path))


def seal_again(path: Path, *, opened_by: Seal, closed_by: Seal) -> bool:
    """Seals a file, or seals it with another key, or opens it for good, in one step; returns whether that was needed.

    Raises:
        OSError: if it cannot be read or written; it is as before then.
        ColdlensError: if it cannot be opened.
    """
    if closed_by.fits(path):
        return False
    replace_file(path, closed_by.close(opened_by.read(path)), mode=stat.S_IMODE(path.stat().st_mode))
    return True


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replaces a file in one step, after its content has reached the disk; one at a time writes the same file.

    Args:
        mode: who may read it; its owner alone by default.

    Raises:
        OSError: if it cannot be written; what was there stays.
    """
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)  # one that was left behind may have other readers
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    draft.replace(path)


def new_key(path: Path) -> str:
    """Writes a new random key into a file that only its owner can read, and returns what the key is called.

    Raises:
        ConfigError: if there is a file already, or it cannot be written.
        MissingExtraError: if ``cryptography`` is not installed.
    """
    key = _package().Fernet.generate_key()
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask says
            file.write(key + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        fix = "Name a new file: a key that is lost cannot be made again, nor can what it has sealed be opened."
        raise ConfigError("There is a file already", path, fix=fix) from None
    except OSError as error:
        fix = f"Name a file in a folder that you can write to ({error.strerror})."
        raise ConfigError("The key cannot be written", path, fix=fix) from None
    return key_name(key.decode())


def key_name(key: str) -> str:
    """Returns what a key is called: eight digits of a hash, which tell keys apart and nothing of the key."""
    return hashlib.sha256(b"coldlens key " + key.encode()).hexdigest()[:_DIGITS]


def without_key(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns an environment without the key, for a process that has no need of it."""
    return {name: value for name, value in environment.items() if name not in (KEY, KEY_FILE)}


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _head_of(key: str) -> bytes:
    return _MARK + key_name(key).encode() + b"\n"


def _opened(key: str, token: bytes, path: Path) -> bytes:
    try:
        return bytes(_fernet(key).decrypt(token))
    except _package().InvalidToken:
        raise _damaged(path) from None


def _damaged(path: Path) -> DataError:
    return DataError("The sealed file is damaged", path, fix="Bring back a copy of it, or make it again.")


def _read_key(path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            fix = f"Keep it to its owner: chmod 600 {path}."
            raise ConfigError("Other users of this machine may read or change the key file", path, fix=fix)
        return path.read_text("ascii")
    except UnicodeDecodeError:
        raise ConfigError("The key file does not hold a key", path, fix=_MAKE_ONE) from None
    except OSError as error:
        fix = "Name a file that is there and that you can read."
        raise ConfigError(f"The key file cannot be read ({error.strerror})", path, fix=fix) from None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.encode(), altchars=b"-_", validate=True)) == _KEY_BYTES
    except ValueError:
        return False


def _fernet(key: str) -> Any:
    return _package().Fernet(key)


def _package() -> Any:
    try:
        from cryptography import fernet
    except ImportError:
        fix = "Install it with `pip install -c constraints.txt -e '.[encryption]'`."
        raise MissingExtraError("A key needs a package that is not installed", "cryptography", fix=fix) from None
    return fernet
