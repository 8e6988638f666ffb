"""The sums that a private fit is made from: the only thing that users enter, each with a length of at most 1."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from recsys.errors import ConfigError, DataError
from recsys.privacy.public import Public
from recsys.schema import AGE, GENDER, Dataset, Profile
from recsys.settings import MAX_AGE
from recsys.training import Histories
from recsys.training.histories import top_categories

SENSITIVITY = 1.0
"""How far one user, added or removed, can move all sums together (Euclidean)."""
_USERS = 4096
Draw = Callable[[int], np.ndarray]
"""Returns so many independent standard normal numbers."""


@dataclass(frozen=True)
class Layout:
    """Where each sum lies in the joint vector.

    A user has a row ``z`` (the constant, facts, interests, liked items; a length of at most 1) and later likes ``y`` over
    the items (a length of at most 1). Their part of the joint vector is ``a z z'`` (upper triangle), ``b z (V'y)'`` and
    ``c y``, with ``a^2 + b^2 + c^2 = 1`` the shares of the configuration and ``V`` the items in the public directions, whose
    columns are orthonormal. So its length is at most ``sqrt(a^2 + b^2 + c^2) = 1``, whoever the user is.

    Attributes:
        p: columns of a row.
        k: public directions.
        n_items: of the catalog.
        weights: ``(a, b, c)``.
    """

    p: int
    k: int
    n_items: int
    weights: tuple[float, float, float]

    @classmethod
    def of(cls, public: Public, n_items: int) -> "Layout":
        """Returns the layout under public bounds."""
        config = public.config
        shares = np.array([config.share_of_gram, config.share_of_cross, config.share_of_likes])
        if not np.isclose(shares.sum(), 1.0) or (shares <= 0).any():
            fix = "Choose three positive shares that sum to 1."
            raise ConfigError("The shares of the protection do not sum to 1", shares.tolist(), fix=fix)
        a, b, c = np.sqrt(shares).tolist()
        return cls(1 + public.basis.dim + 2 * public.k, public.k, n_items, (a, b, c))

    @property
    def size(self) -> int:
        """Length of the joint vector."""
        return self.p * (self.p + 1) // 2 + self.p * self.k + self.n_items

    def join(self, gram: np.ndarray, cross: np.ndarray, likes: np.ndarray) -> np.ndarray:
        """Returns the joint vector; what is off the diagonal stands twice in ``z z'``, so it counts ``sqrt(2)``."""
        a, b, c = self.weights
        upper = np.triu_indices(self.p)
        twice = np.where(upper[0] == upper[1], 1.0, np.sqrt(2))
        return np.concatenate([a * twice * gram[upper], b * cross.ravel(), c * likes])

    def part(self, joint: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns ``(p, p)``, ``(p, k)`` and ``(n_items,)``: what ``join`` was given."""
        a, b, c = self.weights
        upper = np.triu_indices(self.p)
        ends = np.cumsum([len(upper[0]), self.p * self.k])
        flat, cross, likes = np.split(joint, ends)
        gram = np.zeros((self.p, self.p))
        gram[upper] = flat / np.where(upper[0] == upper[1], 1.0, np.sqrt(2)) / a
        return gram + np.triu(gram, 1).T, cross.reshape(self.p, self.k) / b, likes / c


@dataclass(frozen=True, eq=False)
class Statistics:
    """The joint vector of some users, with or without noise.

    Attributes:
        layout: where each sum lies in it.
        values: ``(layout.size,)`` float64.
        deviation: standard deviation of the noise on each value; 0 for none.
    """

    layout: Layout
    values: np.ndarray
    deviation: float = 0.0

    @classmethod
    def of(cls, dataset: Dataset, item_vectors: np.ndarray, public: Public) -> "Statistics":
        """Sums over all users of a dataset; the catalog must be the public one.

        Args:
            item_vectors: ``(n_items, dim)``, the text embeddings.
        """
        layout, items = Layout.of(public, len(dataset.items)), public.items(item_vectors)
        histories = Histories.from_dataset(dataset)
        gram, cross = np.zeros((layout.p, layout.p)), np.zeros((layout.p, layout.k))
        likes = np.zeros(layout.n_items)
        for start in range(0, len(histories), _USERS):
            some = histories.of(np.arange(start, min(start + _USERS, len(histories))))
            rows = user_rows(some, item_vectors, public, catalog=dataset)
            later = later_rows(some, public.config.whole_likes)
            gram += rows.T @ rows
            cross += rows.T @ np.asarray(later @ items)
            likes += np.asarray(later.sum(axis=0)).ravel()
        return cls(layout, layout.join(gram, cross, likes))

    def noised(self, deviation: float, draw: Draw) -> "Statistics":
        """Returns the Gaussian mechanism's answer: independent noise on every value."""
        noise = deviation * draw(self.layout.size)
        return replace(self, values=self.values + noise, deviation=float(np.hypot(self.deviation, deviation)))

    def __add__(self, other: "Statistics") -> "Statistics":
        if other.layout != self.layout:
            raise DataError(
                "Sums of different shapes cannot be added", other.layout, fix="Use one public file for all."
            )
        deviation = float(np.hypot(self.deviation, other.deviation))
        return Statistics(self.layout, self.values + other.values, deviation)


def user_rows(histories: Histories, item_vectors: np.ndarray, public: Public, *, catalog: Dataset) -> np.ndarray:
    """Returns ``(n_users, p)``: constant, facts, interests and liked items of each user, of a length of at most 1.

    Each row depends on its own user and on what is public, on nobody else.

    Args:
        catalog: any dataset of these items; one for all calls counts its categories once.
    """
    config = public.config
    facts = public.basis.rows(_people(histories, public))
    said = _interests(histories, public, catalog)
    n_said, n_liked = (np.asarray(part.sum(axis=1)) for part in (said, histories.revealed_likes))
    words, rows = public.words - public.interest_centre, np.unique(histories.revealed_likes.indices)
    interests = said @ (words @ public.reading) / (np.maximum(n_said, 1) + config.interest_offset)
    shown = (np.asarray(item_vectors[rows], np.float64) - public.centre) @ public.reading
    liked = histories.revealed_likes[:, rows] @ shown / (np.maximum(n_liked, 1) + config.liked_offset)
    joined = np.hstack([facts, interests, config.liked_scale * liked])
    longest = np.sqrt(1 - config.constant**2)
    return np.hstack([np.full((len(joined), 1), config.constant), clipped(joined, longest)])


def later_rows(histories: Histories, whole_likes: int) -> sparse.csr_matrix:
    """Returns ``(n_users, n_items)``: later likes of each user, of a length of at most 1."""
    counts = np.array([len(histories.later(user)) for user in range(len(histories))], float)
    return sparse.diags(1 / np.sqrt(np.maximum(counts, whole_likes))) @ histories.later_likes


def clipped(rows: np.ndarray, longest: float) -> np.ndarray:
    """Returns the rows, those that are longer made so long."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows * np.minimum(1.0, longest / np.maximum(lengths, 1e-300))


def _people(histories: Histories, public: Public) -> list[Profile]:
    """The facts of each user, as far as they are in the public list."""
    users, columns = histories.dataset.users, public.columns
    ages = users[AGE].to_numpy(float, na_value=np.nan) if AGE in users else np.full(len(users), np.nan)
    genders = _answers(users, GENDER, columns.genders)
    attributes = {name: _answers(users, name, known) for name, known in columns.attributes.items()}
    return [
        Profile(
            age=float(ages[user]) if 0 <= ages[user] <= MAX_AGE else None,
            gender=genders[user],
            attributes={name: value for name, values in attributes.items() if (value := values[user]) is not None},
        )
        for user in range(len(histories))
    ]


def _answers(users: pd.DataFrame, name: str, known: tuple[str, ...]) -> list[str | None]:
    """A column as texts, ``None`` for what is unknown or not in the list."""
    if name not in users:
        return [None] * len(users)
    among, texts = set(known), users[name].astype(object).where(users[name].notna(), None)
    return [str(text) if text is not None and str(text) in among else None for text in texts]


def _interests(histories: Histories, public: Public, catalog: Dataset) -> sparse.csr_matrix:
    """``(n_users, n_categories)``, 1 for an interest that the encoder can read.

    As in ``Histories.profiles``, but with lifts over the shares of the catalog, which is public, instead of those of all likes.
    """
    shares = catalog.category_matrix.mean(axis=0)
    column = {name: n for n, name in enumerate(catalog.categories) if public.words[n].any()}
    found = [
        [column[name] for name in top_categories(histories.revealed(user), catalog, shares) if name in column]
        for user in range(len(histories))
    ]
    starts = np.cumsum([0, *map(len, found)])
    flat = np.array([n for part in found for n in part], np.int64)
    return sparse.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(found), len(catalog.categories)))
