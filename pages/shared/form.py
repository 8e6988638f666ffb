"""The profile form, in the sidebar of every page; its values live in the address."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import resources
from pages.shared.brought import NOT_READ, reads_interests
from pages.shared.language import _, fact_label
from pages.shared.link import (
    ADDRESS,
    AGES,
    ATTRIBUTE,
    GRID_KEYS,
    ITEM_ATTRIBUTE,
    LEFT_OUT,
    PROFILE_KEYS,
    SECOND,
    SECOND_FOR,
    UNKNOWN,
    UNUSED,
    VERSION,
    VIEW_KEYS,
    WEIGHT,
    year_range,
)
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_error
from recsys.errors import ColdlensError
from recsys.saved_profiles import SavedProfiles
from recsys.schema import AGE, GENDER, ITEM_ID, Dataset, Profile

_OFFERED_ITEMS = 20_000
_FORMS = "_forms"
"""Session key of the forms of the datasets that this visitor has had: name to values."""
_BOUND: Mapping[str, Any] = {"bind": "query-params"}
_KEPT: Mapping[str, Any] = {"persist_state": "session"}


def start_profile(state: MutableMapping[Any, Any], dataset: Dataset, params: dict[str, list[str]]) -> bool:
    """Fills the form of a new visitor and says whether it did.

    A first visit without a profile in its address starts with the dataset's first preset, never with a blank page. Liked
    items of an address may be item_ids as well as labels.
    """
    for value in params.get("item", []):
        row = dataset.item_rows.get(value, dataset.labelled_rows.get(value))
        if row is not None:
            state["item"] = dataset.labels[row]
    named = [key for key in params if key in (*PROFILE_KEYS, VERSION) or key.startswith(ATTRIBUTE)]
    if not named and dataset.info.presets:
        put_profile(state, dataset.info.presets[0].profile, dataset)
        return True
    if params.get("liked"):
        state["liked"] = _labels(params["liked"], dataset)
    return False


def put_second(state: MutableMapping[Any, Any], params: Mapping[str, Sequence[str]], dataset: Dataset) -> None:
    """Sets the form of the second person to what an address says of them; what it cannot use is left as it is."""
    allowed: dict[str, Sequence[str]] = {"age": AGES, "gender": (*dataset.genders, UNKNOWN)}
    allowed |= {f"{ATTRIBUTE}{name}": (*values, UNKNOWN) for name, values in dataset.user_attributes.items()}
    for key, values in allowed.items():
        for value in params.get(f"{SECOND}{key}", [])[:1]:
            if value in values:
                state[f"{SECOND}{key}"] = value
    if f"{SECOND}interests" in params:
        state[f"{SECOND}interests"] = [value for value in params[f"{SECOND}interests"] if value.strip()]
    if f"{SECOND}liked" in params:
        state[f"{SECOND}liked"] = _labels(params[f"{SECOND}liked"], dataset)


def second_of(profiles: Sequence[Profile], dataset: Dataset) -> dict[str, list[str]]:
    """Returns what an address would say of the first of some profiles, as the second person; nothing where there is none."""
    state: dict[Any, Any] = {}
    for profile in profiles[:1]:
        put_profile(state, profile, dataset, SECOND)
    return {key: list(value) if isinstance(value, list) else [value] for key, value in state.items()}


def _labels(values: Sequence[str], dataset: Dataset) -> list[str]:
    rows = [dataset.item_rows.get(value, dataset.labelled_rows.get(value)) for value in values]
    return [dataset.labels[row] for row in rows if row is not None]


def switch_form(state: MutableMapping[Any, Any], before: str, dataset: Dataset) -> bool:
    """After a change of dataset, puts the form of the one before away and takes out that of the new one, if there is one.

    A dataset that this visitor has not had yet starts with the person at hand, as far as it knows what they are.
    """
    shelf = state.setdefault(_FORMS, {})
    shelf[before] = {key: state[key] for key in state if _is_of_form(str(key))}
    kept = shelf.get(dataset.name)
    if kept is None:
        _forget_view(state, dataset)
    else:
        for key in [key for key in state if _is_of_form(str(key)) and key not in kept]:
            del state[key]  # one that is there in both is assigned only: deleted, it would come back from the address
        for key, value in kept.items():
            state[key] = value
    _drop_unknown(state, dataset)
    return kept is not None


def _is_of_form(key: str) -> bool:
    named = (*PROFILE_KEYS, *VIEW_KEYS, "category", "years", "item", "scorer", SECOND_FOR, LEFT_OUT, UNUSED)
    return key in named or key.startswith((ATTRIBUTE, ITEM_ATTRIBUTE, SECOND, WEIGHT))


def _forget_view(state: MutableMapping[Any, Any], dataset: Dataset) -> None:
    """Drops the filters and the second person of another dataset."""
    gone = (*GRID_KEYS, SECOND_FOR, ADDRESS, "reactions")
    for key in [key for key in state if str(key).startswith(SECOND) or key in gone]:
        del state[key]
    for key in ("category", *(f"{ITEM_ATTRIBUTE}{name}" for name in dataset.item_attributes)):
        state[key] = []
    if spread := year_range(dataset):
        state["years"] = spread


def _drop_unknown(state: MutableMapping[Any, Any], dataset: Dataset) -> None:
    """Drops from the form what the dataset does not know."""
    for prefix in ("", *((SECOND,) if state.get(SECOND_FOR) == dataset.name else ())):
        if state.get(f"{prefix}gender") not in dataset.genders:
            state[f"{prefix}gender"] = UNKNOWN
        state[f"{prefix}liked"] = [
            label for label in state.get(f"{prefix}liked") or [] if label in dataset.labelled_rows
        ]
        for name, values in dataset.user_attributes.items():
            if state.get(f"{prefix}{ATTRIBUTE}{name}") not in values:
                state[f"{prefix}{ATTRIBUTE}{name}"] = UNKNOWN
    if state.get("item") not in dataset.labelled_rows:
        state.pop("item", None)
    filters: dict[str, Sequence[str]] = {
        "category": dataset.categories,
        UNUSED: (AGE, GENDER, *dataset.user_attributes),
    }
    filters |= {f"{ITEM_ATTRIBUTE}{name}": values for name, values in dataset.item_attributes.items()}
    for key, known in filters.items():
        state[key] = [value for value in state.get(key) or [] if value in known]
    spread = year_range(dataset)
    years = state.get("years")
    if spread and not (years and spread[0] <= years[0] <= years[1] <= spread[1]):
        state["years"] = spread


def put_profile(state: MutableMapping[Any, Any], profile: Profile, dataset: Dataset, prefix: str = "") -> None:
    """Sets the form to a profile; must run before the form is drawn.

    Args:
        prefix: of the session keys; the second person of the Compare page has another form.
    """
    state[f"{prefix}age"] = UNKNOWN if profile.age is None else str(round(profile.age))
    state[f"{prefix}gender"] = profile.gender if profile.gender in dataset.genders else UNKNOWN
    state[f"{prefix}interests"] = list(profile.interests)
    state[f"{prefix}liked"] = [dataset.labels[dataset.item_rows[i]] for i in profile.liked if i in dataset.item_rows]
    for name, values in dataset.user_attributes.items():
        value = profile.attributes.get(name)
        state[f"{prefix}{ATTRIBUTE}{name}"] = value if value in values else UNKNOWN


def read_profile(state: Mapping[Any, Any], dataset: Dataset, prefix: str = "") -> Profile:
    """Returns what ``put_profile`` set a form to, or a reader did since."""
    ids = dataset.items[ITEM_ID]
    age = state.get(f"{prefix}age") if dataset.age_range else None
    gender = state.get(f"{prefix}gender") if dataset.genders else None
    values = {name: state.get(f"{prefix}{ATTRIBUTE}{name}") for name in dataset.user_attributes}
    liked = state.get(f"{prefix}liked") or []
    return Profile(
        age=None if age in (None, UNKNOWN) else float(age),
        gender=None if gender in (None, UNKNOWN) else gender,
        attributes={name: value for name, value in values.items() if value not in (None, UNKNOWN)},
        interests=tuple(state.get(f"{prefix}interests") or ()),
        liked=tuple(str(ids[dataset.labelled_rows[label]]) for label in liked if label in dataset.labelled_rows),
    )


def draw_profile_form(dataset: Dataset, saved: SavedProfiles) -> Profile:
    """Draws the form and returns what it says.

    Raises:
        DataError: if there are too many or too long interests.
    """
    kept = _BOUND if resources.settings().profile_in_link else _KEPT
    draw_starts(dataset, saved)
    draw_demographics(dataset, "", **kept)
    draw_tastes(dataset, "", **kept)
    return read_profile(st.session_state, dataset)


def draw_demographics(dataset: Dataset, prefix: str, **kept: Any) -> None:
    """Draws age, gender and attributes, as far as the dataset has them.

    Args:
        prefix: of the session keys.
        kept: how the widgets keep their values: ``bind`` or ``persist_state``.
    """
    if dataset.age_range:
        st.select_slider(_("Age"), AGES, key=f"{prefix}age", help=_("Leftmost is unknown."), format_func=_known, **kept)
    if dataset.genders:
        st.segmented_control(
            _("Gender"),
            (*dataset.genders, UNKNOWN),
            key=f"{prefix}gender",
            format_func=lambda name: plain(_known(name)),
            **kept,
        )
    for name, values in dataset.user_attributes.items():
        st.selectbox(
            plain(fact_label(name).capitalize()),
            (UNKNOWN, *values),
            key=f"{prefix}{ATTRIBUTE}{name}",
            format_func=_known,
            **kept,
        )


def _known(value: str) -> str:
    """A value as it is, which is data, or that there is none."""
    return _(UNKNOWN) if value == UNKNOWN else value


def draw_tastes(dataset: Dataset, prefix: str, **kept: Any) -> None:
    """Draws interests and liked items; arguments as for ``draw_demographics``."""
    typed = st.session_state.get(f"{prefix}interests") or []
    is_read = reads_interests(dataset)
    st.multiselect(
        _("Interests"),
        list(dict.fromkeys([*dataset.categories, *typed])),
        key=f"{prefix}interests",
        accept_new_options=True,
        placeholder=_("Type anything, press Enter"),
        help=_("Free text, encoded as typed. The catalog's categories are suggested.") if is_read else _(NOT_READ),
        disabled=not is_read,
        **kept,
    )
    st.multiselect(
        _("Liked items"),
        offered_items(dataset, *(st.session_state.get(f"{prefix}liked") or [])),
        key=f"{prefix}liked",
        placeholder=_("Search by title"),
        help=_("They are part of the profile, and are left out of the list."),
        **kept,
    )


def draw_starts(dataset: Dataset, saved: SavedProfiles, prefix: str = "", label: str | None = None) -> None:
    """Draws the ways to fill a form at once: a preset or saved profile, a random one, nobody."""
    ready = [*dataset.info.presets, *saved.all()]

    def put(profile: Profile) -> None:
        put_profile(st.session_state, profile, dataset, prefix)

    def use_preset() -> None:
        chosen = st.session_state[f"{prefix}preset"]
        if chosen is not None:
            put(ready[chosen].profile)
            st.session_state[f"{prefix}preset"] = None

    def surprise() -> None:
        put(random_profile(dataset, np.random.default_rng()))

    st.selectbox(
        label or _("Start from"),
        range(len(ready)),
        index=None,
        format_func=lambda number: ready[number].name,
        key=f"{prefix}preset",
        on_change=use_preset,
        placeholder=_("A preset or saved profile"),
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Surprise me"), icon=":material/casino:", on_click=surprise, help=_("A random, plausible profile."),
            key=f"{prefix}surprise",
        )  # fmt: skip
        st.button(
            _("Clear"), icon=":material/ink_eraser:", on_click=put, args=(Profile(),), help=_("Nothing known at all."),
            key=f"{prefix}clear",
        )  # fmt: skip


def draw_saving(profile: Profile, saved: SavedProfiles) -> None:
    """Draws the popover that saves the current profile and deletes saved ones."""

    def save() -> None:
        try:
            saved.save(st.session_state["save_name"], profile)
            st.toast(_("Profile saved."), icon=":material/check:")
        except ColdlensError as error:
            st.session_state["form_error"] = error

    with st.popover(_("Save profile"), icon=":material/save:", width="stretch"):
        with st.form("save_form", border=False):
            st.text_input(_("Name"), key="save_name", max_chars=60)
            st.form_submit_button(_("Save"), on_click=save)
        kept = saved.all()
        if kept:
            gone = st.selectbox(_("Saved"), [preset.name for preset in kept], key="saved_name", format_func=str)
            st.button(_("Delete"), icon=":material/delete:", on_click=saved.delete, args=(gone,))
    if "form_error" in st.session_state:
        show_error(st.session_state.pop("form_error"))


def random_profile(dataset: Dataset, rng: np.random.Generator) -> Profile:
    """Returns a plausible profile: some categories, some popular liked items, and of each fact of a person what some user has.

    Every fact is of another user, so that nobody of the dataset is shown.
    """
    user = {
        name: str(values.iloc[int(rng.integers(len(values)))])
        for name in (AGE, GENDER, *dataset.user_attributes)
        if name in dataset.users and len(values := dataset.users[name].dropna())
    }
    popular = dataset.by_popularity[:200]
    liked = rng.choice(popular, min(int(rng.integers(0, 3)), len(popular)), replace=False)
    interests = min(int(rng.integers(1, 4)), len(dataset.categories))
    return Profile(
        age=float(user[AGE]) if AGE in user else None,
        gender=user.get(GENDER),
        attributes={name: user[name] for name in dataset.user_attributes if name in user},
        interests=tuple(str(text) for text in rng.choice(dataset.categories or ("",), interests, replace=False)),
        liked=tuple(dataset.items[ITEM_ID].iloc[int(row)] for row in liked),
    )


def offered_items(dataset: Dataset, *chosen: str | None) -> list[str]:
    """Returns labels to choose from: those chosen already, then the most popular items, at most 20,000."""
    rows = dataset.by_popularity[:_OFFERED_ITEMS]
    known = [label for label in chosen if label in dataset.labelled_rows]
    return list(dict.fromkeys([*known, *(dataset.labels[row] for row in rows)]))


def one_line(profile: Profile, dataset: Dataset) -> str:
    """Returns the profile in one line of Markdown."""
    if profile.is_empty:
        return _("Nothing is known about this person.")
    liked = {
        f"liked:{item_id}": _("likes {title}").format(title=dataset.title_of(item_id)) for item_id in profile.liked
    }
    return plain(" · ".join(liked.get(facet.key) or retold(facet.label) for facet in profile.facets))
