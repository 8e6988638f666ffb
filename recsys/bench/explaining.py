"""How long an explanation takes, as the page asks for it: the list, the explanation, and what else one click needs."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from recsys.explanation import FIRST_LAST, contrast
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Profile
from recsys.whatif import bring_in

_PROFILES, _ITEMS = 20, 30


def time_explanations(recommender: Recommender, profiles: list[Profile]) -> dict[str, Any]:
    """Returns p50 and p95 in milliseconds for a changed item, a changed profile, a contrast and a why-not.

    A changed profile is new to every cache; a changed item is explained for a profile that is on the screen already.
    """
    ids = recommender.dataset.items[ITEM_ID]
    rng = np.random.default_rng(0)
    items = [str(ids.iloc[int(row)]) for row in rng.choice(len(ids), min(_ITEMS, len(ids)), replace=False)]
    shown = profiles[0]

    def profile_changed(profile: Profile) -> None:
        best = recommender.recommend(profile, k=10).table[ITEM_ID].iloc[0]
        recommender.explain(profile, best, tier=FIRST_LAST)

    def item_changed(item_id: str) -> None:
        recommender.recommend(shown, k=10)
        recommender.explain(shown, item_id, tier=FIRST_LAST)

    def against(item_id: str) -> None:
        other = recommender.explain(shown, items[0], tier=FIRST_LAST)
        contrast(recommender.explain(shown, item_id, tier=FIRST_LAST), other)

    profile_changed(shown)
    bring_in(recommender, shown, items[0])
    return {
        "changed_item": _times([partial(item_changed, item_id) for item_id in items]),
        "changed_profile": _times([partial(profile_changed, profile) for profile in profiles[1 : _PROFILES + 1]]),
        "contrast": _times([partial(against, item_id) for item_id in items[1:]]),
        "why_not": _times([partial(bring_in, recommender, shown, item_id) for item_id in items[1:11]])
        | {"single_edits": sum(bring_in(recommender, shown, items[1]).tried.values())},
    }


def _times(calls: list[Callable[[], object]]) -> dict[str, float]:
    taken = []
    for call in calls:
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    return {"p50_ms": round(float(np.percentile(taken, 50)), 1), "p95_ms": round(float(np.percentile(taken, 95)), 1)}
