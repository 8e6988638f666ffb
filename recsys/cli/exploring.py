"""Maps of items and people, and the diagnosis of embeddings."""

import math
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.cli.shared import (
    DataDir,
    DeviceName,
    EncoderName,
    JsonFlag,
    ProgressFile,
    ProgressReport,
    ScorerOption,
    app,
    open_named,
    print_json,
    settings_of,
)
from recsys.errors import ConfigError
from recsys.settings import DEFAULT_DATASET


@app.command("project")
def project_command(
    name: Annotated[str, typer.Argument(help="Dataset name or folder.")] = DEFAULT_DATASET,
    space: Annotated[
        str,
        typer.Option(
            help="A view of the items (text, image, audio, graph), or taste: what the additive scorer learned."
        ),
    ] = "text",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 42,
    scorer: ScorerOption = None,
    progress: ProgressFile = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit the maps of a dataset, flat and in three dimensions, and place its users on them; fitted maps are kept."""
    from recsys.projection import fit_maps, open_space, people_of, spaces_of, vectors_of_people
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    report = ProgressReport(progress)
    report("read", 0, 1)
    dataset = open_named(name, settings)
    ready = Recommender.from_dataset(dataset, scorer=scorer, settings=settings)
    if space not in spaces_of(ready.scorer):
        listed = " or ".join(spaces_of(ready.scorer))
        raise ConfigError("The scorer has no such space", space, fix=f"Use {listed}.")
    opened, texts = open_space(space, ready.scorer, ready.embeddings), ready.explainer.item_texts
    found: dict[str, Any] = {"dataset": dataset.name, "space": space, "scorer": ready.scorer.name, "items": len(texts)}
    people, vectors = people_of(dataset), vectors_of_people(dataset, opened)
    made = fit_maps(opened, people, texts, dataset.folder, vectors=vectors, seed=seed, progress=report)
    for n_components, fitted in made.items():
        trust = fitted.atlas.trust
        found[f"{n_components}d"] = {
            "seconds": round(fitted.seconds, 3),
            "trustworthiness": _known(trust.trustworthiness),
            "continuity": _known(trust.continuity),
            "true_neighbours_kept": _known(trust.mean_kept),
            "groups": list(fitted.atlas.clusters.labels),
            "people": fitted.n_people,
        }
    report.end()
    if as_json:
        print_json(found)
        return
    for part in ("2d", "3d"):
        told = found[part]
        sizes = f"{found['items']:,} items and {told['people']:,} people in {told['seconds']:.1f} s"
        print(f"{dataset.name}, {space}, {part}: {sizes}; {_trust_in_words(told)}.")
    table = Table("group on the flat map")
    for label in found["2d"]["groups"]:
        table.add_row(label)
    Console().print(table)


def _known(value: float) -> float | None:
    """JSON has no word for NaN."""
    return None if math.isnan(value) else round(value, 4)


def _trust_in_words(made: dict[str, Any]) -> str:
    if made["trustworthiness"] is None:
        return "too few items to measure the trust"
    return (
        f"trustworthiness {made['trustworthiness']:.2f}, continuity {made['continuity']:.2f}, "
        f"{made['true_neighbours_kept']:.0%} of true neighbours kept"
    )


@app.command("diagnose")
def diagnose_command(
    name: Annotated[str, typer.Argument(help="Dataset name or folder.")] = DEFAULT_DATASET,
    against: Annotated[
        str | None,
        typer.Option(
            help="Compare with another encoder: a name or folder, `lsa` (TF-IDF, no download), or a file of vectors."
        ),
    ] = None,
    scorer: ScorerOption = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Look for hubs, duplicates, cut and empty texts, outliers, mixed categories; or compare two encoders."""
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    dataset = open_named(name, settings)
    ready = Recommender.from_dataset(dataset, scorer=scorer, settings=settings)
    found: dict[str, Any] = {"dataset": dataset.name, "encoder": ready.encoder.name, "scorer": ready.scorer.name}
    found["read_by"] = ready.encoder.description
    found["findings"] = [finding.to_dict() for finding in ready.diagnose()]
    if against:
        found["comparison"] = _compare(ready, against, settings)
    if as_json:
        print_json(found)
        return
    table = Table("what", "state", "what it means", "what to do")
    for one in found["findings"]:
        state = "look at this" if one["is_issue"] else "fine"
        table.add_row(*map(escape, (one["title"], state, one["meaning"], one["advice"])))
    Console().print(table)
    print(f"By {ready.encoder.name} ({ready.encoder.description}).")
    if against:
        told = found["comparison"]
        print(f"Against {told['second']}: {told['mean_overlap']:.0%} of the nearest ten are shared.")
        for encoder_name, value in told["quality"].items():
            shown = "unknown, too few users" if value is None else f"{value:.3f}"
            print(f"nDCG@10 with {encoder_name}, held out inside the training users: {shown}")


def _compare(ready: Any, against: str, settings: Any) -> dict[str, Any]:
    from recsys.diagnostics import compare_encoders, open_rival

    texts = ready.explainer.item_texts
    other = open_rival(against, ready.dataset, texts, settings)
    made = compare_encoders(ready.dataset, texts, (ready.encoder, ready.embeddings), other)
    return {
        "first": made.names[0],
        "second": made.names[1],
        "mean_overlap": round(float(made.overlap.mean()), 4),
        "disparity": _known(made.disparity),
        "quality": {name: _known(value) for name, value in made.quality.items()},
        "moved": made.moved.head(20).to_dict("records"),
    }
