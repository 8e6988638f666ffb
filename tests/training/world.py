"""A world of a few hundred people with known tastes: taste follows age group, gender and the kinds of items liked before."""

import numpy as np
import pandas as pd

from recsys.schema import Dataset, DatasetInfo
from tests.toy import KINDS, WORDS, ToyEncoder

N_ITEMS, N_USERS = 60, 160
COLD_ROWS = (57, 58, 59)


def world(seed: int = 0, n_users: int = N_USERS) -> Dataset:
    """Returns a dataset: young people like space, old ones romance, and comedy is liked by women; three items are cold."""
    rng = np.random.default_rng(seed)
    ids = [f"{number:03d}" for number in range(N_ITEMS)]
    kinds = [KINDS[number % 3] for number in range(N_ITEMS)]
    items = pd.DataFrame(
        {"item_id": ids, "title": [f"Story {i}" for i in ids], "categories": [(kind,) for kind in kinds]}
    )
    ages, genders = rng.integers(15, 75, n_users), rng.choice(["F", "M"], n_users)
    users = pd.DataFrame(
        {
            "user_id": [f"u{number:03d}" for number in range(n_users)],
            "age": ages.astype(float),
            "gender": genders,
            "occupation": rng.choice(["student", "engineer"], n_users),
        }
    )
    rows = []
    for user in range(n_users):
        wish = {
            "space": 0.5 if ages[user] < 40 else 0.1,
            "romance": 0.1 if ages[user] < 40 else 0.5,
            "comedy": 0.5 if genders[user] == "F" else 0.1,
        }
        popular = np.linspace(1.4, 0.4, N_ITEMS)
        chance = np.array([wish[kind] for kind in kinds]) * popular
        chance[list(COLD_ROWS)] = 0
        liked = rng.permutation(np.flatnonzero(rng.random(N_ITEMS) < chance))
        rows += [(f"u{user:03d}", ids[row], 5.0, when) for when, row in enumerate(liked)]
    interactions = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])
    info = DatasetInfo(title="World of known tastes", item_template="{title}[. {categories}]")
    return Dataset("world", info, items, users, interactions)


def vectors(dataset: Dataset) -> np.ndarray:
    """Returns the toy embeddings of the items."""
    return ToyEncoder().encode([f"Story. {kinds[0]}" for kinds in dataset.items["categories"]])


assert set(KINDS) <= set(WORDS)
