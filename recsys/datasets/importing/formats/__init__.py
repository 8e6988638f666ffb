"""Datasets whose files are known: they are told by their names and read without any mapping."""

from collections.abc import Sequence

from recsys.datasets.importing.formats import amazon, book_crossing, lastfm, mind, movielens
from recsys.datasets.importing.formats.format import Format
from recsys.datasets.importing.tables import File

__all__ = ["FORMATS", "Format", "recognise"]

FORMATS: tuple[Format, ...] = (
    *movielens.FORMATS,
    book_crossing.FORMAT,
    mind.FORMAT,
    amazon.FORMAT,
    lastfm.FORMAT,
)


def recognise(files: Sequence[File]) -> Format | None:
    """Returns the format of some files, or ``None`` if it is none that we know.

    Base names tell, in any folder and in any case. Where they are names that anybody might give (``movies.csv`` and
    ``ratings.csv``, ``Books.csv``, ``meta_….jsonl``), the first line must have the columns too.
    """
    return next((known for known in FORMATS if known.recognises(files)), None)
