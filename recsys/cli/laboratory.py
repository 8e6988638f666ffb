"""The laboratory: every method judged on people that none has seen."""

import sys
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from recsys.cli.shared import (
    DataDir,
    DatasetOption,
    DeviceName,
    EncoderName,
    JsonFlag,
    ProgressFile,
    ProgressReport,
    app,
    open_named,
    print_json,
    settings_of,
)
from recsys.errors import DataError


@app.command("evaluate")
def evaluate_command(
    dataset: DatasetOption = None,
    protocol: Annotated[str, typer.Option(help="cold-user or cold-item.")] = "cold-user",
    shots: Annotated[str, typer.Option(help="Numbers of liked items to reveal; 0 for none.")] = "0,1,3,5",
    folds: Annotated[int, typer.Option(help="Parts that users (or items) are split into.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Draws the parts.")] = 0,
    rivals: Annotated[str, typer.Option(help="all, none, or names separated by commas.")] = "all",
    views: Annotated[
        bool, typer.Option("--views", help="Tell what each view of the items (picture, sound, facts) adds.")
    ] = False,
    fine_tuned: Annotated[
        int, typer.Option(min=0, help="Fine-tune BERT for so many steps in every fold, and tell what that adds.")
    ] = 0,
    private: Annotated[
        str, typer.Option(help="Epsilons, as 1,3,10: fit with differential privacy too, and tell what that costs.")
    ] = "",
    progress: ProgressFile = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge the additive scorer against its rivals on people (or items) that neither has seen, and keep the result."""
    from recsys.evaluation import Plan, evaluate, keep_evaluation, split_rivals
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    opened = open_named(dataset or settings.dataset, settings)
    chosen, missing = split_rivals(rivals)
    for name in missing:
        print(f"Note: {name} is left out, its package is not installed (`make peers` installs it).", file=sys.stderr)
    plan = Plan(dataset or settings.dataset, protocol, folds, seed, _shots(shots), chosen, views, fine_tuned)
    plan = replace(plan, private=_epsilons(private))
    ready = Recommender.from_dataset(opened, scorer="cosine", settings=settings)
    report = ProgressReport(progress)
    found = evaluate(
        opened,
        ready.embeddings,
        encoder=ready.encoder,
        plan=plan,
        views=ready.views,
        progress=lambda step: report(
            f"fold {step.fold}, {step.method}", step.done, step.total, fold=step.fold, method=step.method
        ),
    )
    keep_evaluation(opened, ready.material_key, found)
    report.end()
    if as_json:
        print_json(found.to_dict() | {"rivals_left_out": list(missing)})
        return
    _print_evaluation(found.to_dict())


def _shots(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        fix = "Write whole numbers separated by commas, for example 0,1,3,5."
        raise DataError("The shots are not numbers", text, fix=fix) from None


def _epsilons(text: str) -> tuple[float, ...]:
    try:
        return tuple(sorted({float(part) for part in text.split(",")})) if text else ()
    except ValueError:
        fix = "Write numbers separated by commas, for example 1,3,10."
        raise DataError("The epsilons are not numbers", text, fix=fix) from None


def _print_evaluation(found: dict[str, Any]) -> None:
    levels = list(found["results"])
    methods = dict.fromkeys(method for level in levels for method in found["results"][level])
    table = Table(
        Column("nDCG@10", no_wrap=True),
        *levels,
        title=f"{found['dataset']}, {found['protocol']}, {found['n_users']} users",
    )
    for method in methods:
        cells = (found["results"][level].get(method, {}).get("nDCG@10") for level in levels)
        shown = (f"{c['mean']:.3f} [{c['low']:.3f}, {c['high']:.3f}]" if c else "cannot use this" for c in cells)
        table.add_row(method, *shown)
    Console(width=(52 if found["privacy"] else 44) + 25 * len(levels)).print(table)
    for level, best in found["versus_best_rival"].items():
        print(
            f"{level}: additive against {best['rival']}, the best rival: {best['difference']:+.4f} "
            f"[{best['low']:+.4f}, {best['high']:+.4f}]"
        )
    for row in found["views"]:
        value = row["value"]
        print(
            f"{row['level']}: the view {row['view']} adds {value['mean']:+.4f} [{value['low']:+.4f}, {value['high']:+.4f}] "
            f"({row['kind']}: {row['with_it']} against {row['without_it']})"
        )
    for method, gains in (found["fine_tuning"] | found["privacy"]).items():
        for level, gain in gains.items():
            print(f"{level}: {method} against additive: {gain['mean']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]")
