"""What one file holds: how it is written and what its columns mean, guessed and open to correction."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.language import N_, _, heading
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.datasets.importing import KINDS, OPTIONAL, REQUIRED, CsvDialect, FilePlan, TablePlan
from recsys.datasets.importing.plan import Ages

_LEFT_OUT, _NONE = N_("leave out"), "–"
_DELIMITERS = {",": ",", ";": ";", N_("tab"): "\t", "|": "|", "::": "::"}
_QUOTES = {'"': '"', "'": "'", N_("none"): ""}
_ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16", "cp1250", "cp1251", "gb18030", "shift_jis")
_SEPARATORS = ("|", ";", ",", "/", ">", "·")
_LABELS = {
    "item_id": N_("Item id"), "title": N_("Title"), "description": N_("Description"), "categories": N_("Categories"),
    "year": N_("Year"), "price": N_("Price"), "image": N_("Image"), "audio": N_("Audio"), "user_id": N_("User id"),
    "age": N_("Age"), "gender": N_("Gender"), "rating": N_("Rating"), "timestamp": N_("Time"), "head": N_("Head"),
    "relation": N_("Relation"), "tail": N_("Tail"),
}  # fmt: skip
_AGES: Mapping[Ages, str] = {
    "years": N_("a number of years"),
    "birth year": N_("a year or date of birth"),
    "band": N_("a band, such as 25-34 or 65+"),
}


def draw_meaning(look: Mapping[str, Any], number: int) -> FilePlan | None:
    """Draws one file and returns its plan; ``None`` if it is left out or has no column for what is required."""
    with st.container(border=True):
        kind = draw_writing(look, number)
        if kind == _LEFT_OUT:
            return None
        for told in look["faults"]:
            st.caption(f":material/warning: {plain(retold(told))}")
        frame = pd.DataFrame(look["sample"], columns=look["columns"])
        show_table(frame.head(5), alt=_("The first rows of {file}").format(file=look["plan"]["file"]))
        return _draw_roles(look, _prefix(look, number))


def _prefix(look: Mapping[str, Any], number: int) -> str:
    return f"own-{look['plan']['file']}-{number}"


def draw_writing(look: Mapping[str, Any], number: int) -> str:
    """Draws which table a file holds and how it is written, and returns the table."""
    plan, prefix = look["plan"], _prefix(look, number)
    st.markdown(f"**{plain(plan['file'])}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = [*KINDS, _LEFT_OUT]
        kind = st.selectbox(
            _("Holds"),
            options,
            index=options.index(plan["table"]["kind"]),
            key=f"{prefix}-kind",
            width=170,
            format_func=lambda name: _(name) if name == _LEFT_OUT else heading(name),
        )
        if plan["dialect"]:
            _draw_dialect(plan["dialect"], prefix)
    return kind


def _draw_dialect(dialect: Mapping[str, Any], prefix: str) -> None:
    """Draws how a text is written; what is chosen is read from the session before the file is looked at again."""
    names = {value: name for name, value in _DELIMITERS.items()}
    _choice(
        _("Delimiter"), tuple(_DELIMITERS), names.get(dialect["delimiter"], dialect["delimiter"]), f"{prefix}-delimiter"
    )
    quotes = {value: name for name, value in _QUOTES.items()}
    _choice(_("Quotes"), tuple(_QUOTES), quotes.get(dialect["quote"], dialect["quote"]), f"{prefix}-quote")
    _choice(_("Encoding"), _ENCODINGS, dialect["encoding"], f"{prefix}-encoding", width=140)
    st.number_input(
        _("Skip lines"), 0, 1000, dialect["skip"], key=f"{prefix}-skip", width=120,
        help=_("Lines before the names of the columns, such as the title of a report."),
    )  # fmt: skip
    st.checkbox(_("First row holds names"), dialect["has_header"], key=f"{prefix}-has_header")


def _choice(label: str, options: tuple[str, ...], value: str, key: str, width: int = 110) -> None:
    options = options if value in options else (value, *options)
    st.selectbox(label, options, index=options.index(value), key=key, width=width, format_func=_)


def _draw_roles(look: Mapping[str, Any], prefix: str) -> FilePlan | None:
    """Draws a choice of column for each role; keys change with the columns, so that new ones are guessed anew."""
    plan, columns = look["plan"], list(look["columns"])
    table = plan["table"]
    kind = table["kind"]
    state = hashlib.sha256(repr((columns, kind)).encode()).hexdigest()[:8]
    roles: dict[str, str] = {}
    with st.container(horizontal=True):
        for role in (*REQUIRED[kind], *OPTIONAL[kind]):
            guess = table["roles"].get(role)
            label = _(_LABELS[role]) + (_(" (required)") if role in REQUIRED[kind] else "")
            options = [_NONE, *columns]
            chosen = st.selectbox(
                label,
                options,
                index=options.index(guess) if guess in columns else 0,
                key=f"{prefix}-{state}-{role}",
                width=180,
            )
            if chosen != _NONE:
                roles[role] = chosen
        separator = table["separator"]
        if "categories" in roles:
            marks = _SEPARATORS if separator.strip() in _SEPARATORS else (separator.strip(), *_SEPARATORS)
            separator = st.selectbox(
                _("Between categories"), marks, index=marks.index(separator.strip()), key=f"{prefix}-{state}-separator",
                width=150,
                accept_new_options=True,
            )  # fmt: skip
        ages: Ages = table["ages"]
        if "age" in roles:
            ages = st.selectbox(
                _("An age is"), list(_AGES), index=list(_AGES).index(ages), format_func=lambda value: _(_AGES[value]),
                key=f"{prefix}-{state}-ages", width=220,
            )  # fmt: skip
    attributes = _draw_attributes(look, roles, f"{prefix}-{state}-attributes") if kind in ("items", "users") else ()
    missing = [_(_LABELS[role]) for role in REQUIRED[kind] if role not in roles]
    twice = [column for column in set(roles.values()) if list(roles.values()).count(column) > 1]
    if missing or twice:
        told = [_("Choose the column of: {names}.").format(names=", ".join(missing))] if missing else []
        told += [_("“{column}” has two meanings; choose one of them.").format(column=column) for column in twice]
        st.error(plain(" ".join(told)), icon=":material/error:")
        return None
    made = TablePlan(
        kind=kind, roles=roles, attributes=attributes, separator=(separator or "|")[:5], ages=ages,
        year_of_ages=table["year_of_ages"],
    )  # fmt: skip
    dialect = CsvDialect(**plan["dialect"]) if plan["dialect"] else None
    return FilePlan(file=plan["file"], table=made, dialect=dialect)


def _draw_attributes(look: Mapping[str, Any], roles: Mapping[str, str], key: str) -> tuple[str, ...]:
    rest = [column for column in look["columns"] if column not in roles.values()]
    guessed = [column for column in rest if column in look["plan"]["table"]["attributes"]]
    freed = [column for column in look["plan"]["table"]["roles"].values() if column in rest]
    if not rest:
        return ()
    chosen = st.multiselect(
        _("Further columns to keep, as attributes"), rest, default=[*guessed, *freed], key=f"{key}-{'|'.join(rest)}",
        help=_("Attributes of items can be filtered and used in the template; those of users are in the profile form."),
    )  # fmt: skip
    return tuple(column for column in rest if column in chosen)
