"""Beyond one machine: a cluster encodes, a server searches."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.shared import DataDir, DeviceName, EncoderName, JsonFlag, app, open_named, print_json, settings_of
from recsys.settings import DEFAULT_DATASET

DatasetName = Annotated[str, typer.Argument(help="Dataset name or folder.")]
_DOING = {
    "start": "Starting or joining the cluster",
    "encode": "Encoding the items",
    "keep": "Keeping their embeddings",
}


@app.command("encode")
def encode_command(
    name: DatasetName = DEFAULT_DATASET,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster: HOST:PORT or auto.", show_default="one on this machine")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that encode.", show_default="one per core, or per GPU share")
    ] = None,
    gpus_per_worker: Annotated[float, typer.Option(help="1: a GPU each; 0.5: two share one; 0: none.")] = 0.0,
    into: Annotated[
        Path | None, typer.Option(help="Folder that all machines see.", show_default="the dataset's own")
    ] = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Encode the items of a dataset on a Ray cluster; a stopped run goes on, and the next build finds all of them known."""
    from recsys.distributed import Team, encode_catalog

    settings = settings_of(data_dir, encoder, device)
    started = time.perf_counter()
    done = encode_catalog(
        open_named(name, settings),
        settings=settings,
        team=Team(address, workers, gpus_per_worker),
        into=into,
        progress=lambda stage: print(_DOING[stage], file=sys.stderr),
    )
    found = {"dataset": name, **asdict(done), "total_seconds": round(time.perf_counter() - started, 3)}
    if as_json:
        print_json(found)
        return
    again = " A stopped run went on." if done.resumed else ""
    print(
        f"{name}: {done.n_items:,} items, {done.n_encoded:,} texts encoded by {done.workers} workers; "
        f"{found['total_seconds']:.1f} s.{again} Go on with `recsys build {name}`."
    )
