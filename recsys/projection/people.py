"""The users of a dataset as profiles, so that they stand on the same map as invented people."""

from recsys.schema import Dataset, Profile
from recsys.training.histories import Histories


def people_of(dataset: Dataset) -> list[Profile]:
    """Returns each user's profile as training sees it: facts, the first likes and the interests derived from them."""
    if not len(dataset.users) or not len(dataset.likes):
        return []
    return list(Histories.from_dataset(dataset).profiles())
