"""A few likes of the target's own: a fit that starts from what was carried over, and moves as far as they tell."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from recsys.encoder import Encoder
from recsys.scorer.additive import AdditiveModel, Known
from recsys.training import Histories
from recsys.transfer.balancing import text_rows
from recsys.transfer.carrying import Transferred

_RAREST, _ALIKE = 1e-6, 1e-9
_DOUBT = 1.92
"""Half of the 95 % quantile of a chi-squared variable with one degree of freedom."""
_TRUSTS = np.geomspace(0.1, 1000.0, 25)


@dataclass(frozen=True)
class ShrinkConfig:
    """How far a few likes move what was carried over.

    Attributes:
        penalty: users of the source whose word the carried coefficients are worth, in the average direction of the texts.
    """

    penalty: float = 50.0


def shrink(
    transferred: Transferred,
    histories: Histories,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    config: ShrinkConfig | None = None,
) -> AdditiveModel:
    """Returns the model after some likes in the target; without any it is the carried one.

    The popularity of an item is Gamma-distributed around what its text tells, as widely as the likes show it to be (maximum
    marginal likelihood). The matrix from people to texts is that of a two-sided ridge whose prior mean is the carried one:
    ``argmin_A |R - X A V'|^2 + penalty |A - A_0|^2``, with a row of ``X`` for each person and one of ``V`` for each item.

    Args:
        histories: of people who have interacted with the target's items; those without a like are not counted.
        item_vectors: ``(n_items, dim)``, as they were carried to.
        encoder: of interests.
    """
    config = config or ShrinkConfig()
    active = histories.of(np.array([user for user, rows in enumerate(histories.liked) if len(rows)], int))
    if not len(active):
        return transferred.model
    model = transferred.model
    n_likes = np.asarray(active.all_likes.sum(0)).ravel()
    expected = np.maximum(model.prior, _RAREST)
    to_come = n_likes.sum() * expected / expected.sum()
    trust = _trust(n_likes, to_come)
    warmer = replace(model, prior=expected * (n_likes + trust) / (to_come + trust))
    moved = _moved(warmer, active, np.asarray(item_vectors, np.float64) - model.text_centre, encoder, config.penalty)
    return replace(moved, about={**model.about, "own_likes": int(n_likes.sum()), "trust": trust})


def _trust(counts: np.ndarray, expected: np.ndarray) -> float:
    """How many likes the expectation of an item's likes is worth: the shape of the Gamma, by marginal likelihood.

    Of the values that the likes do not speak against (the 95 % interval of a likelihood ratio) it is the largest: ten likes
    alone do not throw what the texts tell away.

    Args:
        counts: ``(n_items,)``, likes that came.
        expected: ``(n_items,)``, likes that were to be expected; both have the same sum.
    """
    shapes = _TRUSTS[:, None]
    share = expected / (expected + shapes)
    likelihood = gammaln(counts + shapes) - gammaln(shapes) + shapes * np.log1p(-share) + counts * np.log(share)
    whole = likelihood.sum(axis=1)
    return float(_TRUSTS[whole >= whole.max() - _DOUBT].max())


def _moved(
    model: AdditiveModel, histories: Histories, centred: np.ndarray, encoder: Encoder, penalty: float
) -> AdditiveModel:
    """The model with the coefficients of the ridge, in closed form: both Gram matrices are diagonal in their eigenvectors.

    People here may like fewer items than those of the source. The response is brought to the source's scale, on which it is
    that much noisier, and the penalty that much larger.

    Args:
        centred: ``(n_items, dim)``, text embeddings less their mean.
    """
    rows, later = _rows(model, histories, centred, encoder), histories.later_likes
    density = later.sum() / (len(histories) * model.prior.sum())
    before = np.vstack([model.facts, model.interests, model.text_liked])
    weighed = model.prior[:, None] * model.items
    answered = later @ model.items / density + histories.revealed_likes @ weighed - weighed.sum(axis=0)
    gram = model.items.T @ model.items
    people, left = np.linalg.eigh(rows.T @ rows)
    texts, right = np.linalg.eigh(gram)
    charged = penalty / density * texts[texts > _ALIKE * texts.max()].mean()
    pulled = left.T @ (rows.T @ (answered - rows @ before @ gram)) @ right
    change = left @ (pulled / (np.outer(people, texts) + charged)) @ right.T
    n_facts = model.basis.dim
    facts, interests, liked = np.split(before + change, [n_facts, n_facts + centred.shape[1]])
    return replace(model, facts=facts, interests=interests, text_liked=liked, liked=centred @ liked)


def _rows(model: AdditiveModel, histories: Histories, centred: np.ndarray, encoder: Encoder) -> np.ndarray:
    """What would have been known of each person, as the coefficients meet it: facts, text of interests, text of liked items."""
    known = Known.from_profiles(histories.profiles(), histories.dataset, encoder)
    said, liked = text_rows(known, centred, model.interest_centre, model.interest_offset, model.liked_offset)
    return np.hstack([model.basis.rows(known.profiles), said, liked])
