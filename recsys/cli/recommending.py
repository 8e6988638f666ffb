"""Datasets, building and recommending, for people and, with ``--json``, for machines."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.cli.shared import (
    AgeOption,
    AttributeOption,
    DataDir,
    DatasetOption,
    DeviceName,
    EncoderName,
    GenderOption,
    InterestOption,
    JsonFlag,
    LengthOption,
    LikedOption,
    PopularityOption,
    ProgressFile,
    ProgressReport,
    ScorerOption,
    UnusedOption,
    ViewOption,
    app,
    open_named,
    print_json,
    profile_of,
    settings_of,
    weights_of,
    whole_number,
)
from recsys.schema import Dataset, ItemFilter, Recommendations
from recsys.sealing import Seal
from recsys.settings import DEFAULT_DATASET, Settings

if TYPE_CHECKING:
    from recsys.building import Built

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
    from recsys.datasets.movielens import refetch_note

    settings = settings_of(data_dir)
    dataset = fetch_dataset(name, data_dir=settings.data_dir, source=source, seal=Seal.from_settings(settings))
    counts = {"items": len(dataset.items), "users": len(dataset.users), "interactions": len(dataset.interactions)}
    if as_json:
        print_json({"dataset": name, **counts})
        return
    print(f"{dataset.info.title} is ready: " + ", ".join(f"{count:,} {noun}" for noun, count in counts.items()) + ".")
    if note := refetch_note(dataset):
        print(f"Note: {note}", file=sys.stderr)


@app.command("build")
def build_command(
    name: Annotated[str, typer.Argument(help="Dataset name or folder.")] = DEFAULT_DATASET,
    until: Annotated[
        str | None, typer.Option(help="encode, train or project.", show_default="project; the words alone with --words")
    ] = None,
    words: Annotated[
        bool, typer.Option("--words", help="Take the words of every item apart as well, for explanations.")
    ] = False,
    progress: ProgressFile = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Encode the items of a dataset, train, and lay out its maps; what is there is kept, what was stopped goes on."""
    from recsys.building import build

    settings = settings_of(data_dir, encoder, device)
    started = time.perf_counter()
    dataset = open_named(name, settings)
    if words and until is None:
        found = _build_words(dataset, settings, progress)
    else:
        report = _each_step_once() if progress is None else ProgressReport(progress)
        until = until or "project"
        found = {"until": until, **_built(build(dataset, settings=settings, until=until, progress=report))}
        if words:
            found |= _build_words(dataset, settings, progress)
        elif isinstance(report, ProgressReport):
            report.end()
    found["seconds"] = round(time.perf_counter() - started, 3)
    if as_json:
        print_json(found)
        return
    _print_built(found)


def _built(made: "Built") -> dict[str, Any]:
    found: dict[str, Any] = {"dataset": made.dataset, "items": made.n_items, "encoded": made.n_encoded}
    found |= {"encoder": made.encoder.name, "device": made.encoder.description}
    return found | {"trained": made.trained, "mapped": made.mapped, "steps": [asdict(step) for step in made.steps]}


_DOING = {
    "read": "Reading",
    "encode": "Encoding the items",
    "index": "Keeping their embeddings",
    "views": "Looking at pictures, listening to sounds, linking facts",
    "train": "Learning from likes",
    "project": "Laying out the maps",
}


def _each_step_once() -> Callable[[str, int, int], None]:
    """Tells a person which step begins, and nothing else."""
    told = set()

    def tell(step: str, done: int, total: int) -> None:
        if step in _DOING and step not in told:
            told.add(step)
            print(_DOING[step], file=sys.stderr)

    return tell


def _print_built(found: dict[str, Any]) -> None:
    if "encoded" in found:
        made = (
            f"{found['items']:,} items, {found['encoded']:,} texts encoded with {found['encoder']} ({found['device']})"
        )
        more = [what for key, what in (("trained", "trained"), ("mapped", "maps laid out")) if found[key]]
        print(f"{found['dataset']}: {'; '.join([made, *more])}; {found['seconds']:.1f} s.")
    for step in found.get("steps", ()):
        if step["state"] == "skipped":
            print(f"Left out: {step['step']}, because {step['why']}.")
    if "words_seconds" in found:
        print(f"The words of {found['words_made']:,} items were taken apart in {found['words_seconds']:.1f} s.")


def _build_words(dataset: Dataset, settings: Settings, progress: Path | None) -> dict[str, Any]:
    """First the quick values of every item, then the exact ones, so that an explanation soon has some.

    It is no build: it writes beside one, and neither takes the lock of the dataset nor says how far a build is.
    """
    from recsys.recommender import Recommender

    ready = Recommender.from_dataset(dataset, scorer="cosine", settings=settings)
    words, report = ready.explainer.item_words, ProgressReport(progress)
    started, made = time.perf_counter(), 0
    quick = None
    for tier in ("first-last", "exact"):
        if words.share_built("exact") < 1:
            made = max(made, words.build(tier, progress=partial(report, tier)))
        quick = time.perf_counter() - started if quick is None else quick
    report.end()
    return {
        "dataset": dataset.name,
        "items": len(dataset.items),
        "encoder": ready.encoder.name,
        "device": ready.encoder.description,
        "words_made": made,
        "words_quick_seconds": round(quick or 0.0, 3),
        "words_seconds": round(time.perf_counter() - started, 3),
    }


@app.command("recommend")
def recommend_command(
    dataset: DatasetOption = None,
    age: AgeOption = None,
    gender: GenderOption = None,
    attribute: AttributeOption = None,
    interest: InterestOption = None,
    liked: LikedOption = None,
    k: LengthOption = "10",
    scorer: ScorerOption = None,
    popularity: PopularityOption = 1.0,
    diversity: Annotated[float, typer.Option(help="0 ranks by score, 1 by difference from the rest.")] = 0.0,
    category: Annotated[list[str] | None, typer.Option(help="Show only these categories.")] = None,
    view: ViewOption = None,
    unused: UnusedOption = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what would be recommended to a person, and what each score is made of."""
    from recsys.recommender import Recommender

    profile = profile_of(age, gender, attribute, interest, liked)
    length = whole_number(k)
    settings = settings_of(data_dir, encoder, device)
    opened = open_named(dataset or settings.dataset, settings)
    weights = weights_of(view)
    recommender = (
        Recommender.from_dataset(opened, scorer=scorer, settings=settings).with_views(weights).ignoring(unused or ())
    )
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
                "views": dict(recommender.scorer.weights),
                "unused": sorted(key.removeprefix("attribute:") for key in recommender.ignored),
                "elapsed_ms": round(elapsed, 3),
                "profile": profile.to_dict(),
                "warnings": list(found.warnings),
                "recommendations": [
                    row | {"reason": reason}
                    for row, reason in zip(found.to_records(), recommender.reasons(found), strict=True)
                ],
            }
        )
        return
    _print_list(found)


def _print_list(found: Recommendations) -> None:
    for warning in found.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    table = Table("rank", "item_id", "title", "score", "made of")
    labels = {facet.key: facet.label for facet in found.facets}
    for row in found.to_records():
        parts = (f"{escape(labels[key])} {value:+.3f}" for key, value in row["contributions"].items())
        table.add_row(str(row["rank"]), row["item_id"], escape(row["title"]), f"{row['score']:.3f}", "; ".join(parts))
    Console().print(table)
