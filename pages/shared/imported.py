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
from pages.shared.widgets import plain, show_error
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
            f"Replace the dataset “{plain(name)}” that is there", key=f"own-replace-{name}",
            help="What was computed from items that stay the same is used again.",
        )  # fmt: skip

    def start(mode: str) -> None:
        _start(paths, name, plan, mode)
        st.session_state[_ASKED] = {"asked": asked, "mode": mode}

    st.button(
        "Check", on_click=start, args=("check",), icon=":material/fact_check:", disabled=not may_replace,
        type="secondary" if known.get("asked") == asked else "primary",
    )  # fmt: skip
    if not may_replace:
        st.caption("There is a dataset of this name already. Choose another name above, or replace it.")
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


_GONE = ConfigError("The check has ended without a result", fix="Check again.")


def _draw_next(report: Mapping[str, Any], start: Any) -> None:
    fine = sum(counts["accepted"] for counts in report["tables"].values())
    bad = sum(counts["rejected"] for counts in report["tables"].values())
    if report["errors"]:
        st.markdown(
            "Correct the mapping above or the files themselves, and check again; or leave the rows with errors out."
        )
        label = f"Import the {fine:,} valid rows, leave {bad:,} out"
        st.button(label, on_click=start, args=("import-valid",), icon=":material/filter_alt:", type="primary")
    else:
        st.button("Import", on_click=start, args=("import",), icon=":material/download_done:", type="primary")


def uploads_are_done(name: str) -> None:
    """Says that a dataset is there, and offers to build it."""
    st.success(f"**{plain(name)}** is imported, and in the list of datasets.", icon=":material/check_circle:")
    st.subheader("6 · Build")
    if jobs().get(f"build {name}") is None and not (resources.settings().data_dir / name / "build.json").exists():
        st.button("Build", on_click=start_build, args=(name,), icon=":material/build:", type="primary", key="own-build")
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
        counted = f"{told['step']} – {told['done']:,} rows" if "step" in told else "Reading the files"
        st.progress(min(1.0, share), text=plain(counted), width="stretch")
        st.button("Cancel", on_click=_cancel, args=(name, job), icon=":material/close:", key="own-cancel")


def _cancel(name: str, job: Job) -> None:
    jobs().cancel(_job_name(name), job)
    st.session_state.pop(_ASKED, None)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _draw_sorts(report: Mapping[str, Any]) -> None:
    """Draws one line for each sort of fault, with what to do: the table below may be too wide for that."""
    fixes = {(found["file"], found["what"], found["is_error"]): found["fix"] for found in report["findings"]}
    lines = []
    for sort in report["counts"][:_SORTS]:
        mark = ":red[:material/error:]" if sort["is_error"] else ":orange[:material/warning:]"
        fix = fixes.get((sort["file"], sort["what"], sort["is_error"]), "")
        lines.append(f"{mark} **{plain(sort['what'])}** · {sort['count']:,} in {plain(sort['file'])} · {plain(fix)}")
    st.markdown("  \n".join(lines))


def draw_report(report: Mapping[str, Any]) -> None:
    """Draws what a check or an import found: rows, faults with what to do, and the rejected rows for download."""
    with st.grid("auto", min_column_width=150):
        for kind, counts in report["tables"].items():
            told = f"{counts['rejected']:,} rejected" if counts["rejected"] else "all fine"
            st.metric(
                f"Rows of {kind}",
                f"{counts['accepted']:,} of {counts['read']:,}",
                told,
                border=True,
                delta_color="red" if counts["rejected"] else "green",
                delta_arrow="off",
            )
        if named := report.get("media_named"):
            n_missing = named - report["media_files"]
            st.metric(
                "Pictures and sounds",
                f"{report['media_files']:,} of {named:,}",
                f"{n_missing:,} missing" if n_missing else "all there",
                border=True,
                delta_color="orange" if n_missing else "green",
                delta_arrow="off",
                help="Of the files that the items name; other files are ignored.",
            )
    if n_addresses := report.get("media_addresses"):
        st.caption(
            f"Web addresses of pictures and sounds: {n_addresses:,}. Pictures are fetched only where COLDLENS_FETCH_IMAGES=1 is "
            "set, sounds never."
        )
    if report.get("left_out"):
        st.caption(plain(f"Left out: {', '.join(report['left_out'])}."))
    if not report["findings"]:
        st.success("Nothing is wrong with these files.", icon=":material/task_alt:")
        return
    errors, warnings = _counted(report["errors"], "error"), _counted(report["warnings"], "warning")
    st.markdown(f"**{errors}** (the row cannot be used) and **{warnings}** (the row is kept).")
    _draw_sorts(report)
    frame = pd.DataFrame(report["findings"])
    frame.insert(0, "severity", frame.pop("is_error").map({True: "error", False: "warning"}))
    frame = frame.rename(columns={"what": "what is wrong", "fix": "what to do"})
    st.dataframe(
        frame[["severity", "file", "row", "column", "value", "what is wrong", "what to do"]], hide_index=True,
        alt="What is wrong with the files, row by row",
    )  # fmt: skip
    total = report["errors"] + report["warnings"]
    if total > len(frame):
        st.caption(f"The first {len(frame):,} of {total:,} are shown.")
    with st.container(horizontal=True):
        for number, name in enumerate(report["rejected_rows"]):
            path = Path(name)
            st.download_button(
                f"Rejected rows {number + 1} (CSV)" if len(report["rejected_rows"]) > 1 else "Rejected rows (CSV)",
                path.read_bytes, file_name=path.name, mime="text/csv", icon=":material/download:", on_click="ignore",
                key=f"own-rejected-{path.name}",
            )  # fmt: skip
    if report["rejected_rows"]:
        st.caption(
            "With a column that says what is wrong. Correct a copy and add it to the files above; alone it would be a dataset "
            "of these rows only."
        )
