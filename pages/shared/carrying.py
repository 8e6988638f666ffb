"""Carrying what another dataset's people taught over to this one: started here, watched, and told what came along."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.shared import resources
from pages.shared.jobs import jobs
from pages.shared.language import N_, _
from pages.shared.link import VERSION
from pages.shared.retelling import retold
from pages.shared.watching import watch
from pages.shared.widgets import plain, show_error
from recsys.datasets import list_datasets
from recsys.recommender import available_scorers
from recsys.schema import Dataset
from recsys.transfer import TRANSFERRED, transferred_about

_STEPS = {
    "read": N_("Reading both catalogs"),
    "learn": N_("Learning from the people of the other dataset"),
    "balance": N_("Trying on left-out items how much tastes count"),
    "carry": N_("Carrying over"),
}


def job_name(name: str) -> str:
    """Returns what carrying over to a dataset is called among the jobs of this server."""
    return f"transfer {name}"


def draw_learned_on(dataset: Dataset) -> None:
    """Says of lists that were learned elsewhere where that was."""
    about = transferred_about(dataset)
    if about is not None:
        told = _("**Learned on {title}**: ranked by what {n_likes:,} likes of {n_users:,} people there taught.").format(
            title=plain(about["source_title"]), n_likes=about["n_likes"], n_users=about["n_users"]
        )
        own = about.get("own_likes")
        more = _("{n:,} likes of this dataset have moved that.").format(n=own) if own else ""
        st.caption(f":material/move_down: {told} {more}")


def draw_carrying(dataset: Dataset) -> None:
    """Draws the choice of another dataset to learn from, how far that is, and what carried over."""
    st.markdown(
        _(
            "A catalog without likes of its own can be ranked by what another dataset's people taught: age, gender, "
            "attributes, interests and liked items say something about the texts of items, and every catalog has texts. "
            "What cannot carry over is listed. How well it works is measured on the Evaluate page."
        )
    )
    job = jobs().get(job_name(dataset.name))
    if job is not None and job.is_running:
        watch(job_name(dataset.name), _told)
        return
    if job is not None and (error := job.error()):
        show_error(error)
    names = _sources(dataset.name)
    if not names:
        st.info(_("There is no other dataset with likes to learn from. Import one, or fetch movielens-100k."))
    else:
        _draw_choice(dataset.name, names)
    about = transferred_about(dataset)
    if about is not None:
        _draw_carried(dataset.name, about)


def _sources(name: str) -> list[str]:
    """The datasets that are there and have likes to learn from."""
    ready = [entry.name for entry in list_datasets(resources.settings().data_dir) if entry.state == "ready"]
    others = (one for one in ready if one != name)
    return [one for one in others if "additive" in available_scorers(resources.dataset(one))]


def _draw_choice(name: str, names: list[str]) -> None:
    source = st.selectbox(_("Learn from"), names, key="transfer_source", persist_state="session")
    has_prior = st.checkbox(
        _("Predict popularity from texts"), True, key="transfer_prior", persist_state="session",
        help=_("Without it, popularity is zero: what is ranked is taste alone."),
    )  # fmt: skip
    words = ["train", "--from", source, "--to", name, *([] if has_prior else ["--no-prior"])]
    if st.button(_("Carry over"), icon=":material/move_down:", type="primary", key="carry"):
        jobs().start(job_name(name), words)
        st.rerun()


def _told(step: Mapping[str, Any]) -> str:
    return _(_STEPS[step.get("step", "read")])


def _draw_carried(name: str, about: Mapping[str, Any]) -> None:
    st.subheader(_("What carried over"))
    st.caption(
        _("From {source}, {n_likes:,} likes of {n_users:,} people, read with {encoder}.").format(
            source=plain(about["source"]),
            n_likes=about["n_likes"],
            n_users=about["n_users"],
            encoder=plain(about["encoder"]),
        )
    )
    st.markdown("  \n".join(f":material/check_circle: {plain(retold(kept))}" for kept in about["kept"]))
    st.markdown("**" + _("What did not") + "**")
    st.markdown(
        "  \n".join(
            ":material/remove_circle_outline: "
            + _("{what}: {why}.").format(what=plain(retold(lost)), why=plain(retold(why)))
            for lost, why in about["lost"].items()
        )
    )
    if st.button(
        _("Show recommendations"), on_click=_choose, args=(name,), icon=":material/recommend:", key="open-carried"
    ):
        st.switch_page("pages/recommend.py", query_params={VERSION: "1"})


def _choose(name: str) -> None:
    st.session_state["dataset"] = name
    st.session_state["scorer"] = TRANSFERRED
