"""The users of a dataset as profiles, so that they stand on the same map as invented people."""

import numpy as np

from recsys.schema import Dataset, Profile
from recsys.training.histories import Histories

_MOST = 5_000


def people_of(dataset: Dataset, *, most: int = _MOST) -> list[Profile]:
    """Returns each user's profile as training sees it: facts, the first likes and the interests derived from them.

    Of more than ``most`` users, a sample of so many, always the same: more would cover the items, and take minutes to place.
    """
    if not len(dataset.users) or not len(dataset.likes):
        return []
    histories = Histories.from_dataset(dataset)
    if len(histories) <= most:
        return list(histories.profiles())
    users = np.sort(np.random.default_rng(0).choice(len(histories), most, replace=False))
    return list(histories.of(users).profiles(shares=histories.category_shares))
