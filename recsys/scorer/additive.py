"""The additive scorer: learned from other people's likes, exactly a sum of the profile's facets."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit

from recsys.encoder import Encoder
from recsys.schema import PRIOR, Dataset, Profile
from recsys.scorer.basis import FactBasis
from recsys.scorer.protocol import LEARNED, FacetVectors, ProfileText, TextMap
from recsys.views.view import TEXT, ItemView

_FLOOR = 0.01
_ROWS = 16_384
"""Items whose views are multiplied at a time."""
Calibration = tuple[float, float, float]
UNCALIBRATED: Calibration = (float("nan"),) * 3


@dataclass(frozen=True, eq=False)
class ViewMap:
    """What training found in one view beside the text.

    Attributes:
        centre: ``(dim,)``, the mean vector of the items that have the view.
        items: ``(dim, k)``, maps a vector less the centre to the taste that the item answers to.
        liked: ``(dim, k)``, the same to what liking the item says.
    """

    centre: np.ndarray
    items: np.ndarray
    liked: np.ndarray


@dataclass(frozen=True, eq=False)
class AdditiveModel:
    """What training finds. With ``k`` taste dimensions:

    Attributes:
        basis: facts of a person as numbers.
        facts: ``(basis.dim, k)``, what each fact says about taste.
        interests: ``(dim, k)``, maps an interest's embedding, less ``interest_centre``, to taste.
        interest_centre: ``(dim,)``, the mean interest of the training users.
        interest_offset: an interest among n weighs ``1 / (n + interest_offset)``.
        liked: ``(n_items, k)``, what liking each item says about taste.
        liked_offset: a liked item among n weighs ``1 / (n + liked_offset)``.
        items: ``(n_items, k)``, the taste that each item answers to: for cold items read from the text alone.
        text: ``(dim, k)``, maps an item's text embedding, less ``text_centre``, to taste.
        text_centre: ``(dim,)``, the mean embedding of the items.
        text_liked: ``(dim, k)``, the same to what liking the item says.
        views: the views beside the text that it was fitted with.
        own_share: ``(n_items,)``, how far ``items`` follows an item's own likes and not its content, 0 for a cold item.
        own_liked_share: the same of ``liked``.
        prior: ``(n_items,)``, probability-like: smoothed popularity, for cold items predicted from content.
        calibration: weights of the two ``calibration_features`` of a score, and an offset; the sigmoid of their sum is the
            probability. ``NaN`` where there were too few users to calibrate.
        about: how it was made: chosen parameters, numbers of users and items.
    """

    basis: FactBasis
    facts: np.ndarray
    interests: np.ndarray
    interest_centre: np.ndarray
    interest_offset: float
    liked: np.ndarray
    liked_offset: float
    items: np.ndarray
    text: np.ndarray
    text_centre: np.ndarray
    text_liked: np.ndarray
    views: Mapping[str, ViewMap]
    own_share: np.ndarray
    own_liked_share: np.ndarray
    prior: np.ndarray
    calibration: Calibration
    about: Mapping[str, Any]

    _ARRAYS = (
        "facts",
        "interests",
        "interest_centre",
        "liked",
        "items",
        "text",
        "text_centre",
        "text_liked",
        "own_share",
        "own_liked_share",
        "prior",
    )
    _VIEW_ARRAYS = ("centre", "items", "liked")

    def save(self, folder: Path) -> None:
        """Writes the model into a folder."""
        for name in self._ARRAYS:
            np.save(folder / f"{name}.npy", np.asarray(getattr(self, name), np.float32), allow_pickle=False)
        for view, found in self.views.items():
            for name in self._VIEW_ARRAYS:
                array = np.asarray(getattr(found, name), np.float32)
                np.save(folder / f"{view}-{name}.npy", array, allow_pickle=False)
        rest: dict[str, Any] = {
            "basis": self.basis.to_dict(),
            "calibration": list(self.calibration),
            "about": dict(self.about),
        }
        rest |= {"interest_offset": self.interest_offset, "liked_offset": self.liked_offset, "views": list(self.views)}
        (folder / "model.json").write_text(json.dumps(rest), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "AdditiveModel":
        """Reads what ``save`` wrote."""
        rest = json.loads((folder / "model.json").read_text("utf-8"))
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in cls._ARRAYS}
        views = {
            view: ViewMap(*(np.load(folder / f"{view}-{name}.npy", allow_pickle=False) for name in cls._VIEW_ARRAYS))
            for view in rest["views"]
        }
        return cls(
            views=views,
            basis=FactBasis.from_dict(rest["basis"]),
            interest_offset=rest["interest_offset"],
            liked_offset=rest["liked_offset"],
            calibration=tuple(rest["calibration"]),
            about=rest["about"],
            **arrays,
        )


@dataclass(frozen=True)
class Known:
    """Profiles as the arrays that a model multiplies, so that many models can be tried on the same profiles.

    Attributes:
        profiles: they themselves, for their facts.
        interests: ``(n, dim)``, sum of the embeddings of the interests that the encoder can read.
        n_interests: ``(n,)``, how many those are.
        liked: ``(n, n_items)`` sparse, 1 for a liked item.
        n_liked: ``(n,)``.
    """

    profiles: Sequence[Profile]
    interests: np.ndarray
    n_interests: np.ndarray
    liked: sparse.csr_matrix
    n_liked: np.ndarray

    @classmethod
    def from_profiles(cls, profiles: Sequence[Profile], dataset: Dataset, encoder: Encoder) -> "Known":
        """Encodes the interests, each text once, and looks up the liked items."""
        texts = readable({text for profile in profiles for text in profile.interests}, encoder)
        row_of = {text: row for row, text in enumerate(texts)}
        said = [[row_of[text] for text in profile.interests if text in row_of] for profile in profiles]
        liked = [[dataset.item_rows[item_id] for item_id in profile.liked] for profile in profiles]
        vectors = encoder.encode(texts).astype(np.float64)
        interests = _indicator(said, len(texts)) @ vectors
        n_said, n_liked = (np.array([len(part) for part in parts], float) for parts in (said, liked))
        return cls(profiles, np.asarray(interests), n_said, _indicator(liked, len(dataset.items)), n_liked)

    def taste(self, model: AdditiveModel) -> np.ndarray:
        """Returns ``(n, k)``."""
        facts = model.basis.rows(self.profiles) @ model.facts
        said = self.interests - self.n_interests[:, None] * model.interest_centre
        interests = said / _at_least_one(self.n_interests, model.interest_offset) @ model.interests
        rows = np.unique(self.liked.indices)  # SciPy would make a float64 copy of what all other items say, too
        liked = self.liked[:, rows] @ model.liked[rows] / _at_least_one(self.n_liked, model.liked_offset)
        return np.asarray(facts + interests + liked)


def calibration_features(scores: np.ndarray) -> np.ndarray:
    """Returns what a calibration weighs, on a new last axis: the bent logarithm of the score, and the score.

    Scores are fitted to frequencies, so where likes are rare the odds grow in proportion to the score, and the plain
    sigmoid of a score is far too sure of the best items (measured on MovieLens-100K: calibration error 0.013 instead of 0.002).
    The logarithm is bent so that it is defined, and increases, below zero as well.

    Source: M. Kull, T. Silva Filho, P. Flach, Beta calibration, 2017 (the idea of two features).
    """
    values = np.asarray(scores, np.float64)
    return np.stack([np.log((values + np.hypot(values, 2 * _FLOOR)) / 2), values], axis=-1)


def readable(texts: Iterable[str], encoder: Encoder) -> list[str]:
    """Returns the texts that mean something to the encoder, sorted."""
    return sorted(text for text in texts if not encoder.check(text).is_unknown)


def _indicator(columns: Sequence[Sequence[int]], n_columns: int) -> sparse.csr_matrix:
    starts = np.cumsum([0, *(len(part) for part in columns)])
    flat = np.array([column for part in columns for column in part], dtype=np.int64)
    return sparse.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(columns), n_columns))


def _at_least_one(counts: np.ndarray, offset: float) -> np.ndarray:
    """What a sum of n parts is divided by; an empty sum is zero whatever it is divided by."""
    return (np.maximum(counts, 1) + offset)[:, None]


class AdditiveScorer:
    """Scores are sums of a prior and of one part for each facet, exactly.

    ``score(u, i) = prior(i) + taste(u) . items(i)``, and ``taste(u)`` is the sum of what the facts, each interest and each
    liked item say. In the form of the design, ``items(i) = sum over views of P_v' (e_v(i) - mean_v) + r(i)``: each view's
    embedding ``e_v`` through its ``P_v``, and for warm items a residual ``r`` learned from interactions.

    A view of weight w adds w times its part; the residual of a warm item then takes over what that part stood for, as far as
    the item's own likes tell it.

    Args:
        embeddings: ``(n_items, dim)``, the text embeddings; without them items are not taken apart by view.
        views: beside the text; those that the model was not fitted with say nothing.
        weights: of views, 1 where none is given.
        name: ``additive``, or ``fine-tuned`` where the encoder learned from the likes as well, ``private`` where the fit is a
            differentially private one, ``federated`` where it is made from the sums of sites, ``transferred`` where it was
            carried over from another dataset.
    """

    def __init__(
        self,
        model: AdditiveModel,
        *,
        dataset: Dataset,
        encoder: Encoder,
        embeddings: np.ndarray | None = None,
        views: Mapping[str, ItemView] | None = None,
        weights: Mapping[str, float] | None = None,
        name: str = "additive",
    ) -> None:
        self.name = name
        self._fitted = model
        self._dataset = dataset
        self._encoder = encoder
        self._embeddings = embeddings
        self._views = {name: view for name, view in (views or {}).items() if name in model.views}
        self.views = (TEXT, *self._views)
        self.weights: Mapping[str, float] = dict.fromkeys(self.views, 1.0) | dict(weights or {})
        self.model = model if all(weight == 1 for weight in self.weights.values()) else self._weighted()
        self.item_vectors = _item_vectors(self.model)
        if self.model.items.dtype == np.float32:  # the vectors hold the same numbers: one copy in memory is enough
            self.model = replace(self.model, items=self.item_vectors[:, :-1])
        if model.items.dtype == np.float32 and all(weight == 1 for weight in self.weights.values()):
            self._fitted = self.model
        self.item_map = TextMap(model.text_centre, _without_prior(model.text), self.weights[TEXT])

    def with_views(self, weights: Mapping[str, float]) -> "AdditiveScorer":
        """Returns the same scorer with other weights of views."""
        return AdditiveScorer(
            self._fitted,
            dataset=self._dataset,
            encoder=self._encoder,
            embeddings=self._embeddings,
            views=self._views,
            weights=weights,
            name=self.name,
        )

    def _weighted(self) -> AdditiveModel:
        """The model in which each view counts as much as its weight says."""
        model = self._fitted
        items, liked = (np.asarray(part, np.float64).copy() for part in (model.items, model.liked))
        for rows in _chunks(len(items)):
            lost_items, lost_liked = np.zeros_like(items[rows]), np.zeros_like(liked[rows])
            for name, shown in self._shown(rows).items():
                found = self._map(name)
                lost_items += (1 - self.weights[name]) * (shown @ found.items)
                lost_liked += (1 - self.weights[name]) * (shown @ found.liked)
            items[rows] -= (1 - model.own_share[rows])[:, None] * lost_items
            liked[rows] -= (1 - model.own_liked_share[rows])[:, None] * lost_liked
        return replace(model, items=items, liked=liked)

    def _map(self, view: str) -> ViewMap:
        model = self._fitted
        return ViewMap(model.text_centre, model.text, model.text_liked) if view == TEXT else model.views[view]

    def _shown(self, rows: slice | np.ndarray) -> dict[str, np.ndarray]:
        """Each view's vectors of some items, less their centre, float64; an item that lacks a view has zeros."""
        if self._embeddings is None:
            return {}
        found = {TEXT: np.asarray(self._embeddings[rows], np.float64) - self._fitted.text_centre}
        for name, view in self._views.items():
            vectors = np.asarray(view.vectors[rows], np.float64) - self._fitted.views[name].centre
            found[name] = np.where(view.has[rows, None], vectors, 0.0)
        return found

    def item_parts(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Returns what each view adds to the vectors of some items, then what was learned beyond, and the prior."""
        whole = np.asarray(self.item_vectors[rows], np.float64)
        parts = {
            name: self.weights[name] * shown @ _without_prior(self._map(name).items)
            for name, shown in self._shown(rows).items()
        }
        prior = np.zeros_like(whole)
        prior[:, -1] = whole[:, -1]
        learned = whole - prior - sum(parts.values(), start=np.zeros_like(whole))
        return {**parts, LEARNED: learned, PRIOR.key: prior}

    def mean_parts(self) -> dict[str, np.ndarray]:
        """Returns the mean of what each view adds; all but zero, as views are centred, unless the catalog has changed."""
        sums = dict.fromkeys(self._shown(slice(0, 0)), 0.0)
        for rows in _chunks(len(self.item_vectors)):
            for name, shown in self._shown(rows).items():
                sums[name] = sums[name] + shown.sum(axis=0)
        n_items = max(1, len(self.item_vectors))
        parts = {
            name: self.weights[name] * (total / n_items) @ _without_prior(self._map(name).items)
            for name, total in sums.items()
        }
        whole = np.asarray(self.item_vectors.mean(axis=0, dtype=np.float64))
        prior = np.zeros_like(whole)
        prior[-1] = whole[-1]
        return {**parts, LEARNED: whole - prior - sum(parts.values(), start=np.zeros_like(whole)), PRIOR.key: prior}

    def view_query(self, queries: np.ndarray, view: str) -> np.ndarray:
        """Returns ``(n, dim)``: what queries ask for in a view's own space, whatever its weight."""
        return np.asarray(queries, np.float64)[:, :-1] @ np.asarray(self._map(view).items, np.float64).T

    def view_space(self, view: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the vectors of the view as they are, and their mean."""
        return self._views[view].vectors, np.asarray(self._fitted.views[view].centre)

    def queries(self, profiles: Sequence[Profile], *, popularity: float = 1.0) -> np.ndarray:
        """Returns ``(n_profiles, k + 1)``; the last column weighs the prior."""
        taste = Known.from_profiles(profiles, self._dataset, self._encoder).taste(self.model)
        return np.hstack([taste, np.full((len(profiles), 1), popularity)])

    def facet_vectors(self, profile: Profile, *, popularity: float = 1.0) -> FacetVectors:
        """Returns the part of each facet; age by gender is shared evenly between the two."""
        facets = (PRIOR, *profile.facets)
        known = self._facts(profile) | self._interests(profile) | self._liked(profile)
        vectors = np.zeros((len(facets), self.item_vectors.shape[1]))
        vectors[0, -1] = popularity
        for row, facet in enumerate(facets[1:], 1):
            vectors[row, :-1] = known.get(facet.key, 0.0)
        return FacetVectors(facets, vectors, "exact")

    def texts(self, profile: Profile) -> tuple[ProfileText, ...]:
        """Returns the interests that the encoder can read."""
        read = set(readable(profile.interests, self._encoder))
        share = 1 / (len(read) + self.model.interest_offset)
        entering = TextMap(self.model.interest_centre, _without_prior(self.model.interests), share)
        return tuple(ProfileText(f"interest:{text}", text, entering) for text in profile.interests if text in read)

    def reworded(self, profile: Profile, wordings: Sequence[Mapping[str, str]]) -> np.ndarray:
        """Returns the queries of the profile with other interests; the fewer are left, the more each weighs."""
        changed = [tuple(wording.get(f"interest:{text}", text) for text in profile.interests) for wording in wordings]
        return self.queries([replace(profile, interests=texts) for texts in changed])

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Returns the calibrated probability that an item is among those the person goes on to like."""
        *slopes, offset = self.model.calibration
        return np.asarray(expit(calibration_features(scores) @ np.array(slopes) + offset))

    def _facts(self, profile: Profile) -> dict[str, np.ndarray]:
        basis = self.model.basis
        row = basis.rows([profile])[0]
        *main, crossed = (row[part] @ self.model.facts[part] for part in basis.slices.values())
        parts = dict(zip(basis.blocks, main, strict=False))
        return parts | {key: parts[key] + crossed / 2 for key in ("age", "gender")}

    def _interests(self, profile: Profile) -> dict[str, np.ndarray]:
        """Interests that the encoder cannot read say nothing, and do not thin out the others."""
        texts = readable(profile.interests, self._encoder)
        if not texts:
            return {}
        share = 1 / (len(texts) + self.model.interest_offset)
        taste = share * (self._encoder.encode(texts) - self.model.interest_centre) @ self.model.interests
        return {f"interest:{text}": row for text, row in zip(texts, taste, strict=True)}

    def _liked(self, profile: Profile) -> dict[str, np.ndarray]:
        share = 1 / (len(profile.liked) + self.model.liked_offset) if profile.liked else 0.0
        rows = self._dataset.item_rows
        return {f"liked:{item_id}": share * self.model.liked[rows[item_id]] for item_id in profile.liked}


def _chunks(n_items: int) -> Iterable[slice]:
    return (slice(start, start + _ROWS) for start in range(0, n_items, _ROWS))


def _item_vectors(model: AdditiveModel) -> np.ndarray:
    """Returns ``(n_items, k + 1)`` float32: the taste that each item answers to, and its prior."""
    n_items, k = model.items.shape
    vectors = np.empty((n_items, k + 1), np.float32)
    vectors[:, :-1], vectors[:, -1] = model.items, model.prior
    return vectors


def _without_prior(matrix: np.ndarray) -> np.ndarray:
    """A map to taste as one to item vectors, whose last column is the prior: no text speaks through that."""
    return np.hstack([np.asarray(matrix, np.float64), np.zeros((len(matrix), 1))])
