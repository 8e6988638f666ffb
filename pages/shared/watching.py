"""A job that is running: how far it is, once a second, and the button that ends it."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.shared.jobs import jobs
from pages.shared.language import _
from pages.shared.widgets import plain


@st.fragment(run_every="1s")
def watch(name: str, told: Callable[[Mapping[str, Any]], str]) -> None:
    """Draws the progress of a job; the page is drawn anew when it has ended.

    Args:
        name: of the job.
        told: says a step of its progress in words; the step is empty before the first.
    """
    job = jobs().get(name)
    if job is None or not job.is_running:
        st.rerun()
    assert job is not None
    step = job.progress() or {}
    with st.container(border=True):
        st.progress(min(1.0, step.get("done", 0) / max(1, step.get("total", 1))), text=plain(told(step)))
        if st.button(_("Cancel"), icon=":material/cancel:", key=f"cancel {name}"):
            jobs().cancel(name, job)
            st.rerun()
