"""How much what was learned counts beside popularity: tried on items that nobody has touched and people whom nobody has seen.

Some of the items that are left out are drawn at random, like those learned from; the others are groups of similar texts, as
another catalog's are unlike them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from recsys.encoder import Encoder
from recsys.schema import Dataset, Profile
from recsys.scorer.additive import Known
from recsys.training import AdditiveConfig, Histories
from recsys.training.additive import Workbench
from recsys.training.content import Content
from recsys.training.selection import ndcg_of_rows
from recsys.transfer.reading import Balance, content_prior, of_items, read_by_text

_TASTE = (0.5, 1.0, 2.0, 4.0, 8.0)
_INTERESTS = (0.0, 0.05, 0.1, 0.2, 0.4)
_LIKED = (0.0, 0.1, 0.2, 0.4, 0.8)
_PARTS, _MOST_JUDGED, _SAMPLE = 3, 600, 20_000


def choose_balance(histories: Histories, item_vectors: np.ndarray, encoder: Encoder, config: AdditiveConfig) -> Balance:
    """Returns the balance by which people who were left out are shown items that were left out best.

    Tastes are weighed on people of whom anything may be known, and count more than they were learned to only where that is
    better by more than one standard error; interests on people who have told some, liked items on people who have told some
    of those as well.

    Args:
        item_vectors: ``(n_items, dim)``.
    """
    judged = list(_parts(histories, item_vectors, encoder, config))
    if not judged:
        return Balance()

    def ndcg(balance: Balance, *presentations: str) -> np.ndarray:
        """Mean over the presentations, of each person."""
        return np.concatenate(
            [np.mean([part.ndcg(balance, name) for name in presentations], axis=0) for part in judged]
        )

    tastes = [ndcg(Balance(weight), *judged[0].shown) for weight in _TASTE]
    best = int(np.argmax([values.mean() for values in tastes]))
    gain = tastes[best] - tastes[_TASTE.index(1.0)]
    taste = _TASTE[best] if gain.mean() > gain.std() / np.sqrt(len(gain)) else 1.0
    interests = max(_INTERESTS, key=lambda weight: ndcg(Balance(taste, weight), "interests").mean())
    liked = max(_LIKED, key=lambda weight: ndcg(Balance(taste, interests, weight), "one liked", "all").mean())
    return Balance(taste, interests, liked)


@dataclass(frozen=True, eq=False)
class _Shown:
    """Scores of some people for some items, part by part, each ``(n_people, n_items)``.

    Attributes:
        taste: what was learned of tastes.
        interests: plain similarity to the interests.
        liked: plain similarity to the liked items.
    """

    taste: np.ndarray
    interests: np.ndarray
    liked: np.ndarray


@dataclass(frozen=True, eq=False)
class _Part:
    """Left-out people and left-out items.

    Attributes:
        prior: ``(n_people, n_items)``, popularity by the texts; minus infinity for what a person has revealed.
        shown: by what is told of the people.
        targets: ``(n_people, n_items)`` of bool, what was liked later.
    """

    prior: np.ndarray
    shown: dict[str, _Shown]
    targets: np.ndarray

    def ndcg(self, balance: Balance, presentation: str) -> np.ndarray:
        """Returns nDCG@10 of each person."""
        part = self.shown[presentation]
        scores = self.prior + balance.taste * part.taste + balance.interests * part.interests
        return ndcg_of_rows(scores + balance.liked * part.liked, self.targets)


def _parts(histories: Histories, item_vectors: np.ndarray, encoder: Encoder, config: AdditiveConfig) -> Iterator[_Part]:
    rng = np.random.default_rng(config.seed)
    drawn, alike = rng.integers(_PARTS, size=len(item_vectors)), _groups(item_vectors, config.seed)
    people = rng.integers(_PARTS, size=len(histories))
    for number, hidden in enumerate([drawn == 0, drawn == 1, *(alike == group for group in range(_PARTS))]):
        tested = people == number % _PARTS
        source, target = of_items(histories.dataset, ~hidden), of_items(histories.dataset, hidden)
        learned = Histories.from_dataset(source).of(np.flatnonzero(~tested))
        asked = Histories.from_dataset(target)
        judged = [int(n) for n in np.flatnonzero(tested) if asked.n_revealed[n] and len(asked.later(int(n))) > 1]
        if judged and any(map(len, learned.liked)):
            content = Content.from_dataset(source, item_vectors[~hidden])
            bench = Workbench(learned, content, encoder=encoder, config=config)
            yield _part(bench, asked.of(np.array(judged[:_MOST_JUDGED])), target, item_vectors[hidden], encoder)


def _groups(item_vectors: np.ndarray, seed: int) -> np.ndarray:
    """Returns ``(n_items,)``: the group of similar texts that each item is in, from 0."""
    from sklearn.cluster import KMeans

    wide = np.asarray(item_vectors, np.float64)
    sample = np.random.default_rng(seed).permutation(len(wide))[:_SAMPLE]
    n_groups = min(_PARTS, len(np.unique(wide[sample], axis=0)))
    return np.asarray(KMeans(n_groups, n_init=3, random_state=seed).fit(wide[sample]).predict(wide))


def _part(bench: Workbench, asked: Histories, target: Dataset, item_vectors: np.ndarray, encoder: Encoder) -> _Part:
    model, centred = bench.model(bench.config), np.asarray(item_vectors, np.float64)
    centred = centred - centred.mean(axis=0)
    n_likes = np.asarray(bench.histories.all_likes.sum(0)).ravel()
    prior = content_prior(bench.content, model.prior, n_likes, seed=bench.config.seed).of(centred)
    carried = read_by_text(model, centred, prior, Balance())
    profiles = asked.profiles(shares=target.category_matrix.mean(axis=0))
    told: dict[str, list[Profile]] = {
        "facts": [replace(profile, interests=(), liked=()) for profile in profiles],
        "interests": [replace(profile, liked=()) for profile in profiles],
        "one liked": [replace(profile, liked=profile.liked[:1]) for profile in profiles],
        "all": profiles,
    }
    shown = {}
    for name, asking in told.items():
        known = Known.from_profiles(asking, target, encoder)
        said, near = text_rows(known, centred, model.interest_centre, model.interest_offset, model.liked_offset)
        shown[name] = _Shown(known.taste(carried) @ carried.items.T, said @ centred.T, near @ centred.T)
    hidden = np.where(asked.revealed_likes.toarray() > 0, -np.inf, prior)
    return _Part(hidden, shown, asked.later_likes.toarray() > 0)


def text_rows(
    known: Known, centred: np.ndarray, interest_centre: np.ndarray, interest_offset: float, liked_offset: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the texts of people's interests, and of what they like, as the coefficients of a model meet them.

    Args:
        centred: ``(n_items, dim)``, text embeddings less their mean.

    Returns:
        ``(n_people, dim)`` twice; zero for who has told none.
    """
    said = known.interests - known.n_interests[:, None] * interest_centre
    said = said / (np.maximum(known.n_interests, 1) + interest_offset)[:, None]
    return said, known.liked @ centred / (np.maximum(known.n_liked, 1) + liked_offset)[:, None]
