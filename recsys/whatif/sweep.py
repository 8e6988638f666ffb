"""Sweeps: one facet moved over all its values, and what that does to every rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Dataset, Profile
from recsys.settings import MAX_INTEREST_LENGTH, MAX_INTERESTS
from recsys.whatif.edits import AGES, Edit
from recsys.whatif.panel import ListConfig, Panel

_WEIGHTS = tuple(weight / 4 for weight in range(9))
_SUGGESTED = 30
_MOST_VALUES = 60
"""Of an attribute, the most frequent ones."""


@dataclass(frozen=True)
class Step:
    """One value of an axis.

    Attributes:
        edits: what makes the person's profile into the one at this step.
        weights: facet key to the weight of its contribution, 1 where nothing is said; 0 silences it.
    """

    label: str
    edits: tuple[Edit, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    def apply(self, profile: Profile) -> Profile:
        """Returns the profile at this step."""
        for edit in self.edits:
            profile = edit.apply(profile)
        return profile


@dataclass(frozen=True)
class Axis:
    """What is swept.

    Attributes:
        key: stable name: ``age``, ``gender``, ``attribute:NAME``, ``interests``, ``weight:TEXT`` or ``liked``.
        label: on the screen.
        is_ordered: whether neighbouring steps belong together, so that flips between them mean something.
    """

    key: str
    label: str
    steps: tuple[Step, ...]
    is_ordered: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of every step."""
        return tuple(step.label for step in self.steps)


@dataclass(frozen=True)
class Flip:
    """An item that enters or leaves the top k between two steps.

    Attributes:
        step: number of the step at which it is different; of an unordered axis, compared with the person as they are.
        before, after: ranks; ``None`` where it may not be shown, being liked.
    """

    item_row: int
    step: int
    is_entering: bool
    before: int | None
    after: int | None


@dataclass(frozen=True, eq=False)
class Sweep:
    """Every rank over an axis.

    Attributes:
        top: ``(n_steps, k)`` item_rows, -1 where fewer may be shown.
        rows: items that are ever in the top k, ``(m,)``, those with the best mean rank first.
        ranks: ``(n_steps, m)``; where an item may not be shown, the rank that it would have.
        may_show: ``(n_steps, m)`` of bool; what is liked at a step is left out there.
        scores: ``(n_steps, m)``.
        profiles: one per step.
        base: the step that is the person as they are, ``None`` where the axis has none.
    """

    axis: Axis
    k: int
    top: np.ndarray
    rows: np.ndarray
    ranks: np.ndarray
    may_show: np.ndarray
    scores: np.ndarray
    profiles: tuple[Profile, ...]
    base: int | None

    @cached_property
    def flips(self) -> tuple[Flip, ...]:
        """Items that enter or leave, in the order of the steps."""
        found = []
        for step in range(len(self.profiles)):
            before = step - 1 if self.axis.is_ordered else self.base
            if before is None or before < 0 or before == step:
                continue
            inside, was = self.is_in[step], self.is_in[before]
            for place in np.flatnonzero(inside != was).tolist():
                ranks = self.rank_at(before, place), self.rank_at(step, place)
                found.append(Flip(int(self.rows[place]), step, bool(inside[place]), *ranks))
        return tuple(found)

    def rank_at(self, step: int, place: int) -> int | None:
        """Returns the rank of ``rows[place]`` at a step, ``None`` where it may not be shown."""
        return int(self.ranks[step, place]) if self.may_show[step, place] else None

    @cached_property
    def is_in(self) -> np.ndarray:
        """``(n_steps, m)`` of bool: whether each item is in the top k."""
        return np.stack([np.isin(self.rows, top) for top in self.top]) if len(self.top) else np.zeros((0, 0), bool)

    def to_dict(self, dataset: Dataset) -> dict[str, Any]:
        """Returns the sweep as plain JSON values."""
        ids = dataset.items[ITEM_ID].to_numpy()
        return {
            "axis": self.axis.key,
            "k": self.k,
            "steps": list(self.axis.labels),
            "top": [[str(ids[row]) for row in top if row >= 0] for top in self.top],
            "items": [
                {
                    "item_id": str(ids[row]),
                    "title": dataset.labels[row],
                    "ranks": [self.rank_at(step, n) for step in range(len(self.ranks))],
                }
                for n, row in enumerate(self.rows)
            ],
            "flips": [
                {
                    "item_id": str(ids[flip.item_row]),
                    "title": dataset.labels[flip.item_row],
                    "at": self.axis.labels[flip.step],
                    "enters": flip.is_entering,
                    "rank_before": flip.before,
                    "rank_after": flip.after,
                }
                for flip in self.flips
            ],
        }


@dataclass(frozen=True, eq=False)
class Surface:
    """Two axes at once.

    Attributes:
        panel: the profiles, the steps of the second axis running fastest.
    """

    first: Axis
    second: Axis
    panel: Panel

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of steps."""
        return len(self.first.steps), len(self.second.steps)

    def ranks_of(self, item_row: int) -> np.ndarray:
        """Returns ``(n_first, n_second)``, the rank of one item everywhere, ``NaN`` where it may not be shown."""
        ranks = self.panel.ranks(np.array([item_row]))[:, 0]
        may_show = np.array([mask[item_row] for mask in self.panel.allowed], bool)
        return np.where(may_show, ranks, np.nan).reshape(self.shape)

    @property
    def winners(self) -> np.ndarray:
        """``(n_first, n_second)``, the item_row that is first everywhere, -1 where nothing may be shown."""
        return np.asarray(self.panel.top[:, 0].reshape(self.shape))


def axes_of(recommender: Recommender, profile: Profile) -> tuple[Axis, ...]:
    """Returns everything that can be swept for a person: what the dataset knows, and what the profile says."""
    dataset = recommender.dataset
    found = []
    if dataset.age_range:
        found.append(Axis("age", "Age, 10 to 80", tuple(map(_age, AGES)), True))
    if dataset.genders:
        found.append(Axis("gender", "Gender", tuple(_set("gender", value) for value in dataset.genders), False))
    for name, values in dataset.user_attributes.items():
        steps = tuple(_set(f"attribute:{name}", value) for value in sorted(values[:_MOST_VALUES]))
        found.append(Axis(f"attribute:{name}", name.capitalize(), steps, False))
    found += _interest_axes(profile, dataset.categories)
    if len(profile.liked) > 0:
        found.append(Axis("liked", "Number of liked items", _numbers_of_liked(profile), True))
    return tuple(axis for axis in found if axis.steps)


def _age(age: int) -> Step:
    return Step(str(age), (Edit("age", "age", f"Make the age {age}", str(age)),))


def _set(key: str, value: str) -> Step:
    kind = "gender" if key == "gender" else "attribute"
    return Step(value, (Edit(key, kind, f"Make it {value}", value),))


def _interest_axes(profile: Profile, categories: Sequence[str]) -> list[Axis]:
    steps = [Step("as they are")]
    steps += [
        Step(f"without “{text}”", (Edit(f"interest:{text}", "drop interest", "", None),)) for text in profile.interests
    ]
    said = {text.lower() for text in profile.interests}
    if len(profile.interests) < MAX_INTERESTS:
        steps += [
            Step(f"with “{text}”", (Edit(f"interest:{text}", "add interest", "", text),))
            for text in [name[:MAX_INTEREST_LENGTH] for name in categories[:_SUGGESTED]]
            if text.lower() not in said
        ]
    found = [Axis("interests", "Interests, one on or off", tuple(steps), False)] if len(steps) > 1 else []
    for text in profile.interests:
        weighed = tuple(Step(f"{weight:g}", weights={f"interest:{text}": weight}) for weight in _WEIGHTS)
        found.append(Axis(f"weight:{text}", f"Weight of “{text}”", weighed, True))
    return found


def _numbers_of_liked(profile: Profile) -> tuple[Step, ...]:
    drops = [Edit(f"liked:{item_id}", "unlike", "", None) for item_id in profile.liked]
    return tuple(Step(str(n), tuple(drops[n:])) for n in range(len(drops) + 1))


def sweep(recommender: Recommender, profile: Profile, axis: Axis, config: ListConfig | None = None) -> Sweep:
    """Returns every rank over an axis, all steps in one batch; each step equals the list that its profile gets by itself.

    Raises:
        DataError: for a gender or an attribute that the dataset does not know.
        UnknownItemError: for a liked item that is not in the catalog.
    """
    config = config or ListConfig()
    panel = _weighed(_panel(recommender, [step.apply(profile) for step in axis.steps], config), axis.steps)
    top = panel.top
    rows = np.unique(top[top >= 0])
    ranks = panel.ranks(rows)
    order = np.lexsort((rows, ranks.mean(axis=0))) if len(rows) else rows
    same = [n for n, step in enumerate(axis.steps) if step.apply(profile) == profile and _is_plain(step)]
    return Sweep(
        axis=axis,
        k=config.k,
        top=top,
        rows=rows[order],
        ranks=ranks[:, order],
        may_show=np.stack([mask[rows[order]] for mask in panel.allowed]),
        scores=panel.scores(rows[order]),
        profiles=panel.profiles,
        base=same[0] if same else None,
    )


def sweep_two(
    recommender: Recommender, profile: Profile, first: Axis, second: Axis, config: ListConfig | None = None
) -> Surface:
    """Returns two axes at once, every pair of steps in one batch; the edits of the first are made before those of the second."""
    steps = [Step("", (*a.edits, *b.edits), {**a.weights, **b.weights}) for a in first.steps for b in second.steps]
    panel = _panel(recommender, [step.apply(profile) for step in steps], config or ListConfig())
    return Surface(first, second, _weighed(panel, steps))


def _panel(recommender: Recommender, profiles: Sequence[Profile], config: ListConfig) -> Panel:
    return Panel.from_profiles(recommender, profiles, config)


def _is_plain(step: Step) -> bool:
    return all(weight == 1 for weight in step.weights.values())


def _weighed(panel: Panel, steps: Sequence[Step]) -> Panel:
    """Returns the panel with the weights of its steps: a query is a sum over facets, so each can weigh more or less."""
    queries = panel.queries.astype(np.float64) if any(not _is_plain(step) for step in steps) else panel.queries
    found = {}
    for row, step in enumerate(steps):
        if _is_plain(step):
            continue
        profile = panel.profiles[row]
        if profile not in found:
            found[profile] = panel.recommender.scorer.facet_vectors(profile, popularity=panel.config.popularity)
        parts = found[profile]
        for facet, vector in zip(parts.facets, parts.vectors, strict=True):
            queries[row] += (step.weights.get(facet.key, 1.0) - 1.0) * vector
    return Panel(panel.recommender, panel.profiles, queries, panel.allowed, panel.config)
