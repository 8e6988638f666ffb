"""A larger toy world for rivals: what people like follows from age, gender and what they liked before."""

import numpy as np
import pandas as pd

from recsys.evaluation.rivals.protocol import Material
from recsys.schema import Dataset, DatasetInfo
from recsys.training import Histories
from recsys.views.text import item_texts
from tests.toy import KINDS, ToyEncoder

N_ITEMS = 60


def material_of(dataset: Dataset, *, seed: int = 0) -> Material:
    """Everything a rival may learn from, with the toy encoder."""
    encoder = ToyEncoder()
    return Material(Histories.from_dataset(dataset), encoder.encode(item_texts(dataset)), encoder, seed)


def aged_dataset(n_users: int = 150, *, seed: int = 0) -> Dataset:
    """The young like space (items 0, 3, 6 ...), the middle-aged romance, the old comedy; everyone likes twelve of twenty."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(n_users) % 3
    ids = np.array([f"{number:02d}" for number in range(N_ITEMS)])
    items = pd.DataFrame(
        {"item_id": ids, "title": "Story " + ids, "categories": [(KINDS[number % 3],) for number in range(N_ITEMS)]}
    )
    users = pd.DataFrame(
        {
            "user_id": [f"u{number:03d}" for number in range(n_users)],
            "age": np.array([20.0, 45.0, 70.0])[kinds] + rng.integers(-3, 4, n_users),
            "gender": rng.choice(["F", "M"], n_users),
        }
    )
    rows = [
        (f"u{user:03d}", ids[3 * item + kind], 5.0, when)
        for user, kind in enumerate(kinds)
        for when, item in enumerate(rng.choice(N_ITEMS // 3, 12, replace=False))
    ]
    interactions = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    return Dataset("aged", DatasetInfo("Aged world"), items, users, interactions)
