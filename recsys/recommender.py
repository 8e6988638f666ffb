"""The whole path: a profile in, a ranked list with its contributions out."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from recsys.artifact import ArtifactStore
from recsys.encoder import CachedEncoder, Encoder, TransformerEncoder
from recsys.errors import ArtifactError, ConfigError, DataError, NotTrainedError
from recsys.index import ItemIndex
from recsys.schema import ITEM_ID, TITLE, Dataset, Facet, ItemFilter, Profile, Recommendations, Scores
from recsys.scorer import CosineScorer, Scorer
from recsys.settings import MAX_K, Settings
from recsys.views.text import item_texts, profile_text

SCORERS = ("cosine",)
Progress = Callable[[str, int, int], None]
"""Called with (step, done, in all); the steps are ``encode`` and ``index``."""


class Recommender:
    """Ranks the items of one dataset for profiles; ``from_dataset`` makes one."""

    def __init__(self, dataset: Dataset, *, scorer: Scorer, index: ItemIndex, encoder: Encoder) -> None:
        self.dataset = dataset
        self.scorer = scorer
        self.index = index
        self.encoder = encoder

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        *,
        scorer: str = "cosine",
        encoder: Encoder | None = None,
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> "Recommender":
        """Opens the item embeddings of a dataset, makes them where they are missing, outdated or damaged, and ranks with them.

        Args:
            encoder: defaults to the one that ``settings`` names.

        Raises:
            ConfigError: for an unknown scorer, or an encoder that does not load.
            NotTrainedError: for a scorer that is not available.
        """
        if scorer not in SCORERS:
            fix = f"Choose one of: {', '.join(SCORERS)}."
            kind = NotTrainedError if scorer in ("additive", "fine-tuned") else ConfigError
            raise kind("This scorer is not available", scorer, fix=fix)
        settings = settings or Settings()
        made = encoder or TransformerEncoder.from_pretrained(
            settings.encoder, device=settings.device, precision=settings.precision
        )
        vectors = item_embeddings(dataset, made, progress=progress)
        cached = made if isinstance(made, CachedEncoder) else CachedEncoder(made)
        device = "cuda" if made.description.startswith("cuda") else "cpu"
        ranked = CosineScorer(vectors, dataset=dataset, encoder=cached)
        return cls(dataset, scorer=ranked, index=ItemIndex(vectors, device=device), encoder=cached)

    def recommend(
        self,
        profile: Profile,
        *,
        k: int = 10,
        exclude: Iterable[str] = (),
        keep: ItemFilter | None = None,
    ) -> Recommendations:
        """Returns the k best items for a profile; liked items are left out, ``exclude`` and ``keep`` leave out more.

        Raises:
            DataError: if k is not in 1..100, or the profile has a gender or attribute the dataset does not know.
            UnknownItemError: for a liked or excluded item that is not in the catalog.
        """
        return self.recommend_many([profile], k=k, exclude=exclude, keep=keep)[0]

    def recommend_many(
        self,
        profiles: Sequence[Profile],
        *,
        k: int = 10,
        exclude: Iterable[str] = (),
        keep: ItemFilter | None = None,
    ) -> list[Recommendations]:
        """Returns the lists of several profiles from one matrix product; each equals the one ``recommend`` gives."""
        _check_k(k)
        warnings = [self.check(profile) for profile in profiles]
        started = time.perf_counter()
        queries = self.scorer.queries(profiles)
        encoded = time.perf_counter()
        shown = (keep or ItemFilter()).mask(self.dataset)
        shown[[self.dataset.item_row(item_id) for item_id in exclude]] = False
        allowed = [self._without_liked(shown, profile) for profile in profiles]
        hits = self.index.search(queries, k, allowed=allowed)
        searched = time.perf_counter()
        share = 1000 / max(1, len(profiles))
        timings = {"encode": (encoded - started) * share, "search": (searched - encoded) * share}
        return [self._list(profile, hits.rows[n], tuple(warnings[n]), timings) for n, profile in enumerate(profiles)]

    def score_all(self, profile: Profile) -> Scores:
        """Returns the score of every item, liked ones included."""
        self.check(profile)
        values = self.index.scores(self.scorer.queries([profile]))[0].astype(np.float64)
        return Scores(tuple(self.dataset.items[ITEM_ID]), values)

    def sentence(self, profile: Profile) -> str:
        """Returns the sentence that the profile becomes for the cosine scorer."""
        return profile_text(profile, self.dataset)

    def check(self, profile: Profile) -> list[str]:
        """Returns warnings about a profile: what is outside the data or unreadable for the encoder.

        Raises:
            DataError: for a gender or an attribute name that the dataset does not have.
            UnknownItemError: for a liked item that is not in the catalog.
        """
        _check_known(profile, self.dataset)
        for item_id in profile.liked:
            self.dataset.item_row(item_id)
        return [*_outside_data(profile, self.dataset), *self._unread(profile)]

    def _unread(self, profile: Profile) -> Iterable[str]:
        for text in profile.interests:
            if self.encoder.check(text).is_unknown:
                yield f"The encoder knows no part of the interest “{text}”, so it carries no meaning."
        if profile.interests or profile.liked:
            found = self.encoder.check(self.sentence(profile))
            if found.is_cut:
                yield f"The profile's sentence has {found.n_tokens} tokens, more than the encoder reads; its end was cut."

    def _without_liked(self, shown: np.ndarray, profile: Profile) -> np.ndarray:
        allowed = shown.copy()
        allowed[[self.dataset.item_row(item_id) for item_id in profile.liked]] = False
        return allowed

    def _list(
        self, profile: Profile, rows: np.ndarray, warnings: tuple[str, ...], timings: dict[str, float]
    ) -> Recommendations:
        started = time.perf_counter()
        parts = self.scorer.facet_vectors(profile)
        contributions = np.asarray(self.index.vectors[rows], np.float64) @ parts.vectors.T
        scores = contributions.sum(axis=1)
        items = self.dataset.items.iloc[rows]
        table = pd.DataFrame(
            {
                "rank": np.arange(1, len(rows) + 1),
                ITEM_ID: items[ITEM_ID].to_numpy(),
                TITLE: items[TITLE].to_numpy(),
                "score": scores,
                "probability": self.scorer.probability(scores),
                **{facet.key: contributions[:, n] for n, facet in enumerate(parts.facets)},
            }
        )
        timings = {**timings, "contributions": (time.perf_counter() - started) * 1000}
        return Recommendations(profile, table, tuple(map(self._named, parts.facets)), warnings, timings)

    def _named(self, facet: Facet) -> Facet:
        """A liked item is called by its label, which no other item has."""
        if facet.kind != "liked":
            return facet
        return replace(
            facet, label=f"Liked {self.dataset.labels[self.dataset.item_row(facet.key.removeprefix('liked:'))]}"
        )


def item_embeddings(dataset: Dataset, encoder: Encoder, *, progress: Progress | None = None) -> np.ndarray:
    """Returns ``(n_items, dim)`` float32, memory-mapped from the dataset's artifacts and made there where needed."""
    texts = item_texts(dataset)
    key = embeddings_key(texts, encoder)
    report = progress or (lambda step, done, total: None)

    def encode() -> np.ndarray:
        return encoder.encode(texts, bulk=True, progress=lambda done, total: report("encode", done, total))

    if dataset.folder is None:
        return encode()
    store = ArtifactStore(dataset.folder / "artifacts")
    try:
        artifact = store.open("text", key)
    except ArtifactError:
        vectors = encode()
        report("index", 0, 1)
        about = {"dataset": dataset.name, "encoder": encoder.name, "identity": encoder.identity, "n_items": len(texts)}
        with store.publish("text", key, about=about) as folder:
            np.save(folder / "embeddings.npy", vectors, allow_pickle=False)
        artifact = store.open("text", key)
        report("index", 1, 1)
    mapped: np.ndarray = np.load(artifact.path / "embeddings.npy", mmap_mode="r", allow_pickle=False)
    return mapped


def embeddings_key(texts: Sequence[str], encoder: Encoder) -> str:
    """Returns the SHA-256 of everything that item embeddings depend on: the encoder and every text in order."""
    digest = hashlib.sha256(encoder.identity.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()


def _check_k(k: int) -> None:
    if not 1 <= k <= MAX_K:
        raise DataError("The length of the list is out of range", k, fix=f"Choose k from 1 to {MAX_K}.")


def _check_known(profile: Profile, dataset: Dataset) -> None:
    if profile.gender and dataset.genders and profile.gender not in dataset.genders:
        fix = f"Use one of: {', '.join(dataset.genders)}, or leave the gender out."
        raise DataError("The dataset has no such gender", profile.gender, fix=fix)
    for name in profile.attributes:
        if name not in dataset.user_attributes:
            listed = ", ".join(dataset.user_attributes) or "none"
            raise DataError("The dataset has no such user attribute", name, fix=f"The attributes are: {listed}.")


def _outside_data(profile: Profile, dataset: Dataset) -> Iterable[str]:
    ages = dataset.age_range
    if profile.age is not None and ages and not ages[0] <= profile.age <= ages[1]:
        yield f"Age {profile.age:g} is outside the users' range ({ages[0]:g} to {ages[1]:g}); nobody in the data is like this."
    for name, value in profile.attributes.items():
        if value not in dataset.user_attributes[name]:
            yield f"No user has the {name} “{value}”."
