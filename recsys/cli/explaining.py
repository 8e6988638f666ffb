"""Why an item has its score, why not another one, and whether explanations hold."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

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
    write_text,
)
from recsys.errors import ConfigError, DataError
from recsys.schema import Explanation
from recsys.settings import MAX_K
from recsys.views.view import GRAPH

_SHOWN_EDITS = 10


@app.command("explain")
def explain_command(
    item: Annotated[str | None, typer.Option(help="The item_id to explain.")] = None,
    dataset: DatasetOption = None,
    age: AgeOption = None,
    gender: GenderOption = None,
    attribute: AttributeOption = None,
    interest: InterestOption = None,
    liked: LikedOption = None,
    k: LengthOption = "10",
    scorer: ScorerOption = None,
    popularity: PopularityOption = 1.0,
    tier: Annotated[
        str, typer.Option(help="Shapley values of words: exact (up to ten words) or first-last.")
    ] = "exact",
    versus: Annotated[str | None, typer.Option(help="Another item_id: why the one stands above the other.")] = None,
    edits: Annotated[
        bool, typer.Option("--edits", help="The smallest edits that bring the item into the top k.")
    ] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="Let --edits change age and gender as well.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the explanation to this file, as one HTML page.")] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Measure explanations on 400 pairs of this dataset instead.")
    ] = False,
    view: ViewOption = None,
    unused: UnusedOption = None,
    pairs: Annotated[int, typer.Option(min=10, help="With --audit: random pairs, and as many top pairs.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="With --audit: draws the pairs.")] = 0,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Take a score apart into facets, words and pairs of words, which add up to it."""
    from recsys.recommender import Recommender

    settings = settings_of(data_dir, encoder, device)
    profile = profile_of(age, gender, attribute, interest, liked)
    if tier not in ("exact", "first-last"):
        raise ConfigError("The tier is unknown", tier, fix="Choose exact or first-last.")
    if item is None and not audit:
        raise DataError("No item is named", fix="Give its item_id with --item; `recsys recommend` lists some.")
    opened = open_named(dataset or settings.dataset, settings)
    ready = (
        Recommender.from_dataset(opened, scorer=scorer, settings=settings)
        .with_views(weights_of(view))
        .ignoring(unused or ())
    )
    if audit:
        _audit(ready, pairs, seed, as_json)
        return
    assert item is not None
    explanation = ready.explain(profile, item, popularity=popularity, tier=tier).checked()
    found = explanation.to_dict() | {"dataset": opened.name, "reason": ready.reason(explanation)}
    if GRAPH in ready.views and profile.liked:
        found["facts"] = _facts(ready, profile.liked, item)
    if versus:
        found["versus"] = _versus(ready, explanation, versus, popularity, tier)
    if edits:
        found["edits"] = _edits(ready, explanation, whole_number(k), popularity, unlock)
    if html:
        _write_html(html, ready, explanation)
    print_json(found) if as_json else _print(explanation, found)


def _facts(ready: Any, liked: Sequence[str], item_id: str) -> list[str]:
    """What the item shares with liked ones, where that is worth a word."""
    from recsys.views.fact_words import describe

    dataset = ready.dataset
    row = dataset.item_row(item_id)
    told = (describe(ready.facts.shared(row, dataset.item_row(other)), dataset.title_of(other)) for other in liked)
    return [text for text in told if text]


def _versus(ready: Any, first: Explanation, item_id: str, popularity: float, tier: str) -> dict[str, Any]:
    from recsys.explanation import contrast

    second = ready.explain(first.profile, item_id, popularity=popularity, tier=tier)
    found = contrast(first, second).checked()
    return {
        "item_id": item_id,
        "title": second.title,
        "rank": second.rank,
        "total": second.total,
        "gap": found.gap,
        "completeness_error": found.completeness_error,
        "parts": {part.label: part.value for part in found.parts},
        "words": [{"text": word.label, "difference": word.value} for word in found.words if word.kind == "word"],
    }


def _edits(ready: Any, explanation: Explanation, k: int, popularity: float, unlock: bool) -> dict[str, Any]:
    from recsys.whatif import PROTECTED, bring_in

    if not 1 <= k <= MAX_K:
        raise DataError("The length of the list is out of range", k, fix=f"Choose k from 1 to {MAX_K}.")
    answer = bring_in(
        ready, explanation.profile, explanation.item_id, k=k, popularity=popularity, locked=() if unlock else PROTECTED
    )
    return {
        "k": k,
        "rank": answer.rank,
        "gap": None if answer.kth_row is None else answer.gap,
        "tried": dict(answer.tried),
        "pairs_tried": answer.n_pairs,
        "found": [
            {"edit": outcome.label, "rank": outcome.rank, "score": outcome.score, "profile": outcome.profile.to_dict()}
            for outcome in answer.outcomes
        ],
    }


def _write_html(path: Path, ready: Any, explanation: Explanation) -> None:
    from recsys.explanation import to_html

    about = {"dataset": ready.dataset.info.title, "encoder": ready.encoder.name}
    write_text(path, to_html(explanation, about=about), what="page")


def _print(explanation: Explanation, found: dict[str, Any]) -> None:
    for warning in explanation.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    print(f"{explanation.title}: score {explanation.total:.4f}, rank {explanation.rank}. {found['reason']}.")
    table = Table("part", "adds", "score without it", "rank without it")
    for part in explanation.parts:
        table.add_row(
            escape(part.facet.label), f"{part.contribution:+.4f}", f"{part.score_without:.4f}", str(part.rank_without)
        )
    Console().print(table)
    if len(explanation.by_view) > 1:
        print(
            "by view of the item: " + "  ".join(f"{name} {value:+.3f}" for name, value in explanation.by_view.items())
        )
    for told in found.get("facts", []):
        print(f"fact: {told}")
    for text in explanation.texts:
        words = "  ".join(f"{word.text} {word.contribution:+.3f}" for word in text.words)
        print(f"{'item' if text.side == 'item' else 'profile'}: {words}")
    if "versus" in found:
        _print_versus(found["versus"])
    if "edits" in found:
        _print_edits(found["edits"])
    print(f"{explanation.method} Largest error of any sum: {explanation.completeness_error:.0e}.")


def _print_versus(found: dict[str, Any]) -> None:
    print(f"Against {found['title']} (rank {found['rank']}): {found['gap']:+.4f}, made of")
    table = Table("part", "adds more here than there")
    for label, value in found["parts"].items():
        table.add_row(escape(label), f"{value:+.4f}")
    Console().print(table)


def _print_edits(found: dict[str, Any]) -> None:
    k, edits = found["k"], found["found"]
    if found["rank"] <= k:
        print(f"It is in the top {k} already.")
        return
    tried = f"{sum(found['tried'].values()):,} single edits and {found['pairs_tried']:,} pairs were tried"
    print(f"What would bring it into the top {k} ({tried}):" if edits else f"Not reachable with two edits ({tried}).")
    for one in edits[:_SHOWN_EDITS]:
        print(f"  {one['edit']}: rank {one['rank']}")
    if len(edits) > _SHOWN_EDITS:
        print(f"  and {len(edits) - _SHOWN_EDITS:,} more; --json lists them")


def _audit(ready: Any, pairs: int, seed: int, as_json: bool) -> None:
    from recsys.audit import audit_explanations

    found = audit_explanations(ready, n_pairs=pairs, seed=seed, progress=lambda step: print(step, file=sys.stderr))
    if as_json:
        print_json(found)
        return
    table = Table("method", "deletion, random / top", "top word exit", "matrix, random / top")
    for name, values in {"ours": found, **found["rivals"]}.items():
        deletion, matrix = _both(values["normalised_deletion"]), _both(values.get("matrix_correlation"))
        table.add_row(name, deletion, f"{values['top_word_exit']:.0%}", matrix)
    Console().print(table)
    cost = found["cost_ms"]
    print(
        f"Largest error of any sum: {found['completeness_max']:.0e}. Spearman with random weights: "
        f"{found['randomised_spearman']}. CPU-ms: {cost['cold_profile']} for a new profile, {cost['further_item']} for a "
        "further item."
    )


def _both(values: dict[str, float | None] | None) -> str:
    return " / ".join("–" if value is None else f"{value:.2f}" for value in (values or {}).values())
