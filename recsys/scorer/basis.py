"""The facts of a person as numbers: age, gender and attributes, centred on the users that a model was fitted on."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from recsys.schema import Profile

AGE_WIDTH = 15.0
"""Years over which people are taken to resemble each other (standard deviation of a Gaussian)."""
GENDER_WEIGHT, CROSSED_WEIGHT = 0.5, 0.5
_N_KNOTS = 11
_MAX_VALUES = 200


@dataclass(frozen=True, eq=False)
class FactBasis:
    """Age, gender, attributes, and age by gender, as one row of numbers for each profile.

    The age is piecewise linear between knots (a hat basis), neighbouring knots correlated; categories are one-hot; age by
    gender is the product of the two, which is zero where either is missing. Each block is centred on the users who have
    it, so what is missing or unheard of is exactly zero.

    Attributes:
        knots: ages in years, ascending; empty where no age is known.
        genders: the values of the gender.
        attributes: attribute to its most frequent values, at most 200; rarer ones say nothing.
        attribute_weight: prior variance of an attribute's effect, relative to that of the age.
        centres: one mean per block, in the order of ``blocks``.
    """

    knots: tuple[float, ...]
    genders: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    attribute_weight: float
    centres: tuple[np.ndarray, ...]

    @classmethod
    def from_profiles(cls, profiles: Sequence[Profile], *, attribute_weight: float) -> "FactBasis":
        """Makes the basis of these users: knots at quantiles of their ages, values that occur, means."""
        ages = np.array([profile.age for profile in profiles if profile.age is not None])
        quantiles = np.quantile(ages, np.linspace(0, 1, _N_KNOTS)) if len(ages) else np.zeros(0)
        names = sorted({name for profile in profiles for name in profile.attributes})
        values = {name: _frequent(p.attributes[name] for p in profiles if name in p.attributes) for name in names}
        genders = tuple(sorted({profile.gender for profile in profiles if profile.gender}))
        draft = cls(tuple(float(age) for age in np.unique(quantiles)), genders, values, attribute_weight, ())
        main = tuple(_known_mean(draft._main(block, profiles)) for block in draft.blocks[:-1])
        both = [profile for profile in profiles if profile.age is not None and profile.gender in genders]
        crossed = _known_mean(cls(draft.knots, genders, values, attribute_weight, main)._crossed(both))
        return cls(draft.knots, genders, values, attribute_weight, (*main, crossed))

    @classmethod
    def from_values(
        cls,
        knots: tuple[float, ...],
        genders: tuple[str, ...],
        attributes: Mapping[str, tuple[str, ...]],
        *,
        attribute_weight: float,
    ) -> "FactBasis":
        """Makes the basis of what can be answered, without looking at anybody: as if all answers were equally frequent."""
        draft = cls(knots, genders, attributes, attribute_weight, ())
        ages = draft._smoothing.mean(axis=0) if knots else np.zeros(0)
        lists = ((GENDER_WEIGHT, genders), *((attribute_weight, known) for known in attributes.values()))
        even = (np.full(len(known), np.sqrt(weight) / max(1, len(known))) for weight, known in lists)
        crossed = np.zeros(len(knots) * len(genders))
        return cls(knots, genders, attributes, attribute_weight, (ages, *even, crossed))

    @property
    def blocks(self) -> tuple[str, ...]:
        """Facet keys of the blocks in order; the last one, age by gender, belongs to both."""
        return ("age", "gender", *(f"attribute:{name}" for name in self.attributes), "age by gender")

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """Block to its columns."""
        ends = np.cumsum([0, *(len(centre) for centre in self.centres)])
        return {block: slice(int(ends[n]), int(ends[n + 1])) for n, block in enumerate(self.blocks)}

    @property
    def dim(self) -> int:
        """Number of columns."""
        return sum(len(centre) for centre in self.centres)

    def rows(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, dim)`` float64."""
        parts = [self._centred(block, profiles) for block in self.blocks[:-1]]
        crossed = self._crossed(profiles)
        known = np.array([p.age is not None and p.gender in self.genders for p in profiles], bool)
        return np.hstack([*parts, np.where(known[:, None], crossed - self.centres[-1], 0.0)])

    def _centred(self, block: str, profiles: Sequence[Profile]) -> np.ndarray:
        values = self._main(block, profiles)
        return np.nan_to_num(values - self.centres[self.blocks.index(block)])

    def _crossed(self, profiles: Sequence[Profile]) -> np.ndarray:
        ages, genders = self._centred("age", profiles), self._centred("gender", profiles)
        scale = np.sqrt(CROSSED_WEIGHT / GENDER_WEIGHT)
        n_columns = ages.shape[1] * genders.shape[1]
        return scale * (ages[:, :, None] * genders[:, None, :]).reshape(len(profiles), n_columns)

    def _main(self, block: str, profiles: Sequence[Profile]) -> np.ndarray:
        """One block before centring; rows of ``NaN`` for what is missing or unheard of."""
        if block == "age":
            return self._ages(profiles)
        if block == "gender":
            return np.sqrt(GENDER_WEIGHT) * _one_hot([profile.gender for profile in profiles], self.genders)
        name = block.removeprefix("attribute:")
        values = [profile.attributes.get(name) for profile in profiles]
        return np.sqrt(self.attribute_weight) * _one_hot(values, self.attributes[name])

    def _ages(self, profiles: Sequence[Profile]) -> np.ndarray:
        ages = np.array([np.nan if profile.age is None else profile.age for profile in profiles], float)
        if not self.knots:
            return np.full((len(profiles), 0), np.nan)
        return hat_basis(ages, np.array(self.knots)) @ self._smoothing

    @cached_property
    def _smoothing(self) -> np.ndarray:
        """The square root of the knots' correlation: a ridge on its columns prefers smooth effects of age."""
        knots = np.array(self.knots)
        values, vectors = np.linalg.eigh(np.exp(-0.5 * ((knots[:, None] - knots) / AGE_WIDTH) ** 2))
        return vectors * np.sqrt(np.maximum(values, 0.0))

    def to_dict(self) -> dict[str, Any]:
        """Returns the basis as plain JSON values."""
        return {
            "knots": list(self.knots),
            "genders": list(self.genders),
            "attributes": {name: list(values) for name, values in self.attributes.items()},
            "attribute_weight": self.attribute_weight,
            "centres": [centre.tolist() for centre in self.centres],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FactBasis":
        """Returns the basis that ``to_dict`` wrote."""
        return cls(
            tuple(values["knots"]),
            tuple(values["genders"]),
            {name: tuple(known) for name, known in values["attributes"].items()},
            float(values["attribute_weight"]),
            tuple(np.array(centre, float) for centre in values["centres"]),
        )


def hat_basis(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Returns ``(n, n_knots)``: piecewise linear weights that sum to 1; values outside stay at the ends, ``NaN`` stays."""
    if len(knots) == 1:
        return np.where(np.isnan(values), np.nan, 1.0)[:, None]
    inside = np.clip(values, knots[0], knots[-1])
    left = np.clip(np.searchsorted(knots, inside, side="right") - 1, 0, len(knots) - 2)
    share = (inside - knots[left]) / (knots[left + 1] - knots[left])
    weights = np.zeros((len(values), len(knots)))
    rows = np.arange(len(values))
    weights[rows, left], weights[rows, left + 1] = 1 - share, share
    return weights


def _frequent(values: Iterable[str]) -> tuple[str, ...]:
    counts = Counter(values)
    return tuple(sorted(sorted(counts, key=lambda value: (-counts[value], value))[:_MAX_VALUES]))


def _one_hot(values: Sequence[str | None], known: Sequence[str]) -> np.ndarray:
    columns = {value: n for n, value in enumerate(known)}
    matrix = np.full((len(values), len(known)), np.nan)
    for row, value in enumerate(values):
        if value in columns:
            matrix[row] = 0.0
            matrix[row, columns[value]] = 1.0
    return matrix


def _known_mean(rows: np.ndarray) -> np.ndarray:
    known = rows[~np.isnan(rows).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.zeros(rows.shape[1])
