"""What changes if they were someone else: two people, sweeps, many people."""

import sys
from collections.abc import Sequence
from dataclasses import replace
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
    ScorerOption,
    app,
    print_json,
    profile_of,
    settings_of,
    whole_number,
)
from recsys.errors import DataError
from recsys.schema import Profile

if TYPE_CHECKING:
    from recsys.recommender import Recommender
    from recsys.whatif import Axis

_SHOWN = 30


def changed(profile: Profile, changes: Sequence[str]) -> Profile:
    """Returns a profile after changes like ``age=60``, ``gender=``, ``occupation=writer``, ``interest+=war``, ``liked-=50``.

    Raises:
        DataError: for what is no change.
    """
    for text in changes:
        profile = _after(profile, text)
    return profile


def _after(profile: Profile, text: str) -> Profile:
    name, sign, value = text.partition("=")
    listed = {"interest": "interests", "liked": "liked"}
    key, kind = (name[:-1], name[-1]) if name[-1:] in ("+", "-") else (name, "")
    if not sign or not key or (kind and key not in listed):
        fix = "Write NAME=VALUE, for example age=60, gender=M, gender= (unknown), interest+=war, interest-=war or liked+=50."
        raise DataError("This is no change of a profile", text, fix=fix)
    if key in listed:
        before: tuple[str, ...] = getattr(profile, listed[key])
        if kind == "-" and value not in before:
            raise DataError(f"The profile has no such {key}", value, fix=f"It has: {', '.join(before) or 'none'}.")
        kept = tuple(one for one in before if one != value) if kind else ()
        return replace(profile, **{listed[key]: kept if kind == "-" or not value else (*kept, value)})
    if key == "age":
        return replace(profile, age=value or None)  # type: ignore[arg-type]
    if key == "gender":
        return replace(profile, gender=value or None)
    return replace(profile, attributes={**profile.attributes, key: value})


@app.command("compare")
def compare_command(
    other: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="How B differs from A: age=60, gender=M, gender= (unknown), occupation=writer, interest+=war, interest-=war, "
            "liked+=50; repeat for more.",
        ),
    ] = None,
    dataset: DatasetOption = None,
    age: AgeOption = None,
    gender: GenderOption = None,
    attribute: AttributeOption = None,
    interest: InterestOption = None,
    liked: LikedOption = None,
    k: LengthOption = "10",
    scorer: ScorerOption = None,
    popularity: PopularityOption = 1.0,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare the lists of two people: A, whom the options describe, and B, who is A but for --with."""
    from recsys.datasets import open_dataset
    from recsys.recommender import Recommender
    from recsys.whatif import compare

    settings = settings_of(data_dir, encoder, device)
    first = profile_of(age, gender, attribute, interest, liked)
    second = changed(first, other or [])
    opened = open_dataset(dataset or settings.dataset, data_dir=settings.data_dir)
    ready = Recommender.from_dataset(opened, scorer=scorer, settings=settings)
    found = compare(ready, first, second, k=whole_number(k), popularity=popularity)
    if as_json:
        print_json({"dataset": opened.name, "scorer": ready.scorer.name, **found.to_dict()})
        return
    for name, made in (("A", found.first), ("B", found.second)):
        for warning in made.warnings:
            print(f"Note on {name}: {warning}", file=sys.stderr)
    table = Table("rank for A", "rank for B", "item", "mostly because of")
    for change in found.changes:
        told = ", ".join(f"{part.label} {part.value:+.3f}" for part in change.shifts[:2])
        table.add_row(_rank(change.first_rank), _rank(change.second_rank), escape(change.title), escape(told))
    Console().print(table)
    print(
        f"{found.overlap:.0%} of the items are shared (rank-biased overlap {found.rank_biased_overlap:.2f}); "
        f"{len(found.of_kind('entered'))} enter, {len(found.of_kind('left'))} leave, {len(found.of_kind('up', 'down'))} move."
    )


def _rank(rank: int | None) -> str:
    return "liked" if rank is None else str(rank)


@app.command("sweep")
def sweep_command(
    over: Annotated[
        str, typer.Option(help="age, gender, interests, liked, the name of an attribute, or weight:INTEREST.")
    ] = "age",
    by: Annotated[str | None, typer.Option(help="A second thing to move, for --item or for what is first.")] = None,
    item: Annotated[str | None, typer.Option(help="With --by: the item_id whose rank is wanted everywhere.")] = None,
    dataset: DatasetOption = None,
    age: AgeOption = None,
    gender: GenderOption = None,
    attribute: AttributeOption = None,
    interest: InterestOption = None,
    liked: LikedOption = None,
    k: LengthOption = "10",
    scorer: ScorerOption = None,
    popularity: PopularityOption = 1.0,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Move one or two things about a person over all their values, and tell every rank."""
    from recsys.datasets import open_dataset
    from recsys.recommender import Recommender
    from recsys.whatif import ListConfig, axes_of, sweep

    settings = settings_of(data_dir, encoder, device)
    profile = profile_of(age, gender, attribute, interest, liked)
    config = ListConfig(whole_number(k), popularity=popularity)
    opened = open_dataset(dataset or settings.dataset, data_dir=settings.data_dir)
    ready = Recommender.from_dataset(opened, scorer=scorer, settings=settings)
    axes = {axis.key: axis for axis in axes_of(ready, profile)}
    first = _axis(axes, over)
    about = {"dataset": opened.name, "scorer": ready.scorer.name, "profile": profile.to_dict()}
    if by is not None:
        found = _surface(ready, profile, (first, _axis(axes, by)), config, item)
        print_json(about | found) if as_json else _print_surface(found)
        return
    made = sweep(ready, profile, first, config)
    values = made.to_dict(opened)
    if as_json:
        print_json(about | values)
        return
    table = Table(first.label, "item", "what happens", "rank before", "rank after")
    for flip in values["flips"][:_SHOWN]:
        told = "enters" if flip["enters"] else "leaves"
        table.add_row(flip["at"], escape(flip["title"]), told, str(flip["rank_before"]), str(flip["rank_after"]))
    Console().print(table)
    more = f" The first {_SHOWN} are shown, --json has all." if len(values["flips"]) > _SHOWN else ""
    print(
        f"{len(values['items'])} items share the top {config.k} over {len(first.steps)} steps; "
        f"{len(values['flips'])} times one enters or leaves.{more}"
    )


def _axis(axes: dict[str, "Axis"], name: str) -> "Axis":
    found = axes.get(name) or axes.get(f"attribute:{name}")
    if found is None:
        listed = ", ".join(key.removeprefix("attribute:") for key in axes) or "nothing"
        raise DataError("This cannot be swept for this person", name, fix=f"Choose one of: {listed}.")
    return found


def _surface(
    ready: "Recommender", profile: Profile, axes: tuple["Axis", "Axis"], config: Any, item: str | None
) -> dict[str, Any]:
    from recsys.schema import ITEM_ID
    from recsys.whatif import sweep_two

    found = sweep_two(ready, profile, *axes, config)
    labels = {
        "over": axes[0].key,
        "by": axes[1].key,
        "over_steps": list(axes[0].labels),
        "by_steps": list(axes[1].labels),
    }
    if item is not None:
        row = ready.dataset.item_row(item)
        return labels | {"item_id": item, "title": ready.dataset.labels[row], "ranks": found.ranks_of(row).tolist()}
    ids = ready.dataset.items[ITEM_ID].to_numpy()
    return labels | {"first": [[None if row < 0 else str(ids[row]) for row in line] for line in found.winners]}


def _print_surface(found: dict[str, Any]) -> None:
    table = Table(found["over"], *found["by_steps"][:12])
    for label, line in zip(found["over_steps"], found.get("ranks") or found["first"], strict=True):
        table.add_row(label, *(escape(str(value)) for value in line[:12]))
    Console().print(table)
    print(f"Rank of {found['title']}." if "title" in found else "The item_id that is first.")
