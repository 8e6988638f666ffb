"""What a visitor uploads, kept in files under names of our own until it is imported."""

import hashlib
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.shared import resources
from pages.shared.asking import ask
from pages.shared.language import N_, _
from recsys.errors import ColdlensError, DataError

INBOX = "inbox"
"""Folder, beside the datasets, whose files are offered as if they had been uploaded; for those too large to upload."""
_FOLDER, _TOKEN, _READ = ".uploads", "_upload_token", "_upload_read"
_OLD = 86400.0
_LONGEST = 200


def keep(files: Sequence[UploadedFile]) -> list[Path]:
    """Writes uploaded files to the data folder, once each, and returns where; what was left there long ago is removed.

    Raises:
        DataError: if they cannot be written.
    """
    root = resources.settings().data_dir / _FOLDER
    token = st.session_state.setdefault(_TOKEN, secrets.token_hex(8))
    found = []
    try:
        _remove_old(root)
        for file in files:
            folder = root / token / re.sub(r"\W", "", file.file_id)[:40]
            path = folder / safe_name(file.name)
            if not path.exists():
                folder.mkdir(parents=True, exist_ok=True)
                draft = path.with_name(f".{path.name}.draft")
                with draft.open("wb") as out:
                    shutil.copyfileobj(file, out)
                draft.rename(path)
            found.append(path)
    except OSError as error:
        fix = N_("Free some space or make the data folder writable, then upload again.")
        raise DataError(
            _("The upload cannot be kept ({strerror})").format(strerror=error.strerror or error), root, fix=fix
        ) from None
    return found


def scratch() -> Path:
    """Returns the folder of this visitor's uploads, made if need be."""
    folder = resources.settings().data_dir / _FOLDER / st.session_state.setdefault(_TOKEN, secrets.token_hex(8))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def reread(kind: str, content: bytes, dataset: str) -> Any:
    """Returns what a file of the Compare page says, once it was read in a process of its own; see ``recsys reread``.

    Raises:
        DataError: as the library has it, or if the file cannot be kept.
    """
    asked = hashlib.sha256(f"{kind} {dataset} ".encode() + content).hexdigest()
    known = st.session_state.get(_READ)
    if known is None or known[0] != asked:
        with st.spinner(_("Reading the file…")):
            known = st.session_state[_READ] = (asked, _asked(kind, content, dataset))
    if isinstance(known[1], ColdlensError):
        raise known[1]
    return known[1]


def _asked(kind: str, content: bytes, dataset: str) -> Any:
    """What the process says, or its error."""
    try:
        with tempfile.TemporaryDirectory(prefix="coldlens-upload-") as folder:
            path = Path(folder) / f"upload.{kind}"
            path.write_bytes(content)
            return ask(["reread", kind, str(path), "--dataset", dataset], opens_dataset=True)
    except ColdlensError as error:
        return error
    except OSError as error:
        fix = N_("Free some space for temporary files, then upload it again.")
        return DataError(
            _("The upload cannot be kept ({strerror})").format(strerror=error.strerror or error),
            tempfile.gettempdir(),
            fix=fix,
        )


def inbox() -> list[Path]:
    """Returns the files and folders that lie in the inbox."""
    folder = resources.settings().data_dir / INBOX
    return sorted(path for path in folder.glob("*") if not path.name.startswith(".")) if folder.is_dir() else []


def safe_name(name: str) -> str:
    """Returns the last part of a name without anything that a file system could take amiss."""
    base = re.split(r"[/\\]", name)[-1]
    kept = re.sub(r"[^\w .()-]", "_", base).strip(" .")[-100:]
    while len(kept.encode()) > _LONGEST:  # file systems count bytes
        kept = kept[1:]
    return kept.lstrip(" .") or "file"


def _remove_old(root: Path) -> None:
    for path in root.glob("*"):
        try:
            is_old = time.time() - path.stat().st_mtime > _OLD
        except OSError:  # another visitor has just removed it
            continue
        if is_old:
            shutil.rmtree(path, ignore_errors=True)
