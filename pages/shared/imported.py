"""The check of what is brought in, what it found, and the import itself, as jobs in processes of their own."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import resources, uploads
from pages.shared.building import draw_build, start_build
from pages.shared.jobs import Job, jobs
from pages.shared.language import N_, _, heading, ngettext
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_error, show_table
from recsys.datasets.importing import IMPORTS, ImportPlan, check_name
from recsys.datasets.versions import INFO_FILE
from recsys.errors import ColdlensError, ConfigError

_ASKED = "_import_asked"
_SORTS = 12
"""Sorts of faults that are told above the table."""


def draw_import(paths: Sequence[Path], name: str, plan: ImportPlan) -> None:
    """Draws the check, its findings, the import and the build."""
    try:
        check_name(name)
    except ColdlensError as error:
        show_error(error)
        return
    folder = resources.settings().data_dir / name
    is_there = (folder / INFO_FILE).exists()
    asked = hashlib.sha256(json.dumps([list(map(str, paths)), name, plan.model_dump()]).encode()).hexdigest()
    known: dict[str, str] = st.session_state.get(_ASKED, {})
    is_imported = known.get("asked") == asked and str(known.get("mode")).startswith("import")
    may_replace = True
    if is_there and not is_imported:
        may_replace = st.checkbox(
            _("Replace the dataset “{name}” that is there").format(name=plain(name)), key=f"own-replace-{name}",
            help=_("What was computed from items that stay the same is used again."),
        )  # fmt: skip

    def start(mode: str) -> None:
        _start(paths, name, plan, mode)
        st.session_state[_ASKED] = {"asked": asked, "mode": mode}

    st.button(
        _("Check"), on_click=start, args=("check",), icon=":material/fact_check:", disabled=not may_replace,
        type="secondary" if known.get("asked") == asked else "primary",
    )  # fmt: skip
    if not may_replace:
        st.caption(_("There is a dataset of this name already. Choose another name above, or replace it."))
    job = jobs().get(_job_name(name))
    if job is not None and job.is_running:  # perhaps since before this server was started, or for somebody else
        _draw_progress(name)
        return
    if known.get("asked") != asked:
        return
    report = _report(name)
    if report is None:
        show_error((job.error() if job else None) or _GONE)
        return
    draw_report(report)
    if report["published"]:
        uploads_are_done(name)
    else:
        _draw_next(report, start)


_GONE = ConfigError(N_("The check has ended without a result"), fix=N_("Check again."))


def _draw_next(report: Mapping[str, Any], start: Any) -> None:
    fine = sum(counts["accepted"] for counts in report["tables"].values())
    bad = sum(counts["rejected"] for counts in report["tables"].values())
    if report["errors"]:
        st.markdown(
            _("Correct the mapping above or the files themselves, and check again; or leave the rows with errors out.")
        )
        label = _("Import the {fine:,} valid rows, leave {bad:,} out").format(fine=fine, bad=bad)
        st.button(label, on_click=start, args=("import-valid",), icon=":material/filter_alt:", type="primary")
    else:
        st.button(_("Import"), on_click=start, args=("import",), icon=":material/download_done:", type="primary")


def uploads_are_done(name: str) -> None:
    """Says that a dataset is there, and offers to build it."""
    st.success(
        _("**{name}** is imported, and in the list of datasets.").format(name=plain(name)),
        icon=":material/check_circle:",
    )
    st.subheader(_("6 · Build"))
    if jobs().get(f"build {name}") is None and not (resources.settings().data_dir / name / "build.json").exists():
        st.button(
            _("Build"), on_click=start_build, args=(name,), icon=":material/build:", type="primary", key="own-build"
        )
    else:
        draw_build(name)


def _job_name(name: str) -> str:
    return f"import {name}"


def _start(paths: Sequence[Path], name: str, plan: ImportPlan, mode: str) -> None:
    data_dir = resources.settings().data_dir
    (data_dir / IMPORTS / name / "report.json").unlink(missing_ok=True)  # what is read later is of this run
    written = uploads.scratch() / f"plan-{name}.json"
    written.write_text(plan.model_dump_json(), "utf-8")
    command = ["datasets", "import", *(str(path.resolve()) for path in paths), "--name", name, "--plan", str(written)]
    command += ["--replace"]  # the reader has ticked the box where there was something to replace
    command += {"check": ["--dry-run"], "import": [], "import-valid": ["--valid-rows"]}[mode]
    jobs().start(_job_name(name), command, is_reading=True)


def _report(name: str) -> dict[str, Any] | None:
    path = resources.settings().data_dir / IMPORTS / name / "report.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


@st.fragment(run_every=0.5)
def _draw_progress(name: str) -> None:
    job = jobs().get(_job_name(name))
    if job is None or not job.is_running:
        st.rerun()
    assert job is not None
    told = job.progress()
    with st.container(horizontal=True, vertical_alignment="center"):
        share = told.get("done", 0) / max(1, told.get("total", 1))
        counted = _("Reading the files")
        if "step" in told:
            counted = _("{step} – {n:,} rows").format(step=retold(told["step"]), n=told["done"])
        st.progress(min(1.0, share), text=plain(counted), width="stretch")
        st.button(_("Cancel"), on_click=_cancel, args=(name, job), icon=":material/close:", key="own-cancel")


def _cancel(name: str, job: Job) -> None:
    jobs().cancel(_job_name(name), job)
    st.session_state.pop(_ASKED, None)


def _draw_sorts(report: Mapping[str, Any]) -> None:
    """Draws one line for each sort of fault, with what to do: the table below may be too wide for that."""
    fixes = {(found["file"], found["what"], found["is_error"]): found["fix"] for found in report["findings"]}
    lines = []
    for sort in report["counts"][:_SORTS]:
        mark = ":red[:material/error:]" if sort["is_error"] else ":orange[:material/warning:]"
        fix = fixes.get((sort["file"], sort["what"], sort["is_error"]), "")
        counted = _("{n:,} in {file}").format(n=sort["count"], file=plain(sort["file"]))
        lines.append(f"{mark} **{plain(retold(sort['what']))}** · {counted} · {plain(retold(fix))}")
    st.markdown("  \n".join(lines))


def draw_report(report: Mapping[str, Any]) -> None:
    """Draws what a check or an import found: rows, faults with what to do, and the rejected rows for download."""
    with st.grid("auto", min_column_width=150):
        for kind, counts in report["tables"].items():
            told = _("{n:,} rejected").format(n=counts["rejected"]) if counts["rejected"] else _("all fine")
            st.metric(
                _("Rows of {kind}").format(kind=heading(kind)),
                _("{n:,} of {total:,}").format(n=counts["accepted"], total=counts["read"]),
                told,
                border=True,
                delta_color="red" if counts["rejected"] else "green",
                delta_arrow="off",
            )
        if named := report.get("media_named"):
            n_missing = named - report["media_files"]
            st.metric(
                _("Pictures and sounds"),
                _("{n:,} of {total:,}").format(n=report["media_files"], total=named),
                _("{n:,} missing").format(n=n_missing) if n_missing else _("all there"),
                border=True,
                delta_color="orange" if n_missing else "green",
                delta_arrow="off",
                help=_("Of the files that the items name; other files are ignored."),
            )
    if n_addresses := report.get("media_addresses"):
        st.caption(
            _(
                "Web addresses of pictures and sounds: {n_addresses:,}. Pictures are fetched only where "
                "COLDLENS_FETCH_IMAGES=1 is set, sounds never."
            ).format(n_addresses=n_addresses)
        )
    if report.get("left_out"):
        st.caption(plain(_("Left out: {names}.").format(names=", ".join(map(retold, report["left_out"])))))
    if not report["findings"]:
        st.success(_("Nothing is wrong with these files."), icon=":material/task_alt:")
        return
    errors = ngettext("{n:,} error", "{n:,} errors", report["errors"]).format(n=report["errors"])
    warnings = ngettext("{n:,} warning", "{n:,} warnings", report["warnings"]).format(n=report["warnings"])
    told = _("**{errors}** (the row cannot be used) and **{warnings}** (the row is kept).")
    st.markdown(told.format(errors=errors, warnings=warnings))
    _draw_sorts(report)
    frame = pd.DataFrame(report["findings"])
    frame.insert(0, "severity", frame.pop("is_error").map({True: _("error"), False: _("warning")}))
    frame[["what", "fix"]] = frame[["what", "fix"]].map(retold)
    frame = frame.rename(columns={"what": "what is wrong", "fix": "what to do"})
    show_table(
        frame[["severity", "file", "row", "column", "value", "what is wrong", "what to do"]],
        alt=_("What is wrong with the files, row by row"),
    )  # fmt: skip
    total = report["errors"] + report["warnings"]
    if total > len(frame):
        st.caption(_("The first {n_frame:,} of {total:,} are shown.").format(n_frame=len(frame), total=total))
    with st.container(horizontal=True):
        for number, name in enumerate(report["rejected_rows"]):
            path = Path(name)
            st.download_button(
                _("Rejected rows {n} (CSV)").format(n=number + 1)
                if len(report["rejected_rows"]) > 1
                else _("Rejected rows (CSV)"),
                path.read_bytes, file_name=path.name, mime="text/csv", icon=":material/download:", on_click="ignore",
                key=f"own-rejected-{path.name}",
            )  # fmt: skip
    if report["rejected_rows"]:
        st.caption(
            _(
                "With a column that says what is wrong. Correct a copy and add it to the files above; alone it would "
                "be a dataset of these rows only."
            )
        )
