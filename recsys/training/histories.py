"""What each user liked, in order of time, and the profile that a user would have had on the first day."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from recsys.schema import AGE, GENDER, ITEM_ID, TIMESTAMP, USER_ID, Dataset, Profile
from recsys.settings import MAX_AGE, MAX_INTEREST_LENGTH

N_REVEALED = 5
N_INTERESTS = 3


@dataclass(frozen=True)
class Histories:
    """The likes of a dataset's users: the earliest are revealed as the profile, the later ones are to be predicted.

    Of a user with fewer than ten likes, only the first half is revealed. Likes with equal timestamps are taken in the order
    of their item_ids; without timestamps, in the order of the interactions.

    Attributes:
        dataset: where they come from.
        user_ids: every user of the dataset, in its order.
        liked: per user the item_rows liked, earliest first, each once.
    """

    dataset: Dataset
    user_ids: tuple[str, ...]
    liked: tuple[np.ndarray, ...]

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> "Histories":
        """Sorts the likes of a dataset; users without a like have an empty history."""
        likes = dataset.likes
        rows = likes[ITEM_ID].map(dataset.item_rows)
        users = likes[USER_ID].map({user_id: n for n, user_id in enumerate(dataset.users[USER_ID])})
        frame = pd.DataFrame({"user": users, "row": rows, "when": likes.get(TIMESTAMP, 0)}).dropna(
            subset=["user", "row"]
        )
        order = ["user", "when", "row"] if TIMESTAMP in likes else ["user"]
        frame = frame.sort_values(order, kind="stable").drop_duplicates(["user", "row"])
        counts = np.bincount(frame["user"].astype(int), minlength=len(dataset.users))
        parts = np.split(frame["row"].to_numpy(np.int64), np.cumsum(counts)[:-1])
        return cls(dataset, tuple(dataset.users[USER_ID]), tuple(parts[: len(counts)]))

    def __len__(self) -> int:
        return len(self.user_ids)

    def of(self, users: np.ndarray) -> "Histories":
        """Returns the histories of some users alone; the interactions of the dataset stay those of everybody."""
        kept = self.dataset.of_users(users)
        return Histories(kept, tuple(self.user_ids[user] for user in users), tuple(self.liked[user] for user in users))

    @cached_property
    def n_revealed(self) -> np.ndarray:
        """How many likes are revealed, ``(n_users,)``."""
        return np.array([min(N_REVEALED, len(rows) // 2) for rows in self.liked], dtype=int)

    def revealed(self, user: int) -> np.ndarray:
        """Returns the item_rows that are revealed of a user, earliest first."""
        return self.liked[user][: self.n_revealed[user]]

    def later(self, user: int) -> np.ndarray:
        """Returns the item_rows that a user liked later."""
        return self.liked[user][self.n_revealed[user] :]

    @cached_property
    def all_likes(self) -> sparse.csr_matrix:
        """``(n_users, n_items)`` float64, 1 for a like."""
        return self._matrix([*self.liked])

    @cached_property
    def revealed_likes(self) -> sparse.csr_matrix:
        """The same for revealed likes alone."""
        return self._matrix([self.revealed(user) for user in range(len(self))])

    @cached_property
    def later_likes(self) -> sparse.csr_matrix:
        """The same for later likes alone."""
        return self._matrix([self.later(user) for user in range(len(self))])

    def _matrix(self, rows: Sequence[np.ndarray]) -> sparse.csr_matrix:
        starts = np.cumsum([0, *(len(part) for part in rows)])
        columns = np.concatenate(rows) if rows else np.zeros(0, int)
        shape = (len(self), len(self.dataset.items))
        return sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=shape)

    @cached_property
    def category_shares(self) -> np.ndarray:
        """The mean number of each category of the catalog per like, ``(n_categories,)``."""
        weights = np.asarray(self.all_likes.sum(0)).ravel()
        return weights @ self.dataset.category_matrix / max(1.0, weights.sum())

    def profiles(self, *, shares: np.ndarray | None = None) -> list[Profile]:
        """Returns what would have been known of each user on the first day: facts, interests and the revealed likes.

        Interests are the three categories with the largest lift among the revealed likes: their share there over their
        share in all likes.

        Args:
            shares: ``category_shares`` of the training users, if these users are not the ones.
        """
        users, ids = self.dataset.users, self.dataset.items[ITEM_ID].to_numpy()
        found = self.category_shares if shares is None else shares
        ages, genders = _ages(users, len(self)), _plain(users, GENDER, len(self))
        attributes = {name: _plain(users, name, len(self)) for name in self.dataset.user_attributes}
        return [
            Profile(
                age=ages[user],
                gender=genders[user],
                attributes={name: values[user] for name, values in attributes.items() if values[user] is not None},
                interests=top_categories(self.revealed(user), self.dataset, found),
                liked=tuple(ids[self.revealed(user)]),
            )
            for user in range(len(self))
        ]


def _ages(users: pd.DataFrame, n: int) -> list[float | None]:
    """The ages that a person can have; other values, as for example 999, stand for unknown."""
    if AGE not in users:
        return [None] * n
    return [float(age) if 0 <= age <= MAX_AGE else None for age in users[AGE].to_numpy(float, na_value=np.nan)]


def _plain(users: pd.DataFrame, name: str, n: int) -> list:
    """A column as texts, ``None`` for what is unknown or for a column that is not there."""
    if name not in users:
        return [None] * n
    return [None if unknown else str(value) for value, unknown in zip(users[name], users[name].isna(), strict=True)]


def top_categories(rows: np.ndarray, dataset: Dataset, shares: np.ndarray) -> tuple[str, ...]:
    """Returns the categories with the largest lift among some items, at most three; ties go to the more frequent one."""
    if not len(rows) or not dataset.categories:
        return ()
    own = dataset.category_matrix[rows].mean(0)
    lift = np.where(own > 0, own / np.maximum(shares, 1e-9), 0.0)
    lift[[len(name) > MAX_INTEREST_LENGTH for name in dataset.categories]] = 0
    best = np.argsort(-lift, kind="stable")[:N_INTERESTS]
    return tuple(dataset.categories[column] for column in best if lift[column] > 0)
