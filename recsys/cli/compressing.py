"""Smaller encoders: making them, and telling what each costs and loses."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from recsys.cli.shared import (
    DataDir,
    DatasetOption,
    DeviceName,
    JsonFlag,
    ProgressReport,
    app,
    open_named,
    print_json,
    settings_of,
)
from recsys.errors import ConfigError
from recsys.settings import DEFAULT_ENCODER


@app.command("distil")
def distil_command(
    encoder: Annotated[str, typer.Argument(help="The teacher: packaged name, hub name or local folder.")],
    into: Annotated[Path, typer.Option(help="Folder of the student, which must not exist yet.")],
    kind: Annotated[str, typer.Option(help="layers (some of the teacher's) or static (a vector for each token).")],
    layers: Annotated[int, typer.Option(min=1, help="Layers that are kept, for --kind layers.")] = 2,
    steps: Annotated[int, typer.Option(min=1, help="Batches that are learned from, for --kind layers.")] = 600,
    dim: Annotated[
        int | None, typer.Option(min=1, help="Principal components, for --kind static.", show_default="the teacher's")
    ] = None,
    profiles: Annotated[int, typer.Option(min=0, help="Invented people whose sentences are learned from.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    dataset: DatasetOption = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a smaller encoder that learns from a larger one, on the texts of a dataset; no likes are read."""
    from recsys.distillation import KINDS, LayerConfig, TableConfig, distil, unlabelled_texts
    from recsys.encoder import open_encoder

    if kind not in KINDS:
        raise ConfigError("There is no such kind of student", kind, fix=f"Choose {' or '.join(KINDS)}.")
    settings = settings_of(data_dir, encoder, device)
    opened = open_named(dataset or settings.dataset, settings)
    name = settings.encoder_for(opened.info.encoder)
    teacher = open_encoder(name, device=settings.device, precision=settings.precision)
    config = LayerConfig(layers=layers, steps=steps, seed=seed) if kind == "layers" else TableConfig(dim=dim, seed=seed)
    report = ProgressReport(None)
    made = distil(
        teacher,
        unlabelled_texts(opened, n_profiles=profiles, seed=seed),
        into=into,
        config=config,
        progress=lambda done, total: _tell(report, done, total),
    )
    report.end()
    found = {"teacher": teacher.name, "dataset": opened.name, **made.to_dict()}
    if as_json:
        print_json(found)
        return
    print(f"{into}: a student of {teacher.name}, {kind}, made of {made.n_texts:,} texts in {made.seconds:.0f} s.")
    cosine = "" if made.cosine is None else f", and a mean cosine of {made.cosine:.3f} to it"
    print(f"On texts that it has not seen it keeps {made.neighbours_kept:.0%} of the teacher's nearest ten{cosine}.")
    print(f"Use it with `--encoder {into}`; compare it with `recsys encoders {teacher.name} {into}`.")


def _tell(report: ProgressReport, done: int, total: int) -> None:
    """Reports every twentieth part."""
    if done == total or done % max(1, total // 20) == 0:
        report("distil", done, total)


@app.command("encoders")
def encoders_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names or folders, each with an optional @float32, @bfloat16, @float16 or @int8; the first is the anchor.",
            show_default=f"{DEFAULT_ENCODER}@float32, @bfloat16 and @int8 on a processor",
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Times that each is timed, in turns.")] = 5,
    folds: Annotated[int, typer.Option(min=0, help="Parts of the users for nDCG@10; 0 leaves it out.")] = 2,
    captions: Annotated[
        bool,
        typer.Option(
            help="Also find captions and interests in Chinese by English ones of the same meaning, and the other way round."
        ),
    ] = False,
    dataset: DatasetOption = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare encoders on one dataset: size, speed, how far lists agree, and how good recommendations for new people are."""
    from recsys.bench.encoders import run_encoder_bench

    settings = settings_of(data_dir, None, device)
    opened = open_named(dataset or settings.dataset, settings)
    chosen = names or [f"{DEFAULT_ENCODER}@{precision}" for precision in ("float32", "bfloat16", "int8")]
    report = ProgressReport(None)
    found = run_encoder_bench(
        opened, chosen, settings=settings, repeats=repeats, folds=folds, captions=captions, progress=report
    )
    report.end()
    if as_json:
        print_json(found)
        return
    _print(found)


def _print(found: dict[str, Any]) -> None:
    title = f"{found['dataset']}, {found['n_texts']:,} texts, {found['machine']}"
    table = Table("encoder", "MB", "parameters", "texts/s", "ms a person", "top ten shared", "cosine", title=title)
    for row in found["encoders"]:
        table.add_row(
            row["encoder"],
            f"{row['megabytes']:.1f}",
            f"{row['parameters'] / 1e6:.1f} M",
            f"{row['texts_per_second']:,.0f} ({row['times_as_fast']:.2f}x)",
            f"{row['ms_per_profile']:.2f} ({row['times_as_fast_profile']:.2f}x)",
            f"{row['top_10_overlap']:.3f}",
            "" if row["mean_cosine"] is None else f"{row['mean_cosine']:.4f}",
        )
    console = Console(width=130)
    console.print(table)
    _print_intervals(found, "ndcg@10", "nDCG@10", f"{found['n_users']} new people, {found['folds']} folds", console)
    _print_intervals(
        found, "captions", "Right at first place", "Captions and interests in Chinese and English", console
    )


def _print_intervals(found: dict[str, Any], key: str, corner: str, title: str, console: Console) -> None:
    names = list(found["encoders"][0][key])
    if not names:
        return
    table = Table(corner, *names, title=title)
    for row in found["encoders"]:
        table.add_row(row["encoder"], *(_interval(row[key][name]) for name in names))
    console.print(table)


def _interval(value: dict[str, float]) -> str:
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
