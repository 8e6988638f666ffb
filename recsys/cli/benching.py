"""Measuring this machine."""

import json
from typing import Annotated, Any

import typer

from recsys.cli.shared import DataDir, JsonFlag, app, print_json, settings_of
from recsys.errors import DataError


@app.command("bench")
def bench_command(
    largest: Annotated[int, typer.Option(min=1, help="Largest synthetic catalog.")] = 1_000_000,
    train: Annotated[
        int | None, typer.Option(min=1000, help="Only train, on this many synthetic interactions.")
    ] = None,
    maps: Annotated[
        str | None, typer.Option(help="Only fit maps, of these numbers of items, for example 1682,10000,50000.")
    ] = None,
    scale: Annotated[
        bool, typer.Option("--scale", help="Only import and build a synthetic catalog, with 20 interactions per item.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Only click: where the time goes until a list is drawn in Chromium.")
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Only start the dashboard on a synthetic catalog, and use it in Chromium.")
    ] = False,
    vectors: Annotated[
        bool,
        typer.Option("--vectors", help="Only bring 10,000 vectors to a running dashboard, and open them in Chromium."),
    ] = False,
    items: Annotated[int, typer.Option(min=100, help="Items of the catalog of --scale or --memory.")] = 100_000,
    as_json: JsonFlag = False,
    data_dir: DataDir = None,
) -> None:
    """Measure this machine: encoding against sentence-transformers, from a changed profile to a list, and training."""
    from recsys import bench

    settings = settings_of(data_dir)
    if profile:
        result = bench.run_profile_bench(settings)
    elif vectors:
        result = bench.run_vectors_bench(settings)
    elif memory:
        result = bench.run_memory_bench(settings, n_items=items)
    elif scale:
        result = bench.run_scale_bench(settings, n_items=items)
    elif maps:
        result = bench.run_map_bench(settings, sizes=_sizes(maps))
    elif train:
        result = bench.train_synthetic(train)
    else:
        result = bench.run_bench(settings, largest=largest)
    _print(result, as_json=as_json)


def _print(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        print(f"{name}: {json.dumps(value)}")


def _sizes(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 10:
        fix = "Write whole numbers from 10 on, separated by commas, for example 1682,10000."
        raise DataError("The numbers of items are not understood", text, fix=fix)
    return found
