"""Small catalogs that were written for Coldlens, one for each domain besides films, with simulated people.

The texts are ours; titles and artists of real works are facts. Users and interactions are simulated when a sample is fetched (see
``simulator``), the same every time, and labelled so wherever a number made from them appears.
"""

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
}
NAMES = tuple(_ABOUT)


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
    users, interactions = simulate_users(items, SimulatorConfig(seed=NAMES.index(name)))
    info = DatasetInfo(licence="MIT, as Coldlens", source=_SOURCE, words=_WORDS, simulated=True, **_ABOUT[name])
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
