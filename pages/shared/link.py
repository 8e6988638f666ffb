"""The address of what is on the screen: made for copying, checked when somebody opens one."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from pages.shared.language import N_, _, everywhere, fact_name
from pages.shared.tabs import tab_called
from recsys.errors import shorten
from recsys.recommender import available_scorers
from recsys.schema import AGE, GENDER, YEAR, Dataset
from recsys.settings import MAX_AGE, MAX_K, MAX_WEIGHT
from recsys.views.view import VIEW_WORDS, VIEWS

UNKNOWN = N_("unknown")
AGES = (UNKNOWN, *(str(age) for age in range(MAX_AGE + 1)))
ATTRIBUTE, ITEM_ATTRIBUTE = "attr-", "item-"
VERSION = "v"
"""Marks an address that stands for itself: without a profile in it, nothing is known about the person."""
PROFILE_KEYS = ("age", "gender", "interests", "liked")
SHARE_KEYS = ("popularity", "diversity")
"""Numbers from 0 to 1."""
PERSON = "person"
"""Random id of profiles that are kept on the server, in the place of the profiles themselves."""
UNUSED = "unused"
"""Facts of the person that no ranking uses."""
LEFT_OUT, WEIGHT = "without", "weight-"
"""Views that are left out, by what they are called on the screen; and before the name of a view, its weight."""
_WEIGHTS = tuple(f"{WEIGHT}{view}" for view in VIEWS)
CONTROL_KEYS = (UNUSED, LEFT_OUT, *_WEIGHTS, "dataset", "scorer", "k", *SHARE_KEYS, "category", "years", "item")

SECOND = "b-"
"""Before the keys of the second person of the Compare page."""
GRID_KEYS = ("grid_source", "grid_ages", "grid_every", "grid_genders", "grid_interests")
VIEW_KEYS = ("tab", "over", "by", "target", "wanted", "locked", "flip", "reactions", *GRID_KEYS)
"""What else is on the Compare page: the open tab and its choices."""
LISTED_KEYS = ("locked", "reactions", "grid_ages", "grid_genders", "grid_interests")
"""Those of them that hold several values."""
SECOND_FOR = "_second_for"
"""Session key of the dataset that the form of the second person was filled for."""
ADDRESS = "_opened_address"
"""Session key of the parts of an opened address that belong to the Compare page."""


def keys_of(dataset: Dataset) -> tuple[str, ...]:
    """Returns every part of the address that belongs to any page of a dataset."""
    filters = [f"{ITEM_ATTRIBUTE}{name}" for name in dataset.item_attributes]
    return (VERSION, PERSON, *CONTROL_KEYS, *_profile_keys(dataset), *filters)


def compare_keys(dataset: Dataset) -> tuple[str, ...]:
    """Returns what the Compare page adds: the second person and what is open."""
    return (*(f"{SECOND}{key}" for key in _profile_keys(dataset)), *VIEW_KEYS)


def _profile_keys(dataset: Dataset) -> tuple[str, ...]:
    return (*PROFILE_KEYS, *(f"{ATTRIBUTE}{name}" for name in dataset.user_attributes))


def personal_keys(dataset: Dataset) -> frozenset[str]:
    """Returns the parts of an address that say something of a person, invented or not."""
    own = _profile_keys(dataset)
    return frozenset((*own, *(f"{SECOND}{key}" for key in own), "reactions", "grid_interests"))


def address_of(
    state: Mapping[str, object], dataset: Dataset, *, is_comparing: bool = False, has_person: bool = True
) -> dict[str, list[str]]:
    """Returns every query parameter of a state, but for those of the person where asked; no values are one empty value."""
    address = {VERSION: ["1"]}
    left_out = frozenset() if has_person else personal_keys(dataset)
    for key in (*keys_of(dataset)[2:], *(compare_keys(dataset) if is_comparing else ())):
        if key in left_out:
            continue
        value = state.get(key)
        value = tab_called(key, str(value)) if key == "tab" and value is not None else value
        if isinstance(value, list | tuple):
            address[key] = [str(part) for part in value] or [""]
        elif value is not None:
            address[key] = [str(value)]
    return address


def make_link(
    base: str, state: Mapping[str, object], dataset: Dataset, *, is_comparing: bool = False, person: str | None = None
) -> str:
    """Returns an address that carries the profile, the scorer and the list's controls in full, and both persons if comparing.

    Args:
        person: the id that leads to the profiles; they are then not in the address themselves.
    """
    address = address_of(state, dataset, is_comparing=is_comparing, has_person=person is None)
    if person is not None:
        address[PERSON] = [person]
    return f"{base.split('?')[0]}?{urlencode(address, doseq=True)}"


def in_english(params: Mapping[str, Sequence[str]], dataset: Dataset) -> dict[str, list[str]]:
    """Returns the parts of an address with our own words in English, in whatever language it was made; data stays."""
    return {key: [_in_english(key, value, dataset) for value in values] for key, values in params.items()}


def _in_english(key: str, value: str, dataset: Dataset) -> str:
    words = words_in(key)
    if value in _values_in(key, dataset) or value in words:
        return value
    return next((word for word in words if value in everywhere(word)), value)


def as_shown(params: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Returns the parts of an address as the widgets of the sidebar show them: what is bound goes by that (Streamlit 1.67)."""
    return {key: [_(value) if value in words_in(key) else value for value in values] for key, values in params.items()}


def words_in(key: str) -> tuple[str, ...]:
    """Returns which values of a part of an address are our words, and not data."""
    if key == UNUSED:
        return AGE, GENDER
    if key == LEFT_OUT:
        return tuple(VIEW_WORDS.values())
    return (UNKNOWN,) if key in ("age", "gender") or key.startswith(ATTRIBUTE) else ()


def _values_in(key: str, dataset: Dataset) -> Sequence[str]:
    """Which values of it are data."""
    if key == "gender":
        return dataset.genders
    return dataset.user_attributes.get(key.removeprefix(ATTRIBUTE), ()) if key.startswith(ATTRIBUTE) else ()


def check_link(params: Mapping[str, Sequence[str]], dataset: Dataset) -> list[str]:
    """Returns one three-part sentence for every value of an opened address that cannot be used."""
    scorers = available_scorers(dataset)
    known: dict[str, tuple[Sequence[str], str]] = {
        "age": (AGES, _("a whole number from 0 to {max_age}, or “unknown”").format(max_age=MAX_AGE)),
        "gender": ((*dataset.genders, UNKNOWN), ", ".join((*dataset.genders, _(UNKNOWN)))),
        "scorer": (scorers, _(" or ").join(scorers)),
        "k": ([str(k) for k in range(1, MAX_K + 1)], _("a whole number from 1 to {max_k}").format(max_k=MAX_K)),
        "category": (dataset.categories, _("a category of the catalog")),
        "item": ((*dataset.item_rows, *dataset.labels), _("an item_id of the catalog")),
        "liked": ((*dataset.item_rows, *dataset.labels), _("an item_id of the catalog")),
    }
    facts = (AGE, GENDER, *dataset.user_attributes)
    known[UNUSED] = (facts, _("one of {names}").format(names=", ".join(map(fact_name, facts))))
    first, last = year_range(dataset) or (0, 0)
    known["years"] = (
        [str(year) for year in range(first, last + 1)],
        _("two years from {first} to {last}").format(first=first, last=last),
    )
    for name, values in dataset.user_attributes.items():
        known[f"{ATTRIBUTE}{name}"] = ((*values, UNKNOWN), _("one of {names} …").format(names=", ".join(values[:6])))
    known |= {f"{SECOND}{key}": known[key] for key in _profile_keys(dataset) if key in known}
    for name, values in dataset.item_attributes.items():
        known[f"{ITEM_ATTRIBUTE}{name}"] = (values, _("one of {names} …").format(names=", ".join(values[:6])))
    notices = [
        _left_out(key, value, _("a number from 0 to 1"))
        for key in SHARE_KEYS
        for value in params.get(key, [])
        if value and not _is_number(value, 1.0)
    ]
    for key, (allowed, hint) in known.items():
        accepted = set(allowed)
        for value in params.get(key, []):
            if value and value not in accepted:
                notices.append(_left_out(key, value, hint))
    known_views = tuple(VIEW_WORDS.values())
    notices += [
        _left_out(key, value, _("a number from 0 to {max_weight:g}").format(max_weight=MAX_WEIGHT))
        for key in _WEIGHTS
        for value in params.get(key, [])
        if value and not _is_number(value, MAX_WEIGHT)
    ]
    notices += [
        _left_out(LEFT_OUT, value, _("one of {names}").format(names=", ".join(map(_, known_views))))
        for value in params.get(LEFT_OUT, [])
        if value and value not in known_views
    ]
    unknown = [key for key in params if key not in (*keys_of(dataset), *compare_keys(dataset))]
    notices += [
        _("The link has a part that means nothing here: “{key}”. It was ignored.").format(key=shorten(key, 60))
        for key in unknown
    ]
    return notices[:8]


def _left_out(key: str, value: str, hint: str) -> str:
    return _("The link's {key} was left out: “{value}”. Use {hint}.").format(
        key=key, value=shorten(value, 60), hint=hint
    )


def _is_number(value: str, most: float) -> bool:
    try:
        return 0 <= float(value) <= most
    except ValueError:
        return False


def year_range(dataset: Dataset) -> tuple[int, int] | None:
    """Returns the first and last year of the catalog, or ``None``."""
    years: list[int] = dataset.items[YEAR].dropna().tolist() if YEAR in dataset.items else []
    return (int(min(years)), int(max(years))) if len(set(years)) > 1 else None
