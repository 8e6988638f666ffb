"""The smallest edits of a profile that bring an item into its top k."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import ItemFilter, Profile
from recsys.whatif.edits import PROTECTED, Edit, single_edits
from recsys.whatif.panel import ListConfig
from recsys.whatif.vocabulary import vocabulary

_BLOCK = 64 << 20
_LIKEABLE, _LIKEABLE_IN_WORDS = 5000, 50
_PAIRED, _VERIFIED = 60, 200
_SLACK = 1e-5


@dataclass(frozen=True)
class Outcome:
    """Edits, the profile they make, and where the item then stands; the rank was found by ranking again."""

    edits: tuple[Edit, ...]
    profile: Profile
    rank: int
    score: float

    @property
    def label(self) -> str:
        """The edits in words."""
        return (
            " and ".join([self.edits[0].label, *(_lower(edit.label) for edit in self.edits[1:])]) if self.edits else ""
        )


@dataclass(frozen=True)
class Counterfactual:
    """What would bring an item into the top k.

    Attributes:
        rank: of the item now.
        gap: the score at rank k less the item's own; zero or less where it is in the top k already.
        kth_row: item_row of the item at rank k, ``None`` where fewer than k may be shown.
        outcomes: every single edit that works, best rank first; where none does, pairs that work.
        tried: kind of edit to how many were tried; all of them were ranked.
        n_pairs: pairs that were ranked, chosen by what their single edits achieve.
    """

    item_row: int
    k: int
    rank: int
    score: float
    gap: float
    kth_row: int | None
    outcomes: tuple[Outcome, ...]
    tried: Mapping[str, int]
    n_pairs: int

    @property
    def is_in(self) -> bool:
        """Whether the item is in the top k already."""
        return self.rank <= self.k


def bring_in(
    recommender: Recommender,
    profile: Profile,
    item_id: str,
    *,
    k: int = 10,
    locked: Collection[str] = PROTECTED,
    keep: ItemFilter | None = None,
    popularity: float = 1.0,
) -> Counterfactual:
    """Returns the smallest edits that bring an item into the top k: every single edit is tried, then the most promising pairs.

    Args:
        locked: facets that stay as they are, see ``single_edits``; age and gender unless the reader asks.

    Raises:
        DataError: if k or popularity is out of range, or if the item is liked already or left out by the filters, so that no edit
            can bring it in.
        UnknownItemError: for an item that is not in the catalog.
    """
    ListConfig(k, popularity=popularity)
    item_row = recommender.dataset.item_row(item_id)
    search = _Search(recommender, item_row, k, keep or ItemFilter(), popularity)
    search.check(profile, item_id)
    now = search.outcome((), profile)
    kth_row, kth_score = search.kth(profile)
    edits = _candidates(recommender, profile, item_row, locked) if now.rank > k else []
    found, gains = search.singles(profile, edits)
    pairs: list[tuple[Edit, Edit]] = []
    if now.rank > k and not found:
        pairs = _promising(edits, gains)
        found, _ = search.try_all(profile, pairs)
    return Counterfactual(
        item_row=item_row,
        k=k,
        rank=now.rank,
        score=now.score,
        gap=kth_score - now.score,
        kth_row=kth_row,
        outcomes=tuple(sorted(found, key=lambda outcome: (outcome.rank, outcome.label))),
        tried=dict(Counter(edit.kind for edit in edits)),
        n_pairs=len(pairs),
    )


def _candidates(recommender: Recommender, profile: Profile, item_row: int, locked: Collection[str]) -> list[Edit]:
    dataset = recommender.dataset
    if recommender.scorer.name == "cosine":  # each liked title is a sentence of its own to encode
        closeness = np.asarray(recommender.embeddings @ recommender.embeddings[item_row])
        order, most = np.argsort(-closeness, kind="stable"), _LIKEABLE_IN_WORDS
    else:
        order, most = np.argsort(-dataset.popularity, kind="stable"), _LIKEABLE
    likeable = [int(row) for row in order if row != item_row][:most]
    interests = vocabulary(dataset, item_row)
    return single_edits(profile, dataset, interests=interests, likeable=likeable, locked=locked)


def _promising(edits: Sequence[Edit], gains: np.ndarray) -> list[tuple[Edit, Edit]]:
    """Pairs of different keys, by the sum of what each gains alone: scores nearly add up, so gains do too."""
    best = [int(n) for n in np.argsort(-gains, kind="stable")[:_PAIRED]]
    pairs = [(a, b) for a, b in combinations(best, 2) if edits[a].key != edits[b].key]
    pairs.sort(key=lambda pair: -(gains[pair[0]] + gains[pair[1]]))
    return [(edits[a], edits[b]) for a, b in pairs[:_VERIFIED]]


class _Search:
    """Ranks one item for many profiles at once."""

    def __init__(self, recommender: Recommender, item_row: int, k: int, keep: ItemFilter, popularity: float) -> None:
        self._recommender = recommender
        self._item_row = item_row
        self._k = k
        self._shown = recommender.allowed(Profile(), keep=keep)
        self._popularity = popularity

    def check(self, profile: Profile, item_id: str) -> None:
        if item_id in profile.liked:
            fix = "Choose another item, or drop it from the liked ones: what is liked is left out of the list."
            raise DataError("This item is liked already", self._recommender.dataset.labels[self._item_row], fix=fix)
        if not self._shown[self._item_row]:
            fix = "Widen the filters of the list, or choose another item."
            raise DataError(
                "The filters leave this item out", self._recommender.dataset.labels[self._item_row], fix=fix
            )

    def _allowed(self, profile: Profile) -> np.ndarray:
        allowed = self._shown.copy()
        allowed[[self._recommender.dataset.item_rows[item_id] for item_id in profile.liked]] = False
        return allowed

    def kth(self, profile: Profile) -> tuple[int | None, float]:
        """Returns row and score of the item at rank k; negative infinity where there is none."""
        query = self._recommender.scorer.queries([profile], popularity=self._popularity)
        hits = self._recommender.index.search(query, self._k, allowed=[self._allowed(profile)])
        if len(hits.rows[0]) < self._k:
            return None, -np.inf
        return int(hits.rows[0][-1]), float(hits.scores[0][-1])

    def outcome(self, edits: tuple[Edit, ...], profile: Profile) -> Outcome:
        """Ranks the item for one profile, exactly."""
        query = self._recommender.scorer.queries([profile], popularity=self._popularity)[0]
        rank = self._recommender.index.rank_of(query, self._item_row, allowed=self._allowed(profile))
        score = float(self._recommender.index.rescore(query, np.array([self._item_row]))[0])
        return Outcome(edits, profile, rank, score)

    def singles(self, profile: Profile, edits: Sequence[Edit]) -> tuple[list[Outcome], np.ndarray]:
        """Returns the single edits that work, and what each gains."""
        return self.try_all(profile, [(edit,) for edit in edits])

    def try_all(self, profile: Profile, choices: Sequence[tuple[Edit, ...]]) -> tuple[list[Outcome], np.ndarray]:
        """Returns the choices that bring the item in, each ranked again on its own, and the margin of every choice.

        The margin is the item's score less the one that it has to beat, so it is positive, or nearly, where a choice works.
        """
        profiles = [_edited(profile, edits) for edits in choices]
        margins = self._margins(profiles)
        near = np.flatnonzero(margins >= -_SLACK).tolist()
        found = [self.outcome(choices[n], profiles[n]) for n in near]
        return [outcome for outcome in found if outcome.rank <= self._k], margins

    def _margins(self, profiles: Sequence[Profile]) -> np.ndarray:
        scorer, index = self._recommender.scorer, self._recommender.index
        size = max(1, _BLOCK // (4 * len(index)))
        margins = np.zeros(len(profiles))
        for start in range(0, len(profiles), size):
            block = profiles[start : start + size]
            scores = index.scores(scorer.queries(block, popularity=self._popularity))
            own = scores[:, self._item_row].copy()
            for row, edited in enumerate(block):
                scores[row, ~self._allowed(edited)] = -np.inf
            scores[:, self._item_row] = -np.inf
            k = min(self._k, scores.shape[1])
            margins[start : start + size] = own - np.partition(scores, -k, axis=1)[:, -k]
        return margins


def _edited(profile: Profile, edits: Sequence[Edit]) -> Profile:
    for edit in edits:
        profile = edit.apply(profile)
    return profile


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
