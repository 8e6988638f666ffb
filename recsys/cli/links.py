"""Links that lead to profiles kept on this server."""

from typing import Annotated

import typer

from recsys.cli.shared import DataDir, JsonFlag, app, print_json, settings_of
from recsys.datasets import list_datasets
from recsys.errors import DataError
from recsys.saved_profiles import LinkedProfiles

links_app = typer.Typer(help="Links whose profiles are kept here (COLDLENS_PROFILE_IN_LINK=off).", no_args_is_help=True)
app.add_typer(links_app, name="links")


@links_app.command("list")
def list_command(data_dir: DataDir = None, as_json: JsonFlag = False) -> None:
    """Say how many links of each dataset lead somewhere, and nothing of whom they lead to."""
    found = {name: len(list(shelf.folder.glob("*.json"))) for name, shelf in _shelves(data_dir).items()}
    found = {name: count for name, count in found.items() if count}
    if as_json:
        print_json(found)
        return
    for name, count in found.items():
        print(f"{name}: {count}")
    if not found:
        print("There are no links.")


@links_app.command("revoke")
def revoke_command(
    link: Annotated[str | None, typer.Argument(help="The id, or the whole address that holds it as person=ID.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Revoke every link of every dataset.")] = False,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Have a link lead nowhere from now on, and delete the profiles that it led to."""
    shelves = _shelves(data_dir).values()
    if (link is None) != all_of_them:
        raise DataError("It is not said which link", fix="Give one id or address, or --all.")
    if link is None:
        n_revoked = sum(shelf.revoke_all() for shelf in shelves)
    else:
        found = link.split("person=")[-1].split("&")[0]
        n_revoked = sum(shelf.revoke(found) for shelf in shelves)
    print_json({"revoked": n_revoked}) if as_json else print(f"{n_revoked} revoked.")


def _shelves(data_dir: DataDir) -> dict[str, LinkedProfiles]:
    root = settings_of(data_dir).data_dir
    names = [entry.name for entry in list_datasets(root)]
    return {name: LinkedProfiles(root / "profiles" / "linked" / name) for name in names}
