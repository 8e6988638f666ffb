"""The users of a dataset as profiles, so that they stand on the same map as invented people."""

import numpy as np

from recsys.projection.spaces import ItemSpace
from recsys.schema import Dataset, Profile
from recsys.training.histories import Histories
from recsys.views.view import TEXT

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
    n = len(dataset.users) if len(dataset.likes) or dataset.user_vectors is not None else 0
    return np.arange(n) if n <= most else np.sort(np.random.default_rng(0).choice(n, most, replace=False))


def vectors_of_people(dataset: Dataset, space: ItemSpace, *, most: int = _MOST) -> np.ndarray | None:
    """Returns the vectors that came with the users of ``people_of``, ``(n, dim)`` float32; they lie where items' own vectors do.

    ``None`` where none came, or the space is another one: there the users lie where their profiles do.
    """
    if dataset.user_vectors is None or space.name != TEXT:
        return None
    return np.asarray(dataset.user_vectors[rows_of_people(dataset, most=most)], np.float32)
