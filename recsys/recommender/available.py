"""Which scorers there are, and which of them work for a dataset."""

from recsys.finetuning import tuned_key
from recsys.privacy import private_key
from recsys.schema import Dataset

SCORERS = ("additive", "fine-tuned", "private", "cosine")


def available_scorers(dataset: Dataset) -> tuple[str, ...]:
    """Returns the scorers that work for a dataset, its default first.

    ``additive`` needs other users' likes, ``fine-tuned`` a BERT that was trained on them, ``private`` a fit that was asked for,
    here or from the sums of other sites.
    """
    has_likes = len(dataset.users) > 0 and bool(dataset.popularity.any())
    works = {
        "additive": has_likes,
        "fine-tuned": has_likes and tuned_key(dataset) is not None,
        "private": private_key(dataset) is not None,
        "cosine": True,
    }
    return tuple(name for name in SCORERS if works[name])


def default_scorer(dataset: Dataset) -> str:
    """Returns ``additive`` where other users' likes are known, else what there is: a private fit, or ``cosine``."""
    return available_scorers(dataset)[0]
