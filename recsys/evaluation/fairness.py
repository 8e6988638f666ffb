"""Fairness: whom a recommender serves worse, shows other things, or would show other things to if they were someone else.

Everything is measured on real people who were held out from training, by gender, by age and by both. What is called a
difference has survived the comparison of everything with everything in ``recsys.evaluation.comparisons``; groups of fewer than
ten people are hidden as ``recsys.suppression`` has it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import DataError
from recsys.evaluation.comparisons import N_DRAWS, Family, Gap, compare_groups
from recsys.evaluation.evaluation import OURS, Evaluation
from recsys.evaluation.protocols import Level, levels
from recsys.evaluation.slices import UNKNOWN, groups_of, in_order, shown_counts, tested_people
from recsys.evaluation.swaps import Swap, swap_lists
from recsys.intervals import Interval
from recsys.recommender import Recommender
from recsys.schema import AGE, GENDER, Dataset, Profile
from recsys.suppression import MIN_GROUP, suppress
from recsys.training import Histories
from recsys.whatif.lists import category_shares, exposure, mean_likes

ALPHA = 0.04
"""Chance that a report calls anything a difference where there is none. It is to stay below 5 %; the rest is for groups whose
values spread unequally, for which draws by lot are exact only when the groups are large."""
QUALITY = ("nDCG@10", "R@20")
LIKES = "likes of the items"
BOTH = "gender and age"
SPLITS = (GENDER, AGE, BOTH)
_SEEN, _MOST_CATEGORIES = 0.01, 40


@dataclass(frozen=True)
class Exposure:
    """What the lists of a group show, beside what the group went on to like and beside everyone else.

    Attributes:
        split: ``gender``, ``age`` or ``gender and age``.
        shown: share of the attention that the lists give a category, or mean likes of the listed items; beside everyone else.
        liked: mean of the same over what these people went on to like.
        gap: shown less liked, beside that of everyone else: what taste does not explain.
    """

    split: str
    shown: Gap
    liked: float
    gap: Gap


@dataclass(frozen=True)
class Quality:
    """How good lists are for a group, beside everyone else."""

    split: str
    gap: Gap


@dataclass(frozen=True, eq=False)
class FairnessReport:
    """What was found.

    Attributes:
        level: what was revealed of the people.
        n_users: test users with a list.
        sizes: by split: every group and its number of people, ``None`` where it is hidden.
        quality: by group and measure.
        exposure: by group and category, and for the likes of the items, which comes first.
        later: by split: mean number of likes that are to be found, for each group that is shown; where it is larger, a list of
            ten hits more easily.
        swaps: what another gender or age would change, by the recommender in use; empty where none was given.
    """

    dataset: str
    level: str
    n_users: int
    sizes: dict[str, dict[str, int | None]]
    later: dict[str, dict[str, float]]
    quality: tuple[Quality, ...]
    exposure: tuple[Exposure, ...]
    swaps: tuple[Swap, ...]
    command: str

    @property
    def n_found(self) -> int:
        """How many comparisons are called a difference."""
        gaps = [part.gap for part in self.quality]
        gaps += [gap for part in self.exposure for gap in (part.shown, part.gap)]
        return sum(gap.is_found for gap in gaps)

    @property
    def has_hidden(self) -> bool:
        """Whether any group is hidden."""
        return any(n is None for groups in self.sizes.values() for n in groups.values())

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as plain JSON values; hidden numbers are the text that stands for them."""
        return {
            "dataset": self.dataset,
            "level": self.level,
            "n_users": self.n_users,
            "alpha": ALPHA,
            "groups": {
                split: {group: "hidden" if n is None else n for group, n in groups.items()}
                for split, groups in self.sizes.items()
            },
            "hidden_below": MIN_GROUP,
            "later_likes": self.later,
            "quality": [{"by": part.split, **_plain(part.gap)} for part in self.quality],
            "exposure": [
                {"by": part.split, **_plain(part.shown), "liked_later": part.liked, "beyond_taste": _plain(part.gap)}
                for part in self.exposure
            ],
            "swaps": [_plain_swap(swap) for swap in self.swaps],
            "command": self.command,
        }


def report_fairness(
    evaluation: Evaluation,
    dataset: Dataset,
    *,
    level: str | None = None,
    recommender: Recommender | None = None,
    n_draws: int = N_DRAWS,
) -> FairnessReport:
    """Reads a kept evaluation by group of people; the three kinds of questions share the chance of a false alarm.

    Args:
        level: of the evaluation; what reveals interests and no liked items by default, else the first.
        recommender: answers for the same people with another gender or age.

    Raises:
        DataError: for an evaluation that hides items instead of people, a level that it has not, or a dataset that knows
            neither genders nor ages.
    """
    chosen = _level(evaluation, level)
    people, kept, is_listed = _with_lists(evaluation, dataset, chosen.name)
    groups, sizes = groups_and_sizes(people)
    if not groups:
        told = f"{len(people)} people with a list"
        fix = f"It takes a dataset that knows the gender or age of its users, and groups of at least {MIN_GROUP}."
        raise DataError("There are no groups of people to compare", told, fix=fix)
    histories = Histories.from_dataset(dataset)
    rows = {user_id: row for row, user_id in enumerate(histories.user_ids)}
    users = np.array([rows[user_id] for user_id in people.index])
    n_later = np.array([len(histories.later(user)) for user in users], float)
    later = {by: {name: float(n_later[own].mean()) for name, own in parts.items()} for by, parts in groups.items()}
    quality = {
        name: values[is_listed]
        for name in QUALITY
        if (values := evaluation.values(OURS, chosen.name, name)) is not None
    }
    names, shown, liked = _exposure(dataset, histories, users, list(kept))
    # differences in quality are the smallest and the hardest to find, so they get half of the chance
    families = [Family(n, ALPHA * share) for n, share in ((len(quality), 0.5), (len(names), 0.25), (len(names), 0.25))]
    gaps = compare_groups(
        np.column_stack([*quality.values(), shown, shown - liked]),
        [*quality, *names, *names],
        {f"{split}\n{name}": own for split, parts in groups.items() for name, own in parts.items()},
        families=families,
        n_draws=n_draws,
    )
    found = _by_split(gaps, groups, len(quality) + 2 * len(names))
    return FairnessReport(
        dataset.name,
        chosen.name,
        len(people),
        sizes,
        later,
        tuple(Quality(split, gap) for split, _, own in found for gap in own[: len(quality)]),
        tuple(
            Exposure(split, own[len(quality) + n], float(mean), own[len(quality) + len(names) + n])
            for split, inside, own in found
            for n, mean in enumerate(liked[inside].mean(axis=0))
        ),
        _swaps(recommender, histories, users, chosen, groups, people),
        f"recsys fairness --dataset {dataset.name} --level {chosen.name}",
    )


def _with_lists(evaluation: Evaluation, dataset: Dataset, level: str) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    """The tested people who were shown something, their lists, and which of all tested people they are."""
    people = tested_people(evaluation, dataset, OURS, level)
    kept = evaluation.lists[evaluation.lists["level"] == level].set_index("user_id")["item_ids"].loc[people.index]
    is_listed = kept.map(len).to_numpy() > 0
    return people[is_listed], kept[is_listed], is_listed


def _level(evaluation: Evaluation, name: str | None) -> Level:
    if evaluation.plan.protocol != "cold-user":
        fix = "Run `recsys evaluate --protocol cold-user`."
        raise DataError("This evaluation hides items, not people", evaluation.plan.protocol, fix=fix)
    asked = {level.name: level for level in levels(evaluation.plan.shots) if level.name in evaluation.levels}
    chosen = name or ("demographics+interests" if "demographics+interests" in asked else evaluation.levels[0])
    if chosen not in asked:
        raise DataError("The evaluation has no such level", chosen, fix=f"Use one of: {', '.join(asked)}.")
    return asked[chosen]


def groups_and_sizes(
    people: pd.DataFrame,
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, dict[str, int | None]]]:
    """Returns who is in each group that may be shown, by split, and the number of people of every group.

    A split is left out where everybody is in one group, and the one by both where one of the two is left out.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    sizes: dict[str, dict[str, int | None]] = {}
    labels = {by: groups_of(people, by) for by in (GENDER, AGE)}
    for by, own in labels.items():
        counts = shown_counts(own)
        if len(counts) > 1:
            sizes[by] = counts
            found[by] = {group: own == group for group, n in counts.items() if n is not None}
    if len(sizes) == 2:
        sizes[BOTH], found[BOTH] = _two_way(labels)
    return {split: groups for split, groups in found.items() if groups}, sizes


def _two_way(labels: dict[str, np.ndarray]) -> tuple[dict[str, int | None], dict[str, np.ndarray]]:
    genders, bands = (in_order(np.unique(own.astype(str))) for own in labels.values())
    inside = [[(labels[GENDER] == gender) & (labels[AGE] == band) for band in bands] for gender in genders]
    table = np.array([[part.sum() for part in row] for row in inside])
    order = [
        np.argsort(np.argsort(names)) for names in (genders, bands)
    ]  # ties are broken as in the tables of each alone
    hidden = suppress(table[np.argsort(order[0])][:, np.argsort(order[1])]).cells[order[0]][:, order[1]]
    sizes: dict[str, int | None] = {}
    found: dict[str, np.ndarray] = {}
    for row, gender in enumerate(genders):
        for column, band in enumerate(bands):
            name, n = f"{gender}, {band}", int(table[row, column])
            sizes[name] = None if hidden[row, column] else n
            if n and not hidden[row, column]:
                found[name] = inside[row][column]
    return {name: n for name, n in sizes.items() if n != 0}, found


def _by_split(
    gaps: Sequence[Gap], groups: dict[str, dict[str, np.ndarray]], n: int
) -> list[tuple[str, np.ndarray, list[Gap]]]:
    """Split, who is in it, and the gaps of every group."""
    found = []
    for start in range(0, len(gaps), n):
        split, _, name = gaps[start].group.partition("\n")
        own = [replace(gap, group=name) for gap in gaps[start : start + n]]
        found.append((split, groups[split][name], own))
    return found


def _exposure(
    dataset: Dataset, histories: Histories, users: np.ndarray, lists: Sequence[Sequence[str]]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of what is looked at, and what of it lists show and what the same people went on to like, ``(n_users, n_names)``."""
    listed = [np.array([dataset.item_row(item_id) for item_id in ids]) for ids in lists]
    later = [histories.later(user) for user in users]
    shown = np.array([[mean_likes(dataset, rows), *exposure(dataset, rows)] for rows in listed])
    liked = np.array([[mean_likes(dataset, rows), *category_shares(dataset, rows)] for rows in later])
    means = shown.mean(axis=0)
    seen = 1 + np.flatnonzero(means[1:] >= _SEEN)
    columns = np.array([0, *seen[np.argsort(-means[seen], kind="stable")][:_MOST_CATEGORIES]], int)
    names = [LIKES, *(dataset.categories[column - 1] for column in columns[1:])]
    return names, shown[:, columns], liked[:, columns]


def _swaps(
    recommender: Recommender | None,
    histories: Histories,
    users: np.ndarray,
    level: Level,
    groups: dict[str, dict[str, np.ndarray]],
    people: pd.DataFrame,
) -> tuple[Swap, ...]:
    if recommender is None:
        return ()
    everybody = histories.of(users).profiles(shares=histories.category_shares)
    profiles = [_known(level.of(profile), recommender.dataset) for profile in everybody]
    ages = people[AGE].to_numpy(float, na_value=np.nan) if AGE in people else np.zeros(0)
    middle = {band: float(np.median(ages[own])) for band, own in groups.get(AGE, {}).items() if band != UNKNOWN}
    return tuple(swap_lists(recommender, profiles, groups, middle))


def _known(profile: Profile, dataset: Dataset) -> Profile:
    """Without a value of an attribute that the dataset has but does not offer."""
    kept = {name: value for name, value in profile.attributes.items() if value in dataset.user_attributes[name]}
    return Profile(profile.age, profile.gender, kept, profile.interests, profile.liked)


def _plain(gap: Gap) -> dict[str, Any]:
    found = {name: _number(value) for name, value in asdict(gap).items() if name != "mean"}
    return found | {"mean": _of(gap.mean), "n": gap.mean.n}


def _plain_swap(swap: Swap) -> dict[str, Any]:
    return {
        "facet": swap.facet,
        "group": swap.group,
        "n": swap.jaccard.n,
        "overlap@10": _of(swap.overlap),
        "rank_biased_overlap@20": _of(swap.rank_biased),
        "jaccard@20": _of(swap.jaccard),
        "category": swap.category,
        "category_exposure_ratio": _of(swap.ratio),
        "is_flagged": swap.is_flagged,
    }


def _of(found: Interval | None) -> dict[str, Any] | None:
    return None if found is None else {name: _number(value) for name, value in found.to_dict().items()}


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
