"""What the commands share: the application, its options, and how an error leaves it."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from recsys.errors import ColdlensError
from recsys.settings import Settings

app = typer.Typer(
    help="Cold-start recommendations that explain themselves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

EncoderName = Annotated[str | None, typer.Option(help="Packaged name, hub name or local folder.")]
DeviceName = Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the datasets (COLDLENS_DATA_DIR).", show_default="data")]


def run() -> None:
    """Runs the command line; our errors go to stderr and exit with 2."""
    try:
        app()
    except ColdlensError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def settings_of(data_dir: Path | None = None, encoder: str | None = None, device: str | None = None) -> Settings:
    """Returns the settings of the environment, overridden by options."""
    found = Settings.from_environment(os.environ)
    return Settings(
        data_dir=data_dir or found.data_dir,
        dataset=found.dataset,
        encoder=encoder or found.encoder,
        device=device or found.device,
        precision=found.precision,
    )


def print_json(value: Any) -> None:
    """Prints a value for machines."""
    print(json.dumps(value, ensure_ascii=False, indent=1))
