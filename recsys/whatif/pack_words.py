"""What the stakeholder pack says in sentences: the summary of a comparison, how its lists were made, how far to trust it."""

from collections.abc import Iterator, Sequence

import numpy as np

from recsys.projection import Atlas
from recsys.recommender import Recommender
from recsys.whatif.compare import Change, Comparison
from recsys.whatif.pack_figures import signed
from recsys.whatif.scenario import Scenario

_NAMED, _TITLES = 4, 5
_WORTH_SAYING = 0.05
"""Smaller shares of a cause, or shifts of a category, are not put into words."""


def summary(comparison: Comparison) -> Iterator[str]:
    """Yields what changed, in sentences, most important first."""
    entered, left, moved = (comparison.of_kind(*kinds) for kinds in (("entered",), ("left",), ("up", "down")))
    n, longest = len(comparison.changes), max(len(comparison.first), len(comparison.second))
    if not n:
        yield "Both lists are empty."
    elif not (entered or left or moved):
        yield f"A and B see the same list, all {n} items in the same order."
    else:
        n_both = n - len(entered) - len(left)
        places = f", {len(moved)} of them at another place" if moved else " at the same place" if n_both else ""
        yield f"A and B share {n_both or 'none'} of {longest} items{places}."
    if entered:
        yield f"Only B sees {_titles(entered)}."
    if left:
        yield f"Only A sees {_titles(left)}."
    yield from _causes([*entered, *left, *moved])
    yield from _shifts(comparison)


def controls_in_words(scenario: Scenario) -> str:
    """Returns how the lists were made."""
    controls, keep = scenario.controls, scenario.keep
    told = [f"The {controls['k']} best items by the {scenario.scorer} scorer"]
    if controls["popularity"] != 1:
        told.append(f"popularity weighs {controls['popularity']:.0%}")
    if controls["diversity"]:
        told.append(f"diversity {controls['diversity']:.0%}, so places do not follow scores alone")
    told += [f"only {_listed(keep.categories, 'or')}"] if keep.categories else []
    told += [f"only years {keep.years[0]} to {keep.years[1]}"] if keep.years else []
    told += [f"only {name} {_listed(values, 'or')}" for name, values in keep.attributes.items()]
    return f"{'; '.join(told)}. What a person likes already is left out."


def trust_in_words(recommender: Recommender, comparison: Comparison, atlas: Atlas | None) -> Iterator[str]:
    """Yields what a reader should know before believing any of it."""
    dataset = recommender.dataset
    if recommender.scorer.name == "cosine":
        yield (
            "A score is the likeness of words (a cosine, at most 1) between the sentence about the person and the text of "
            "the item. Similarity is not taste: nothing was learned from what people like."
        )
    else:
        yield (
            f"A score is a sum: what is popular with everybody, plus what each part of the person adds, learned from "
            f"{len(dataset.likes):,} likes of {len(dataset.users):,} people. Higher is better; it is no probability."
        )
    if dataset.info.simulated:
        yield "The users and interactions of this dataset are simulated: this shows how the model behaves, not what people do."
    yield (
        "A and B are descriptions, not people. Their differences are those of the model, and they repeat the habits of the "
        "people in the data, fair or not. They do not show what a real person would choose, nor that one thing causes another."
    )
    if any(change.first_rank is None or change.second_rank is None for change in comparison.changes):
        yield "An item marked as liked is missing from one list only because that person likes it already."
    if atlas is not None:
        trust = atlas.trust
        if np.isnan(trust.trustworthiness):
            yield "The map is a quick flat picture, and how much of the truth it keeps was not measured."
        else:
            yield (
                f"The map is a flat picture of many dimensions: of an item's nearest neighbours it keeps {trust.mean_kept:.0%} "
                "near. Distances across the map mean little."
            )


def _causes(changed: Sequence[Change]) -> Iterator[str]:
    """The parts of the person that shifted the scores of what changed."""
    sizes: dict[str, float] = {}
    for part in (part for change in changed for part in change.shifts):
        sizes[part.label] = sizes.get(part.label, 0.0) + abs(part.value)
    total = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda pair: -pair[1])[:_NAMED]
    told = [f"{label} ({size / total:.0%})" for label, size in largest if size > _WORTH_SAYING * total]
    rest = total - sum(size for _, size in largest[: len(told)])
    told += [f"smaller parts ({rest / total:.0%})"] if told and rest >= 0.005 * total else []
    if told:
        yield f"What made the difference, as shares of all that shifted the scores of these items: {_listed(told)}."


def _shifts(comparison: Comparison) -> Iterator[str]:
    table = comparison.categories
    pairs = [(str(name), float(shift)) for name, shift in zip(table["category"], table["shift"], strict=True)]
    more = [_points(*pair) for pair in pairs if pair[1] >= _WORTH_SAYING][:_NAMED]
    less = [_points(*pair) for pair in reversed(pairs) if pair[1] <= -_WORTH_SAYING][:_NAMED]
    sides = [f"{side} {_listed(told)}" for side, told in (("more", more), ("less", less)) if told]
    if sides:
        yield f"For B there is {', and '.join(sides)}; points are percent of the list's items."
    if not np.isnan(comparison.likes).any():
        first, second = comparison.likes
        yield f"The items of A's list have {first:,.0f} likes on average in the data, those of B's list {second:,.0f}."
    if not np.isnan(comparison.price).any():
        yield f"Their mean price is {comparison.price[0]:,.2f} for A and {comparison.price[1]:,.2f} for B."


def _points(name: str, shift: float) -> str:
    return f"{name} ({signed(100 * shift, 0)} points)"


def _titles(changes: Sequence[Change]) -> str:
    n_named = len(changes) if len(changes) <= _TITLES + 1 else _TITLES
    titles = [f"“{change.title}”" for change in changes[:n_named]]
    more = len(changes) - len(titles)
    return _listed([*titles, f"{more} more"] if more else titles)


def _listed(texts: Sequence[str], last: str = "and") -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}"
