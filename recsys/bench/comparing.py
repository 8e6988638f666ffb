"""How long what-if questions take, as the Compare page asks them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Profile
from recsys.whatif import NamedProfiles, axes_of, bring_in, compare, rank_grid, sweep, sweep_two

_REPEATS, _GRID, _SENTENCES = 15, 10_000, 1_000
"""A scorer without a prior reads a sentence for each person, so its grid is smaller."""


def time_comparisons(recommender: Recommender, profiles: list[Profile]) -> dict[str, Any]:
    """Returns p50 and p95 in milliseconds of a comparison, sweeps, and a counterfactual of one edit, and seconds of a grid.

    Every question is about a person that no cache knows.
    """
    dataset = recommender.dataset
    people = [replace(profile, age=(profile.age or 30.0) + 0.003) for profile in profiles[: _REPEATS + 1]]
    pairs = list(pairwise(people))
    compare(recommender, people[-1], people[0])
    found: dict[str, Any] = {
        "a_against_b": _times([partial(compare, recommender, *pair) for pair in pairs]),
    }
    axes = {axis.key: axis for axis in axes_of(recommender, people[0])}
    if "age" in axes:
        found["sweep_of_ages"] = _times([partial(sweep, recommender, one, axes["age"]) for one in people[1:6]])
    if "age" in axes and "gender" in axes:
        both = [partial(_everywhere, recommender, one, axes) for one in people[6:11]]
        found["sweep_of_ages_by_genders"] = _times(both) | {"profiles": 71 * len(dataset.genders)}
    ids = [str(item_id) for item_id in dataset.items[ITEM_ID].iloc[:: max(1, len(dataset.items) // _REPEATS)]]
    found["counterfactual"] = _counterfactuals(recommender, people[2], ids)
    has_prior = any(facet.kind == "prior" for facet in recommender.scorer.facet_vectors(Profile()).facets)
    found["grid"] = _grid(recommender, people, _GRID if has_prior else _SENTENCES)
    return found


def _counterfactuals(recommender: Recommender, profile: Profile, ids: Sequence[str]) -> dict[str, float]:
    """Only items that are not in the list, so that every edit is tried."""
    taken, tried = [], []
    for item_id in ids:
        started = time.perf_counter()
        answer = bring_in(recommender, profile, item_id)
        if not answer.is_in:
            taken.append(1000 * (time.perf_counter() - started))
            tried.append(sum(answer.tried.values()))
    return _percentiles(taken) | {"single_edits": int(np.median(tried)) if tried else 0}


def _everywhere(recommender: Recommender, profile: Profile, axes: Any) -> None:
    found = sweep_two(recommender, profile, axes["age"], axes["gender"])
    assert found.winners.size and found.ranks_of(0).size


def _grid(recommender: Recommender, people: list[Profile], n: int) -> dict[str, float]:
    ages = np.linspace(10, 80, n // len(people) + 1)
    many = [replace(one, age=float(age)) for one in people for age in ages][:n]
    named = NamedProfiles(tuple(map(str, range(len(many)))), tuple(many))
    started = time.perf_counter()
    assert len(rank_grid(recommender, named).cells)
    return {"profiles": len(many), "seconds": round(time.perf_counter() - started, 2)}


def _times(calls: Sequence[Callable[[], object]]) -> dict[str, float]:
    taken = []
    for call in calls:
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    return _percentiles(taken)


def _percentiles(taken: Sequence[float]) -> dict[str, float]:
    if not taken:
        return {}
    return {"p50_ms": round(float(np.percentile(taken, 50)), 1), "p95_ms": round(float(np.percentile(taken, 95)), 1)}
