"""Which scorers there are, and which of them work for a dataset."""

from recsys.schema import Dataset

SCORERS = ("additive", "cosine")


def available_scorers(dataset: Dataset) -> tuple[str, ...]:
    """Returns the scorers that work for a dataset, its default first: ``additive`` needs other users' likes."""
    return SCORERS if len(dataset.users) and dataset.popularity.any() else ("cosine",)


def default_scorer(dataset: Dataset) -> str:
    """Returns ``additive`` where other users' likes are known, else ``cosine``."""
    return available_scorers(dataset)[0]
