"""Bringing in data of one's own: files, what their columns mean, how an item reads, a check, the import, the build."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import uploads
from pages.shared.asking import ask
from pages.shared.imported import draw_import
from pages.shared.language import N_, _, ngettext
from pages.shared.meaning import draw_meaning, draw_writing
from pages.shared.widgets import plain, show_error
from recsys.datasets.importing import FilePlan, ImportPlan, check_template, complete, read_plan
from recsys.errors import ColdlensError
from recsys.schema import DatasetInfo

_LOOKS, _KEPT = "_looks", 20
_DOMAINS = (N_("e-commerce"), N_("video"), N_("music"), N_("news"), N_("books"), N_("unknown"))
_TYPES = ["csv", "tsv", "txt", "dat", "jsonl", "ndjson", "json", "parquet", "gz", "zip", "tgz"]


def draw_bringing() -> None:
    """Draws the whole way from files to a dataset; each step appears when the one before it is done."""
    paths = _draw_files()
    if not paths:
        return
    try:
        with st.spinner(_("Looking into the files…")):
            found = _look(paths, [])
    except ColdlensError as error:
        show_error(error)
        return
    st.subheader(_("2 · What they hold"))
    if n_media := found.get("media"):
        told = ngettext(
            "{n} picture or sound lies beside the tables; those that an Image or Audio column names come along.",
            "{n:,} pictures and sounds lie beside the tables; those that an Image or Audio column names come along.",
            n_media,
        )
        st.caption(f":material/perm_media: {told.format(n=n_media)}")
    parts: tuple[FilePlan, ...] = ()
    looks: Sequence[Mapping[str, Any]] = ()
    if found["format"]:
        st.success(
            _("This is **{format}**: its files are read as they are.").format(format=plain(found["format"])),
            icon=":material/verified:",
        )
    else:
        try:
            parts, looks = _draw_parts(paths, found)
        except ColdlensError as error:
            show_error(error)
            return
        if not looks:
            return
        if not any(part.table.kind == "items" for part in parts):
            st.warning(_("One of the files has to hold the items."), icon=":material/warning:")
            return
    has_ratings = any("rating" in part.table.roles for part in parts)
    name, said = _draw_about(paths, known=found["format"], has_ratings=has_ratings)
    plan = said if found["format"] else _draw_template(complete(said, parts), looks)
    if plan is None:
        return
    st.subheader(_("5 · Check and import") if parts else _("4 · Check and import"))
    draw_import(paths, name, plan)


def _draw_files() -> list[Path]:
    st.subheader(_("1 · Files"))
    st.markdown(
        _(
            "A file of **items** (an id and a title for each), and, if you have them, of **users** and **interactions**, and the "
            "triples of a graph. CSV of any kind, JSON Lines, Parquet, or a zip of them; MovieLens, Book-Crossing, MIND, Amazon "
            "Reviews 2023 and Last.fm 360K are recognised as they come. Pictures and sounds come along in one zip with the table "
            "whose columns name them, such as `photos/red.png`."
        )
    )
    limit = int(st.get_option("server.maxUploadSize"))
    files = st.file_uploader(
        _("Files"), type=_TYPES, accept_multiple_files=True, key="own_files",
        help=_("Up to {limit} MB each (server.maxUploadSize). Put larger ones into “{inbox}” in the data folder.").format(
            limit=limit, inbox=uploads.INBOX
        ),
    )  # fmt: skip
    waiting = {path.name: path for path in uploads.inbox()}
    chosen: list[str] = []
    if waiting:
        chosen = st.multiselect(
            _("Or from the folder {inbox}, of any size").format(inbox=uploads.INBOX), list(waiting), key="own_inbox"
        )
    try:
        return [*uploads.keep(files), *(waiting[name] for name in chosen)]
    except ColdlensError as error:
        show_error(error)
        return []


def _look(paths: Sequence[Path], parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns what ``recsys datasets inspect`` says of files, asked once for the same question."""
    stamps = [(str(path), path.stat().st_mtime_ns) for path in paths]
    key = json.dumps([stamps, list(parts)])
    known: dict[str, Any] = st.session_state.setdefault(_LOOKS, {})
    if key not in known:
        command = ["datasets", "inspect", *(str(path.resolve()) for path in paths)]
        if parts:
            plan = uploads.scratch() / "look.json"
            plan.write_text(json.dumps({"files": list(parts)}), "utf-8")
            command += ["--plan", str(plan)]
        found = ask(command)
        while len(known) >= _KEPT:
            del known[next(iter(known))]
        known[key] = found
    return dict(known[key])


def _draw_parts(
    paths: Sequence[Path], found: Mapping[str, Any]
) -> tuple[tuple[FilePlan, ...], list[Mapping[str, Any]]]:
    """Draws every file with its guesses for correction, and returns the plans of those that are to be read."""
    asked = [_corrected(look, number) for number, look in enumerate(found["looks"])]
    if any(asked):
        plans = [part or look["plan"] for part, look in zip(asked, found["looks"], strict=True)]
        try:
            with st.spinner(_("Reading again…")):
                found = _look(paths, plans)
        except ColdlensError as error:
            show_error(error)
            for number, look in enumerate(found["looks"]):
                draw_writing(look, number)  # so that the correction can be taken back
            return (), []
    parts, looks = [], []
    for number, look in enumerate(found["looks"]):
        part = draw_meaning(look, number)
        if part is not None:
            parts.append(part)
            looks.append(look)
    return tuple(parts), looks


def _corrected(look: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    """Returns the plan of a file as a reader has corrected how it is written, or ``None``."""
    state = st.session_state
    prefix = f"own-{look['plan']['file']}-{number}"
    part: dict[str, Any] = json.loads(json.dumps(look["plan"]))
    kind = state.get(f"{prefix}-kind")
    dialect = part["dialect"]
    if dialect:
        for name in ("delimiter", "quote", "encoding", "has_header", "skip"):
            value = state.get(f"{prefix}-{name}")
            if value is not None:
                dialect[name] = DIALECT_VALUES.get(name, {}).get(value, value)
    if kind in ("items", "users", "interactions", "graph"):
        part["table"]["kind"] = kind
    if part == look["plan"]:
        return None
    part["table"] = {"kind": part["table"]["kind"], "roles": {}}
    return part


DIALECT_VALUES: Mapping[str, Mapping[str, str]] = {"delimiter": {"tab": "\t"}, "quote": {"none": ""}}


def _draw_about(paths: Sequence[Path], *, known: str | None, has_ratings: bool) -> tuple[str, ImportPlan]:
    st.subheader(_("3 · What it is"))
    guess = re.sub(r"[^a-z0-9]+", "-", (known or paths[0].stem).lower()).strip("-")[:60] or "my-catalog"
    left, right = st.columns(2)
    name = left.text_input(_("Name of the dataset"), guess, key=f"own-name-{guess}", max_chars=60,
                           help=_("Small letters, digits, - and _; the folder is called so."))  # fmt: skip
    title = right.text_input(
        _("Title"), known or guess.replace("-", " ").capitalize(), key=f"own-title-{guess}", max_chars=100
    )
    if known:
        return name.strip(), ImportPlan(title=title)
    domain = left.selectbox(
        _("Domain"), _DOMAINS, index=len(_DOMAINS) - 1, key="own-domain", accept_new_options=True, format_func=_
    )
    licence = right.text_input(_("Licence"), "unknown", key="own-licence", max_chars=200)
    source = st.text_input(_("Source"), "", key="own-source", max_chars=300, placeholder=_("Where the data comes from"))
    liked_from = None
    if has_ratings:
        liked_from = st.number_input(
            _("A like is a rating of at least"), value=None, key="own-liked-from", placeholder=_("four fifths of the scale"),
            help=_("Empty: 4 of 5, 8 of 10, 80 of 100, by the highest rating that is there; counts are likes, all of them."),
        )  # fmt: skip
    plan = ImportPlan(title=title, domain=domain or "unknown", licence=licence, source=source, liked_from=liked_from)
    return name.strip(), plan


def _draw_template(plan: ImportPlan, looks: Sequence[Mapping[str, Any]]) -> ImportPlan | None:
    """Draws the template of an item with how the first items read; ``None`` if it cannot be used."""
    st.subheader(_("4 · How an item reads"))
    table = next(part.table for part in plan.files if part.table.kind == "items")
    fields = (*table.roles, *(name for name in table.attributes if name not in table.roles))
    pattern = plan.item_template or DatasetInfo("").item_template
    pattern = st.text_input(
        _("Template of the text that BERT reads"), pattern, key=f"own-template-{pattern}",
        help=_("{name} is a field; a part in square brackets is left out when its field is empty. Fields:")
        + " "
        + ", ".join(fields),
    )  # fmt: skip
    try:
        template = check_template(pattern, fields)
        read_plan({"item_template": pattern})
    except ColdlensError as error:
        show_error(error)
        return None
    look = next(look for look in looks if look["plan"]["file"] == plan.files[_items_at(plan)].file)
    columns = {column: number for number, column in enumerate(look["columns"])}
    wanted = dict(table.roles) | {name: name for name in table.attributes}
    for row in look["sample"][:3]:
        values = {role: row[columns[column]] for role, column in wanted.items() if column in columns}
        if "categories" in values:
            values["categories"] = ", ".join(
                filter(None, (v.strip() for v in values["categories"].split(table.separator)))
            )
        st.markdown(f":material/notes: {plain(template.render(values)) or _('(empty)')}")
    return plan.model_copy(update={"item_template": pattern})


def _items_at(plan: ImportPlan) -> int:
    return next(number for number, part in enumerate(plan.files) if part.table.kind == "items")
