"""The whole import: files in, checked, and one dataset out, or nothing changed at all."""

import json
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.artifact import sweep
from recsys.datasets.folder import ITEM_VECTORS, ITEMS_FILE, MEDIA, USER_VECTORS, USERS_FILE
from recsys.datasets.importing.archive import gather
from recsys.datasets.importing.context import Ids
from recsys.datasets.importing.files import File, room_for
from recsys.datasets.importing.findings import Finding, Findings
from recsys.datasets.importing.media import Media, MediaNames, bring_media, none_came
from recsys.datasets.importing.plan import (
    KINDS,
    OPTIONAL,
    REQUIRED,
    FilePlan,
    ImportPlan,
    Kind,
    Source,
    TablePlan,
    check_template,
)
from recsys.datasets.importing.roles import gender_words
from recsys.datasets.importing.sources import open_source
from recsys.datasets.importing.stage import Counts, RejectedRows, Report, Stage
from recsys.datasets.importing.vector_tables import with_tables_of
from recsys.datasets.importing.vectors import VectorFiles, read_vectors
from recsys.datasets.people_files import PEOPLE_FILES, forget_others, refuse_unsealing, seal_people
from recsys.datasets.versions import INFO_FILE, commit_version, files_of, read_info
from recsys.errors import DataError
from recsys.lock import writing
from recsys.schema import AUDIO, GENDER, IMAGE, ITEM_ID, USER_ID, DatasetInfo, VectorsInfo
from recsys.sealing import NO_SEAL, Seal, is_sealed_file
from recsys.settings import Limits

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_TAKEN = ("samples", "profiles", "inbox", "uploads", "con", "nul", "aux", "prn")
_ALWAYS_KNOWN = ("description", "year", "categories")
IMPORTS = ".imports"
"""Folder, beside the datasets, of what is known of each dataset's last import: ``report.json`` and the rejected rows."""
_SCALES = ((1.0, 1.0), (5.0, 4.0), (10.0, 8.0), (100.0, 80.0))
"""(highest rating, a like from): four fifths of the scale, as 4 of 5 stars; beyond, numbers are counts and all are likes."""


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        name: of the dataset.
        tables: rows read, accepted and rejected, by kind.
        findings: what was wrong.
        is_published: whether the dataset was written.
        rejected: files of rejected rows.
        about: further facts: the largest rating, what counts as a like, the key of the version, seconds.
    """

    name: str
    tables: Mapping[str, Counts]
    findings: Findings
    is_published: bool
    rejected: tuple[Path, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        return {
            "dataset": self.name,
            "published": self.is_published,
            "tables": {kind: vars(counts) for kind, counts in self.tables.items()},
            "rejected_rows": [str(path) for path in self.rejected],
            **self.findings.to_dict(),
            **self.about,
        }


def check_name(name: str) -> str:
    """Returns the name of a dataset, which becomes a folder.

    Raises:
        DataError: if it is anything but small letters, digits, ``-`` and ``_``, or reserved.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN:
        fix = "Use up to 60 small letters, digits, - and _, for example my-shop."
        raise DataError("This cannot be the name of a dataset", name, fix=fix)
    return name


def import_files(
    paths: Sequence[Path],
    name: str,
    *,
    data_dir: Path,
    limits: Limits | None = None,
    plan: ImportPlan | None = None,
    vectors: VectorFiles | None = None,
    valid_rows: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    progress: Report | None = None,
    seal: Seal = NO_SEAL,
) -> ImportReport:
    """Reads, checks and publishes a dataset; with errors nothing is published, unless ``valid_rows``.

    Args:
        paths: files, folders and archives; none where vectors are all there is.
        name: of the dataset.
        plan: what the files mean; known formats and guesses otherwise.
        vectors: that come along. Without a table of items or users, these are made of the ids beside the vectors.
        valid_rows: whether rows with errors are left out and the others imported.
        replace: whether a dataset of that name may be replaced; what was made from it and still fits is used again.
        dry_run: only checks.
        seal: closes what tells of people, once all of it has been read; until then it lies open in the draft.

    Raises:
        DataError: if a file cannot be read as a whole, a limit is exceeded, or the dataset is there already.
        ArtifactError: if another process is writing it.
        ConfigError: if the dataset to be replaced is sealed, and no key is set.
    """
    folder, limits = data_dir / check_name(name), limits or Limits()
    if not dry_run and not replace and is_there(folder):
        fix = "Choose another name, or replace it (--replace); what was computed from unchanged items is used again."
        raise DataError("There is a dataset of this name already", name, fix=fix)
    if not dry_run:
        refuse_unsealing(folder, seal)
    started = time.perf_counter()
    is_new = not folder.exists()
    try:
        with writing(folder, "import"):
            try:
                return _import(paths, name, folder, limits, plan, vectors, valid_rows, dry_run, progress, seal, started)
            finally:
                if is_new and not is_there(folder):
                    shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        fix = f"{room_for(error)}; nothing was changed."
        told = error.strerror or str(error)
        raise DataError(f"The dataset could not be written ({told})", folder, fix=fix) from error


def is_there(folder: Path) -> bool:
    """Whether a folder holds a dataset, published or made by hand."""
    return (folder / INFO_FILE).exists() or (folder / "items.parquet").exists()


def check_dataset(folder: Path, *, limits: Limits | None = None, seal: Seal = NO_SEAL) -> ImportReport:
    """Checks the files of a dataset as an import would, and the sums of its version; nothing is written there.

    What is sealed lies open in a temporary folder that only this user can read, while it is checked.

    Args:
        seal: opens what is sealed.

    Raises:
        DataError: if the dataset is not there, its version is damaged, or a file cannot be read as a whole.
        ConfigError: if a file is sealed and the key is missing, or another one.
    """
    with tempfile.TemporaryDirectory(prefix="coldlens-check-") as scratch:
        try:
            return _check(folder, Path(scratch), limits or Limits(), seal)
        except OSError as error:
            fix = "Free some space in the folder for temporary files, then try again."
            raise DataError(f"The dataset cannot be checked ({error.strerror or error})", scratch, fix=fix) from error


def _check(folder: Path, scratch: Path, limits: Limits, seal: Seal) -> ImportReport:
    started, where = time.perf_counter(), files_of(folder)
    opened = {name: path for name in PEOPLE_FILES if (path := _opened(where / name, scratch, seal))}
    paths = {kind: where / f"{kind}.parquet" for kind in KINDS if (where / f"{kind}.parquet").is_file()}
    if "items" not in paths:
        fix = "Name a dataset of `recsys datasets list`, or the path of a dataset folder."
        raise DataError("There is no such dataset", folder, fix=fix)
    paths |= {kind: opened[name] for kind in KINDS if (name := f"{kind}.parquet") in opened}
    parts = tuple(FilePlan(file=path.name, table=_own_plan(kind, path)) for kind, path in paths.items())
    files = [File(path.name, path) for path in paths.values()]
    plan = ImportPlan(item_template=read_info(folder).item_template, files=parts)
    draft, rejected = scratch / "files", scratch / "rejected"
    draft.mkdir()
    rejected.mkdir()
    source = open_source(files, plan, limits)
    staged = _stage(source, draft, rejected, limits, lambda what, done, total: None, [where / MEDIA])
    media = _bring(source, staged, [where / MEDIA], draft, limits, is_copied=False)
    if (kept := where / f"{ITEM_VECTORS}.npy").is_file():
        users = opened.get(f"{USER_VECTORS}.npy", where / f"{USER_VECTORS}.npy")
        _bring_vectors(VectorFiles(kept, users if users.is_file() else None), staged, draft, rejected, limits)
    about = {**media.to_dict(), "seconds": round(time.perf_counter() - started, 3)}
    return ImportReport(folder.name, staged.counts, staged.findings, True, (), about)


def _opened(path: Path, scratch: Path, seal: Seal) -> Path | None:
    """Opens a sealed file into a folder of its own below the scratch; ``None`` for one that is not sealed or not there."""
    if not path.is_file() or not is_sealed_file(path):
        return None
    found = scratch / "opened" / path.name
    found.parent.mkdir(exist_ok=True)
    found.write_bytes(seal.read(path))
    return found


def _own_plan(kind: Kind, path: Path) -> TablePlan:
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        told = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(f"The file is not readable Parquet ({told})", path, fix="Write it again.") from None
    roles = {role: role for role in (*REQUIRED[kind], *OPTIONAL[kind]) if role in names}
    rest = tuple(name for name in names if name not in roles and kind in ("items", "users"))
    return TablePlan(kind=kind, roles=roles, attributes=rest)


def _import(
    paths: Sequence[Path], name: str, folder: Path, limits: Limits, plan: ImportPlan | None, vectors: VectorFiles | None,
    valid_rows: bool, dry_run: bool, progress: Report | None, seal: Seal, started: float,
) -> ImportReport:  # fmt: skip
    sweep((*(folder / "versions").glob(".draft-*"), *folder.glob(f".{INFO_FILE}-*")))
    kept = folder.parent / IMPORTS / name
    draft = folder / "versions" / f".draft-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    rejected, scratch, files = draft / "rejected", draft / "unpacked", draft / "files"
    try:
        for made in (rejected, scratch, files):
            made.mkdir(parents=True)
        found = gather(paths, scratch, limits) if paths or vectors is None else []
        is_alone = vectors is not None and not found
        source = Source((), plan.model_dump() if plan else {})
        if not is_alone:
            source = open_source(found, plan, limits, needs_items=vectors is None)
        if vectors is not None:
            source = with_tables_of(vectors, source, limits)
        staged = _stage(source, files, rejected, limits, progress or (lambda what, done, total: None), paths)
        info = _info(name, source, staged)
        if vectors is not None:
            _bring_vectors(vectors, staged, files, rejected, limits)
            info = replace(info, vectors=VectorsInfo(vectors.encoder, vectors.similarity))
        _check_likes(source, staged, info)
        is_published = not dry_run and (valid_rows or staged.findings.n_errors == 0)
        media = _bring(source, staged, paths, files, limits, is_copied=is_published)
        about: dict[str, Any] = {**media.to_dict(), "liked_from": info.liked_from, "item_template": info.item_template}
        about["left_out"] = sorted({file.name for file in found} - {table.name for table in source.tables})
        if is_published:
            seal_people(files, opened_by=NO_SEAL, closed_by=seal)
            about["version"] = commit_version(folder, info, files, about={"plan": plan.model_dump() if plan else None})
            if seal.has_key:
                forget_others(folder, seal)
        about["seconds"] = round(time.perf_counter() - started, 3)
        report = ImportReport(name, staged.counts, staged.findings, is_published, (), about)
        try:
            return _keep(report, rejected, kept)
        except OSError:
            if not is_published:
                raise
            return report  # the dataset is there; only the rows that it does not have could not be kept
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _keep(report: ImportReport, rejected: Path, kept: Path) -> ImportReport:
    """Moves the rejected rows where they stay until the next import, with the report that names them."""
    names = [f"rejected-{path.name}" for path in sorted(rejected.iterdir())]
    report = replace(report, rejected=tuple(kept / name for name in names))
    for name in names:
        (rejected / name.removeprefix("rejected-")).rename(rejected / name)
    (rejected / "report.json").write_text(json.dumps(report.to_dict(), ensure_ascii=False), "utf-8")
    kept.parent.mkdir(exist_ok=True)
    shutil.rmtree(kept, ignore_errors=True)
    rejected.rename(kept)
    return report


def _bring_vectors(vectors: VectorFiles, staged: "_Staged", files: Path, rejected: Path, limits: Limits) -> None:
    """Writes the vectors in the order of the tables of the draft."""
    for path, name, table, role in (
        (vectors.items, ITEM_VECTORS, ITEMS_FILE, ITEM_ID),
        (vectors.users, USER_VECTORS, USERS_FILE, USER_ID),
    ):
        if path is None:
            continue
        dims = (
            np.load(files / f"{ITEM_VECTORS}.npy", mmap_mode="r", allow_pickle=False).shape[1]
            if name == USER_VECTORS
            else None
        )
        staged.counts[name] = _take_vectors(path, name, files / table, role, staged.findings, files, rejected, limits)
        own = np.load(files / f"{name}.npy", mmap_mode="r", allow_pickle=False).shape[1]
        if dims not in (None, own):
            fix = "Give vectors of users and items that one model made for each other."
            value = f"{path.name}, {own:,} and {dims:,} numbers"
            raise DataError("The vectors of users are not as long as those of items", value, fix=fix)


def _take_vectors(
    path: Path, name: str, table: Path, role: str, findings: Findings, files: Path, rejected: Path, limits: Limits
) -> Counts:
    ids = pq.read_table(table, columns=[role])[role].to_pylist() if table.exists() else []
    found = read_vectors(path, role, ids=ids, limits=limits)
    findings.join(found.findings)
    refused = RejectedRows(rejected / f"{name}.csv")
    for row, why, own in found.rejected:
        refused.add_raw(row, why, own)
    refused.close()
    np.save(files / f"{name}.npy", found.vectors, allow_pickle=False)
    return Counts(found.read, found.accepted, len(found.rejected))


@dataclass
class _Staged:
    counts: dict[str, Counts]
    findings: Findings
    highest_rating: float
    genders: tuple[str, ...]
    has_media: bool


def _bring(
    source: Source, staged: _Staged, paths: Sequence[Path], files: Path, limits: Limits, *, is_copied: bool
) -> Media:
    """Brings the pictures and sounds along, or finds out only what would come, and adds what is wrong with them."""
    found = bring_media(paths, files / ITEMS_FILE, files / MEDIA if is_copied else None, limits)
    staged.findings.add(found.findings)
    if not staged.has_media:
        table = next(table for table in source.tables if table.plan.kind == "items")
        columns = {role: table.plan.roles[role] for role in (IMAGE, AUDIO) if role in table.plan.roles}
        staged.findings.add(none_came(files / ITEMS_FILE, table.name, columns))
    return found


def _stage(
    source: Source, files: Path, rejected: Path, limits: Limits, report: Report, paths: Sequence[Path]
) -> _Staged:
    kinds = {table.plan.kind for table in source.tables}
    if "items" not in kinds:
        listed = ", ".join(table.name for table in source.tables)
        raise DataError(
            "None of the files holds items", listed, fix="Give a file with an id and a title for each item."
        )
    ids, findings = Ids("users" in kinds), Findings()
    media = MediaNames.from_paths(paths, limits)
    staged = _Staged({}, findings, -np.inf, (), media.n_files > 0)
    for kind in KINDS:
        tables = [table for table in source.tables if table.plan.kind == kind]
        if not tables:
            continue
        stage = Stage(
            kind, [table.plan for table in tables], draft=files, rejected=rejected, ids=ids, findings=findings,
            limits=limits, media=media,
        )  # fmt: skip
        if kind == "items":
            _check_template(source, stage.columns)
        try:
            for table in tables:
                stage.take(table, report)
        finally:
            stage.close()
        staged.counts[kind] = stage.counts
        staged.highest_rating = max(staged.highest_rating, stage.highest_rating)
        _check_some(kind, stage.counts, tables[0].name, findings)
    if "interactions" in kinds and "users" not in kinds:
        _write_users(list(ids.users), files)
    staged.genders = _genders(files / "users.parquet")
    _drop_empty(files)
    return staged


def _check_template(source: Source, columns: Sequence[str]) -> None:
    pattern = str(source.about.get("item_template") or DatasetInfo("").item_template)
    check_template(pattern, [*columns, *(name for name in _ALWAYS_KNOWN if name not in columns)])


def _check_some(kind: Kind, counts: Counts, file: str, findings: Findings) -> None:
    if kind == "items" and counts.accepted == 0:
        first = next((found for found in findings.kept if found.is_error), None)
        why = f" (row {first.row}: {first.what})" if first else ""
        fix = "Give at least one item with an id and a title; check the delimiter and which columns they are."
        if first and "COLDLENS_MAX" in first.fix:
            fix = first.fix
        raise DataError(f"No item can be used{why}", file, fix=fix)


def _check_likes(source: Source, staged: _Staged, info: DatasetInfo) -> None:
    """Warns where every interaction has a rating and none is high enough: nothing can be learned then."""
    if not np.isfinite(staged.highest_rating) or staged.highest_rating >= info.liked_from:
        return
    table = next(table for table in source.tables if table.plan.kind == "interactions")
    what = f"No rating reaches {info.liked_from:g}, from where on one counts as a like"
    fix = "Set liked_from in the plan (--plan), if lower ratings mean that somebody liked an item."
    column, value = table.plan.roles.get("rating", ""), f"{staged.highest_rating:g} at most"
    staged.findings.add([Finding(table.name, None, column, value, what, fix, False)])


def _write_users(user_ids: list[str], files: Path) -> None:
    pq.write_table(pa.table({"user_id": pa.array(user_ids, pa.string())}), files / "users.parquet")


def _drop_empty(files: Path) -> None:
    for path in files.glob("*.parquet"):
        if pq.read_metadata(path).num_rows == 0:
            path.unlink()


def _genders(path: Path) -> tuple[str, ...]:
    if not path.exists() or GENDER not in pq.read_schema(path).names:
        return ()
    column = pq.read_table(path, columns=[GENDER])[GENDER]
    return tuple(str(value) for value in column.unique().to_pylist() if value is not None)[:1000]


def _info(name: str, source: Source, staged: _Staged) -> DatasetInfo:
    about = {key: value for key, value in source.about.items() if value not in ("", None, {})}
    if about.get("liked_from") is None:
        about["liked_from"] = liked_from(staged.highest_rating)
    words = dict(about.pop("words", {}))
    if GENDER not in words and (meant := gender_words(staged.genders)):
        words[GENDER] = meant
    info = DatasetInfo(**{"title": name, **about}, words=words, simulated=source.simulated)
    return info


def liked_from(highest: float) -> float:
    """Returns from which rating on an interaction counts as a like, by the highest rating; see ``_SCALES``."""
    if not np.isfinite(highest):
        return 4.0
    return next((like for top, like in _SCALES if highest <= top), 0.0)
