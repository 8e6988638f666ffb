"""The laboratory: every method judged on people that none has seen."""

import sys
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from recsys.cli.shared import (
    DataDir,
    DatasetOption,
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
from recsys.cli.transferring import judge_transfer
from recsys.errors import ArtifactError, ConfigError, DataError
from recsys.sealing import Seal
from recsys.suppression import WHY_HIDDEN


@app.command("evaluate")
def evaluate_command(
    dataset: DatasetOption = None,
    protocol: Annotated[str, typer.Option(help="cold-user, cold-item or transfer.")] = "cold-user",
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
    source: Annotated[
        str | None,
        typer.Option("--from", help="Transfer: learn from this dataset, or this part: year<1990, category!=Action."),
    ] = None,
    likes: Annotated[
        str, typer.Option(help="Transfer: numbers of likes of the target that come later, or none.")
    ] = "10,100,1000",
    progress: ProgressFile = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge the additive scorer against its rivals on people (or items) that neither has seen, and keep the result."""
    from recsys.evaluation import TRANSFER, Plan, TransferPlan, evaluate, keep_evaluation, split_rivals
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    opened = open_named(dataset or settings.dataset, settings)
    if protocol == TRANSFER or source:
        if not source or protocol != TRANSFER:
            fix = "Write --protocol transfer --from SOURCE."
            raise ConfigError("A transfer needs its protocol and its source", f"{protocol}, {source}", fix=fix)
        asked = TransferPlan(opened.name, source, folds, seed, _shots(shots), _numbers(likes))
        judge_transfer(opened, asked, settings, ProgressReport(progress), as_json=as_json)
        return
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
    keep_evaluation(opened, ready.material_key, found, seal=Seal.from_settings(settings))
    report.end()
    if as_json:
        print_json(found.to_dict() | {"rivals_left_out": list(missing)})
        return
    _print_evaluation(found.to_dict())


@app.command("fairness")
def fairness_command(
    dataset: DatasetOption = None,
    level: Annotated[
        str | None,
        typer.Option(help="What was revealed of the people, as in the evaluation.", show_default="interests, no likes"),
    ] = None,
    scorer: ScorerOption = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Read the newest kept evaluation by gender and age: quality, what is shown, what another gender or age would change."""
    from recsys.evaluation import fair_words, kept_evaluations, report_fairness
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    opened = open_named(dataset or settings.dataset, settings)
    ready = Recommender.from_dataset(opened, scorer=scorer, settings=settings)
    kept = [
        found
        for found in kept_evaluations(opened, ready.material_key, seal=Seal.from_settings(settings))
        if found.plan.protocol == "cold-user"
    ]
    if not kept:
        fix = f"Run `recsys evaluate --dataset {opened.name}` first."
        raise ArtifactError("No evaluation on held-out people has been kept", opened.name, fix=fix)
    report = report_fairness(kept[0], opened, level=level, recommender=ready)
    if as_json:
        print_json(report.to_dict() | {"evaluation": kept[0].plan.command})
        return
    print(f"{opened.name}, {report.level}: {report.n_users:,} people held out, {report.n_found} differences found.")
    _print_groups(report.to_dict())
    for words in fair_words(report):
        print(f"- {words}")
    if report.has_hidden:
        print(WHY_HIDDEN)


def _print_groups(found: dict[str, Any]) -> None:
    table = Table("by", "group", "people", "nDCG@10", "everyone else", "difference, all at once", "found")
    rows = {(row["by"], row["group"]): row for row in found["quality"] if row["measure"] == "nDCG@10"}
    for split, groups in found["groups"].items():
        for group, n in groups.items():
            row = rows.get((split, group))
            shown = [split, group, str(n)]
            if row:
                mean = row["mean"]
                shown += [f"{mean['mean']:.3f} [{mean['low']:.3f}, {mean['high']:.3f}]", f"{row['rest']:.3f}"]
                shown += [f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"]
                shown += ["yes" if row["is_found"] else "no"]
            table.add_row(*map(escape, shown))
    Console(width=120).print(table)


def _shots(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        fix = "Write whole numbers separated by commas, for example 0,1,3,5."
        raise DataError("The shots are not numbers", text, fix=fix) from None


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return () if text == "none" else tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        fix = "Write whole numbers separated by commas, for example 10,100,1000, or none."
        raise DataError("The numbers of likes are not numbers", text, fix=fix) from None


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
