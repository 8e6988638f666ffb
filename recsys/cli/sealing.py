"""The key that seals what is kept of people, and sealing what is there already."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.shared import DataDir, JsonFlag, app, print_json, settings_of
from recsys.errors import ConfigError
from recsys.saved_profiles import seal_profiles
from recsys.sealing import NO_SEAL, Seal, new_key

key_app = typer.Typer(help="The key that seals saved profiles and users.", no_args_is_help=True)
app.add_typer(key_app, name="key")


@key_app.callback()
def _key() -> None:
    """Has the one command below it keep its name."""


@key_app.command("new")
def new_command(
    to: Annotated[Path, typer.Option("--to", help="A new file, outside of the data folder.")],
    as_json: JsonFlag = False,
) -> None:
    """Make a key, in a file that only you can read. Whoever loses it loses what it has sealed."""
    name = new_key(to)
    if as_json:
        print_json({"key": name, "file": str(to)})
        return
    print(f"The key {name} is in {to}. Keep a copy of it elsewhere: what it seals cannot be opened without it.")
    print(f"Next: export COLDLENS_KEY_FILE={shlex.quote(str(to.resolve()))}, then recsys seal.")


@app.command("seal")
def seal_command(
    undo: Annotated[bool, typer.Option("--undo", help="Open everything for good, to go on without a key.")] = False,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Seal saved profiles, and what datasets and their evaluations tell of single users, with the (first) key that is set."""
    from recsys.datasets import dataset_folders
    from recsys.datasets.people_files import seal_dataset
    from recsys.evaluation import seal_evaluations

    settings = settings_of(data_dir)
    seal = Seal.from_settings(settings)
    if not seal.has_key:
        fix = "Make one with `recsys key new --to FILE`, and set COLDLENS_KEY_FILE to that file."
        raise ConfigError("There is no key to seal with", fix=fix)
    closed_by = NO_SEAL if undo else seal
    root = settings.data_dir
    n_profiles = seal_profiles(root / "profiles", opened_by=seal, closed_by=closed_by)
    datasets = {}
    for folder in dataset_folders(root):
        n_files = seal_dataset(folder, opened_by=seal, closed_by=closed_by)
        datasets[folder.name] = n_files + seal_evaluations(folder, opened_by=seal, closed_by=closed_by)
    if as_json:
        print_json({"undone": undo, "profiles": n_profiles, "datasets": datasets})
        return
    did = "opened" if undo else "sealed"
    print(f"Files {did}: {n_profiles} of profiles, {sum(datasets.values())} of {len(datasets)} datasets.")
    if undo:
        print("Next: unset COLDLENS_KEY and COLDLENS_KEY_FILE, or new files are sealed again.")
