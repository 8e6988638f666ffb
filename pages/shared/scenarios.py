"""What is on the Compare page, to be sent and to be opened again: the link, the scenario file, the stakeholder pack."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from pages.shared import uploads
from pages.shared.atlases import open_or_preview
from pages.shared.comparing import known_profiles
from pages.shared.form import put_profile
from pages.shared.frame import Page
from pages.shared.language import _
from pages.shared.link import ITEM_ATTRIBUTE, LEFT_OUT, LISTED_KEYS, SECOND, VIEW_KEYS, WEIGHT, year_range
from pages.shared.retelling import retold
from pages.shared.sharing import draw_link
from pages.shared.tabs import tab_called
from pages.shared.widgets import plain, show_error, show_table
from recsys.errors import ColdlensError
from recsys.recommender import available_scorers
from recsys.schema import Profile
from recsys.views.view import VIEW_WORDS
from recsys.whatif import Comparison, ListCheck, Scenario, check_scenario, make_pack, make_scenario


def draw_scenarios(page: Page, found: Comparison) -> None:
    """Draws what can be taken away, and where a scenario comes back."""
    st.markdown(_("**Take it with you**"))
    view = {key: st.session_state[key] for key in VIEW_KEYS if st.session_state.get(key) is not None}
    view["tab"] = tab_called("tab", str(view.get("tab", "")))
    saved = known_profiles(page)
    with_saved = bool(saved) and st.toggle(_("With the saved profiles in the scenario file"), key="scenario_saved")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        draw_link(page, is_comparing=True)
        st.download_button(
            _("Scenario (JSON)"), lambda: _scenario(page, found, view, saved if with_saved else {}).to_json(),
            "coldlens-scenario.json", "application/json", on_click="ignore", icon=":material/download:",
            help=_("Both people, every control and the lists, with fingerprints of the data and the model."),
        )  # fmt: skip
    notes = st.text_area(
        _("A note for the reader of the pack"), key="pack_notes", max_chars=2000, persist_state="session"
    )
    st.download_button(
        _("Stakeholder pack (HTML)"), lambda: _pack(page, found, _scenario(page, found, view, {}), notes or ""),
        "coldlens-pack.html", "text/html", on_click="ignore", icon=":material/present_to_all:",
        help=_("One file without scripts that opens anywhere, with no network: people, lists, differences, reasons, map."),
    )  # fmt: skip
    st.divider()
    st.markdown(_("**Open a scenario**"))
    _draw_opening(page)


def _scenario(page: Page, found: Comparison, view: dict[str, Any], saved: Mapping[str, Profile]) -> Scenario:
    profiles = {"A": found.first.profile, "B": found.second.profile, **saved}
    asked = page.controls
    return make_scenario(
        page.recommender, profiles, made=datetime.now(UTC).isoformat(timespec="seconds"), k=asked.k, keep=asked.keep,
        popularity=asked.popularity, diversity=asked.diversity, view=view,
    )  # fmt: skip


def _pack(page: Page, found: Comparison, scenario: Scenario, notes: str) -> str:
    return make_pack(page.recommender, found, scenario, atlas=open_or_preview(page, "text", 2).atlas, notes=notes)


def _draw_opening(page: Page) -> None:
    file = st.file_uploader(_("A scenario file"), type="json", key="scenario_file")
    if file is None:
        return
    try:
        scenario = Scenario.from_json(uploads.reread("scenario", file.getvalue(), page.dataset.name))
    except ColdlensError as error:
        show_error(error)
        return
    found = check_scenario(scenario, page.recommender)
    show = st.success if found.holds else st.warning
    show("\n\n".join(plain(retold(text)) for text in found.told), icon=":material/fact_check:")
    for name, one in found.lists.items():
        if not one.holds:
            _draw_list(name, one, found.labels)
    st.button(
        _("Load these people and controls"), icon=":material/login:", on_click=_load, args=(page, scenario),
        help=_(
            "A and B of the file take the places of A and B here, scorer and controls those of the sidebar. In another dataset "
        "the same item_ids may mean other items."
        ),
    )  # fmt: skip


def _draw_list(name: str, found: ListCheck, labels: Mapping[str, str]) -> None:
    if found.problem:
        st.markdown(f"**{plain(name)}**: {plain(retold(found.problem))}")
        return
    rows = [
        {
            "rank": rank + 1,
            "then": labels.get(found.then[rank], "") if rank < len(found.then) else "",
            "now": labels.get(found.now[rank], "") if rank < len(found.now) else "",
        }
        for rank in range(max(len(found.then), len(found.now)))
    ]
    with st.expander(_("{name}: then and now").format(name=plain(name)), expanded=True):
        show_table(rows, alt=_("The list of {name}, then and now").format(name=name))


def _load(page: Page, scenario: Scenario) -> None:
    state, dataset = st.session_state, page.dataset
    for name, prefix in (("A", ""), ("B", SECOND)):
        if name in scenario.profiles:
            put_profile(state, scenario.profiles[name], dataset, prefix)
    controls, keep = scenario.controls, scenario.keep
    state["k"], state["diversity"] = controls["k"], controls["diversity"]
    if scenario.scorer in available_scorers(dataset):
        state["scorer"] = scenario.scorer
    if scenario.scorer != "cosine":
        state["popularity"] = controls["popularity"]
    if dataset.categories:
        state["category"] = [name for name in keep.categories if name in dataset.categories]
    if spread := year_range(dataset):
        first, last = keep.years or spread
        state["years"] = (min(max(first, spread[0]), spread[1]), max(min(last, spread[1]), spread[0]))
    for name, values in dataset.item_attributes.items():
        state[f"{ITEM_ATTRIBUTE}{name}"] = [value for value in keep.attributes.get(name, ()) if value in values]
    weights = controls.get("views", {})
    for name in page.recommender.scorer.views:
        if scenario.scorer == "cosine":
            state[f"{WEIGHT}{name}"] = float(weights.get(name, 1.0))
    if scenario.scorer != "cosine":
        state[LEFT_OUT] = [VIEW_WORDS[name] for name, weight in weights.items() if weight == 0]
    _restore(state, scenario.view)


def _restore(state: Any, view: Mapping[str, Any]) -> None:
    for key in VIEW_KEYS:
        value = view.get(key)
        if key in LISTED_KEYS and isinstance(value, list):
            state[key] = [str(part) for part in value]
        elif (
            key not in LISTED_KEYS and isinstance(value, str | int) and key != "tab"
        ):  # the reader stays where the answer is
            state[key] = value
