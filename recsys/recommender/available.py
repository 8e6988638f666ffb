"""Which scorers there are, and which of them work for a dataset."""

from recsys.finetuning import tuned_key
from recsys.privacy import FEDERATED, private_key
from recsys.schema import Dataset
from recsys.transfer import TRANSFERRED, transferred_key

SCORERS = ("additive", "fine-tuned", "private", "federated", "transferred", "cosine")


def available_scorers(dataset: Dataset) -> tuple[str, ...]:
    """Returns the scorers that work for a dataset, its default first.

    ``additive`` needs other users' likes, ``fine-tuned`` a BERT that was trained on them, ``private`` a fit that was asked for,
    ``federated`` the sums of sites, ``transferred`` that something was carried over from another dataset.
    """
    has_likes = len(dataset.users) > 0 and bool(dataset.popularity.any())
    works = {
        "additive": has_likes,
        "fine-tuned": has_likes and tuned_key(dataset) is not None,
        "private": private_key(dataset) is not None,
        "federated": private_key(dataset, FEDERATED) is not None,
        TRANSFERRED: transferred_key(dataset) is not None,
        "cosine": True,
    }
    return tuple(name for name in SCORERS if works[name])


def default_scorer(dataset: Dataset) -> str:
    """Returns ``additive`` where other users' likes are known, else what there is: a fit that is kept, or ``cosine``."""
    return available_scorers(dataset)[0]
