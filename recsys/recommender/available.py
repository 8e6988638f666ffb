"""Which scorers there are, and which of them work for a dataset."""

from recsys.finetuning import tuned_key
from recsys.schema import Dataset

SCORERS = ("additive", "fine-tuned", "cosine")


def available_scorers(dataset: Dataset) -> tuple[str, ...]:
    """Returns the scorers that work for a dataset, its default first.

    ``additive`` needs other users' likes, ``fine-tuned`` a BERT that was trained on them.
    """
    if not len(dataset.users) or not dataset.popularity.any():
        return ("cosine",)
    return SCORERS if tuned_key(dataset) else ("additive", "cosine")


def default_scorer(dataset: Dataset) -> str:
    """Returns ``additive`` where other users' likes are known, else ``cosine``."""
    return available_scorers(dataset)[0]
