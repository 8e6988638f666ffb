"""Dataset: items, and optionally users and interactions."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.errors import UnknownItemError
from recsys.schema.columns import (
    AGE,
    CATEGORIES,
    GENDER,
    GRAPH_COLUMNS,
    ITEM_ID,
    ITEM_ROLES,
    LIKED_FROM,
    MOST_VALUES,
    RATING,
    TITLE,
    USER_ID,
    USER_ROLES,
    YEAR,
)
from recsys.schema.identifying import is_identifying
from recsys.schema.profile import Preset
from recsys.schema.vectors import VectorsInfo, fingerprint_of_vectors


@dataclass(frozen=True)
class DatasetInfo:
    """What ``dataset.toml`` says.

    Attributes:
        item_template: how an item becomes a text; see ``recsys.views.text.Template``.
        profile_template: how a profile becomes one sentence for the cosine scorer.
        words: how stored values read in a sentence, per column: ``{"gender": {"F": "female"}}``.
        simulated: whether users and interactions were made by a simulator.
        encoder: what its texts are read with unless the settings name another; empty for the default.
        liked_from: a rating from here on counts as a like; an interaction without a rating always does.
        vectors: what is known of the vectors that came with the dataset; ``None`` where nothing is said of any.
    """

    title: str
    domain: str = "unknown"
    language: str = "en"
    licence: str = "unknown"
    source: str = ""
    item_template: str = "{title}[ ({year})][. {categories}][. {description}]"
    profile_template: str = (
        "A[ {age}-year-old][ {gender}][ {occupation|person}][ who likes {interests}][, who enjoyed {liked}]."
    )
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    presets: tuple[Preset, ...] = ()
    simulated: bool = False
    liked_from: float = LIKED_FROM
    encoder: str = ""
    vectors: VectorsInfo | None = None


@dataclass(frozen=True)
class LentFacts:
    """Facts of people that a scorer knows from another dataset, for a dataset that has no users of its own.

    Attributes:
        age_range: youngest and oldest age that it has learned from; ``None`` if it knows no ages.
        genders: those that it knows.
        attributes: attribute to the values that it knows.
        words: see ``DatasetInfo``.
    """

    age_range: tuple[float, float] | None = None
    genders: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def no_graph() -> pd.DataFrame:
    """Returns a graph without facts."""
    return pd.DataFrame({name: pd.Series(dtype=str) for name in GRAPH_COLUMNS})


@dataclass(frozen=True)
class Dataset:
    """Items, and optionally users and interactions; ids are ``str``, frames are never changed in place.

    Attributes:
        items: sorted by item_id; ``categories`` holds tuples of ``str``; row number = item_row.
        users: may be empty; ``age`` is float with ``NaN`` for unknown.
        interactions: may be empty; ``rating`` and ``timestamp`` are optional columns.
        graph: facts as triples of ``head``, ``relation``, ``tail``, all ``str``; may be empty. A head or tail that is an item_id
            is that item.
        media: the folder that the columns ``image`` and ``audio`` of the items are paths in; ``None`` where there is none.
        folder: where it is kept; artifacts made from it go to ``folder / "artifacts"``. ``None`` for in-memory ones.
        lent: what a scorer that was learned elsewhere knows of people, where there are no users.
        item_vectors: ``(n_items, dim)`` float32, vectors that came with the dataset, as they came; a row of zeros is an item
            without one. ``None`` where an encoder makes them.
        user_vectors: ``(n_users, dim)`` float32, the same of users, in the same space; ``None`` where none came.
    """

    name: str
    info: DatasetInfo
    items: pd.DataFrame
    users: pd.DataFrame
    interactions: pd.DataFrame
    folder: Path | None = None
    graph: pd.DataFrame = field(default_factory=no_graph)
    media: Path | None = None
    lent: LentFacts | None = None
    item_vectors: np.ndarray | None = None
    user_vectors: np.ndarray | None = None

    @cached_property
    def item_rows(self) -> Mapping[str, int]:
        """item_id to item_row."""
        return {item_id: row for row, item_id in enumerate(self.items[ITEM_ID])}

    def item_row(self, item_id: str) -> int:
        """Returns the row of an item.

        Raises:
            UnknownItemError: if the catalog has no such item.
        """
        try:
            return self.item_rows[item_id]
        except KeyError:
            fix = f"Use an item_id of '{self.name}', for example '{self.items[ITEM_ID].iloc[0]}'."
            raise UnknownItemError("There is no such item in the catalog", item_id, fix=fix) from None

    def title_of(self, item_id: str) -> str:
        """Returns the title of an item."""
        return str(self.items[TITLE].iloc[self.item_row(item_id)])

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """How each item is called where it must be told apart: title and year, and the item_id where that is not enough."""
        years = self.items[YEAR] if YEAR in self.items else [None] * len(self.items)
        pairs = zip(self.items[TITLE], years, strict=True)
        found = pd.Series(
            [f"{title} ({year})" if pd.notna(year) else str(title) for title, year in pairs], dtype=object
        )
        repeated = found.duplicated(keep=False) | (found.str.strip() == "")
        ids = self.items[ITEM_ID]
        return tuple(f"{label} · {i}" if again else label for label, i, again in zip(found, ids, repeated, strict=True))

    @cached_property
    def labelled_rows(self) -> Mapping[str, int]:
        """Label to item_row."""
        return {label: row for row, label in enumerate(self.labels)}

    @cached_property
    def age_range(self) -> tuple[float, float] | None:
        """Youngest and oldest age among the users, or ``None`` if no age is known."""
        if self.lent is not None:
            return self.lent.age_range
        if AGE not in self.users or self.users[AGE].isna().all():
            return None
        return float(self.users[AGE].min()), float(self.users[AGE].max())

    @cached_property
    def identifying(self) -> tuple[str, ...]:
        """The columns of users that say who somebody is; nothing of them is ever shown, learned from or offered."""
        names = [name for name in self.users.columns if name not in USER_ROLES]
        return tuple(name for name in names if is_identifying(str(name), self.users[name]))

    def user_called(self, row: int) -> str:
        """Returns how a real user is called wherever one is shown: by row, never by a name or an id."""
        return f"User {row + 1:,} of {len(self.users):,}"

    @cached_property
    def user_attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Every further categorical column of the users with at most 200 values; its values, most frequent first.

        Columns that say who somebody is are no attributes; see ``identifying``.
        """
        if self.lent is not None:
            return self.lent.attributes
        names = [name for name in self.users.columns if name not in (*USER_ROLES, *self.identifying)]
        found = {name: _values(self.users[name]) for name in names}
        return {name: values for name, values in found.items() if len(values) <= MOST_VALUES}

    @cached_property
    def genders(self) -> tuple[str, ...]:
        """The genders among the users, most frequent first; empty if unknown."""
        if self.lent is not None:
            return self.lent.genders
        return _values(self.users[GENDER]) if GENDER in self.users else ()

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories of the catalog, most frequent first."""
        return _values(self.items[CATEGORIES].explode()) if CATEGORIES in self.items else ()

    @cached_property
    def category_matrix(self) -> np.ndarray:
        """``(n_items, n_categories)`` float64, 1 where an item has a category; columns as in ``categories``."""
        columns = {name: n for n, name in enumerate(self.categories)}
        matrix = np.zeros((len(self.items), len(columns)))
        for row, names in enumerate(self.items[CATEGORIES] if columns else ()):
            matrix[row, [columns[name] for name in names if name in columns]] = 1
        return matrix

    @cached_property
    def item_attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Every further categorical column of the items with at most 200 values."""
        names = [name for name in self.items.columns if name not in ITEM_ROLES]
        found = {name: _values(self.items[name]) for name in names}
        return {name: values for name, values in found.items() if 1 < len(values) <= MOST_VALUES}

    @cached_property
    def popularity(self) -> np.ndarray:
        """Number of likes per item_row, ``(n_items,)``."""
        liked = self.likes[ITEM_ID].map(self.item_rows).dropna().astype(int)
        return np.bincount(liked, minlength=len(self.items))

    @cached_property
    def by_popularity(self) -> np.ndarray:
        """The item_rows, most liked first, ``(n_items,)``."""
        return np.argsort(-self.popularity, kind="stable")

    @cached_property
    def likes(self) -> pd.DataFrame:
        """The interactions that are likes: those rated ``info.liked_from`` or more, and those without a rating."""
        frame = self.interactions
        return frame[(frame[RATING] >= self.info.liked_from) | frame[RATING].isna()] if RATING in frame else frame

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the content of all frames, and of vectors that came along; an empty graph counts as none."""
        digest = hashlib.sha256()
        graph = (self.graph,) if len(self.graph) else ()
        for frame in (self.items, self.users, self.interactions, *graph):
            digest.update(fingerprint_of_frame(frame).encode())
        if self.item_vectors is not None:
            digest.update(self.vectors_key.encode())
        return digest.hexdigest()

    def with_lent(self, facts: LentFacts) -> "Dataset":
        """Returns the same dataset, whose people are described as another dataset's are.

        Only for a dataset without users: where there are any, what is known of them is what can be told of a person.
        """
        words = {**facts.words, **self.info.words}
        return replace(self, lent=facts, info=replace(self.info, words=words))

    @cached_property
    def vectors_key(self) -> str:
        """SHA-256 over the vectors that came along and what is said of them; empty where none did."""
        if self.item_vectors is None:
            return ""
        said = self.info.vectors or VectorsInfo()
        parts = [fingerprint_of_vectors(self.item_vectors), said.encoder, said.similarity]
        parts += [fingerprint_of_vectors(self.user_vectors)] if self.user_vectors is not None else []
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def without_users(self, user_ids: Iterable[str]) -> "Dataset":
        """Returns a new in-memory dataset without these users and without their interactions."""
        gone = set(user_ids)
        stays = ~self.users[USER_ID].isin(gone).to_numpy(bool)
        interactions = self.interactions[~self.interactions[USER_ID].isin(gone)].reset_index(drop=True)
        return replace(self.of_users(np.flatnonzero(stays)), interactions=interactions)

    def of_users(self, rows: np.ndarray) -> "Dataset":
        """Returns the dataset with some of its users alone, in this order; the interactions stay those of everybody."""
        vectors = None if self.user_vectors is None else self.user_vectors[rows]
        return replace(self, users=self.users.iloc[rows].reset_index(drop=True), user_vectors=vectors)

    def without_interactions_of(self, item_ids: Iterable[str]) -> "Dataset":
        """Returns a new in-memory dataset in which nobody has interacted with these items; the items stay."""
        gone = set(item_ids)
        kept = self.interactions[~self.interactions[ITEM_ID].isin(gone)].reset_index(drop=True)
        return replace(self, interactions=kept)


def fingerprint_of_frame(frame: pd.DataFrame) -> str:
    """Returns a SHA-256 over column names and every value, in order."""
    digest = hashlib.sha256(json.dumps(list(frame.columns)).encode())
    for name in frame.columns:
        column = frame[name]
        if name == CATEGORIES:
            column = column.map("\x1f".join)
        digest.update(pd.util.hash_pandas_object(column, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _values(column: pd.Series) -> tuple[str, ...]:
    texts = column.dropna().astype(str)
    counts = texts[texts != ""].value_counts()
    order = sorted(counts.index, key=lambda value: (-counts[value], value))
    return tuple(order)
