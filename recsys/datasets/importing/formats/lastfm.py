"""Last.fm 360K: how often people played artists, and who they are.

Tabs, UTF-8, no header, and quotes are plain characters. The artists have no file of their own: they are what is played, told by
their MusicBrainz id or, where it is missing, by their name in lower case.

Source: O. Celma, Music Recommendation and Discovery in the Long Tail, Springer, 2010.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from recsys.datasets.importing.dialect import CsvDialect
from recsys.datasets.importing.formats.format import Format, Layout, siblings
from recsys.datasets.importing.formats.seen import Seen
from recsys.datasets.importing.plan import Source, Table, TablePlan
from recsys.datasets.importing.tables import ROW, Batch, File
from recsys.settings import Limits

_PLAYS, _PROFILES = "usersha1-artmbid-artname-plays.tsv", "usersha1-profile.tsv"
_USER, _ID, _NAME = "user-mboxsha1", "musicbrainz-artist-id", "artist-name"
_DIALECT = CsvDialect("\t", "", "", "utf-8", has_header=False)
_ARTISTS = TablePlan(kind="items", roles={"item_id": _ID, "title": _NAME})
_ABOUT = {
    "title": "Last.fm 360K",
    "domain": "music",
    "licence": "non-commercial use, with permission of Last.fm",
    "source": "O. Celma, Music Recommendation and Discovery in the Long Tail, 2010; data of the Last.fm API",
    "item_template": "Music by {title}",
    "profile_template": "A[ {age}-year-old][ {gender}] listener[ from {country}][ who likes {interests}]"
    "[, who enjoyed {liked}].",
    "words": {"gender": {"m": "male", "f": "female"}},
}


def _identified(frame: pd.DataFrame) -> pd.DataFrame:
    """The id of the artist, else the name in lower case; how often it was played is no rating."""
    ids = frame[_ID].str.strip()
    ids = ids.where(ids != "", frame[_NAME].str.strip().str.lower())
    return frame[[_USER, _NAME, ROW]].assign(**{_ID: ids})


_LISTENING = Layout(
    TablePlan(kind="interactions", roles={"user_id": _USER, "item_id": _ID}),
    _DIALECT,
    (_USER, _ID, _NAME, "plays"),
    _identified,
)
_PEOPLE = Layout(
    TablePlan(kind="users", roles={"user_id": _USER, "age": "age", "gender": "gender"}, attributes=("country",)),
    _DIALECT,
    (_USER, "gender", "age", "country", "signup"),
    lambda frame: frame.drop(columns="signup"),
)


def _artists(plays: Table) -> Iterator[Batch]:
    """Every artist where it stands first; faults and rows without any artist are told with the interactions."""
    seen = Seen()
    for batch in plays.read():
        frame = batch.frame[(batch.frame[_ID] != "").to_numpy()]
        frame = frame.loc[seen.first(frame[_ID]), [_ID, _NAME, ROW]].reset_index(drop=True)
        yield replace(batch, frame=frame, faults=())


def _open(files: Sequence[File], limits: Limits) -> Source:
    (file,) = siblings(files, _PLAYS)
    plays = _LISTENING.table(file, limits)
    people = tuple(_PEOPLE.table(found, limits) for found in siblings(files, _PROFILES))
    artists = Table(file.name, lambda: _artists(plays), _ARTISTS)
    return Source((artists, *people, plays), dict(_ABOUT))


FORMAT = Format("Last.fm 360K", lambda files: bool(siblings(files, _PLAYS)), _open)
