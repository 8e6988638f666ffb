"""Cold to warm: how a list changes while somebody likes and dislikes, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Influence, ItemFilter, Profile, Recommendations
from recsys.settings import MAX_LIKED
from recsys.whatif.lists import overlap


@dataclass(frozen=True)
class Reaction:
    """One like or dislike of one item."""

    item_id: str
    is_like: bool


@dataclass(frozen=True, eq=False)
class Stage:
    """What is shown after some reactions.

    Attributes:
        profile: the start with all that was liked so far.
        disliked: item_ids, in the order of the dislikes; they are left out of the list.
        influence: of the list, made as the list was.
        entered, left: item_ids against the stage before, in the order of their lists; an item that was reacted to leaves.
            Both are empty at the start.
        overlap: with the stage before, 1 at the start.
        overlap_with_start: with the first list.
    """

    profile: Profile
    disliked: tuple[str, ...]
    found: Recommendations
    influence: Influence
    entered: tuple[str, ...]
    left: tuple[str, ...]
    overlap: float
    overlap_with_start: float

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The list, best first."""
        return tuple(self.found.table[ITEM_ID])


def simulate(
    recommender: Recommender,
    start: Profile,
    reactions: Sequence[Reaction],
    *,
    k: int = 10,
    keep: ItemFilter | None = None,
    popularity: float = 1.0,
    diversity: float = 0.0,
) -> tuple[Stage, ...]:
    """Returns the start, then one stage for each reaction; the other arguments are those of ``Recommender.recommend``.

    A like becomes a liked item of the profile, as if the person had named it from the beginning. A dislike has no learned
    meaning in these scorers: nothing is concluded from it, the item is only left out of all further lists.

    Raises:
        DataError: for a second reaction to one item, a reaction to an item that the start likes, more than ``MAX_LIKED`` likes,
            or something out of range or unknown to the dataset.
        UnknownItemError: for an item that is not in the catalog.
    """
    _check(recommender, start, reactions)
    stages: list[Stage] = []
    profile = start
    disliked: tuple[str, ...] = ()
    for reaction in (None, *reactions):
        if reaction and reaction.is_like:
            profile = replace(profile, liked=(*profile.liked, reaction.item_id))
        elif reaction:
            disliked = (*disliked, reaction.item_id)
        found = recommender.recommend(
            profile, k=k, exclude=disliked, keep=keep, popularity=popularity, diversity=diversity
        )
        influence = recommender.influence(found, exclude=disliked, keep=keep)
        stages.append(_stage(profile, disliked, found, influence, stages))
    return tuple(stages)


def side_by_side(first: Sequence[Stage], second: Sequence[Stage]) -> np.ndarray:
    """Returns ``(n_stages,)``: the overlap of two people's lists at each stage. It rises where they grow alike.

    Raises:
        DataError: if one of them has more stages than the other.
    """
    if len(first) != len(second):
        fix = "Simulate both with the same number of reactions."
        raise DataError("The two simulations differ in length", f"{len(first)} and {len(second)} stages", fix=fix)
    pairs = zip(first, second, strict=True)
    return np.array([_overlap(one.item_ids, two.item_ids) for one, two in pairs])


def _stage(
    profile: Profile,
    disliked: tuple[str, ...],
    found: Recommendations,
    influence: Influence,
    stages: Sequence[Stage],
) -> Stage:
    now: tuple[str, ...] = tuple(found.table[ITEM_ID])
    before = stages[-1].item_ids if stages else now
    return Stage(
        profile,
        disliked,
        found,
        influence,
        entered=tuple(item_id for item_id in now if item_id not in before),
        left=tuple(item_id for item_id in before if item_id not in now),
        overlap=_overlap(before, now),
        overlap_with_start=_overlap(stages[0].item_ids if stages else now, now),
    )


def _overlap(first: Sequence[str], second: Sequence[str]) -> float:
    return overlap(np.array(first, dtype=object), np.array(second, dtype=object))


def _check(recommender: Recommender, start: Profile, reactions: Sequence[Reaction]) -> None:
    dataset = recommender.dataset
    seen = set(start.liked)
    for step, reaction in enumerate(reactions, 1):
        label = dataset.labels[dataset.item_row(reaction.item_id)]
        if reaction.item_id in seen:
            what = (
                "This item is liked from the start" if reaction.item_id in start.liked else "This item had a reaction"
            )
            raise DataError(what, f"{label} (reaction {step})", fix="React to each item once, and to no liked one.")
        seen.add(reaction.item_id)
    n_liked = len(start.liked) + sum(reaction.is_like for reaction in reactions)
    if n_liked > MAX_LIKED:
        raise DataError(
            "There are too many likes", n_liked, fix=f"Keep at most {MAX_LIKED}, those of the start included."
        )
