"""How files become a dataset: written down, checked, saved with what it made."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.datasets.importing.batches import Batch
from recsys.datasets.importing.dialect import CsvDialect
from recsys.errors import DataError, shorten
from recsys.schema import Template

Kind = Literal["items", "users", "interactions", "graph"]
KINDS: tuple[Kind, ...] = ("items", "users", "interactions", "graph")
REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    "items": ("item_id", "title"),
    "users": ("user_id",),
    "interactions": ("user_id", "item_id"),
    "graph": ("head", "relation", "tail"),
}
OPTIONAL: Mapping[Kind, tuple[str, ...]] = {
    "items": ("description", "categories", "year", "price", "image", "audio"),
    "users": ("age", "gender"),
    "interactions": ("rating", "timestamp"),
    "graph": (),
}
_FIELD, _BRACKETS = re.compile(r"\{[^{}]+\}"), re.compile(r"\[[^\[\]]*\]")
Ages = Literal["years", "birth year", "band"]
Dates = Literal["day first", "month first"]


class TablePlan(BaseModel):
    """What the columns of one table mean.

    Attributes:
        kind: which table of the dataset it becomes.
        roles: role to the name of the column in the file; see ``REQUIRED`` and ``OPTIONAL``.
        attributes: further columns to keep (items and users), in order; the others are left out.
        separator: between the categories of an item, where they stand in one cell.
        ages: what the column of ages holds.
        dates: how a date such as 01/02/2025 is meant.
        year_of_ages: the year in which the people with a birth year had the age that is wanted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    roles: dict[str, str]
    attributes: tuple[str, ...] = ()
    separator: str = Field(default="|", min_length=1, max_length=5)
    ages: Ages = "years"
    dates: Dates = "day first"
    year_of_ages: int = Field(default=2026, ge=1900, le=2200)


class FilePlan(BaseModel):
    """One file: how it is written and what its columns mean.

    Attributes:
        file: its name, as ``gather`` tells it.
        dialect: of delimited text; ``None`` lets it be guessed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    table: TablePlan
    dialect: CsvDialect | None = None


class ImportPlan(BaseModel):
    """Everything that turns files into a dataset.

    Attributes:
        title: of the dataset.
        item_template: how an item becomes a text; empty lets it be made from the columns.
        profile_template: how a profile becomes a sentence; empty lets it be made from the columns.
        words: how stored values read in a sentence.
        liked_from: a rating from here on counts as a like; ``None`` lets it be told by the largest rating.
        files: what is read; files that are not named are left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    domain: str = "unknown"
    language: str = "en"
    licence: str = "unknown"
    source: str = ""
    item_template: str = ""
    profile_template: str = ""
    words: dict[str, dict[str, str]] = {}
    liked_from: float | None = Field(default=None, allow_inf_nan=False)
    files: tuple[FilePlan, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table that can be read, and what its columns mean; a known format makes these itself.

    Attributes:
        name: of the file, for messages.
        read: starts reading; every call reads anew.
        plan: what the columns of the batches mean.
    """

    name: str
    read: Callable[[], Iterator[Batch]]
    plan: TablePlan


@dataclass(frozen=True)
class Source:
    """Tables with what is known about the whole.

    Attributes:
        tables: items first, then users, interactions, graph; several may be of one kind, then they follow each other.
        about: fields of ``ImportPlan`` but ``files``.
        simulated: whether users and interactions were made by a simulator.
    """

    tables: tuple[Table, ...]
    about: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False


def check_template(pattern: str, fields: Sequence[str]) -> Template:
    """Returns the template of an item, if every item can read differently with it.

    Raises:
        DataError: for a field that is not known, none at all, or a bracket that is left open.
    """
    template = Template(pattern)
    template.check(fields)
    if set("{}[]") & set(_BRACKETS.sub("", _FIELD.sub("", pattern))):
        fix = "Write fields as {title}, and what may be left out as [ ({year})]."
        raise DataError("A bracket of the template has no partner", pattern, fix=fix)
    if not _FIELD.search(pattern):
        fix = "Name at least one field in braces, for example {title}."
        raise DataError("With this template all items read the same", pattern, fix=fix)
    return template


def read_plan(values: Any) -> ImportPlan:
    """Checks a plan that was written by hand or by the page.

    Raises:
        DataError: naming the part that does not fit.
    """
    try:
        return ImportPlan.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "plan"
        fix = f"Correct the plan ({first['msg']})."
        raise DataError("The import plan is not valid", f"{where} = {shorten(str(first['input']))}", fix=fix) from None
