"""Beyond one machine: a cluster encodes, a server searches."""

import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from recsys.cli.shared import (
    DataDir,
    DeviceName,
    EncoderName,
    JsonFlag,
    ScorerOption,
    app,
    open_named,
    print_json,
    settings_of,
)
from recsys.errors import ConfigError
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


@app.command("publish")
def publish_command(
    name: DatasetName = DEFAULT_DATASET,
    to: Annotated[
        str | None,
        typer.Option(
            help="http://HOST:PORT of a Milvus server, or a file of Milvus Lite.", show_default="COLDLENS_MILVUS"
        ),
    ] = None,
    scorer: ScorerOption = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Load what is ranked by onto a search server, check that it arrived, then switch over to it."""
    from recsys.index.milvus import alias_of, publish
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    if not (address := to or settings.milvus):
        raise ConfigError("No search server is named", fix="Give its address with --to, or set COLDLENS_MILVUS.")
    dataset = open_named(name, settings)
    ready = Recommender.from_dataset(dataset, scorer=scorer, settings=replace(settings, milvus=""))
    done = publish(ready.index.vectors, uri=address, alias=alias_of(dataset.name, ready.scorer.name))
    if as_json:
        print_json({"dataset": dataset.name, "scorer": ready.scorer.name, **asdict(done)})
        return
    state = "were there already" if done.reused else "arrived"
    print(
        f"{dataset.name}: {done.n_items:,} item vectors of the {ready.scorer.name} scorer {state} and are in use as "
        f"{done.alias}; {len(done.dropped)} older collections dropped; {done.seconds:.1f} s. "
        f"Search there with COLDLENS_MILVUS={address}"
    )
