"""Transfer: what the people of one dataset taught, for a catalog that nobody has interacted with."""

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Column, Table

from recsys.cli.shared import ProgressReport, open_named, print_json
from recsys.errors import ConfigError
from recsys.schema import Dataset
from recsys.sealing import Seal
from recsys.settings import Settings

if TYPE_CHECKING:
    from recsys.evaluation import TransferPlan


def carry_over(
    source: str | None,
    target: str | None,
    settings: Settings,
    report: ProgressReport,
    *,
    has_prior: bool,
    as_json: bool,
) -> None:
    """Does ``recsys train --from SOURCE --to TARGET``: learns, carries over, keeps, and says what did not carry over.

    Raises:
        ConfigError: if one of the two is missing.
        NotTrainedError: for a source without likes.
    """
    if not source or not target:
        fix = "Write recsys train --from DATASET --to DATASET."
        raise ConfigError("A transfer goes from one dataset to another", f"--from {source} --to {target}", fix=fix)
    from recsys.lock import writing
    from recsys.recommender import Recommender
    from recsys.transfer import Source, transfer_and_keep

    learned_on, served = open_named(source, settings), open_named(target, settings)
    assert served.folder is not None
    report("read", 0, 4)
    ready = Recommender.from_dataset(learned_on, scorer="cosine", settings=settings)
    with writing(served.folder, "train"):
        there = Recommender.from_dataset(served, scorer="cosine", encoder=ready.encoder, settings=settings)
        report("learn", 1, 4)
        taught = Source.from_dataset(
            learned_on,
            ready.embeddings,
            encoder=ready.encoder,
            views=tuple(ready.views),
            progress=lambda done, total: report("balance", 2, 4) if done < total else None,
        )
        report("carry", 3, 4)
        found = transfer_and_keep(
            taught,
            served,
            there.embeddings,
            encoder=ready.encoder,
            embeddings_key=there.embeddings_key,
            has_prior=has_prior,
        )
    report.end()
    if there.mismatch is not None:
        print(f"Note: {there.mismatch.message} {there.mismatch.advice}", file=sys.stderr)
    if as_json:
        hidden = ("data", "embeddings", "version", "lent")
        told = {name: value for name, value in found.about.items() if name not in hidden}
        print_json({"dataset": served.name, "scorer": "transferred", **told})
        return
    people = f"{taught.n_likes:,} likes of {taught.n_users:,} people"
    print(f"{served.name}: ranked by what {people} of {learned_on.name} taught.")
    if own := found.about.get("own_likes"):
        print(f"{own:,} likes of its own have moved that.")
    print(f"Carried over: {', '.join(found.kept)}.")
    for name, why in found.lost.items():
        print(f"Not carried over: {name} ({why}).")
    print(f"Use it with `recsys recommend --dataset {served.name} --scorer transferred`, or choose it in the sidebar.")


def judge_transfer(
    dataset: Dataset, plan: "TransferPlan", settings: Settings, report: ProgressReport, *, as_json: bool
) -> None:
    """Does ``recsys evaluate --protocol transfer --from SOURCE``, and keeps what was found.

    Raises:
        ConfigError: for a source that is neither a dataset nor a part of this one.
    """
    from recsys.evaluation import Taught, evaluate_transfer, keep_transfer
    from recsys.recommender import Recommender

    ready = Recommender.from_dataset(dataset, scorer="cosine", settings=settings)
    taught = None
    if not any(sign in plan.source for sign in "<>="):
        other = open_named(plan.source, settings)
        there = Recommender.from_dataset(other, scorer="cosine", encoder=ready.encoder, settings=settings)
        taught = Taught(other, there.embeddings)
    found = evaluate_transfer(
        dataset, ready.embeddings, encoder=ready.encoder, plan=plan, taught=taught, progress=report
    )
    keep_transfer(dataset, ready.material_key, found, seal=Seal.from_settings(settings))
    report.end()
    if as_json:
        print_json(found.to_dict())
        return
    _print_transfer(found.to_dict())


def _print_transfer(found: dict[str, Any]) -> None:
    levels = list(found["results"])
    title = f"{found['dataset']}, learned from {found['source']}, {found['n_users']} users"
    table = Table(Column("nDCG@10", no_wrap=True), *levels, title=title)
    for method in found["results"][levels[0]]:
        cells = (found["results"][level][method]["nDCG@10"] for level in levels)
        table.add_row(method, *(f"{c['mean']:.3f} [{c['low']:.3f}, {c['high']:.3f}]" for c in cells))
    Console(width=30 + 25 * len(levels)).print(table)
    for level, others in found["versus"].items():
        for other, difference in others.items():
            ours = other.replace("additive", "transferred") if other.startswith("additive") else "transferred"
            print(
                f"{level}: {ours} against {other}: {difference['mean']:+.4f} "
                f"[{difference['low']:+.4f}, {difference['high']:+.4f}]"
            )
