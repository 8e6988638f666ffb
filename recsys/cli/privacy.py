"""Privacy: fits that hardly depend on any one user, sums instead of users, datasets without names."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.cli.recommending import datasets_app
from recsys.cli.shared import (
    DataDir,
    DeviceName,
    EncoderName,
    JsonFlag,
    app,
    open_named,
    print_json,
    settings_of,
)
from recsys.errors import DataError
from recsys.schema import Dataset
from recsys.sealing import Seal
from recsys.settings import Settings

if TYPE_CHECKING:
    from recsys.privacy import PrivateFit, Public, UserColumns
    from recsys.recommender import Recommender

federate_app = typer.Typer(
    help="Fit one scorer to the users of several sites: only sums leave a site.", no_args_is_help=True
)
app.add_typer(federate_app, name="federate")

_DatasetArgument = Annotated[str, typer.Option("--dataset", help="Dataset name or folder.")]
_Columns = Annotated[
    Path | None,
    typer.Option("--columns", help="JSON list of the genders and attribute values that users can have given."),
]
_Public = Annotated[Path, typer.Option("--public", help="The file of `recsys federate prepare`.")]
_Epsilon = Annotated[float | None, typer.Option(help="Add noise of one's own, for this epsilon; none by default.")]
_Delta = Annotated[float, typer.Option(help="At most one in the number of users.")]
_Out = Annotated[Path, typer.Option("--out", help="The file to write.")]


def fit_private(
    name: str, settings: Settings, *, epsilon: float, delta: float, columns: Path | None, as_json: bool
) -> None:
    """Makes the private fit of ``recsys train --scorer private``, and tells what all private fits so far reveal together."""
    from recsys.lock import writing
    from recsys.privacy import Budget, fit_and_keep
    from recsys.recommender import Recommender

    budget, dataset = Budget(epsilon, delta), open_named(name, settings)
    assert dataset.folder is not None
    with writing(dataset.folder, "train"):
        ready = Recommender.from_dataset(dataset, scorer="cosine", settings=settings)
        found = fit_and_keep(
            dataset,
            ready.embeddings,
            encoder=ready.encoder,
            embeddings_key=ready.embeddings_key,
            budget=budget,
            columns=_columns(columns),
        )
    _tell_fit(dataset, found, as_json=as_json)


def _tell_fit(dataset: Dataset, found: "PrivateFit", *, as_json: bool) -> None:
    told = {"dataset": dataset.name, "scorer": "private", **found.about, "spent": found.spent, "fits": found.n_fits}
    if as_json:
        print_json({name: value for name, value in told.items() if name != "data"})
        return
    print(f"{dataset.name}: additive fitted with differential privacy, {found.about['told']} (per user).")
    if found.n_fits > 1:
        print(
            f"This is private fit {found.n_fits} of this dataset. Whoever has seen them all knows more than each tells: "
            f"together they spend epsilon = {found.spent:.4g} at delta = {found.about['delta']:.4g}."
        )
    print("Outside of it are the encoder, which must not have learned from these users, the defaults, and evaluations.")
    print("Use it with `--scorer private`, or choose it in the sidebar.")


def _columns(path: Path | None) -> "UserColumns | None":
    from recsys.privacy import UserColumns

    return None if path is None else UserColumns.from_file(path)


@federate_app.command("prepare")
def prepare_command(
    dataset: _DatasetArgument,
    out: _Out,
    columns: _Columns = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Write what all sites must agree on: the directions of the catalog's texts, the answers there are, the bounds."""
    from recsys.privacy import Public, UserColumns
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    opened = open_named(dataset, settings)
    known = _columns(columns)
    if known is None:
        print("Note: the answers that occur in this dataset are written into the file; see --columns.", file=sys.stderr)
        known = UserColumns.of(opened)
    ready = Recommender.from_dataset(opened, scorer="cosine", settings=settings)
    public = Public.from_catalog(opened, ready.embeddings, encoder=ready.encoder, columns=known)
    public.save(out)
    found = {"dataset": opened.name, "public": public.fingerprint, "columns": known.to_dict(), "out": str(out)}
    if as_json:
        print_json(found)
        return
    print(f"{out}: {public.k} directions of {len(opened.items):,} items. Send it to every site.")


def _opened(dataset: str, public: Path, settings: Settings) -> "tuple[Dataset, Public, Recommender]":
    """Opens a site's dataset and the file that all sites share, which has to be of the same catalog and encoder."""
    from recsys.privacy import Public
    from recsys.recommender import Recommender

    opened, known = open_named(dataset, settings), Public.load(public)
    ready = Recommender.from_dataset(opened, scorer="cosine", settings=settings)
    known.check_catalog(opened, ready.encoder)
    return opened, known, ready


@federate_app.command("statistics")
def statistics_command(
    dataset: _DatasetArgument,
    public: _Public,
    out: _Out,
    epsilon: _Epsilon = None,
    delta: _Delta = 1e-5,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Add up the users of one site; the file holds sums, no user. With --epsilon, noise is in them before they leave."""
    from recsys.lock import writing
    from recsys.privacy import SiteSums

    opened, known, ready = _opened(dataset, public, settings_of(data_dir, encoder, device))
    sums, spent = SiteSums.of(opened, ready.embeddings, known), 0.0
    if epsilon is not None:
        from recsys.privacy import Budget

        assert opened.folder is not None
        with writing(opened.folder, "train"):
            sums, spent = sums.noised(opened, Budget(epsilon, delta))
    sums.save(out)
    found: dict[str, Any] = {"dataset": opened.name, "out": str(out), "noise": sums.statistics.deviation}
    found |= {"bytes": out.stat().st_size, "epsilon": epsilon, "delta": None if epsilon is None else delta}
    if as_json:
        print_json(found | {"spent": spent or None})
        return
    print(f"{out}: {sums.statistics.layout.size:,} numbers, {found['bytes']:,} bytes, no user.")
    if epsilon is None:
        print("There is no noise in them: they protect single users only from who does not know most of the others.")
    else:
        print(f"Noise for epsilon = {epsilon:g} is in them; all fits of this site together: epsilon = {spent:.4g}.")


@federate_app.command("fit")
def fit_command(
    files: Annotated[list[Path], typer.Argument(help="The files of `recsys federate statistics`.")],
    dataset: _DatasetArgument,
    public: _Public,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Add up what sites have sent and fit the scorer `federated` of a dataset to it; files that do not fit are refused."""
    from recsys.lock import writing
    from recsys.privacy import SiteSums, federated_fit

    opened, known, ready = _opened(dataset, public, settings_of(data_dir, encoder, device))
    sites = [SiteSums.load(path, known, len(opened.items)) for path in files]
    assert opened.folder is not None
    with writing(opened.folder, "train"):
        about = federated_fit(
            opened, ready.embeddings, sites, known, encoder=ready.encoder, embeddings_key=ready.embeddings_key
        )
    if as_json:
        told = {name: value for name, value in about.items() if name != "data"}
        print_json({"dataset": opened.name, "scorer": "federated", **told})
        return
    print(f"{opened.name}: additive fitted to the sums of {about['told']}.")
    print("Use it with `--scorer federated`, or choose it in the sidebar.")


@datasets_app.command("anonymise")
def anonymise_command(
    source: Annotated[str, typer.Argument(help="Dataset name or folder.", metavar="DATASET")],
    name: Annotated[str, typer.Option("--name", help="Of the copy: small letters, digits, - and _.")],
    k: Annotated[int, typer.Option("--k", help="How many people at least share every combination of facts.")] = 5,
    age_band: Annotated[int, typer.Option(help="Years; an age becomes the middle of its band.")] = 10,
    times: Annotated[str, typer.Option(help="days (rounded down), drop or keep.")] = "days",
    keep: Annotated[list[str] | None, typer.Option(help="A column that stays; repeat for more.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A column that goes; repeat for more.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done; write nothing.")] = False,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Copy a dataset without names, e-mails, zip codes and free text, with bands of ages and k-anonymous facts."""
    from recsys.datasets import write_folder
    from recsys.datasets.importing.run import check_name, is_there
    from recsys.lock import writing
    from recsys.privacy import AnonymousPlan, anonymise

    settings = settings_of(data_dir)
    plan = AnonymousPlan(k, age_band, times, frozenset(keep or ()), frozenset(drop or ()))
    folder = settings.data_dir / check_name(name)
    if is_there(folder):
        raise DataError("There is a dataset of this name already", name, fix="Choose another name.")
    found = anonymise(open_named(source, settings), plan)
    if not dry_run:
        folder.mkdir(parents=True, exist_ok=True)
        with writing(folder, "anonymise"):
            write_folder(found.dataset, folder, seal=Seal.from_settings(settings))
    told = {"dataset": source, "name": name, "published": not dry_run, **found.to_dict()}
    if as_json:
        print_json(told)
        return
    _print_anonymised(told, k)


def _print_anonymised(told: dict[str, Any], k: int) -> None:
    table = Table("table", "column", "", "why")
    for column in told["columns"]:
        done = "left out" if column["is_dropped"] else "kept"
        table.add_row(*map(escape, (column["table"], column["column"], done, column["why"])))
    Console().print(table)
    listed = ", ".join(told["quasi_identifiers"]) or "no column"
    print(
        f"Together, {listed} were k-anonymous with k = {told['before']['k']}; now k = {told['after']['k']} (asked: {k})."
    )
    counts = ", ".join(f"{n:,} of {name}" for name, n in told["values_left_out"].items() if n) or "none"
    print(f"Values left out: {counts}; {told['users_changed']:,} of {told['users']:,} users changed.")
    if fewest := told["after"]["l"]:
        listed = ", ".join(f"{n} of {name}" for name, n in fewest.items())
        print(f"Fewest different values among people who are alike in all else (l-diversity): {listed}.")
    print(told["warning"])
    print(
        f"{told['name']} is ready. Next: recsys build {told['name']}" if told["published"] else "Nothing was written."
    )
