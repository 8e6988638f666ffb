"""From sums to a scorer: the additive model that noised sums allow, without another look at the users."""

import secrets

import numpy as np
from scipy.special import ndtri

from recsys.encoder import Encoder
from recsys.errors import DataError, NotTrainedError
from recsys.privacy.accountant import Budget, noise_of
from recsys.privacy.columns import UserColumns
from recsys.privacy.config import PrivateConfig
from recsys.privacy.public import Public
from recsys.privacy.statistics import Draw, Layout, Statistics
from recsys.schema import Dataset
from recsys.scorer import AdditiveModel
from recsys.scorer.additive import UNCALIBRATED
from recsys.training import N_INTERESTS, N_REVEALED


def os_noise(n: int) -> np.ndarray:
    """Returns n standard normal numbers from the random numbers of the operating system, which no seed repeats."""
    bits = np.frombuffer(secrets.token_bytes(8 * n), np.uint64) >> np.uint64(11)
    return np.asarray(ndtri((bits + 0.5) * 2.0**-53))


def train_private(
    dataset: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    budget: Budget | None,
    columns: UserColumns | None = None,
    config: PrivateConfig | None = None,
    draw: Draw = os_noise,
) -> tuple[AdditiveModel, float]:
    """Fits the additive scorer so that hardly anything depends on any one user.

    Args:
        item_vectors: ``(n_items, dim)``, the text embeddings of all items.
        encoder: made them.
        budget: ``None`` adds no noise, and then protects nobody.
        columns: the answers that users can have given; by default those that occur, see ``UserColumns``.
        draw: the noise; a test passes a generator's ``standard_normal``.

    Returns:
        The model, and the standard deviation of the noise.

    Raises:
        ConfigError: for a delta above one in the number of users.
        NotTrainedError: for a dataset without users or without likes.
        MissingExtraError: without the extra ``privacy``.
    """
    check_users(dataset, budget)
    columns = UserColumns.of(dataset) if columns is None else columns
    public = Public.from_catalog(dataset, item_vectors, encoder=encoder, columns=columns, config=config)
    sums = Statistics.of(dataset, item_vectors, public)
    deviation = 0.0 if budget is None else noise_of(budget)
    if deviation:
        sums = sums.noised(deviation, draw)
    return fit(sums, item_vectors, public), deviation


def check_users(dataset: Dataset, budget: Budget | None) -> None:
    """Refuses what cannot be fitted, or not at this budget; how many users there are is used for this alone.

    Raises:
        ConfigError: for a delta above one in the number of users.
        NotTrainedError: for a dataset without users or without likes.
    """
    if not len(dataset.users) or not dataset.popularity.any():
        fix = "Use the cosine scorer, or a dataset with users and interactions."
        raise NotTrainedError("There are no likes of other users to learn from", dataset.name, fix=fix)
    if budget is not None:
        budget.check(len(dataset.users))


def fit(sums: Statistics, item_vectors: np.ndarray, public: Public) -> AdditiveModel:
    """Returns the ridge that sums determine; users are not needed for it.

    The constant in every row makes the number of users and the mean row part of the sums, so that the ridge is centred
    without asking again. The penalty grows with the noise, or the noise in the Gram matrix would be inverted.

    Source: Y.-X. Wang, Revisiting differentially private linear regression, 2018 (sufficient statistics, damped).

    Raises:
        DataError: if the sums are not of this catalog and these bounds.
    """
    if sums.layout != Layout.of(public, len(item_vectors)):
        raise DataError("The sums do not fit the catalog", sums.layout, fix="Make them with the same public file.")
    gram, cross, likes = sums.layout.part(sums.values)
    config, items = public.config, public.items(item_vectors)
    n_users = max(1.0, gram[0, 0] / config.constant**2)
    mean, popularity = gram[0, 1:] / (config.constant * n_users), likes / n_users
    effects = np.sqrt(config.whole_likes) * _ridge(
        gram[1:, 1:] - n_users * np.outer(mean, mean),
        cross[1:] - n_users * np.outer(mean, popularity @ items),
        penalty=config.penalty + config.damping * sums.deviation / sums.layout.weights[0] * np.sqrt(len(mean)),
    )
    prior = np.sqrt(config.whole_likes) * np.maximum(popularity, 0.0)
    return _model(public, np.asarray(item_vectors), items, effects, mean, prior)


def _ridge(gram: np.ndarray, cross: np.ndarray, *, penalty: float) -> np.ndarray:
    """Noise can make the Gram matrix indefinite, which no users do: negative directions are taken as empty."""
    values, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors @ ((vectors.T @ cross) / (np.maximum(values, 0.0) + penalty)[:, None]))


def _model(
    public: Public,
    item_vectors: np.ndarray,
    items: np.ndarray,
    effects: np.ndarray,
    mean: np.ndarray,
    prior: np.ndarray,
) -> AdditiveModel:
    """Writes the ridge as a sum of facets, each centred on the mean user.

    For facts the mean goes into the prior: an age by gender cannot be moved without changing what it says. Interests and liked
    items are centred as if there were as many as most users have.
    """
    config, reading = public.config, public.reading
    ends = np.cumsum([public.basis.dim, public.k])
    facts, interests, liked = np.split(effects, ends)
    mean_facts, mean_interests, mean_liked = np.split(mean, ends)
    of_interests = (N_INTERESTS + config.interest_offset) / N_INTERESTS * mean_interests
    of_liked = (N_REVEALED + config.liked_offset) / N_REVEALED * mean_liked
    text_liked = config.liked_scale * reading @ liked
    alone = np.zeros(len(items))
    return AdditiveModel(
        basis=public.basis,
        facts=facts,
        interests=reading @ interests,
        interest_centre=public.interest_centre + reading @ of_interests,
        interest_offset=config.interest_offset,
        liked=(np.asarray(item_vectors, np.float64) - public.centre) @ text_liked - of_liked @ liked,
        liked_offset=config.liked_offset,
        items=items,
        text=public.answering,
        text_centre=public.centre,
        text_liked=text_liked,
        views={},
        own_share=alone,
        own_liked_share=alone,
        prior=prior - items @ (mean_facts @ facts),
        calibration=UNCALIBRATED,
        about={},
    )
