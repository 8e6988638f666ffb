"""A simulator of users and interactions for catalogs that come without: seeded, simple, and not a claim about anybody.

Who likes what is drawn at random, once for each category: an age around which it is liked most, how sharply, and a lean of each
gender and occupation. Nothing of it is taken from real people. A user's taste is those leans times a random personal part. An
item is liked with a chance in proportion to its quality (log-normal), to the user's taste for its categories and, where there
are prices, to how affordable it is. The likes of a user come one after the other over a year.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.schema import AGE, CATEGORIES, GENDER, ITEM_ID, TIMESTAMP, USER_ID

OCCUPATIONS = ("student", "employed", "self-employed", "at home", "retired")
_GENDERS = ("F", "M")
_START, _YEAR = 1735689600, 365 * 86400  # 2025-01-01
_PRICE = "price"


@dataclass(frozen=True)
class SimulatorConfig:
    """How many people there are and how they behave.

    Attributes:
        n_users: people.
        likes: lowest and highest number of likes of one person; the number is log-uniform between them.
        quality: spread of the items' quality, the standard deviation of its logarithm.
        personal: spread of what is a person's own, as against their age, gender and occupation.
        lean: how much age, gender and occupation say about taste.
        seed: of everything random.
    """

    n_users: int = 400
    likes: tuple[int, int] = (8, 60)
    quality: float = 0.8
    personal: float = 0.9
    lean: float = 0.8
    seed: int = 0


def simulate_users(items: pd.DataFrame, config: SimulatorConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns users (age, gender, occupation) and their interactions, all of them likes; the same config, the same people.

    Args:
        items: with ``item_id``, ``categories`` (tuples of ``str``) and, optionally, ``price``.
    """
    rng = np.random.default_rng(config.seed)
    users = _users(config.n_users, rng)
    weights = _chances(items, users, config, rng)
    rows = []
    low, high = np.log(config.likes)
    for user in range(config.n_users):
        n = min(len(items), round(float(np.exp(rng.uniform(low, high)))))
        liked = rng.choice(len(items), n, replace=False, p=weights[user])
        when = np.sort(rng.integers(0, _YEAR, n)) + _START
        rows.append(
            pd.DataFrame(
                {USER_ID: users[USER_ID].iloc[user], ITEM_ID: items[ITEM_ID].to_numpy()[liked], TIMESTAMP: when}
            )
        )
    return users, pd.concat(rows, ignore_index=True)


def _users(n: int, rng: np.random.Generator) -> pd.DataFrame:
    ages = np.clip(np.round(rng.gamma(6.0, 6.5, n) + 6), 14, 85)
    weights = {
        "student": np.where(ages < 26, 3.0, 0.1),
        "employed": np.where(ages < 65, 4.0, 0.2),
        "self-employed": np.full(n, 0.8),
        "at home": np.full(n, 0.6),
        "retired": np.where(ages > 62, 6.0, 0.02),
    }
    chances = np.stack([weights[name] for name in OCCUPATIONS], axis=1)
    chances /= chances.sum(axis=1, keepdims=True)
    occupations = [OCCUPATIONS[rng.choice(len(OCCUPATIONS), p=row)] for row in chances]
    return pd.DataFrame(
        {
            USER_ID: [f"u{number:04d}" for number in range(n)],
            AGE: ages.astype(float),
            GENDER: rng.choice(_GENDERS, n),
            "occupation": occupations,
        }
    )


def _chances(items: pd.DataFrame, users: pd.DataFrame, config: SimulatorConfig, rng: np.random.Generator) -> np.ndarray:
    """``(n_users, n_items)``, rows sum to 1: how likely each item is the next like."""
    names = sorted({name for kinds in items[CATEGORIES] for name in kinds})
    inside = np.array([[name in kinds for name in names] for kinds in items[CATEGORIES]], float)
    inside /= np.maximum(inside.sum(axis=1, keepdims=True), 1)
    taste = np.exp(
        config.lean * _leans(users, len(names), rng) + config.personal * rng.standard_normal((len(users), len(names)))
    )
    quality = np.exp(config.quality * rng.standard_normal(len(items)))
    found = (taste @ inside.T + 1e-3) * quality
    if _PRICE in items:
        found *= _affordable(items[_PRICE], users, rng)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _leans(users: pd.DataFrame, n: int, rng: np.random.Generator) -> np.ndarray:
    """``(n_users, n)``: what age, gender and occupation say about each category."""
    middle, width = rng.uniform(16, 70, n), rng.uniform(10, 25, n)
    by_age = 2 * np.exp(-0.5 * ((users[AGE].to_numpy()[:, None] - middle) / width) ** 2) - 1
    by_gender = rng.standard_normal((len(_GENDERS), n))[[_GENDERS.index(value) for value in users[GENDER]]]
    by_work = rng.standard_normal((len(OCCUPATIONS), n))[[OCCUPATIONS.index(value) for value in users["occupation"]]]
    return np.asarray(by_age + 0.5 * by_gender + 0.4 * by_work)


def _affordable(price: pd.Series, users: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """``(n_users, n_items)``: 1 for what is cheap, falling once a price is beyond what a person likes to spend."""
    known = pd.to_numeric(price, errors="coerce").to_numpy(float)
    known = np.where(np.isnan(known), np.nanmedian(known), known)
    purse = np.exp(rng.normal(np.log(60), 0.7, len(users)))
    return np.asarray(1 / (1 + known / purse[:, None]))
