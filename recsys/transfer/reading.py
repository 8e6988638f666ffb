"""A fitted model for items of which nothing but the text is known."""

from dataclasses import dataclass, replace

import numpy as np

from recsys.schema import ITEM_ID, Dataset
from recsys.scorer import AdditiveModel
from recsys.training.content import Content


@dataclass(frozen=True)
class Balance:
    """How much each part of a score counts beside popularity; chosen on items and people that were left out.

    Attributes:
        taste: multiplies what was learned of tastes.
        interests: weight of plain similarity between the texts of an interest and an item.
        liked: the same of a liked item and an item.
    """

    taste: float = 1.0
    interests: float = 0.0
    liked: float = 0.0


@dataclass(frozen=True, eq=False)
class ContentPrior:
    """Popularity as the text of an item tells it: ``max(level + centred embedding @ coefficients, 0) ** 2``.

    Attributes:
        coefficients: ``(dim,)``.
    """

    coefficients: np.ndarray
    level: float

    def of(self, centred: np.ndarray) -> np.ndarray:
        """Returns ``(n_items,)`` for text embeddings less their mean, ``(n_items, dim)``."""
        return np.asarray(np.maximum(self.level + centred @ self.coefficients, 0.0) ** 2)


def content_prior(content: Content, prior: np.ndarray, n_likes: np.ndarray, *, seed: int) -> ContentPrior:
    """Fits what text tells of popularity to the items that somebody likes.

    Args:
        prior: ``(n_items,)``, share of users who like each.
        n_likes: ``(n_items,)``.
    """
    return ContentPrior(*content.fit_text(np.sqrt(prior), (n_likes > 0).astype(float), seed=seed))


def read_by_text(model: AdditiveModel, centred: np.ndarray, prior: np.ndarray, balance: Balance) -> AdditiveModel:
    """Returns the model for items of which nothing but the text is known.

    Where similarity counts, the space of tastes gets the space of texts beside it, in which every item stands for itself.

    Args:
        centred: ``(n_items, dim)`` float64, text embeddings less their mean.
        prior: ``(n_items,)``.
    """
    text, liked, interests, facts = (
        np.asarray(part, np.float64) for part in (model.text, model.text_liked, model.interests, model.facts)
    )
    text = balance.taste * text
    if balance.interests or balance.liked:
        own = np.eye(len(text))
        text = np.hstack([text, own])
        liked = np.hstack([liked, balance.liked * own])
        interests = np.hstack([interests, balance.interests * own])
        facts = np.hstack([facts, np.zeros((len(facts), len(own)))])
    nothing = np.zeros(len(centred))
    return replace(
        model,
        facts=facts,
        interests=interests,
        text=text,
        text_liked=liked,
        items=centred @ text,
        liked=centred @ liked,
        own_share=nothing,
        own_liked_share=nothing,
        prior=prior,
        views={},
        calibration=(float("nan"),) * 3,
    )


def of_items(dataset: Dataset, mask: np.ndarray) -> Dataset:
    """Returns a dataset in memory that has some of the items alone, and all users.

    Args:
        mask: ``(n_items,)`` of bool.
    """
    items = dataset.items[mask].reset_index(drop=True)
    interactions = dataset.interactions[dataset.interactions[ITEM_ID].isin(set(items[ITEM_ID]))]
    return replace(
        dataset,
        items=items,
        interactions=interactions.reset_index(drop=True),
        graph=dataset.graph.iloc[:0],
        folder=None,
    )
