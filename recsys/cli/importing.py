"""Bringing in data of your own: a first look, the import, and a check of what is there."""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.cli.recommending import datasets_app
from recsys.cli.shared import DataDir, JsonFlag, ProgressFile, ProgressReport, print_json, read_bytes, settings_of
from recsys.errors import DataError
from recsys.sealing import Seal

_SHOWN, _OF_ONE_SORT = 20, 5
_Files = Annotated[list[Path], typer.Argument(help="Files, folders or archives: CSV, JSON Lines, Parquet, zip.")]
_PlanFile = Annotated[
    Path | None, typer.Option("--plan", help="A plan as `recsys datasets inspect --json` prints one.")
]


@datasets_app.command("inspect")
def inspect_command(
    files: _Files,
    plan: _PlanFile = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Look into files before an import: how they are written, what their columns probably mean, the first rows."""
    from recsys.datasets.importing import MediaNames, complete, gather, look_at, read_plan
    from recsys.datasets.importing.formats import recognise
    from recsys.datasets.importing.plan import ImportPlan

    limits = settings_of(data_dir).limits
    said = read_plan(_json_of(plan)) if plan else ImportPlan()
    dialects = {part.file: part for part in said.files}
    with tempfile.TemporaryDirectory(prefix="coldlens-look-") as scratch:
        found = gather(files, Path(scratch), limits)
        known = recognise(found)
        media = MediaNames.from_paths(files, limits)
        looks = []
        for file in found if known is None else []:
            part = dialects.get(file.name)
            looks.append(
                look_at(file, limits, dialect=part.dialect if part else None, table=part.table.kind if part else None)
            )
    result: dict[str, Any] = {"format": known.name if known else None, "files": [file.name for file in found]}
    result["media"] = media.n_files
    result["looks"] = [look.to_dict() for look in looks]
    if known is None and any(look.plan.table.kind == "items" for look in looks):
        result["plan"] = complete(said.model_copy(update={"files": ()}), [look.plan for look in looks]).model_dump()
    if as_json:
        print_json(result)
        return
    if known is not None:
        print(f"This is {known.name}: {len(found)} files, read as they are.")
    for look in looks:
        _print_look(look)
    if media.n_files:
        print(f"Beside them: {_counted(media.n_files, 'picture or sound', 'pictures and sounds')}.")


def _print_look(look: Any) -> None:
    from recsys.datasets.importing import REQUIRED

    table, dialect = look.plan.table, look.plan.dialect
    written = f", delimiter {dialect.delimiter!r}, encoding {dialect.encoding}" if dialect else f", {look.kind}"
    print(f"{look.plan.file}: {table.kind}{written}")
    roles = {column: role for role, column in table.roles.items()}
    shown = Table("column", "becomes", "first values")
    for number, column in enumerate(look.columns):
        becomes = roles.get(column, "an attribute" if column in table.attributes else "left out")
        values = ", ".join(dict.fromkeys(row[number] for row in look.sample[:5] if row[number]))
        shown.add_row(escape(column), escape(becomes), escape(values[:60]))
    Console().print(shown)
    missing = [role for role in REQUIRED[table.kind] if role not in roles.values()]
    if missing:
        print(f"Note: no column was taken for {' and '.join(missing)}; say which with --map.", file=sys.stderr)
    for told in look.faults:
        print(f"Note: {told}", file=sys.stderr)


@datasets_app.command("import")
def import_command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files, folders or archives: CSV, JSON Lines, Parquet, zip. None where vectors are all there is."
        ),
    ] = None,
    *,
    name: Annotated[str, typer.Option("--name", help="Small letters, digits, - and _.")],
    title: Annotated[str | None, typer.Option(help="What people call the dataset.")] = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="FILE:ROLE=COLUMN, where a guess is wrong; repeat for more.")
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="How an item reads, for example '{title}[. {description}]'.")
    ] = None,
    plan: _PlanFile = None,
    item_vectors: Annotated[
        Path | None,
        typer.Option(help="Vectors of the items: .npy in their order, or .parquet with item_id and vector."),
    ] = None,
    user_vectors: Annotated[Path | None, typer.Option(help="The same of users, in the same space.")] = None,
    similarity: Annotated[str | None, typer.Option(help="How vectors are compared: cosine or dot.")] = None,
    vectors_encoder: Annotated[
        str | None, typer.Option(help="The encoder that made the vectors, if it is known: a name or folder.")
    ] = None,
    valid_rows: Annotated[bool, typer.Option("--valid-rows", help="Leave rows with errors out.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a dataset of this name.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; write nothing.")] = False,
    progress: ProgressFile = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Check files and make a dataset of them; known formats are recognised, columns of others are guessed by their names."""
    from recsys.datasets.importing import import_files

    settings = settings_of(data_dir)
    vectors = _vectors_of(files or [], item_vectors, user_vectors, similarity, vectors_encoder)
    report = import_files(
        files or [],
        name,
        data_dir=settings.data_dir,
        limits=settings.limits,
        plan=_plan_of(files or [], plan, title, maps, template, settings.limits),
        vectors=vectors,
        valid_rows=valid_rows,
        replace=replace,
        dry_run=dry_run,
        progress=ProgressReport(progress) if progress else None,
        seal=Seal.from_settings(settings),
    )
    found = report.to_dict()
    if as_json:
        print_json(found)
    else:
        _print_report(found)
    if found["errors"] and not report.is_published:
        first = report.findings.kept[0]
        fix = "Correct them, or add --valid-rows to leave them out."
        what = f"{_were_found(found['errors'])}, and nothing was imported"
        where = first.file if first.row is None else f"{first.file}, row {first.row}"
        raise DataError(what, f"{where}: {first.what}", fix=fix)


def _vectors_of(
    files: list[Path], items: Path | None, users: Path | None, similarity: str | None, encoder: str | None
) -> Any:
    """Returns what comes along as vectors, ``None`` for nothing."""
    from recsys.datasets.importing import VectorFiles
    from recsys.schema import COSINE, VectorsInfo

    if items is not None:
        said = VectorsInfo(encoder or "", similarity or COSINE)  # refuses a similarity that is not known
        return VectorFiles(items, users, said.encoder, said.similarity)
    if not files:
        fix = "Name files of a dataset, or vectors with --item-vectors."
        raise DataError("There is nothing to import", fix=fix)
    for option, value in (("user-vectors", users), ("similarity", similarity), ("vectors-encoder", encoder)):
        if value is not None:
            fix = "Add --item-vectors, or leave it out."
            raise DataError("This option goes with vectors of items, which are not given", f"--{option}", fix=fix)
    return None


def _plan_of(
    files: list[Path], path: Path | None, title: str | None, maps: list[str] | None, template: str | None, limits: Any
) -> Any:
    """Returns a plan from the options, ``None`` where nothing is said."""
    from recsys.datasets.importing import gather, guess_import, read_plan, with_changes
    from recsys.datasets.importing.plan import ImportPlan

    if path is None and title is None and not maps and template is None:
        return None
    plan = read_plan(_json_of(path)) if path else ImportPlan()
    plan = plan.model_copy(update={k: v for k, v in (("title", title), ("item_template", template)) if v is not None})
    if not maps:
        return plan
    if not plan.files:
        with tempfile.TemporaryDirectory(prefix="coldlens-look-") as scratch:
            return guess_import(gather(files, Path(scratch), limits), limits, plan, maps=maps)
    return with_changes(plan, maps=maps)


def _json_of(path: Path) -> Any:
    try:
        found = json.loads(read_bytes(path))
    except ValueError as error:
        raise DataError(f"The plan is not JSON ({error})", path, fix="Take one from `inspect --json`.") from None
    return found.get("plan", found) if isinstance(found, dict) else found


@datasets_app.command("check")
def check_command(name: str, data_dir: DataDir = None, as_json: JsonFlag = False) -> None:
    """Check a dataset that is there: its files against their sums, and every row as an import would."""
    from recsys.datasets import read_folder
    from recsys.datasets.importing import check_dataset
    from recsys.datasets.movielens import refetch_note

    settings = settings_of(data_dir)
    folder = settings.data_dir / name
    folder = folder if folder.is_dir() else Path(name)
    seal = Seal.from_settings(settings)
    found = check_dataset(folder, limits=settings.limits, seal=seal).to_dict()
    if as_json:
        print_json(found)
    else:
        _print_report(found | {"checked": True})
    if found["errors"]:
        fix = "Import it again from corrected files, with --replace."
        raise DataError(_were_found(found["errors"]), name, fix=fix)
    if "graph" not in found["tables"] and (note := refetch_note(read_folder(folder, seal=seal))):
        print(f"Note: {note}", file=sys.stderr)


def _counted(n: int, noun: str, nouns: str = "") -> str:
    return f"{n:,} {noun if n == 1 else nouns or f'{noun}s'}"


def _were_found(n: int) -> str:
    return f"{_counted(n, 'error')} {'was' if n == 1 else 'were'} found"


def _print_media(found: dict[str, Any]) -> None:
    if named := found.get("media_named"):
        files = _counted(named, "picture or sound", "pictures and sounds")
        print(f"{files} named by the items, {found['media_files']:,} of them there.")
    if n := found.get("media_addresses"):
        print(
            f"{_counted(n, 'web address', 'web addresses')}: fetched only with COLDLENS_FETCH_IMAGES=1, pictures only."
        )


def _print_report(found: dict[str, Any]) -> None:
    if found["findings"]:
        table = Table("", "file", "row", "column", "value", "what", "what to do")
        sorts: Counter[tuple[str, str]] = Counter()
        shown = 0
        for finding in found["findings"]:
            sort = (finding["file"], finding["what"])
            sorts[sort] += 1
            if sorts[sort] > _OF_ONE_SORT or shown >= _SHOWN:
                continue
            shown += 1
            row = "" if finding["row"] is None else str(finding["row"])
            cells = (finding["file"], row, finding["column"], finding["value"], finding["what"], finding["fix"])
            table.add_row("error" if finding["is_error"] else "warning", *map(escape, cells))
        Console(stderr=True).print(table)
        further = found["errors"] + found["warnings"] - shown
        if further > 0:
            print(f"… and {further:,} more:", file=sys.stderr)
            for count in found["counts"]:
                if count["count"] > _OF_ONE_SORT:
                    print(f"  {count['count']:,} times in {count['file']}: {count['what']}.", file=sys.stderr)
    for kind, counts in found["tables"].items():
        told = f"{counts['accepted']:,} fine, {counts['rejected']:,} rejected"
        print(f"{kind.replace('_', ' ')}: {counts['read']:,} rows read, {told}.")
    _print_media(found)
    print(f"{_counted(found['errors'], 'error')}, {_counted(found['warnings'], 'warning')}.")
    for path in found["rejected_rows"]:
        print(f"Rejected rows: {path} (correct a copy and name it beside the files, with --valid-rows)")
    if found.get("left_out"):
        print(f"Left out, as they fit no table: {', '.join(found['left_out'])}.")
    if found.get("checked"):
        return
    if found["published"]:
        print(f"{found['dataset']} is ready. Next: recsys build {found['dataset']}")
    elif not found["errors"]:
        print("Nothing was written: this was a dry run.")
