"""MIND, news with the clicks of Microsoft News: folders for training, development and test, each with the same two files.

Tabs, UTF-8, no header, and quotes are plain characters. An interaction is a clicked impression with its time, and each
article of a user's history, which has no time and is told again with every impression of that user, once.

Source: F. Wu et al., MIND: A Large-scale Dataset for News Recommendation, ACL 2020; msnews.github.io.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd

from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.formats.format import Format, base_name, folder_name
from recsys.datasets.importing.formats.seen import Chain, Seen
from recsys.datasets.importing.plan import Source, Table, TablePlan
from recsys.datasets.importing.tables import ROW, Batch, Fault, File, read_csv
from recsys.settings import Limits

_DIALECT = CsvDialect("\t", "", "", "utf-8", has_header=False)
_NEWS = ("News ID", "Category", "SubCategory", "Title", "Abstract", "URL", "Title Entities", "Abstract Entities")
_BEHAVIORS = ("Impression ID", "User ID", "Time", "History", "Impressions")
_ITEMS = TablePlan(
    kind="items",
    roles={"item_id": "News ID", "title": "Title", "description": "Abstract", "categories": "Category"},
    attributes=("subcategory",),
)
_CLICKS = TablePlan(kind="interactions", roles={"user_id": "User ID", "item_id": "News ID", "timestamp": "Time"})
_TIME = "%m/%d/%Y %I:%M:%S %p"
_BETWEEN = "\x1f"
_CLICKED = re.compile(r"(\S+)-1")
_ABOUT = {
    "title": "MIND news",
    "domain": "news",
    "licence": "Microsoft Research licence: non-commercial research use only",
    "source": "F. Wu et al., MIND: A Large-scale Dataset for News Recommendation, ACL 2020; msnews.github.io",
    "profile_template": "A reader of news[ who likes {interests}][, who enjoyed {liked}].",
}


def _parts(files: Sequence[File], name: str) -> list[File]:
    """The files of a name: training first, then development, then the others."""
    return sorted((file for file in files if base_name(file) == name), key=lambda file: _order(folder_name(file)))


def _order(folder: str) -> int:
    return 0 if "train" in folder else 1 if "dev" in folder or "val" in folder else 2


def _news(file: File, limits: Limits, seen: Seen) -> Iterator[Batch]:
    """Articles that stood in an earlier file are left out: the files of the parts overlap."""
    before = seen.copy()
    for batch in read_csv(file, _DIALECT, limits, columns=_NEWS):
        frame = batch.frame.drop(columns=["URL", "Title Entities", "Abstract Entities"])
        frame = frame.rename(columns={"SubCategory": "subcategory"})
        is_new = ~before.has(frame["News ID"]) | (frame["News ID"] == "").to_numpy()
        seen.add(frame["News ID"])
        yield replace(batch, frame=frame[is_new].reset_index(drop=True))


def _clicks(file: File, limits: Limits, seen: Seen) -> Iterator[Batch]:
    """Every click, and what a history tells of that was not told or clicked in a row before."""
    for batch in read_csv(file, _DIALECT, limits, columns=_BEHAVIORS):
        frame, faults = _marked(batch.frame)
        both = pd.concat([_clicked(frame), _history(frame, seen)], ignore_index=True)
        both = both.sort_values(ROW, kind="stable", ignore_index=True)
        is_first = seen.first(both["User ID"] + _BETWEEN + both["News ID"])
        both = both[is_first | both["is click"]].drop(columns="is click").reset_index(drop=True)
        yield replace(batch, frame=both, faults=tuple(sorted((*batch.faults, *faults), key=lambda fault: fault.row)))


def _marked(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """Takes out rows whose impressions are marked with something other than 0 and 1; in the test part they bear no mark."""
    is_wrong = frame["Impressions"].str.contains(r"-(?![01](?:\s|$))", regex=True)
    wrong = frame[is_wrong]
    what, fix = "An impression is marked with something other than 0 and 1", "Write for example N1-0 N2-1."
    faults = [
        Fault(int(row), text[:200], what, fix) for row, text in zip(wrong[ROW], wrong["Impressions"], strict=True)
    ]
    return frame[~is_wrong], faults


def _exploded(frame: pd.DataFrame, lists: Iterable[list[str]]) -> pd.DataFrame:
    """One row for each id: its user, its time, and where it stands."""
    own = list(lists)
    rows = np.repeat(np.arange(len(frame)), [len(ids) for ids in own])
    told = frame[["User ID", "Time", ROW]].iloc[rows].reset_index(drop=True)
    return told.assign(**{"News ID": pd.array(list(chain.from_iterable(own)), dtype="str")})


def _clicked(frame: pd.DataFrame) -> pd.DataFrame:
    """The impressions that end in ``-1``; their time as seconds, or as it stands there if it is none."""
    found = frame.assign(Time=_seconds(frame["Time"]))
    return _exploded(found, map(_CLICKED.findall, frame["Impressions"])).assign(**{"is click": True})


def _seconds(times: pd.Series) -> pd.Series:
    parsed = pd.to_datetime(times, format=_TIME, errors="coerce")
    seconds = parsed.dt.as_unit("s").astype("int64").astype("str")
    return seconds.where(parsed.notna(), times)


def _history(frame: pd.DataFrame, seen: Seen) -> pd.DataFrame:
    """The articles of the histories that are not the same as one before; they have no time."""
    told = frame[seen.first("history" + _BETWEEN + frame["User ID"] + _BETWEEN + frame["History"])]
    return _exploded(told.assign(Time=""), map(str.split, told["History"])).assign(**{"is click": False})


def _open(files: Sequence[File], limits: Limits) -> Source:
    news, behaviors = _parts(files, "news.tsv"), _parts(files, "behaviors.tsv")
    items = Chain(len(news), lambda number, seen: _news(news[number], limits, seen))
    clicks = Chain(len(behaviors), lambda number, seen: _clicks(behaviors[number], limits, seen))
    tables = [Table(file.name, read, _ITEMS) for file, read in zip(news, items.readers, strict=True)]
    tables += [Table(file.name, read, _CLICKS) for file, read in zip(behaviors, clicks.readers, strict=True)]
    return Source(tuple(tables), dict(_ABOUT))


def _is_mind(files: Sequence[File]) -> bool:
    names = {base_name(file) for file in files}
    return {"news.tsv", "behaviors.tsv"} <= names


FORMAT = Format("MIND news", _is_mind, _open)
