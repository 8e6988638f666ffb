"""Fits the additive scorer in closed form from what other users liked."""

from dataclasses import dataclass

import numpy as np

from recsys.encoder import Encoder
from recsys.scorer.additive import UNCALIBRATED, AdditiveModel, Calibration, Known, ViewMap
from recsys.scorer.basis import FactBasis
from recsys.training.content import Content, Scales
from recsys.training.histories import N_INTERESTS, Histories
from recsys.training.ridge import Response, ridge

_TEXT_PENALTY = 10.0
"""Of what a liked item's text tells, in units of the penalty of liked items."""


@dataclass(frozen=True)
class AdditiveConfig:
    """How the additive scorer is fitted; ``recsys.training.selection`` chooses the starred ones inside the training users.

    Attributes:
        rank: number of taste dimensions.
        facts_penalty: * ridge penalty of facts, in users.
        attribute_weight: * prior variance of an attribute's effect, relative to that of the age.
        overlap: * how often other facets are taken to be known beside one: 0 fits each alone, 1 all together.
        interests_penalty: * ridge penalty of interests, in users.
        interest_offset: * shrinks few interests: one of n weighs ``1 / (n + offset)``.
        liked_penalty: * ridge penalty of a liked item, in users who like it.
        liked_offset: the same for liked items.
        liked_gain: * multiplies what liked items say.
        prior_strength: users that the content-predicted prior counts as.
        residual_penalty: users that an item needs before its taste is half its own, half its text's.
        seed: of everything random.
    """

    rank: int = 128
    facts_penalty: float = 25.0
    attribute_weight: float = 0.1
    overlap: float = 0.5
    interests_penalty: float = 25.0
    interest_offset: float = 1.0
    liked_penalty: float = 30.0
    liked_offset: float = 4.0
    liked_gain: float = 3.5
    prior_strength: float = 2.0
    residual_penalty: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class ViewScales:
    """How much each view beside the text counts, chosen on items that were left out.

    Attributes:
        taste: where content tells the taste that an item answers to, and what liking it says.
        prior: where content tells how popular a cold item will be.
    """

    taste: Scales
    prior: Scales


class Workbench:
    """Everything about a set of training users that does not depend on the penalties, so that many can be tried.

    Args:
        histories: the training users.
        content: of all items.
        encoder: of interests.
        config: gives rank and seed.
        scales: of the views beside the text; chosen here if ``None``.
    """

    def __init__(
        self,
        histories: Histories,
        content: Content,
        *,
        encoder: Encoder,
        config: AdditiveConfig,
        scales: ViewScales | None = None,
    ) -> None:
        self.histories = histories
        self.content = content
        self.config = config
        self._bases: dict[float, tuple[FactBasis, np.ndarray]] = {}
        self._text_maps: dict[float, np.ndarray] = {}
        self._liked_maps: dict[float, tuple[np.ndarray, dict[str, np.ndarray]]] = {}
        self.profiles = histories.profiles()
        self.response = Response(histories)
        facts = self._basis(config.attribute_weight)[1]
        self.directions = self.response.directions(config.rank, facts=facts, seed=config.seed)
        self.taste = self.response.right_times(self.directions)
        self.interest_rows, self.interest_centre = self._interests(encoder)
        likes = histories.all_likes
        self.n_likes = np.asarray(likes.sum(0)).ravel()
        own = self.response.own(likes)
        self.liked_sums = np.asarray(likes.T @ self.taste) - own[:, None] * self.directions
        self.scales = scales or self._choose_scales()
        self._items()

    def _interests(self, encoder: Encoder) -> tuple[np.ndarray, np.ndarray]:
        """The mean embedding of each user's interests, centred; zero where there are none. And the centre."""
        known = Known.from_profiles(self.profiles, self.histories.dataset, encoder)
        has_any = known.n_interests > 0
        means = known.interests / np.maximum(known.n_interests, 1)[:, None]
        centre = means[has_any].mean(axis=0) if has_any.any() else np.zeros(encoder.dim)
        return np.where(has_any[:, None], means - centre, 0.0), centre

    def _items(self) -> None:
        """The item side: taste and prior, cold items from their content."""
        config, response, content = self.config, self.response, self.content
        warm = (self.n_likes > 0).astype(float)
        self.text, self.views = content.map_views(self.directions, warm, seed=config.seed, scales=self.scales.taste)
        from_content = content.text @ self.text + content.from_views(self.views)
        self.own_share = self.n_likes / (self.n_likes + config.residual_penalty)
        self.items = from_content + self.own_share[:, None] * (self.directions - from_content)
        predicted = content.predict(np.sqrt(response.prior), warm, seed=config.seed, scales=self.scales.prior)
        expected = np.maximum(predicted, 0.0) ** 2
        cold = config.prior_strength
        self.prior = (response.n_later + cold * expected) / (np.where(warm > 0, response.n_shown, 0) + cold)

    def _choose_scales(self) -> ViewScales:
        seed, warm = self.config.seed, (self.n_likes > 0).astype(float)
        popularity = np.sqrt(self.response.prior)
        mattering = self.directions * self.taste.std(
            axis=0
        )  # directions in which tastes hardly differ are mostly noise
        return ViewScales(
            self.content.choose_scales(mattering, warm, seed=seed, with_facts=False),
            self.content.choose_scales(popularity, warm, seed=seed, with_facts=True),
        )

    def facts(self, config: AdditiveConfig) -> tuple[FactBasis, np.ndarray, np.ndarray]:
        """Returns the basis, the coefficients of facts ``(basis.dim, k)`` and of interests ``(dim, k)``.

        An interest is first taken for what liking an item with such a text says, which all likes teach; the ridge then
        corrects that by what the users with such interests liked.
        """
        basis, rows = self._basis(config.attribute_weight)
        by_text = self._by_text(config.liked_penalty)
        guess = self.interest_rows @ by_text
        gain = float((guess * self.taste).sum() / max((guess**2).sum(), 1e-12))
        scale = np.sqrt(config.facts_penalty / config.interests_penalty)
        joined = np.hstack([rows, scale * self.interest_rows])
        blocks = [*basis.slices.values(), slice(basis.dim, joined.shape[1])]
        targets = np.hstack([self.taste, guess])
        found = ridge(joined, targets, penalty=config.facts_penalty, blocks=blocks, overlap=config.overlap)
        plain, guessed = found[:, : self.taste.shape[1]], found[:, self.taste.shape[1] :]
        interests = gain * by_text + scale * (plain - gain * guessed)[basis.dim :]
        shrinkage = (N_INTERESTS + config.interest_offset) / N_INTERESTS
        return basis, plain[: basis.dim], shrinkage * interests

    def _basis(self, attribute_weight: float) -> tuple[FactBasis, np.ndarray]:
        if attribute_weight not in self._bases:
            basis = FactBasis.from_profiles(self.profiles, attribute_weight=attribute_weight)
            self._bases[attribute_weight] = (basis, basis.rows(self.profiles))
        return self._bases[attribute_weight]

    def liked(self, config: AdditiveConfig) -> np.ndarray:
        """Returns what liking each item says about taste, ``(n_items, k)``, shrunk towards what its views predict."""
        penalty = config.liked_penalty
        text, views = self._by_views(penalty)
        guess = self.content.text @ text + self.content.from_views(views)
        shrunk = (self.liked_sums + penalty * guess) / (self.n_likes + penalty)[:, None]
        return config.liked_gain * shrunk

    def _by_text(self, penalty: float) -> np.ndarray:
        """What liking an item says about taste, as far as its text tells: maps centred text embeddings, ``(dim, k)``."""
        if penalty not in self._text_maps:
            self._text_maps[penalty] = self._liked_ridge(self.content.text, penalty)
        return self._text_maps[penalty]

    def _by_views(self, penalty: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The same from all views at once; interests, which are words, go by the text alone."""
        if penalty not in self._liked_maps:
            scales = self.scales.taste
            is_alone = not any(scales.values())
            columns = self.content.joined(scales)
            found = self._by_text(penalty) if is_alone else self._liked_ridge(columns, penalty)
            self._liked_maps[penalty] = self.content.split(found, scales)
        return self._liked_maps[penalty]

    def _liked_ridge(self, columns: np.ndarray, penalty: float) -> np.ndarray:
        gram = columns.T @ (columns * self.n_likes[:, None]) + _TEXT_PENALTY * penalty * np.eye(columns.shape[1])
        return np.asarray(np.linalg.solve(gram, columns.T @ self.liked_sums))

    def model(self, config: AdditiveConfig, calibration: Calibration = UNCALIBRATED) -> AdditiveModel:
        """Returns the fitted model."""
        basis, facts, interests = self.facts(config)
        liked_text, liked_views = self._by_views(config.liked_penalty)
        items_maps, liked_maps = self.content.in_view(self.views), self.content.in_view(liked_views)
        return AdditiveModel(
            basis=basis,
            facts=facts,
            interests=interests,
            interest_centre=self.interest_centre,
            interest_offset=config.interest_offset,
            liked=self.liked(config),
            liked_offset=config.liked_offset,
            items=self.items,
            text=self.text / self.content.scale,  # the model reads embeddings as they are
            text_centre=self.content.centre * self.content.scale,
            text_liked=config.liked_gain * liked_text / self.content.scale,
            views={
                view.name: ViewMap(view.centre, items_maps[view.name], config.liked_gain * liked_maps[view.name])
                for view in self.content.views
            },
            own_share=self.own_share,
            own_liked_share=self.n_likes / (self.n_likes + config.liked_penalty),
            prior=self.prior,
            calibration=calibration,
            about={},
        )
