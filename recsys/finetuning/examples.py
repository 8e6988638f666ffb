"""What the two towers learn from: a user as they might have introduced themselves, and an item that they liked later.

Every example is a function of its number and the seed alone, so a training that is resumed sees what it would have seen, and
several processes see together what one would see alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.finetuning.config import FineTuningConfig
from recsys.schema import Dataset, Profile
from recsys.scorer.basis import FactBasis
from recsys.training import Histories
from recsys.views.text import item_texts, profile_text

if TYPE_CHECKING:
    import torch

ATTRIBUTE_WEIGHT = 0.1


@dataclass(frozen=True)
class Example:
    """One user, one item that they liked later, and items drawn from the catalog.

    Attributes:
        user: their row in the histories.
        profile: what is told of them here.
        text: that in words.
        item_rows: the liked item first.
    """

    user: int
    profile: Profile
    text: str
    item_rows: np.ndarray


class Examples:
    """A sequence of ``n`` examples: all pairs of users and later likes in one random order after the other.

    Args:
        histories: of the training users.
        profiles: theirs, with everything that was known on the first day.
        n: how many examples there are, whatever the number of pairs.
    """

    def __init__(self, histories: Histories, profiles: Sequence[Profile], *, config: FineTuningConfig, n: int) -> None:
        self._dataset = histories.dataset
        self._profiles = profiles
        self._config = config
        self._n = n
        later = histories.later_likes.tocoo()
        self._users, self._rows = later.row, later.col
        self._order = lru_cache(2)(self._permutation)

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, number: int) -> Example:
        if not 0 <= number < self._n:
            raise IndexError(number)
        seed = self._config.seed
        time, place = divmod(number, len(self._users))
        pair = int(self._order(time)[place])
        rng = np.random.default_rng([seed, 1, number])
        user, liked = int(self._users[pair]), int(self._rows[pair])
        profile, text = self._told(self._profiles[user], rng)
        drawn = rng.integers(0, len(self._dataset.items), self._config.negatives)
        return Example(user, profile, text, np.array([liked, *drawn]))

    def _permutation(self, time: int) -> np.ndarray:
        return np.random.default_rng([self._config.seed, 0, time]).permutation(len(self._users))

    def _told(self, profile: Profile, rng: np.random.Generator) -> tuple[Profile, str]:
        """A random part of a profile, so that any part of one can be asked about; sometimes one interest alone."""
        if profile.interests and rng.random() < self._config.single_interest:
            interest = profile.interests[int(rng.integers(len(profile.interests)))]
            return Profile(interests=(interest,)), interest
        share = rng.uniform(0.3, 1.0)
        part = profile.keeping(facet.key for facet in profile.facets if rng.random() < share)
        return part, profile_text(part, self._dataset)


def item_popularity(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Returns the prior of the items, their standardised log-likes, and their shares of all pairs, ``(n_items,)`` each."""
    likes = np.asarray(histories.all_likes.sum(0)).ravel()
    logarithms = np.log1p(likes)
    spread = logarithms.std() or 1.0
    later = np.asarray(histories.later_likes.sum(0)).ravel()
    return (logarithms - logarithms.mean()) / spread, later / max(1.0, later.sum())


class Collator:
    """Examples to tensors; every item of a batch is read once.

    Args:
        basis: facts of a person as numbers.
        tokenise: texts to lists of token ids.
        pad: the id that fills short texts up.
    """

    def __init__(self, dataset: Dataset, *, basis: FactBasis, tokenise: Any, pad: int) -> None:
        self._basis = basis
        self._tokenise = tokenise
        self._pad = pad
        self._items: list[list[int]] = tokenise(item_texts(dataset))

    def __call__(self, examples: Sequence[Example]) -> dict[str, "torch.Tensor"]:
        """Returns ``user_ids``, ``user_mask``, ``item_ids``, ``item_mask``: texts; ``facts``; ``users``: their rows; ``rows``:
        item_rows of the columns, first the liked ones, then all that were drawn; ``places``: where each column's text stands.
        """
        import torch

        liked = np.array([example.item_rows[0] for example in examples])
        drawn = np.concatenate([example.item_rows[1:] for example in examples])
        rows = np.concatenate([liked, drawn])
        read, places = np.unique(rows, return_inverse=True)
        return {
            **self.texts("user", self._tokenise([example.text for example in examples])),
            **self.texts("item", [self._items[row] for row in read]),
            "facts": self.facts([example.profile for example in examples]),
            "users": torch.tensor([example.user for example in examples]),
            "rows": torch.from_numpy(rows),
            "places": torch.from_numpy(places),
        }

    def texts(self, name: str, ids: Sequence[Sequence[int]]) -> Mapping[str, "torch.Tensor"]:
        """Returns ``NAME_ids`` and ``NAME_mask``, ``(n, longest)``."""
        import torch

        width = max(map(len, ids))
        padded = torch.full((len(ids), width), self._pad)
        mask = torch.zeros((len(ids), width), dtype=torch.long)
        for row, tokens in enumerate(ids):
            padded[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        return {f"{name}_ids": padded, f"{name}_mask": mask}

    def items(self, rows: Sequence[int]) -> Mapping[str, "torch.Tensor"]:
        """Returns the texts of some items."""
        return self.texts("item", [self._items[row] for row in rows])

    def people(self, profiles: Sequence[Profile], texts: Sequence[str]) -> Mapping[str, "torch.Tensor"]:
        """Returns what is told of some people."""
        return {**self.texts("user", self._tokenise(list(texts))), "facts": self.facts(profiles)}

    def facts(self, profiles: Sequence[Profile]) -> "torch.Tensor":
        """Returns ``(n, basis.dim)``."""
        import torch

        return torch.from_numpy(self._basis.rows(profiles).astype(np.float32))
