"""Building a dataset from the page: one job with steps, seen by whoever looks, whichever process does it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.shared import resources
from pages.shared.jobs import jobs
from pages.shared.language import N_, _
from pages.shared.link import VERSION
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_error
from recsys.building import build_state
from recsys.datasets import list_datasets

_STEPS = {
    "read": N_("Read the files"),
    "encode": N_("Encode every new or changed text with BERT"),
    "index": N_("Publish the embeddings"),
    "views": N_("Look at pictures, listen to sounds, link facts"),
    "train": N_("Learn from the likes"),
    "project": N_("Lay out the maps"),
}
_MARKS = {
    "waiting": ":material/radio_button_unchecked:",
    "running": ":material/pending:",
    "done": ":material/check_circle:",
    "reused": ":material/check_circle:",
    "skipped": ":material/remove_circle_outline:",
    "failed": ":material/error:",
}
_STATES = {
    "waiting": N_("waiting"),
    "running": N_("running"),
    "done": N_("done"),
    "reused": N_("was there already"),
    "skipped": N_("skipped"),
    "failed": N_("failed"),
}
_DATASET = "build_dataset"


def draw_building(current: str) -> None:
    """Draws the choice of a dataset and its build."""
    data_dir = resources.settings().data_dir
    names = [entry.name for entry in list_datasets(data_dir) if entry.state == "ready"]
    st.markdown(
        _(
            "Building encodes every text, looks at pictures, listens to sounds, links facts, learns from the likes "
            "and lays out the maps, once and beforehand; pages then open at once. What is there already, and still "
            "fits, is used again: after a change only new and changed items are encoded, and only new pictures and "
            "sounds are read. A build that is stopped goes on where it was."
        )
    )
    if st.session_state.get(_DATASET) not in names:
        st.session_state[_DATASET] = current if current in names else names[0]
    name = st.selectbox(_("Dataset to build"), names, key=_DATASET, persist_state="session")
    draw_build(name)


def job_name(name: str) -> str:
    """Returns what the build of a dataset is called among the jobs of this server."""
    return f"build {name}"


def start_build(name: str) -> None:
    """Starts the build of a dataset in the background."""
    jobs().start(job_name(name), ["build", name])


def draw_build(name: str) -> None:
    """Draws how far the build of a dataset is, and what can be done about it.

    Only a running build is asked for every second.
    """
    if _is_running(name):
        _watch(name)
        return
    state = build_state(resources.settings().data_dir / name)
    job = jobs().get(job_name(name))
    if job is not None and (error := job.error()):
        show_error(error)
    if state is not None:
        _draw_steps(state)
    if state is not None and state["state"] == "interrupted":
        st.info(
            _("The last build was stopped before its end. Building again goes on where it was."),
            icon=":material/pause:",
        )
    label = _("Build") if state is None else _("Build again") if state["state"] == "finished" else _("Go on building")
    with st.container(horizontal=True):
        st.button(label, on_click=start_build, args=(name,), icon=":material/build:", key=f"start-{name}")
        if state is not None and state["state"] == "finished":
            draw_opening(name)


def _is_running(name: str) -> bool:
    state = build_state(resources.settings().data_dir / name)
    job = jobs().get(job_name(name))
    return (job is not None and job.is_running) or (state is not None and state["state"] == "running")


@st.fragment(run_every=1.0)
def _watch(name: str) -> None:
    if not _is_running(name):
        st.rerun()
    state = build_state(resources.settings().data_dir / name)
    job = jobs().get(job_name(name))
    if state is not None:
        _draw_steps(state)
    _draw_progress(state)
    if job is not None and job.is_running:
        st.button(
            _("Cancel"),
            on_click=jobs().cancel,
            args=(job_name(name), job),
            icon=":material/close:",
            key=f"cancel-{name}",
        )
    else:
        pid = state["pid"] if state else "?"
        st.caption(_("Another process does this (number {pid}); it can be ended there.").format(pid=pid))


def draw_opening(name: str) -> None:
    """Draws the button that opens a dataset on the Recommend page."""
    if st.button(
        _("Show recommendations"), on_click=_choose, args=(name,), icon=":material/recommend:", type="primary",
        key=f"open-{name}",
    ):  # fmt: skip
        st.switch_page("pages/recommend.py", query_params={VERSION: "1"})


def _choose(name: str) -> None:
    st.session_state["dataset"] = name


def _draw_steps(state: Mapping[str, Any]) -> None:
    lines = []
    for step in state["steps"]:
        told = _(_STATES[step["state"]])
        if step["state"] in ("done", "running"):
            told = f"{told}, {step['seconds']:.1f} s"
        if step["why"]:
            told = f"{_(step['state'])}: {retold(step['why'])}"
        lines.append(f"{_MARKS[step['state']]} {_(_STEPS[step['step']])} · {plain(told)}")
    st.markdown("  \n".join(lines))


def _draw_progress(state: Mapping[str, Any] | None) -> None:
    if state is None or state["state"] != "running":
        st.progress(0.0, text=_("Starting: loading the encoder"))
        return
    share = state["done"] / max(1, state["total"])
    counted = ""
    if state["total"] > 1:
        counted = _(" – {done:,} of {total:,}").format(done=state["done"], total=state["total"])
    left = state["left"]
    remaining = "" if left is None else _(", {time} left in all").format(time=_time_left(left))
    detail = retold(state["detail"]) if state["detail"] not in _STEPS else _(_STEPS[state["detail"]])
    st.progress(min(1.0, share), text=plain(f"{detail}{counted}{remaining}"))


def _time_left(seconds: float) -> str:
    if seconds < 90:
        return _("about {n} s").format(n=max(1, round(seconds)))
    return _("about {n} min").format(n=round(seconds / 60))
