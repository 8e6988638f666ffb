"""The toy world: a dozen items in three kinds on perpendicular directions, so the right answer is known beforehand.

Item ``"00"`` is of the first kind, ``"01"`` of the second, ``"02"`` of the third, ``"03"`` of the first, and so on.
The first three are also about students, so their direction lies halfway between their kind and that of students.
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.encoder.protocol import Progress, TextCheck
from recsys.schema import Dataset, DatasetInfo

KINDS = ("space", "romance", "comedy")
COLD = ("09", "10")
WORDS = (*KINDS, "student", "engineer", "female", "male", "30")
LONGEST = 40


class ToyEncoder:
    """Known words to fixed perpendicular directions, summed and normalised; ``encoded`` lists all it was given."""

    name = "toy"
    dim = len(WORDS)
    description = "cpu, toy"

    def __init__(self, identity: str = "toy-1") -> None:
        self.identity = identity
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        self.encoded += texts
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for word in _known(text):
                vectors[row, WORDS.index(word)] += 1
        if progress and texts:
            progress(len(texts), len(texts))
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def check(self, text: str) -> TextCheck:
        n_tokens = len(_words(text))
        return TextCheck(n_tokens, n_tokens > LONGEST, not _known(text))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _known(text: str) -> list[str]:
    return [word for word in _words(text) if word in WORDS]


def toy_dataset() -> Dataset:
    """Returns the toy world in memory."""
    ids = [f"{number:02d}" for number in range(12)]
    items = pd.DataFrame(
        {
            "item_id": ids,
            "title": [f"Story {item_id}" for item_id in ids],
            "description": ["For every student"] * 3 + [""] * 9,
            "categories": [(KINDS[number % 3],) for number in range(12)],
            "year": pd.array([1990 + number for number in range(11)] + [None], dtype="Int64"),
        }
    )
    users = pd.DataFrame(
        {
            "user_id": [f"u{number}" for number in range(6)],
            "age": [20.0, 30.0, 40.0, 50.0, 60.0, np.nan],
            "gender": ["F", "M", "F", "M", "F", "F"],
            "occupation": ["student", "student", "student", "engineer", "engineer", "student"],
        }
    )
    info = DatasetInfo(
        title="Toy world",
        item_template="{title}[. {categories}][. {description}]",
        words={"gender": {"F": "female", "M": "male"}},
    )
    return Dataset("toy", info, items, users, _interactions(ids))


def _interactions(ids: list[str]) -> pd.DataFrame:
    """Each user likes every warm item of one kind, and dislikes one of the next; the last like is the held-out one."""
    rows = []
    for user in range(6):
        liked = [item_id for item_id in ids if int(item_id) % 3 == user % 3 and item_id not in COLD]
        rows.append((f"u{user}", ids[(user + 1) % 3], 2.0, 0))
        rows += [(f"u{user}", item_id, 5.0, 1 + when) for when, item_id in enumerate(liked)]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
