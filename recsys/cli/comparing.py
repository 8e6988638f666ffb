"""What changes if they were someone else: two people, sweeps, many people."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
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
    ScorerOption,
    UnusedOption,
    app,
    open_named,
    print_json,
    profile_of,
    read_bytes,
    settings_of,
    whole_number,
    write_text,
)
from recsys.errors import DataError
from recsys.schema import Profile
from recsys.settings import MAX_INTEREST_LENGTH

if TYPE_CHECKING:
    from recsys.recommender import Recommender
    from recsys.whatif import Axis, Comparison

_SHOWN, _COLUMNS = 30, 12


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
        after = kept if kind == "-" or not value else (*kept, value)
        return replace(profile, interests=after) if key == "interest" else replace(profile, liked=after)
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
    unused: UnusedOption = None,
    scenario: Annotated[
        Path | None, typer.Option(help="Write both people, their lists and fingerprints to this JSON file.")
    ] = None,
    pack: Annotated[Path | None, typer.Option(help="Write the stakeholder pack to this HTML file.")] = None,
    check: Annotated[
        Path | None, typer.Option(help="Instead, say whether the lists of this scenario file still hold.")
    ] = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare the lists of two people: A, whom the options describe, and B, who is A but for --with."""
    from recsys.recommender import Recommender
    from recsys.whatif import compare

    settings = settings_of(data_dir, encoder, device)
    if check is not None:
        _check(check, settings, as_json)
        return
    first = profile_of(age, gender, attribute, interest, liked)
    second = changed(first, other or [])
    opened = open_named(dataset or settings.dataset, settings)
    ready = Recommender.from_dataset(opened, scorer=scorer, settings=settings).ignoring(unused or ())
    found = compare(ready, first, second, k=whole_number(k), popularity=popularity)
    if scenario is not None or pack is not None:
        _write(ready, found, whole_number(k), popularity, scenario, pack)
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


def _write(
    ready: "Recommender", found: "Comparison", k: int, popularity: float, scenario: Path | None, pack: Path | None
) -> None:
    from recsys.projection import MapConfig, open_or_fit_atlas, open_space
    from recsys.whatif import make_pack, make_scenario

    profiles = {"A": found.first.profile, "B": found.second.profile}
    made = datetime.now(UTC).isoformat(timespec="seconds")
    kept = make_scenario(ready, profiles, made=made, k=k, popularity=popularity)
    if scenario is not None:
        write_text(scenario, kept.to_json())
    if pack is not None:
        space, texts = open_space("text", ready.scorer, ready.embeddings), ready.explainer.item_texts
        atlas = open_or_fit_atlas(space, MapConfig(), texts, ready.dataset.folder)
        write_text(pack, make_pack(ready, found, kept, atlas=atlas))


def _check(path: Path, settings: Any, as_json: bool) -> None:
    from recsys.recommender import Recommender
    from recsys.whatif import Scenario, check_scenario

    scenario = Scenario.from_json(read_bytes(path))
    opened = open_named(scenario.dataset, settings)
    found = check_scenario(scenario, Recommender.from_dataset(opened, scorer=scenario.scorer, settings=settings))
    if as_json:
        lists = {
            name: {"holds": one.holds, "then": one.then, "now": one.now, "problem": one.problem}
            for name, one in found.lists.items()
        }
        same = {name: getattr(found, f"same_{name}") for name in ("dataset", "model", "encoder")}
        print_json({"holds": found.holds, "same": same, "told": found.told, "lists": lists})
        return
    print("\n".join(found.told))


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
    unused: UnusedOption = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Move one or two things about a person over all their values, and tell every rank."""
    from recsys.recommender import Recommender
    from recsys.whatif import ListConfig, axes_of, sweep

    settings = settings_of(data_dir, encoder, device)
    profile = profile_of(age, gender, attribute, interest, liked)
    config = ListConfig(whole_number(k), popularity=popularity)
    opened = open_named(dataset or settings.dataset, settings)
    ready = Recommender.from_dataset(opened, scorer=scorer, settings=settings).ignoring(unused or ())
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
    table = Table(escape(first.label), "item", "what happens", "rank before", "rank after")
    for flip in values["flips"][:_SHOWN]:
        told = "enters" if flip["enters"] else "leaves"
        table.add_row(
            escape(flip["at"]), escape(flip["title"]), told, _rank(flip["rank_before"]), _rank(flip["rank_after"])
        )
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
        return labels | {"item_id": item, "title": ready.dataset.labels[row], "ranks": _ranks(found.ranks_of(row))}
    ids = ready.dataset.items[ITEM_ID].to_numpy()
    return labels | {"first": [[None if row < 0 else str(ids[row]) for row in line] for line in found.winners]}


def _ranks(found: Any) -> list[list[int | None]]:
    return [[None if rank != rank else int(rank) for rank in line] for line in found]


def _print_surface(found: dict[str, Any]) -> None:
    table = Table(escape(found["over"]), *map(escape, found["by_steps"][:_COLUMNS]))
    for label, line in zip(found["over_steps"], found.get("ranks") or found["first"], strict=True):
        table.add_row(escape(label), *(escape(str(value)) for value in line[:_COLUMNS]))
    Console().print(table)
    more = f" The first {_COLUMNS} columns are shown, --json has all." if len(found["by_steps"]) > _COLUMNS else ""
    print((f"Rank of {found['title']}." if "title" in found else "The item_id that is first.") + more)


@app.command("reread", hidden=True)
def reread_command(
    kind: Annotated[str, typer.Argument(help="scenario or people.")],
    path: Annotated[Path, typer.Argument(help="The file that somebody has uploaded.")],
    dataset: DatasetOption = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Read what somebody has uploaded to a page, in a process that is not the page's, and print it in our own words."""
    from recsys.whatif import Scenario, read_profiles

    if kind == "scenario":
        print_json(Scenario.from_json(read_bytes(path)).to_json())
        return
    settings = settings_of(data_dir)
    named = read_profiles(read_bytes(path), open_named(dataset or settings.dataset, settings))
    print_json({"names": named.names, "profiles": [profile.to_dict() for profile in named.profiles]})


@app.command("grid")
def grid_command(
    people: Annotated[
        Path | None,
        typer.Argument(help="CSV file of people; without one, every age, gender and category is combined."),
    ] = None,
    template: Annotated[bool, typer.Option("--template", help="Print an example of such a file instead.")] = False,
    lists: Annotated[Path | None, typer.Option(help="Write every list to this CSV file.")] = None,
    dataset: DatasetOption = None,
    k: LengthOption = "10",
    scorer: ScorerOption = None,
    popularity: PopularityOption = 1.0,
    unused: UnusedOption = None,
    encoder: EncoderName = None,
    device: DeviceName = None,
    data_dir: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Rank everything for up to 10,000 people: what they are shown, what never is, and where a profile changes nothing."""
    from recsys.recommender import Recommender
    from recsys.whatif import ListConfig, generate_profiles, rank_grid, read_profiles, template_csv

    settings = settings_of(data_dir, encoder, device)
    opened = open_named(dataset or settings.dataset, settings)
    if template:
        print(template_csv(opened), end="")
        return
    if people is not None:
        named = read_profiles(people, opened)
    else:
        ages = [float(age) for age in range(10, 81, 5)] if opened.age_range else [None]
        interests = [(), *((name[:MAX_INTEREST_LENGTH],) for name in opened.categories[:18])]
        named = generate_profiles(opened, ages=ages, genders=opened.genders or (None,), interests=interests)
    ready = Recommender.from_dataset(opened, scorer=scorer, settings=settings).ignoring(unused or ())
    found = rank_grid(ready, named, ListConfig(whole_number(k), popularity=popularity))
    if lists is not None:
        write_text(lists, found.lists_csv(opened))
    if as_json:
        print_json({"dataset": opened.name, "scorer": ready.scorer.name, **found.to_dict(opened)})
        return
    table = Table("shown most", "lists")
    for row in found.most_shown[:10]:
        table.add_row(escape(opened.labels[row]), f"{found.shown[row]:,}")
    Console().print(table)
    dead = found.cells["is_dead"]
    print(
        f"{len(found):,} people see {found.coverage:.1%} of the items; {len(found.never_shown):,} are never shown. Two people "
        f"share {found.mean_overlap:.0%} of their lists on average; {int(dead.sum())} of {len(dead)} groups are dead zones."
    )
