"""Protocols: which users and items are hidden from training, what is revealed of them, and what is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import ConfigError, DataError
from recsys.schema import ITEM_ID, Dataset, Profile
from recsys.training import N_REVEALED, Histories

PROTOCOLS = ("cold-user", "cold-item")
MIN_TARGETS = 5
"""Users with fewer targets, or fewer likes to reveal than the last level shows, are left out and counted."""


@dataclass(frozen=True)
class Level:
    """How much of a test user is revealed; each level reveals what the one before does, and more.

    Attributes:
        name: as in the results.
        n_liked: number of earliest liked items in the profile.
        has_interests: whether the interests are in it.
    """

    name: str
    n_liked: int = 0
    has_interests: bool = True

    def of(self, profile: Profile) -> Profile:
        """Returns what this level reveals of a full profile."""
        interests = profile.interests if self.has_interests else ()
        return replace(profile, interests=interests, liked=profile.liked[: self.n_liked])


DEMOGRAPHICS = Level("demographics", has_interests=False)
INTERESTS = Level("demographics+interests")


def levels(shots: tuple[int, ...] = (0, 1, 3, 5)) -> tuple[Level, ...]:
    """Returns the levels for these numbers of liked items; 0 stands for the two levels without any."""
    liked = tuple(Level(f"+{n}", n) for n in sorted(set(shots)) if n > 0)
    return ((DEMOGRAPHICS, INTERESTS) if 0 in shots else ()) + liked


@dataclass(frozen=True)
class Case:
    """One test user.

    Attributes:
        profile: everything that may be revealed; a level shows a part of it.
        targets: the item_rows to be found; never revealed.
    """

    user_id: str
    profile: Profile
    targets: np.ndarray


@dataclass(frozen=True)
class Fold:
    """One split.

    Attributes:
        train: the dataset that may be learned from.
        cases: the test users.
        candidates: ``(n_items,)`` of bool, what is ranked. The items of a case's full profile are never ranked, at any level, so
            that all levels rank the same items.
        n_left_out: test users with too few targets.
    """

    train: Dataset
    cases: tuple[Case, ...]
    candidates: np.ndarray
    n_left_out: int

    def mask(self) -> np.ndarray:
        """Returns ``(n_cases, n_items)`` of bool, what may be ranked for each case."""
        mask = np.tile(self.candidates, (len(self.cases), 1))
        for n, case in enumerate(self.cases):
            mask[n, [self.train.item_row(item_id) for item_id in case.profile.liked]] = False
        return mask


def make_folds(dataset: Dataset, protocol: str, *, folds: int, seed: int) -> Iterator[Fold]:
    """Yields the splits of a protocol; the same seed gives the same splits.

    ``cold-user``: every user is a test user once; a test user's interactions are hidden, the earliest likes are revealed as
    the profile, the later ones are the targets. ``cold-item``: in each fold a part of the items is hidden from everybody's
    interactions and only they are ranked; the test users are those who liked enough of them, and keep their other
    interactions.

    Raises:
        ConfigError: for an unknown protocol or fewer than two folds.
        DataError: for a dataset without users or interactions.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError("There is no such protocol", protocol, fix=f"Choose one of: {', '.join(PROTOCOLS)}.")
    check_folds(folds)
    if not len(dataset.users) or not len(dataset.likes):
        fix = "Choose a dataset with users and likes of theirs (a rating is one from `liked_from` of dataset.toml on)."
        raise DataError("Nothing can be evaluated on this dataset", dataset.name, fix=fix)
    return (_cold_user if protocol == "cold-user" else _cold_item)(dataset, folds, np.random.default_rng(seed))


def _cold_user(dataset: Dataset, folds: int, rng: np.random.Generator) -> Iterator[Fold]:
    histories = Histories.from_dataset(dataset)
    order = rng.permutation(len(histories))
    for number in range(folds):
        tested = np.sort(order[number::folds])
        train = dataset.without_users(histories.user_ids[user] for user in tested)
        shares = Histories.from_dataset(train).category_shares
        profiles = histories.profiles(shares=shares)
        cases = [Case(histories.user_ids[user], profiles[user], histories.later(user)) for user in tested]
        kept = tuple(case for case in cases if is_judged(case))
        yield Fold(train, kept, np.ones(len(dataset.items), bool), len(cases) - len(kept))


def _cold_item(dataset: Dataset, folds: int, rng: np.random.Generator) -> Iterator[Fold]:
    order = rng.permutation(len(dataset.items))
    everything = Histories.from_dataset(dataset)
    for number in range(folds):
        hidden = np.zeros(len(dataset.items), bool)
        hidden[order[number::folds]] = True
        train = dataset.without_interactions_of(dataset.items[ITEM_ID][hidden])
        warm = Histories.from_dataset(train)
        targets = [rows[hidden[rows]] for rows in everything.liked]
        cases = [Case(*case) for case in zip(warm.user_ids, warm.profiles(), targets, strict=True)]
        kept = tuple(case for case in cases if is_judged(case))
        yield Fold(train, kept, hidden, len(cases) - len(kept))


def is_judged(case: Case) -> bool:
    """Whether enough of a test user can be revealed, and enough is left to be found."""
    return len(case.profile.liked) == N_REVEALED and len(case.targets) >= MIN_TARGETS


def check_folds(folds: int) -> None:
    """Raises ``ConfigError`` for fewer than two folds."""
    if folds < 2:
        raise ConfigError("There are too few folds", folds, fix="Choose at least 2.")


def check_shots(shots: Sequence[int]) -> None:
    """Raises ``ConfigError`` for numbers of liked items that no level reveals."""
    if not shots or not all(0 <= n <= N_REVEALED for n in shots):
        value = ",".join(map(str, shots))
        fix = f"Choose numbers of liked items from 0 to {N_REVEALED}."
        raise ConfigError("The shots are out of range", value, fix=fix)
