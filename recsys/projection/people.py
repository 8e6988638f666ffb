"""The users of a dataset as profiles, so that they stand on the same map as invented people."""

import numpy as np

from recsys.schema import Dataset, Profile
from recsys.training.histories import Histories

_MOST = 5_000


def people_of(dataset: Dataset, *, most: int = _MOST) -> list[Profile]:
    """Returns each user's profile as training sees it: facts, the first likes and the interests derived from them.

    Of more than ``most`` users, a sample of so many, always the same: more would cover the items, and take minutes to place.
    """
    rows = rows_of_people(dataset, most=most)
    if not len(rows):
        return []
    histories = Histories.from_dataset(dataset)
    if len(histories) <= most:
        return list(histories.profiles())
    return list(histories.of(rows).profiles(shares=histories.category_shares))


def rows_of_people(dataset: Dataset, *, most: int = _MOST) -> np.ndarray:
    """Returns which users ``people_of`` is about, as their rows in the dataset, ``(n,)``."""
    n = len(dataset.users) if len(dataset.likes) else 0
    return np.arange(n) if n <= most else np.sort(np.random.default_rng(0).choice(n, most, replace=False))
