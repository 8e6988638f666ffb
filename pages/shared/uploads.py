"""What a visitor uploads, kept in files under names of our own until it is imported."""

import re
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.shared import resources
from recsys.errors import DataError

INBOX = "inbox"
"""Folder, beside the datasets, whose files are offered as if they had been uploaded; for those too large to upload."""
_FOLDER, _TOKEN = ".uploads", "_upload_token"
_OLD = 86400.0


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
        fix = "Free some space or make the data folder writable, then upload again."
        raise DataError(f"The upload cannot be kept ({error.strerror or error})", root, fix=fix) from None
    return found


def scratch() -> Path:
    """Returns the folder of this visitor's uploads, made if need be."""
    folder = resources.settings().data_dir / _FOLDER / st.session_state.setdefault(_TOKEN, secrets.token_hex(8))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def inbox() -> list[Path]:
    """Returns the files and folders that lie in the inbox."""
    folder = resources.settings().data_dir / INBOX
    return sorted(path for path in folder.glob("*") if not path.name.startswith(".")) if folder.is_dir() else []


def safe_name(name: str) -> str:
    """Returns the last part of a name without anything that a file system could take amiss."""
    base = re.split(r"[/\\]", name)[-1]
    kept = re.sub(r"[^\w .()-]", "_", base).strip(" .")[-100:].lstrip(" .")
    return kept or "file"


def _remove_old(root: Path) -> None:
    for path in root.glob("*"):
        try:
            is_old = time.time() - path.stat().st_mtime > _OLD
        except OSError:  # another visitor has just removed it
            continue
        if is_old:
            shutil.rmtree(path, ignore_errors=True)
