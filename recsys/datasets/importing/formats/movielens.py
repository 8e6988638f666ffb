"""The sizes of MovieLens: 100K, 1M, 10M, and the ones with a header (20M, 25M, 32M, ml-latest, ml-latest-small).

Source: F. M. Harper and J. A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015, and the README of each.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.formats.format import Format, Layout, filled, first_line, header, siblings
from recsys.datasets.importing.plan import Source, TablePlan
from recsys.datasets.importing.tables import ROW, File
from recsys.datasets.movielens import _GENRES as GENRES
from recsys.datasets.movielens import _info as movielens_info
from recsys.datasets.movielens import _natural_title as natural_title
from recsys.schema import LIKED_FROM
from recsys.settings import Limits

_TITLE = r"(?s)^(?P<title>.*?)\s*(?:\((?P<year>\d{4})(?:\s*[-–]\s*(?:\d{4})?\s*)?\))?\s*$"
"""A title with its year at the end; series have a range of years, of which the first counts."""
_AGES = {"1": "under 18", "18": "18-24", "25": "25-34", "35": "35-44", "45": "45-49", "50": "50-55", "56": "56+"}
_OCCUPATIONS = (
    "other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service", "doctor/health care",
    "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer", "retired", "sales/marketing",
    "scientist", "self-employed", "technician/engineer", "tradesman/craftsman", "unemployed", "writer",
)  # fmt: skip
"""By their numbers in ML-1M."""
_WORDS = {
    "other": "person",
    "academic/educator": "educator",
    "clerical/admin": "clerk",
    "college/grad student": "student",
    "customer service": "customer service worker",
    "doctor/health care": "health care worker",
    "executive/managerial": "manager",
    "K-12 student": "pupil",
    "retired": "retired person",
    "sales/marketing": "salesperson",
    "self-employed": "self-employed person",
    "technician/engineer": "engineer",
    "tradesman/craftsman": "craftsperson",
    "unemployed": "unemployed person",
}
_NO_GENRES = "(no genres listed)"
_STRICT = "GroupLens terms: research use, no redistribution"
_SHARED = "GroupLens terms: no commercial use without permission, redistribution only under the same terms"


def _split_title(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Returns the natural title in the place of the column, and the column ``year``."""
    found = frame[column].fillna("").str.extract(_TITLE)
    titles = found["title"].fillna("").map(natural_title)
    return frame.assign(**{column: titles, "year": found["year"].fillna("")})


def _flagged(frame: pd.DataFrame) -> pd.DataFrame:
    """One column of genres instead of nineteen flags; ``unknown`` is no genre."""
    genres = np.full(len(frame), "", dtype=object)
    for name in GENRES[1:]:
        genres += np.where(frame[name] == "1", f"|{name}", "")
    kept = frame[["movie id", "movie title", ROW]].assign(
        genres=pd.Series(genres, frame.index, dtype="str").str.lstrip("|")
    )
    return _split_title(kept, "movie title")


def _listed(frame: pd.DataFrame, title: str, genres: str) -> pd.DataFrame:
    return _split_title(frame.assign(**{genres: frame[genres].replace(_NO_GENRES, "")}), title)


def _people_1m(frame: pd.DataFrame) -> pd.DataFrame:
    """Codes become words; a code that is not in the README stays as it is."""
    words = {str(number): word for number, word in enumerate(_OCCUPATIONS)}
    ages, occupations = frame["Age"].replace(_AGES), frame["Occupation"].replace(words)
    kept = frame.assign(Age=ages, occupation=occupations)
    return filled(kept, ("UserID", "Gender", "Age", "occupation", ROW))


def _plain(delimiter: str, encoding: str) -> CsvDialect:
    return CsvDialect(delimiter, "", "", encoding, has_header=False)


_ITEMS_100K = Layout(
    TablePlan(
        kind="items",
        roles={"item_id": "movie id", "title": "movie title", "year": "year", "categories": "genres"},
    ),
    _plain("|", "latin-1"),
    ("movie id", "movie title", "release date", "video release date", "IMDb URL", *GENRES),
    _flagged,
)
_USERS_100K = Layout(
    TablePlan(kind="users", roles={"user_id": "user id", "age": "age", "gender": "gender"}, attributes=("occupation",)),
    _plain("|", "latin-1"),
    ("user id", "age", "gender", "occupation", "zip code"),
    lambda frame: frame.drop(columns="zip code"),
)
_RATINGS_100K = Layout(
    TablePlan(
        kind="interactions",
        roles={"user_id": "user id", "item_id": "item id", "rating": "rating", "timestamp": "timestamp"},
    ),
    _plain("\t", "latin-1"),
    ("user id", "item id", "rating", "timestamp"),
)


def _items_dat(encoding: str) -> Layout:
    plan = TablePlan(
        kind="items", roles={"item_id": "MovieID", "title": "Title", "year": "year", "categories": "Genres"}
    )
    columns = ("MovieID", "Title", "Genres")
    return Layout(plan, _plain("::", encoding), columns, lambda frame: _listed(frame, "Title", "Genres"))


_USERS_1M = Layout(
    TablePlan(
        kind="users",
        roles={"user_id": "UserID", "age": "Age", "gender": "Gender"},
        attributes=("occupation",),
        ages="band",
    ),
    _plain("::", "latin-1"),
    ("UserID", "Gender", "Age", "Occupation", "Zip-code"),
    _people_1m,
)
_RATINGS_DAT = Layout(
    TablePlan(
        kind="interactions",
        roles={"user_id": "UserID", "item_id": "MovieID", "rating": "Rating", "timestamp": "Timestamp"},
    ),
    _plain("::", "latin-1"),
    ("UserID", "MovieID", "Rating", "Timestamp"),
)
_ITEMS_CSV = Layout(
    TablePlan(kind="items", roles={"item_id": "movieId", "title": "title", "year": "year", "categories": "genres"}),
    shape=lambda frame: _listed(frame, "title", "genres"),
)
_RATINGS_CSV = Layout(
    TablePlan(
        kind="interactions",
        roles={"user_id": "userId", "item_id": "movieId", "rating": "rating", "timestamp": "timestamp"},
    )
)


def _about(title: str, licence: str, **further: Any) -> dict[str, Any]:
    info = movielens_info()
    common = {"title": title, "domain": info.domain, "licence": licence, "source": info.source}
    return common | {"liked_from": LIKED_FROM} | further


def _open_100k(files: Sequence[File], limits: Limits) -> Source:
    items, users, ratings = siblings(files, "u.item", "u.user", "u.data")
    tables = (
        _ITEMS_100K.table(items, limits),
        _USERS_100K.table(users, limits),
        _RATINGS_100K.table(ratings, limits),
    )
    words = {column: dict(own) for column, own in movielens_info().words.items()}
    return Source(tables, _about("MovieLens 100K", _STRICT, words=words))


def _open_1m(files: Sequence[File], limits: Limits) -> Source:
    items, users, ratings = siblings(files, "movies.dat", "users.dat", "ratings.dat")
    tables = (
        _items_dat("latin-1").table(items, limits),
        _USERS_1M.table(users, limits),
        _RATINGS_DAT.table(ratings, limits),
    )
    words = {"gender": dict(movielens_info().words["gender"]), "occupation": _WORDS}
    return Source(tables, _about("MovieLens 1M", _STRICT, words=words))


def _open_10m(files: Sequence[File], limits: Limits) -> Source:
    items, ratings = siblings(files, "movies.dat", "ratings.dat")
    tables = (_items_dat("utf-8").table(items, limits), _RATINGS_DAT.table(ratings, limits))
    return Source(tables, _about("MovieLens 10M", _STRICT))


def _open_csv(files: Sequence[File], limits: Limits) -> Source:
    items, ratings = siblings(files, "movies.csv", "ratings.csv")
    tables = (_ITEMS_CSV.table(items, limits), _RATINGS_CSV.table(ratings, limits))
    return Source(tables, _about(_title_of(items), _SHARED))


def _title_of(file: File) -> str:
    """``ml-25m/movies.csv`` is MovieLens 25M."""
    found = re.search(r"ml-(\d+m|latest(?:-small)?)", file.name.lower())
    size = found[1].replace("-", " ") if found else ""
    return f"MovieLens {size.upper() if size.endswith('m') else size}".strip()


def _is_1m(files: Sequence[File]) -> bool:
    """MovieTweetings has files of the same names; its users have nothing but another number."""
    found = siblings(files, "movies.dat", "users.dat", "ratings.dat")
    return bool(found) and not re.fullmatch(r"\d+::\d+", first_line(found[1]))


def _is_10m(files: Sequence[File]) -> bool:
    return bool(siblings(files, "movies.dat", "ratings.dat")) and not siblings(files, "users.dat")


def _is_csv(files: Sequence[File]) -> bool:
    found = siblings(files, "movies.csv", "ratings.csv")
    return bool(found) and (
        header(found[0]) == ("movieId", "title", "genres")
        and header(found[1]) == ("userId", "movieId", "rating", "timestamp")
    )


FORMATS = (
    Format("MovieLens 100K", lambda files: bool(siblings(files, "u.item", "u.user", "u.data")), _open_100k),
    Format("MovieLens 1M", _is_1m, _open_1m),
    Format("MovieLens 10M", _is_10m, _open_10m),
    Format("MovieLens 20M, 25M, 32M or latest", _is_csv, _open_csv),
)
