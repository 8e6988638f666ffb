"""User features: a profile as a list of indicators, the form in which feature-based rivals know a user."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from recsys.schema import ITEM_ID, Dataset, Profile
from recsys.training import N_REVEALED, Histories

_BAND = 10  # years


@dataclass(frozen=True)
class UserFeatures:
    """Which indicators there are: age bands, genders, attribute values, interests (the categories) and liked items.

    Attributes:
        columns: the name of an indicator to its column, for example ``age:20``, ``liked:42``.
    """

    columns: dict[str, int]

    @classmethod
    def from_histories(cls, histories: Histories) -> "UserFeatures":
        """Collects what the training users have; liked items only where somebody liked them."""
        dataset = histories.dataset
        found: dict[str, None] = {}
        for profile in histories.profiles():
            found.update(dict.fromkeys(_names(profile)))
        found.update(dict.fromkeys(f"interest:{name.casefold()}" for name in dataset.categories))
        ids = dataset.items[ITEM_ID].to_numpy()
        found.update(dict.fromkeys(f"liked:{item_id}" for item_id in ids[np.unique(histories.all_likes.indices)]))
        return cls({name: column for column, name in enumerate(sorted(found))})

    def __len__(self) -> int:
        return len(self.columns)

    def rows(self, profile: Profile) -> np.ndarray:
        """Returns the columns of a profile's indicators; unknown ones are dropped."""
        return np.array([self.columns[name] for name in _names(profile) if name in self.columns], dtype=np.int64)

    def liked_columns(self, dataset: Dataset) -> np.ndarray:
        """Returns the column of each item as a liked one, ``(n_items,)``; -1 for an item that nobody liked."""
        return np.array(
            [self.columns.get(f"liked:{item_id}", -1) for item_id in dataset.items[ITEM_ID]], dtype=np.int64
        )

    def matrix(self, profiles: Sequence[Profile]) -> sparse.csr_matrix:
        """Returns ``(n_profiles, n_features)`` float32; a row sums to 1, or to 0 for an empty profile."""
        rows = [self.rows(profile) for profile in profiles]
        counts = np.array([len(part) for part in rows], dtype=int)
        values = np.repeat(1 / np.maximum(counts, 1), counts).astype(np.float32)
        columns = np.concatenate([*rows, np.zeros(0, np.int64)])
        return sparse.csr_matrix((values, columns, np.cumsum([0, *counts])), shape=(len(rows), len(self)))


def _names(profile: Profile) -> Iterator[str]:
    if profile.age is not None:
        yield f"age:{int(profile.age // _BAND) * _BAND}"
    if profile.gender:
        yield f"gender:{profile.gender}"
    yield from (f"attribute:{name}={value}" for name, value in profile.attributes.items())
    yield from (f"interest:{text.casefold()}" for text in profile.interests)
    yield from (f"liked:{item_id}" for item_id in profile.liked)


def liked_matrix(profiles: Sequence[Profile], dataset: Dataset) -> sparse.csr_matrix:
    """Returns ``(n_profiles, n_items)`` float64, 1 for an item that the profile likes."""
    rows = [[dataset.item_row(item_id) for item_id in profile.liked] for profile in profiles]
    columns = np.array([row for part in rows for row in part], dtype=np.int64)
    starts = np.cumsum([0, *(len(part) for part in rows)])
    return sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(rows), len(dataset.items)))


def known_only(scores: np.ndarray, *, profiles: Sequence[Profile], popularity: np.ndarray) -> np.ndarray:
    """Returns the scores of a method of likes alone, ``NaN`` where it knows nothing.

    That is for an item that nobody liked and for a profile without liked items. Equal scores are ordered by popularity, since
    such methods give most items the same score after one like.
    """
    step = np.abs(scores).max(initial=0.0) * 1e-9 + 1e-300
    found = scores + step * popularity / max(1, popularity.max(initial=0))
    found[:, popularity == 0] = np.nan
    found[[not profile.liked for profile in profiles]] = np.nan
    return found


def chosen_likes(histories: Histories, later_only: bool) -> sparse.csr_matrix:
    """Returns all likes, as the methods of the field count them, or those after the revealed ones (for ablations)."""
    return histories.later_likes if later_only else histories.all_likes


def first_few(liked: np.ndarray, rng: np.random.Generator, *, least: int) -> np.ndarray:
    """Returns a random number of a user's earliest likes: as many as a profile may have, but at most half of all.

    The earliest, because those are what a new user shows; trained on any others, methods rank much worse for new users.
    """
    most = min(N_REVEALED, len(liked) // 2)
    return liked[: rng.integers(min(least, most), most + 1)]


def training_samples(
    histories: Histories, rng: np.random.Generator, *, later_only: bool
) -> tuple[list[Profile], sparse.csr_matrix]:
    """Returns two profiles per training user and the likes that each should predict, ``(n_samples, n_items)``.

    One profile is without liked items and one with the first few, which are not to be predicted from themselves: a method
    trained on these can rank for new users of any level.

    Args:
        later_only: whether a revealed like is never to be predicted, whatever was shown (an ablation).
    """
    ids = histories.dataset.items[ITEM_ID].to_numpy()
    profiles, rows = [], []
    for user, (full, liked) in enumerate(zip(histories.profiles(), histories.liked, strict=True)):
        n_shown = len(first_few(liked, rng, least=1))
        profiles += [replace(full, liked=()), replace(full, liked=tuple(ids[liked[:n_shown]]))]
        rows += [histories.later(user)] * 2 if later_only else [liked, liked[n_shown:]]
    columns = np.concatenate([*rows, np.zeros(0, np.int64)])
    starts = np.cumsum([0, *(len(part) for part in rows)])
    return profiles, sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(rows), len(ids)))
