"""The frame of every page: navigation, dataset, profile form, status line, and the one place that shows our errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value
from streamlit.navigation.page import StreamlitPage

from pages.shared import resources
from pages.shared.brought import LIKED_ONLY, draw_vectors, reads_interests
from pages.shared.carrying import draw_learned_on
from pages.shared.controls import ListControls, draw_list_controls, draw_unused, draw_view_controls
from pages.shared.faults import install, watching
from pages.shared.form import (
    draw_profile_form,
    draw_saving,
    one_line,
    put_profile,
    second_of,
    start_profile,
    switch_form,
)
from pages.shared.gate import draw_account, may_enter
from pages.shared.language import N_, _, fact_name
from pages.shared.link import ADDRESS, PERSON, address_of, as_shown, check_link, compare_keys, in_english, personal_keys
from pages.shared.quiet import stay_here
from pages.shared.retelling import retold
from pages.shared.speaking import LANGUAGE, draw_language, speak
from pages.shared.spoken import draw_language as draw_catalog_language
from pages.shared.stages import profiled_run, stage
from pages.shared.widgets import plain, show_error, show_warnings
from recsys.datasets import list_datasets
from recsys.errors import ColdlensError, DataError
from recsys.privacy import FEDERATED, PRIVATE, told_of
from recsys.recommender import Recommender, available_scorers
from recsys.saved_profiles import LINK_DAYS
from recsys.schema import Dataset, ItemFilter, Profile, Recommendations
from recsys.transfer import TRANSFERRED
from recsys.views.view import IMAGE
from recsys.whatif import ListConfig

_MARK, _NOTICES, _OFFERED = "_frame", "_link_notices", "_offered_scorers"
_SCORERS = {
    "additive": N_("Learned from other people's likes."),
    "fine-tuned": N_("Learned from other people's likes, with a BERT that has learned from them as well."),
    "private": N_("Learned from other people's likes so that no single one of them makes a difference."),
    "federated": N_("Learned from sums over the likes of other people at several places."),
    "transferred": N_("Learned from the likes of another dataset's people, carried over by what texts say."),
    "cosine": N_("Zero-shot BERT: compares words, learns nothing."),
}


@dataclass(frozen=True)
class Page:
    """What every page works with."""

    recommender: Recommender
    profile: Profile
    controls: ListControls

    @property
    def k(self) -> int:
        """How many items a list has."""
        return self.controls.k

    @property
    def keep(self) -> ItemFilter:
        """What may be in a list."""
        return self.controls.keep

    @property
    def lists(self) -> ListConfig:
        """How lists of many profiles are made: as here, but by score alone."""
        return ListConfig(self.k, self.keep, self.controls.popularity)

    @property
    def has_prior(self) -> bool:
        """Whether part of each score is the same for everybody."""
        return _has_prior(self.recommender)

    @property
    def dataset(self) -> Dataset:
        """The dataset that is open."""
        return self.recommender.dataset


def run_app() -> None:
    """Draws navigation and sidebar, then runs the chosen page.

    The sidebar is drawn here and not by the page: Streamlit 1.67 drops what is bound to the address when a page that drew
    the widget is left.
    """
    _leave_fragments()
    install()
    speak()
    stay_here()  # again, for who has started this by `streamlit run`
    with profiled_run(), watching():
        page = _navigation()
        if not may_enter(resources.settings().users):
            return
        with stage("form"):
            st.session_state[_MARK] = _framed()
        page.run()


def _leave_fragments() -> None:
    """Has everything drawn where it belongs.

    Streamlit 1.67 runs what is asked for while a fragment runs in the fragment's thread, and leaves it the fragment's
    container: the whole page would be drawn inside that, and at the next message about the old places the browser would show
    nothing at all.
    """
    context_dg_stack.set(get_default_dg_stack_value())


def _navigation() -> StreamlitPage:
    st.set_page_config(page_title="Coldlens", page_icon="🧭", layout="wide")
    pages = [
        st.Page("pages/recommend.py", title=_("Recommend"), icon=":material/recommend:", default=True),
        st.Page("pages/explain.py", title=_("Explain"), icon=":material/psychology:"),
        st.Page("pages/explore.py", title=_("Explore"), icon=":material/scatter_plot:"),
        st.Page("pages/compare.py", title=_("Compare"), icon=":material/compare_arrows:"),
        st.Page("pages/evaluate.py", title=_("Evaluate"), icon=":material/science:"),
        st.Page("pages/datasets.py", title=_("Datasets"), icon=":material/database:"),
    ]
    return st.navigation(pages, position="top")


@contextmanager
def open_page(title: str) -> Iterator[Page]:
    """Draws the head of a page; our errors inside it become a box, and the form stays usable.

    A cold deep link runs a page without app.py (Streamlit 1.67), so it is run again with it: drawn here, the page's widgets
    would lose their values and the first click at the next run, which goes through app.py.
    """
    framed = st.session_state.pop(_MARK, None)
    if framed is None:
        _navigation()
        st.rerun()
    st.title(title)
    if isinstance(framed, ColdlensError):
        show_error(framed)
        st.stop()
    show_warnings(st.session_state.pop(_NOTICES, []))
    st.markdown(f":material/person: {one_line(framed.profile, framed.dataset)}")
    if ignored := sorted(key.removeprefix("attribute:") for key in framed.recommender.ignored):
        told = plain(", ".join(map(fact_name, ignored)))
        st.caption(_(":material/block: Not used for ranking: {facts}.").format(facts=told))
    if framed.recommender.scorer.name == TRANSFERRED:
        draw_learned_on(framed.dataset)
    draw_catalog_language(framed.recommender)
    if framed.dataset.info.simulated:
        st.caption(
            _(
                ":material/science: **Simulated**: the users and interactions of this dataset were made by a "
                "simulator. Whatever is learned from them, or measured on them, says nothing about real people."
            )
        )
    draw_vectors(framed.recommender)
    try:
        yield framed
    except ColdlensError as error:
        show_error(error)


def _framed() -> Page | ColdlensError:
    try:
        return _draw_sidebar()
    except ColdlensError as error:
        return error


def _draw_sidebar() -> Page:
    params = {key: st.query_params.get_all(key) for key in st.query_params if key != LANGUAGE}
    with st.sidebar:
        inside, foot = st.container(), st.container()
    with foot:
        draw_language()
    with inside:
        draw_account()
        name = _choose_dataset(params)
    dataset = resources.dataset(name)
    before = st.session_state.get("_started_with")
    if before is None:
        params = _understood(params, dataset)
    if before is not None and before != name:
        if switch_form(st.session_state, before, dataset):
            st.session_state[_OFFERED] = available_scorers(dataset)  # with the form came its scorer
        st.session_state["_started_with"] = name
    with inside:
        scorer = _choose_scorer(dataset)
    recommender = resources.recommender(dataset, scorer)
    dataset = recommender.dataset  # what was learned elsewhere brings what it knows of people
    if before is None:
        _begin(params, dataset)
    st.session_state["_started_with"] = name
    saved = resources.saved_profiles(dataset.name)
    with inside:
        st.subheader(_("Profile"))
        st.caption(_("An invented person. Please do not enter the data of a real one."))
        profile = draw_profile_form(dataset, saved)
        draw_saving(profile, saved)
        unused = draw_unused(recommender)
        st.subheader(_("List"))
        controls = draw_list_controls(dataset, has_prior=_has_prior(recommender))
        weights = draw_view_controls(recommender.scorer)
    return Page(resources.weighted(recommender, weights, unused), profile, controls)


def _understood(params: dict[str, list[str]], dataset: Dataset) -> dict[str, list[str]]:
    """Returns what an address says in English; one that was made in another language is first put into the reader's."""
    found = in_english(params, dataset)
    shown = as_shown(found)
    if shown != params:
        st.query_params.update({key: values for key, values in shown.items() if values != params[key]})
        st.rerun()
    return found


def _begin(params: dict[str, list[str]], dataset: Dataset) -> None:
    """Fills the form of a new visitor from the address: from what it says itself, or from the profiles that it leads to."""
    state, shelf = st.session_state, resources.linked_profiles(dataset.name)
    is_public = resources.settings().profile_in_link
    notices = [] if is_public else _without_person(params, dataset)
    linked: tuple[Profile, ...] = ()
    for link in params.get(PERSON, [])[:1]:
        linked = shelf.open(link)
        if not linked:
            notices.append(
                _(
                    "The link leads to no profile here. Such links last {link_days} days and can be revoked; ask "
                    "for a new one."
                ).format(link_days=LINK_DAYS)
            )
    state[_NOTICES] = [*state.get(_NOTICES, []), *notices, *check_link(params, dataset)]
    state[ADDRESS] = {key: params[key] for key in compare_keys(dataset) if key in params}
    if linked:
        put_profile(state, linked[0], dataset)
        state[ADDRESS] |= second_of(linked[1:], dataset)
    elif not start_profile(state, dataset, params):
        return
    if is_public:
        # what is assigned before a bound widget's first run does not reach the address by itself (Streamlit 1.67)
        address = as_shown(address_of(state.to_dict(), dataset))
        st.query_params.update(
            {key: value for key, value in address.items() if key not in ("dataset", "scorer", "item")}
        )


def _without_person(params: dict[str, list[str]], dataset: Dataset) -> list[str]:
    """Takes what an address says of a person out of it, and returns what to tell about that."""
    found = [key for key in personal_keys(dataset) if key in params]
    for key in found:
        del params[key]
        del st.query_params[key]
    told = _(
        "What the link said of the person was left out: on this server, links carry no profiles. Ask for one made here."
    )
    return [told] if found else []


def _has_prior(recommender: Recommender) -> bool:
    return any(facet.kind == "prior" for facet in recommender.scorer.facet_vectors(Profile()).facets)


def _choose_scorer(dataset: Dataset) -> str:
    """Offers what works for the dataset; a choice is kept where the next dataset offers the same.

    The scorers go by their short names: a bound selectbox writes what it shows into the address (Streamlit 1.67), and the
    address speaks in names that do not change with the wording.
    """
    scorers = available_scorers(dataset)
    is_unknown = st.session_state.get("scorer", scorers[0]) not in scorers
    if is_unknown or st.session_state.get(_OFFERED, scorers) != scorers:
        st.session_state["scorer"] = scorers[0]
    st.session_state[_OFFERED] = scorers
    scorer = st.selectbox(_("Scorer"), scorers, key="scorer", bind="query-params")
    promise = told_of(dataset, scorer) if scorer in (PRIVATE, FEDERATED) else None
    told = LIKED_ONLY if scorer == "cosine" and not reads_interests(dataset) else _SCORERS[scorer]
    st.caption(f"{_(told)} {plain(retold(promise))}." if promise else _(told))
    return scorer


def _choose_dataset(params: dict[str, list[str]]) -> str:
    settings = resources.settings()
    names = [entry.name for entry in list_datasets(settings.data_dir)]
    first = settings.dataset if settings.dataset in names else names[0]
    if settings.dataset not in names:
        known = ", ".join(names)
        raise DataError(
            _("The dataset of the settings is not there"),
            settings.dataset,
            fix=_("Use one of: {known}.").format(known=known),
        )
    for wanted in params.get("dataset", []):
        if wanted not in names and "_started_with" not in st.session_state:
            st.session_state[_NOTICES] = [
                _("There is no dataset “{wanted}” here, so {first} was opened.").format(wanted=wanted[:60], first=first)
            ]
    return st.selectbox(_("Dataset"), names, index=names.index(first), key="dataset", bind="query-params")


def show_status(page: Page, found: Recommendations) -> None:
    """Draws the status line: encoder, device and precision, number of items, milliseconds of the last answer by stage.

    An index that may miss items is named there, and how many of the best it finds.

    Above it stands where pictures come from, as their licences ask for.
    """
    if IMAGE in page.recommender.views and page.dataset.info.source:
        st.caption(f":material/copyright: {plain(page.dataset.info.source)}")
    encoder = page.recommender.encoder
    stages = ", ".join(f"{retold(stage)} {milliseconds:.0f} ms" for stage, milliseconds in found.timings.items())
    about = page.recommender.index.about
    n_items = _("{n:,} items").format(n=len(page.dataset.items))
    parts = (encoder.name, retold(encoder.description), n_items, retold(about), stages)
    st.caption(f":material/memory: {plain(' · '.join(filter(None, parts)))}")
