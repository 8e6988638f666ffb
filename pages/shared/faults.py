"""Faults that nobody foresaw: the page shows an id, the log has one entry with it, and neither repeats what an analyst typed."""

import logging
import secrets
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.errors import FragmentHandledException
from streamlit.runtime.scriptrunner import get_script_run_ctx

_LOG = logging.getLogger("coldlens")
_FRAMES = 12
_lock = threading.Lock()


def install() -> None:
    """Has every logged exception told by type and place alone; done once for the process.

    The message of an exception may hold a profile, a title or a line of a file, and logs are read by others and kept longer.
    """
    with _lock:
        made = logging.getLogRecordFactory()
        if getattr(made, "leaves_out_messages", False):
            return

        def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
            found = made(*args, **kwargs)
            error = found.exc_info[1] if found.exc_info else None
            if error is not None:
                found.__dict__["fault"] = secrets.token_hex(4)
                found.msg, found.args = "fault %s: %s (%s)", (found.__dict__["fault"], told(error), found.getMessage())
                found.exc_info = None
            return found

        record.leaves_out_messages = True  # type: ignore[attr-defined]
        logging.setLogRecordFactory(record)
        # Streamlit tells this logger of what a callback or a fragment raises, in the thread of the script.
        logging.getLogger("streamlit.error_util").addFilter(_show)
        threading.excepthook = lambda raised: _LOG.error("a thread has ended", exc_info=raised.exc_value)


@contextmanager
def watching() -> Iterator[None]:
    """Shows a box in place of a fault; with ``client.showErrorDetails`` other than ``none``, Streamlit shows all of it."""
    try:
        yield
    except FragmentHandledException:  # shown by the fragment already
        raise
    except Exception as error:
        if st.get_option("client.showErrorDetails") != "none":
            raise
        fault = secrets.token_hex(4)
        _LOG.error("fault %s: %s", fault, told(error))
        _draw(fault)


def told(error: BaseException) -> str:
    """Returns the types of an exception and of those that caused it, and where it was raised, innermost first."""
    kinds, seen = [], error
    while True:
        kinds.append(type(seen).__qualname__)
        before = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
        if before is None or len(kinds) == _FRAMES:
            break
        seen = before
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = (f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{' from '.join(kinds)} at {' < '.join(places)}"


def _show(record: logging.LogRecord) -> bool:
    fault = getattr(record, "fault", None)
    if fault is not None and get_script_run_ctx() is not None:
        _draw(fault)
    return True


def _draw(fault: str) -> None:
    st.error(
        f"**Something failed here that should not have**: “{fault}”\n\nTry again, or reload the page. If it comes back, "
        "give this id to whoever runs Coldlens: one line of the log has it.",
        icon=":material/error:",
    )
