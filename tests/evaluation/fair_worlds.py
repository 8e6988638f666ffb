"""Evaluations whose values are drawn from a known law: without any difference between groups, or with planted ones."""

import numpy as np
import pandas as pd

from recsys.evaluation import OURS, Evaluation, Plan
from recsys.schema import Dataset, DatasetInfo

LEVEL = "demographics"
CATEGORIES = ("space", "romance", "comedy", "war", "crime")
N_ITEMS, N_LIKES, K = 60, 14, 10


def fair_world(
    seed: int,
    *,
    n_users: int = 300,
    quality: float = 1.0,
    exposure: float = 1.0,
    taste: float = 1.0,
    spread: float = 1.0,
) -> tuple[Evaluation, Dataset]:
    """Returns an evaluation in which nothing depends on age, and on gender only what is planted.

    Args:
        quality: what the values of women are multiplied by.
        exposure: how much more likely a romance is in a list for women.
        taste: how much more likely women like a romance.
        spread: of the values of women around the same mean.
    """
    rng = np.random.default_rng(seed)
    ids = np.array([f"u{number:04d}" for number in range(n_users)])
    genders = rng.choice(["F", "M"], n_users, p=[0.35, 0.65])
    is_woman = genders == "F"
    items = pd.DataFrame(
        {
            "item_id": [f"i{number:02d}" for number in range(N_ITEMS)],
            "title": [f"Story {number}" for number in range(N_ITEMS)],
            "categories": [(CATEGORIES[number % len(CATEGORIES)],) for number in range(N_ITEMS)],
        }
    )
    users = pd.DataFrame({"user_id": ids, "age": np.clip(rng.gamma(6, 6.5, n_users), 8, 90), "gender": genders})
    liked = _drawn(rng, n_users, N_LIKES, np.where(is_woman, taste, 1.0))
    listed = _drawn(rng, n_users, K, np.where(is_woman, exposure, 1.0))
    names = items["item_id"].to_numpy()
    likes = pd.DataFrame({"user_id": np.repeat(ids, N_LIKES), "item_id": names[liked.ravel()]})
    values = np.maximum(rng.normal(0.35, 0.25, (n_users, 1)) + rng.normal(0, 0.15, (n_users, 2)), 0)  # many are 0
    values[is_woman] = quality * (values.mean(axis=0) + spread * (values[is_woman] - values.mean(axis=0)))
    frame = pd.DataFrame({"method": OURS, "level": LEVEL, "user_id": ids, "fold": 0})
    frame = frame.assign(**{"nDCG@10": values[:, 0], "R@20": values[:, 1]})
    lists = pd.DataFrame(
        {"user_id": ids, "level": LEVEL, "fold": 0, "item_ids": [list(names[rows]) for rows in listed]}
    )
    nothing = pd.DataFrame()
    evaluation = Evaluation(Plan("fair"), frame, nothing, nothing, nothing, lists, {"made": "2026-01-01"})
    return evaluation, Dataset("fair", DatasetInfo("A fair world"), items, users, likes)


def _drawn(rng: np.random.Generator, n_users: int, n: int, romance: np.ndarray) -> np.ndarray:
    """``(n_users, n)`` different item_rows, with a chance that depends on the category and, for a romance, on the user."""
    chances = np.tile(np.linspace(1.5, 0.5, N_ITEMS), (n_users, 1))
    chances[:, 1 :: len(CATEGORIES)] *= romance[:, None]
    keys = rng.exponential(size=chances.shape) / chances
    return np.argsort(keys, axis=1)[:, :n]
