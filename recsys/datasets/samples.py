"""Small catalogs that were written for Coldlens, with simulated people: one for each domain besides films, and films in Chinese.

The texts are ours; titles and artists of real works are facts. Users and interactions are simulated when a sample is fetched (see
``simulator``), the same every time, and labelled so wherever a number made from them appears.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.datasets.clips import with_clips
from recsys.datasets.openmoji import with_pictures
from recsys.datasets.simulator import SimulatorConfig, simulate_users
from recsys.errors import DataError
from recsys.schema import CATEGORIES, DESCRIPTION, ITEM_ID, TITLE, YEAR, Dataset, DatasetInfo, Preset, Profile

FOLDER = Path(__file__).resolve().parents[2] / "data" / "samples"
_SOURCE = "Written for Coldlens; users and interactions are simulated"
_NUMBERS = ("price", "minutes")
_WORDS = {
    "gender": {"F": "female", "M": "male"},
    "occupation": {"employed": "person with a job", "at home": "person at home", "retired": "retired person"},
}


_CHINESE_WORDS = {"gender": {"F": "女性", "M": "男性"}}
_CHINESE_OCCUPATIONS = {
    "student": "学生",
    "employed": "上班族",
    "self-employed": "自由职业者",
    "at home": "居家者",
    "retired": "退休者",
}


def _preset(name: str, age: int, gender: str, occupation: str, *interests: str) -> Preset:
    return Preset(name, Profile(age, gender, {"occupation": occupation}, interests))


_ABOUT: dict[str, dict[str, Any]] = {
    "sample-shop": {
        "title": "Sample shop",
        "domain": "e-commerce",
        "item_template": "{title}[ by {brand}][. {categories}][. {description}]",
        "presets": (
            _preset("Weekend hiker, 34", 34, "F", "employed", "lightweight camping gear", "trail running"),
            _preset("New parent, 29", 29, "M", "at home", "baby care", "quick meals at home"),
            _preset("Home office, 45", 45, "F", "self-employed", "ergonomic desk", "good headphones"),
            _preset("Gardener, 68", 68, "M", "retired", "vegetable garden", "birds"),
        ),
    },
    "sample-music": {
        "title": "Sample music",
        "domain": "music",
        "item_template": "{title}[ by {artist}][ ({year})][. {categories}][. {mood}][. {description}]",
        "presets": (
            _preset("Late-night listener, 26", 26, "F", "student", "slow electronic music for the night"),
            _preset("Jazz on Sundays, 58", 58, "M", "employed", "piano jazz", "calm and warm"),
            _preset("Gym, 33", 33, "M", "self-employed", "fast and energetic", "hip-hop"),
            _preset("Grew up in the seventies, 70", 70, "F", "retired", "soul", "singer with a guitar"),
        ),
    },
    "sample-news": {
        "title": "Sample news",
        "domain": "news",
        "item_template": "{title}[. {categories}][. {description}]",
        "presets": (
            _preset("Commuter, 38", 38, "M", "employed", "trains and buses", "rents"),
            _preset("Student of biology, 21", 21, "F", "student", "science", "climate"),
            _preset("Runs a bakery, 52", 52, "F", "self-employed", "local business", "food"),
            _preset("Football and little else, 63", 63, "M", "retired", "football"),
        ),
    },
    "sample-films-zh": {
        "title": "电影样例",
        "domain": "films",
        "language": "zh",
        "words": _CHINESE_WORDS,
        "encoder": "universal-sentence-encoder-multilingual",
        "item_template": "{title}[（{year}）][。{categories}][。{description}]",
        "profile_template": "一位[{age}岁的][{gender}][{occupation|观众}][，喜欢{interests}][，爱看{liked}]。",
        "presets": (
            _preset("科幻迷，24岁", 24, "M", "学生", "科幻", "太空和外星人"),
            _preset("爱看爱情片，31岁", 31, "F", "上班族", "爱情", "音乐"),
            _preset("带孩子看电影，38岁", 38, "F", "居家者", "动画", "适合全家一起看"),
            _preset("老影迷，66岁", 66, "M", "退休者", "历史", "老电影里的人情"),
        ),
    },
}
NAMES = tuple(_ABOUT)
_PEOPLE = {"sample-films-zh": SimulatorConfig(likes=(6, 30))}
"""A catalog of half the size: nobody likes half of it."""


def read_sample(name: str, source: Path | None = None) -> Dataset:
    """Reads a sample and simulates its people.

    Args:
        source: folder of the samples; the one of the repository by default.

    Raises:
        DataError: if the catalog is not there, as in an installation without the repository.
    """
    path = (source or FOLDER) / name.removeprefix("sample-") / "items.csv"
    try:
        items = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        fix = "Fetch it from a copy of the repository: samples live in data/samples."
        raise DataError(f"The sample cannot be read ({error.strerror})", path, fix=fix) from None
    items[CATEGORIES] = items[CATEGORIES].map(lambda text: tuple(part for part in text.split("|") if part))
    items[YEAR] = pd.to_numeric(items[YEAR], errors="coerce").astype("Int64")
    for column in _NUMBERS:
        if column in items:
            items[column] = pd.to_numeric(items[column], errors="coerce")
    items = items.sort_values(ITEM_ID, kind="stable", ignore_index=True)
    config = replace(_PEOPLE.get(name, SimulatorConfig()), seed=NAMES.index(name))
    users, interactions = simulate_users(items, config)
    about = {"licence": "MIT, as Coldlens", "source": _SOURCE, "words": _WORDS, "simulated": True, **_ABOUT[name]}
    info = DatasetInfo(**about)
    if info.language == "zh":
        users["occupation"] = users["occupation"].map(_CHINESE_OCCUPATIONS)
    first = [ITEM_ID, TITLE, DESCRIPTION, CATEGORIES, YEAR]
    return Dataset(
        name, info, items[[*first, *(column for column in items if column not in first)]], users, interactions
    )


def read_music(source: Path | None = None) -> Dataset:
    """Reads the music sample, with sounds where the package is installed that writes them."""
    return with_clips(read_sample("sample-music", source))


def read_shop(source: Path | None = None) -> Dataset:
    """Reads the shop sample, with pictures where the packages of the extra ``samples`` are installed."""
    return with_pictures(read_sample("sample-shop", source), (source or FOLDER) / "shop" / "pictures.csv")


READERS = {name: partial(read_sample, name) for name in NAMES} | {"sample-music": read_music, "sample-shop": read_shop}
