"""The whole path: a profile in, a ranked list with its contributions out."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from recsys.diagnostics import Finding, agreement, diagnose
from recsys.diversity import diversify
from recsys.encoder import AGREES_FROM, CachedEncoder, Encoder, Mismatch, brought, mismatch_of, reads_text
from recsys.errors import ColdlensError, ConfigError
from recsys.explanation import EXACT, Deletion, Explainer, delete_words
from recsys.index import Index, open_index
from recsys.recommender.available import SCORERS, default_scorer
from recsys.recommender.checks import (
    DEMOGRAPHICS,
    check_k,
    check_known,
    check_share,
    check_weights,
    ignored_keys,
    outside_data,
    unread_interests,
)
from recsys.recommender.opening import encoder_of, scorer_of, searched
from recsys.recommender.reasons import reason_of, reasons_of
from recsys.schema import (
    ITEM_ID,
    TITLE,
    Dataset,
    Explanation,
    Facet,
    Influence,
    ItemFilter,
    Profile,
    Recommendations,
    Scores,
)
from recsys.scorer import AdditiveScorer, Scorer, UnawareScorer
from recsys.settings import DEFAULT_INDEX, MAX_INTEREST_LENGTH, Settings
from recsys.transfer import TRANSFERRED, as_lent
from recsys.views.embeddings import embed_items
from recsys.views.facts import Facts, facts_of
from recsys.views.opening import open_views
from recsys.views.text import profile_text
from recsys.views.view import GRAPH, ItemView

Progress = Callable[[str, int, int], None]
"""Called with (step, done, in all); the steps are ``encode``, ``index`` and ``train``."""
_CANDIDATES = 10
"""A diverse list of k is chosen from the best ``10 * k`` items."""


class Recommender:
    """Ranks the items of one dataset for profiles; ``from_dataset`` makes one.

    Attributes:
        base: the recommender whose views all count 1 and that ignores nothing but what it always does; see ``with_views``.
        always_ignored: keys of facets that the settings have taken out of the ranking for good; see ``ignoring``.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        scorer: Scorer,
        index: Index,
        index_kind: str = DEFAULT_INDEX,
        encoder: Encoder,
        embeddings: np.ndarray,
        embeddings_key: str = "",
        views: Mapping[str, ItemView] | None = None,
    ) -> None:
        self.dataset = dataset
        self.scorer = scorer
        self.index = index
        self.encoder = encoder
        self.embeddings = embeddings
        self.embeddings_key = embeddings_key
        self.views = dict(views or {})
        self.base = self
        self.always_ignored: frozenset[str] = frozenset()
        self._index_kind = index_kind
        self._device = "cuda" if encoder.description.startswith("cuda") else "cpu"

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        *,
        scorer: str | None = None,
        encoder: Encoder | None = None,
        views: Sequence[str] | None = None,
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> "Recommender":
        """Opens what a scorer needs, and makes it where it is missing, outdated or damaged: item embeddings, a fitted model.

        Args:
            scorer: one of ``SCORERS``; ``None`` takes the dataset's default, see ``default_scorer``.
            encoder: defaults to the one that ``settings`` or else the dataset names. ``fine-tuned`` reads with the one that
                ``recsys train`` has made of it; for a dataset in memory it is trained here, which takes minutes.
            views: which views of items are read beside the text, of ``image``, ``audio`` and ``graph``; by default all that the
                dataset has.

        Raises:
            ConfigError: for an unknown scorer or view, or an encoder that does not load.
            NotTrainedError: for a scorer that needs likes which the dataset does not have, or a training that has not been.
        """
        scorer = scorer or default_scorer(dataset)
        if scorer not in SCORERS:
            fix = f"Choose one of: {', '.join(SCORERS)}."
            raise ConfigError("This scorer is not available", scorer, fix=fix)
        settings = settings or Settings()
        dataset = as_lent(dataset) if scorer == TRANSFERRED else dataset
        made = encoder_of(dataset, scorer, encoder, settings)
        vectors, key = embed_items(dataset, made, progress=progress)
        cached = made if isinstance(made, CachedEncoder) else CachedEncoder(made)
        opened = open_views(
            dataset,
            names=views,
            text_encoder=made,
            settings=settings,
            progress=_of_media(progress) if progress else None,
        )
        report = partial(progress, "train") if progress else None
        ranked = scorer_of(dataset, scorer, vectors, key, encoder=cached, views=opened, progress=report)
        device = "cuda" if made.description.startswith("cuda") else "cpu"
        local = open_index(ranked.item_vectors, device=device, kind=settings.index)
        index = searched(local, dataset.name, ranked.name, settings.milvus)
        opened_with = cls(
            dataset,
            scorer=ranked,
            index=index,
            index_kind=settings.index,
            encoder=cached,
            embeddings=vectors,
            embeddings_key=key,
            views=opened,
        )
        return opened_with._blinded(settings.unused)

    def _blinded(self, names: Iterable[str]) -> "Recommender":
        """What the settings say is not used; a dataset may not know all of it."""
        known = [name for name in names if name in (*DEMOGRAPHICS, *self.dataset.user_attributes)]
        made = self.ignoring(known)
        made.base, made.always_ignored = made, ignored_keys(known, self.dataset)
        return made

    def with_views(self, weights: Mapping[str, float]) -> "Recommender":
        """Returns the same recommender with other weights of views, 0 (off) to 2; a view that is not named counts 1.

        Raises:
            DataError: for a weight out of range, or a view that is not there.
        """
        check_weights(weights, self.scorer.views)
        if {name: weights.get(name, 1.0) for name in self.scorer.views} == dict(self.scorer.weights):
            return self
        return self._with_scorer(self.scorer.with_views(weights))

    def ignoring(self, facets: Iterable[str]) -> "Recommender":
        """Returns the same recommender, not told some facts of the person, so that its answers do not depend on them.

        Args:
            facets: ``age``, ``gender`` or the name of an attribute of the dataset's users; none ignores nothing but what the
                settings do.

        Raises:
            DataError: for what is none of these.
        """
        keys = ignored_keys(facets, self.dataset) | self.always_ignored
        if keys == self.ignored:
            return self
        return self._with_scorer(UnawareScorer(self.informed, keys) if keys else self.informed)

    @property
    def informed(self) -> Scorer:
        """The scorer that is told everything."""
        return self.scorer.informed if isinstance(self.scorer, UnawareScorer) else self.scorer

    @property
    def ignored(self) -> frozenset[str]:
        """Keys of the facets that are not used for ranking; see ``ignoring``."""
        return self.scorer.ignored if isinstance(self.scorer, UnawareScorer) else frozenset()

    def seen(self, profile: Profile) -> Profile:
        """Returns what of a profile is used for ranking."""
        return self.scorer.seen(profile) if isinstance(self.scorer, UnawareScorer) else profile

    def _with_scorer(self, scorer: Scorer) -> "Recommender":
        is_same = scorer.item_vectors is self.index.vectors
        kind, device = self._index_kind, self._device
        index = self.index if is_same else open_index(scorer.item_vectors, device=device, kind=kind)
        made = Recommender(
            self.dataset,
            scorer=scorer,
            index=index,
            index_kind=kind,
            encoder=self.encoder,
            embeddings=self.embeddings,
            embeddings_key=self.embeddings_key,
            views=self.views,
        )
        made.base, made.always_ignored = self.base, self.always_ignored
        return made

    def recommend(
        self,
        profile: Profile,
        *,
        k: int = 10,
        exclude: Iterable[str] = (),
        keep: ItemFilter | None = None,
        popularity: float = 1.0,
        diversity: float = 0.0,
    ) -> Recommendations:
        """Returns the k best items for a profile; liked items are left out, ``exclude`` and ``keep`` leave out more.

        Args:
            popularity: weight of the prior, 0 (pure taste) to 1 (as learned); the cosine scorer has no prior.
            diversity: 0 ranks by score alone, 1 by difference from what is already in the list (maximal marginal
                relevance over the items' text embeddings).

        Raises:
            DataError: if k, popularity or diversity is out of range, or for a gender or attribute that the dataset does not know.
            UnknownItemError: for a liked or excluded item that is not in the catalog.
        """
        return self.recommend_many(
            [profile], k=k, exclude=exclude, keep=keep, popularity=popularity, diversity=diversity
        )[0]

    def recommend_many(
        self,
        profiles: Sequence[Profile],
        *,
        k: int = 10,
        exclude: Iterable[str] = (),
        keep: ItemFilter | None = None,
        popularity: float = 1.0,
        diversity: float = 0.0,
    ) -> list[Recommendations]:
        """Returns the lists of several profiles from one matrix product; each equals the one ``recommend`` gives."""
        check_k(k)
        check_share("The popularity weight", popularity)
        check_share("The diversity", diversity)
        warnings = [self.check(profile) for profile in profiles]
        started = time.perf_counter()
        queries = self.scorer.queries(profiles, popularity=popularity)
        encoded = time.perf_counter()
        shown = (keep or ItemFilter()).mask(self.dataset)
        shown[[self.dataset.item_row(item_id) for item_id in exclude]] = False
        allowed = [self._without_liked(shown, profile) for profile in profiles]
        hits = self.index.search(queries, k if diversity == 0 else _CANDIDATES * k, allowed=allowed)
        if notice := self.index.notice:
            warnings = [[*said, notice] for said in warnings]
        rows = [self._spread(*hit, k, diversity) for hit in zip(hits.rows, hits.scores, strict=True)]
        searched = time.perf_counter()
        share = 1000 / max(1, len(profiles))
        timings = {"encode": (encoded - started) * share, "search": (searched - encoded) * share}
        found = zip(profiles, rows, warnings, strict=True)
        lists = [self._list(profile, best, popularity, tuple(said), timings) for profile, best, said in found]
        return [replace(made, diversity=diversity) for made in lists]

    def _spread(self, rows: np.ndarray, scores: np.ndarray, k: int, diversity: float) -> np.ndarray:
        if diversity == 0 or len(rows) == 0:
            return rows
        return rows[diversify(scores, np.asarray(self.embeddings[rows], np.float64), k, diversity=diversity)]

    def influence(
        self, found: Recommendations, *, exclude: Iterable[str] = (), keep: ItemFilter | None = None
    ) -> Influence:
        """Returns what lifts the items of a list above the average item of the catalog, and what the prior alone would show.

        Args:
            exclude: as the list was made.
            keep: as the list was made.
        """
        rows = [self.dataset.item_row(item_id) for item_id in found.table[ITEM_ID]]
        lifted = self.lifts(found)
        sizes: dict[str, float] = {}
        for facet_kind in dict.fromkeys(facet.kind for facet in found.facets):
            own = [n for n, facet in enumerate(found.facets) if facet.kind == facet_kind]
            sizes[facet_kind] = float(np.abs(lifted[:, own].sum(axis=1)).sum())
        total = sum(sizes.values())
        shares = {name: size / total if total else 0.0 for name, size in sizes.items()}
        prior = self.scorer.queries([Profile()])
        without = self.allowed(found.profile, exclude=exclude, keep=keep)
        k, diversity = max(1, len(rows)), found.diversity
        hits = self.index.search(prior, k if diversity == 0 else _CANDIDATES * k, allowed=[without])
        usual = self._spread(hits.rows[0], hits.scores[0], k, diversity)
        return Influence(shares, tuple(self.dataset.items[ITEM_ID].iloc[usual]), tuple(found.table[ITEM_ID]))

    def lifts(self, found: Recommendations) -> np.ndarray:
        """Returns ``(k, n_facets)``: the contributions of a list above those of the average item of the catalog."""
        parts = self.scorer.facet_vectors(found.profile, popularity=found.popularity)
        return np.asarray(found.contributions.to_numpy() - parts.vectors @ self.explainer.mean_vector)

    def reasons(self, found: Recommendations) -> list[str]:
        """Returns for each item of a list why it is there, in one sentence made from its contributions."""
        return reasons_of(found, self.lifts(found), self)

    def reason(self, explanation: Explanation) -> str:
        """Returns the same sentence for one explained item."""
        return reason_of(explanation, self)

    @property
    def material_key(self) -> str:
        """Changes when the text embeddings or any further view do."""
        keys = (self.embeddings_key, *(view.key for view in self.views.values()))
        return keys[0] if len(keys) == 1 else hashlib.sha256(" ".join(keys).encode()).hexdigest()

    @property
    def answers_key(self) -> str:
        """Changes with everything that answers depend on but the dataset: material, fit, weights of views, what is ignored."""
        fit = self.informed.model.about.get("fit", "") if isinstance(self.informed, AdditiveScorer) else ""
        weights = " ".join(f"{name}={weight:g}" for name, weight in self.scorer.weights.items())
        ignored = "".join(f" without {key}" for key in sorted(self.ignored))
        return f"{self.material_key} {self.scorer.name}{fit} {weights}{ignored}"

    @property
    def facts(self) -> Facts:
        """What items have in common, from the graph or the attributes of the dataset."""
        return self.base._facts

    @cached_property
    def _facts(self) -> Facts:
        return facts_of(self.dataset)

    @property
    def mismatch(self) -> Mismatch | None:
        """Why the catalog is not read by the encoder, ``None`` if it is."""
        return self.base._mismatch

    @cached_property
    def _mismatch(self) -> Mismatch | None:
        return mismatch_of(self.explainer.item_texts, self.dataset.info.language, self.encoder)

    def media(self, view: str, item_row: int) -> bytes | None:
        """Returns what is shown (a picture) or played (a sound) of an item, ``None`` where there is nothing."""
        found = self.views.get(view)
        return found.media(item_row) if found is not None and found.media is not None else None

    @cached_property
    def explainer(self) -> Explainer:
        """Takes scores apart; it keeps the words of the texts that it has seen."""
        return Explainer(
            self.dataset,
            scorer=self.scorer,
            index=self.index,
            encoder=self.encoder.uncached if isinstance(self.encoder, CachedEncoder) else self.encoder,
            embeddings=self.embeddings,
        )

    def explain(
        self,
        profile: Profile,
        item_id: str,
        *,
        exclude: Iterable[str] = (),
        keep: ItemFilter | None = None,
        popularity: float = 1.0,
        tier: str = EXACT,
    ) -> Explanation:
        """Returns why an item has its score for a profile: parts, words and pairs of words that sum to it.

        Args:
            exclude: as for ``recommend``; the item itself may be one of them, or a liked one.
            keep: as for ``recommend``.
            popularity: as for ``recommend``.
            tier: ``exact`` finds exact Shapley values for texts of up to ten words, ``first-last`` answers at once.

        Raises:
            DataError: for a gender or attribute that the dataset does not know, or a popularity out of range.
            UnknownItemError: for an item that is not in the catalog.
        """
        check_share("The popularity weight", popularity)
        warnings = self.check(profile)
        item_row = self.dataset.item_row(item_id)
        return self.explainer.explain(
            profile,
            item_row,
            facets=tuple(map(self.named, self.scorer.facet_vectors(profile, popularity=popularity).facets)),
            allowed=self.allowed(profile, exclude=exclude, keep=keep),
            popularity=popularity,
            tier=tier,
            warnings=tuple(warnings),
        )

    def diagnose(self) -> list[Finding]:
        """Returns what is odd about the text embeddings of the catalog, and about the scores of people of all kinds.

        Of vectors that came with the dataset: what is odd about those, and whether the encoder named for them makes the same.
        """
        people = [
            Profile(),
            *(Profile(interests=(name[:MAX_INTEREST_LENGTH],)) for name in self.dataset.categories[:30]),
        ]
        ages = self.dataset.age_range
        people += [Profile(age=float(age)) for age in np.linspace(*ages, 5)] if ages else []
        people += [Profile(gender=gender) for gender in self.dataset.genders]
        scores = self.index.scores(self.scorer.queries(people))
        texts, encoder = self.explainer.item_texts, self.explainer.encoder
        found = diagnose(self.dataset, self.embeddings, texts, encoder, scores if reads_text(encoder) else None)
        came = brought(encoder)
        if came is None or came.reader is None:
            return found
        return [*found, agreement(self.base.agreement, came.reader.name)]

    def delete_words(self, explanation: Explanation) -> Deletion:
        """Deletes the profile's words one by one, strongest first and in random orders, and scores what is left."""
        item_row = self.dataset.item_row(explanation.item_id)
        return delete_words(explanation, scorer=self.scorer, index=self.index, item_row=item_row)

    def allowed(self, profile: Profile, *, exclude: Iterable[str] = (), keep: ItemFilter | None = None) -> np.ndarray:
        """Returns ``(n_items,)`` of bool: what may be shown to a profile."""
        shown = (keep or ItemFilter()).mask(self.dataset)
        shown[[self.dataset.item_row(item_id) for item_id in exclude]] = False
        return self._without_liked(shown, profile)

    def score_all(self, profile: Profile) -> Scores:
        """Returns the score of every item, liked ones included."""
        self.check(profile)
        values = self.index.scores(self.scorer.queries([profile]))[0].astype(np.float64)
        return Scores(tuple(self.dataset.items[ITEM_ID]), values)

    def sentence(self, profile: Profile) -> str:
        """Returns the sentence that the profile becomes for the cosine scorer."""
        return profile_text(self.seen(profile), self.dataset)

    def check(self, profile: Profile) -> list[str]:
        """Returns warnings about a profile: what is outside the data or unreadable for the encoder.

        Raises:
            DataError: for a gender or an attribute name that the dataset does not have.
            UnknownItemError: for a liked item that is not in the catalog.
        """
        self.check_known(profile)
        return [*outside_data(self.seen(profile), self.dataset), *self._unread(profile)]

    def check_known(self, profile: Profile) -> None:
        """Raises what ``check`` raises, without looking for warnings."""
        check_known(profile, self.dataset)
        for item_id in profile.liked:
            self.dataset.item_row(item_id)

    def knows(self, profile: Profile) -> bool:
        """Returns whether the data has everything that a profile names."""
        try:
            self.check_known(profile)
        except ColdlensError:
            return False
        return True

    def _unread(self, profile: Profile) -> Iterable[str]:
        if not reads_text(self.encoder):
            yield from self._without_texts(profile)
            return
        if profile.interests and self.base.agreement < AGREES_FROM:
            yield (
                f"The encoder that is named for the vectors of this dataset makes others of the same items now (cosine "
                f"{self.base.agreement:.2f}), so interests may mean something else to them."
            )
        yield from unread_interests(profile, self.encoder)
        if self.scorer.name == "cosine" and (profile.interests or profile.liked):
            found = self.encoder.check(self.sentence(profile))
            if found.is_cut:
                yield f"The profile's sentence has {found.n_tokens} tokens, more than the encoder reads; its end was cut."

    def _without_texts(self, profile: Profile) -> Iterable[str]:
        """What is not read of a profile by vectors whose encoder is not known."""
        if profile.interests:
            yield (
                "It is not known which encoder made the vectors of this dataset, so interests cannot be compared with them "
                "and count for nothing."
            )
        if self.scorer.name == "cosine" and not profile.liked:
            yield (
                "Without the encoder that made the vectors, this scorer reads nothing of a profile but its liked items; there "
                "are none, so every item scores 0."
            )

    @cached_property
    def agreement(self) -> float:
        """The cosine of vectors that came along with what the encoder named for them makes now; ``NaN`` where none is named."""
        came = brought(self.encoder)
        return came.agreement(self.explainer.item_texts) if came else float("nan")

    def _without_liked(self, shown: np.ndarray, profile: Profile) -> np.ndarray:
        allowed = shown.copy()
        allowed[[self.dataset.item_row(item_id) for item_id in profile.liked]] = False
        return allowed

    def _list(
        self,
        profile: Profile,
        rows: np.ndarray,
        popularity: float,
        warnings: tuple[str, ...],
        timings: dict[str, float],
    ) -> Recommendations:
        started = time.perf_counter()
        parts = self.scorer.facet_vectors(profile, popularity=popularity)
        contributions = np.asarray(self.index.vectors[rows], np.float64) @ parts.vectors.T
        shares = self.scorer.item_parts(rows)
        by_view = np.stack([share @ parts.vectors.T for share in shares.values()], axis=2)
        scores = contributions.sum(axis=1)
        items = self.dataset.items.iloc[rows]
        table = pd.DataFrame(
            {
                "rank": np.arange(1, len(rows) + 1),
                ITEM_ID: items[ITEM_ID].to_numpy(),
                TITLE: items[TITLE].to_numpy(),
                "score": scores,
                "probability": self.scorer.probability(scores) if popularity == 1 else np.nan,
                **{facet.key: contributions[:, n] for n, facet in enumerate(parts.facets)},
            }
        )
        timings = {**timings, "contributions": (time.perf_counter() - started) * 1000}
        facets = tuple(map(self.named, parts.facets))
        return Recommendations(
            profile, table, facets, warnings, timings, popularity, by_view=by_view, views=tuple(shares)
        )

    def named(self, facet: Facet) -> Facet:
        """Returns a facet under the name to be shown: a liked item is called by its label, which no other item has."""
        if facet.kind != "liked":
            return facet
        return replace(
            facet, label=f"Liked {self.dataset.labels[self.dataset.item_row(facet.key.removeprefix('liked:'))]}"
        )


def _of_media(progress: Progress) -> Progress:
    """Tells of pictures and sounds, which take long to look at, as of what is encoded; facts are linked at once."""
    return lambda name, done, total: None if name == GRAPH else progress("encode", done, total)
