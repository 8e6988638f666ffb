"""How long a build will take: a guess before a step, what was measured while it runs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

_TEXTS_A_SECOND = 150.0
_TRAINING, _A_LIKE = 3.0, 8e-6
_A_PICTURE = 0.06
_MAPS, _A_MAPPED_ITEM = 4.0, 1.16e-3
_A_PERSON, _A_PERSON_AND_ITEM = 0.016, 3.2e-7
"""Seconds on two cores of an AMD EPYC, from the tables of the README; the last two for both maps together."""
_PARTS = {
    "find neighbours": (0.0, 0.15),
    "lay out": (0.15, 0.5),
    "measure": (0.65, 0.1),
    "name groups": (0.75, 0.05),
    "place people": (0.8, 0.2),
}
"""Where in the making of one map a part of it begins, and its share."""


@dataclass(frozen=True)
class Work:
    """What a build has to do; zero for what is there already.

    Attributes:
        n_texts: items to encode.
        n_likes: likes to train on.
        n_mapped: items to lay out.
        n_people: users to place on the maps.
        n_media: pictures and sounds to look at and to hear.
    """

    n_texts: int
    n_likes: int
    n_mapped: int
    n_people: int
    n_media: int = 0

    def seconds(self) -> dict[str, float]:
        """Returns the seconds that each step is guessed to take."""
        people = self.n_people * (_A_PERSON + _A_PERSON_AND_ITEM * self.n_mapped)
        return {
            "encode": self.n_texts / _TEXTS_A_SECOND,
            "views": self.n_media * _A_PICTURE,
            "train": _TRAINING + _A_LIKE * self.n_likes if self.n_likes else 0.0,
            "project": _MAPS + _A_MAPPED_ITEM * self.n_mapped + people if self.n_mapped else 0.0,
        }


@dataclass
class Pace:
    """How far a step is, from its own reports.

    Attributes:
        share: that is done, in [0, 1].
        rest: the share of all items that was to be done when it began, the others being known.
        has_worked: whether it reported anything; what is there already reports nothing.
    """

    share: float = 0.0
    rest: float = 1.0
    has_worked: bool = False
    _begun: float = field(default_factory=lambda: time.monotonic())
    _first: tuple[int, float] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._begun

    @property
    def working(self) -> float:
        """Seconds since its first report."""
        return time.monotonic() - self._first[1] if self._first else 0.0

    def take(self, step: str, said: str, done: int, total: int) -> None:
        """Takes in a report; items whose embeddings were known before are no work done."""
        self.has_worked = True
        self._first = self._first or (done, time.monotonic())
        before = self._first[0] if step == "encode" else 0
        self.rest = 1.0 - before / max(total, 1)
        found = share_of_maps(said, done, total) if step == "project" else (done - before) / max(total - before, 1)
        self.share = min(1.0, max(self.share, 1.0 if done >= total and step == said else found))


def seconds_left(expected: Mapping[str, float], step: str, pace: Pace) -> float:
    """Returns the seconds that are left of a step and of all after it.

    Args:
        expected: the guess for every step, in order.
    """
    order = list(expected)
    later = sum(expected[name] for name in order[order.index(step) + 1 :])
    share, guess = pace.share, expected[step] * pace.rest
    if step == "encode" and share > 0:  # every text costs about the same, so what was measured is all that counts
        return later + pace.working / share * (1 - share)
    if share > 0:
        return later + ((1 - share) * guess + pace.elapsed) * (1 - share)
    return later + max(0.0, guess - pace.elapsed)


def share_of_maps(said: str, done: int, total: int) -> float:
    """Returns which share of both maps is done from what ``fit_maps`` reports; 0 for what it does not report."""
    name, _, part = said.partition(": ")
    if part not in _PARTS:
        return 0.0
    begin, share = _PARTS[part]
    return 0.5 * (name == "3-D map") + 0.5 * (begin + share * done / max(total, 1))
