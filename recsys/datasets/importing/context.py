"""What is known of the tables before: which ids there are, so that a second one or one that leads nowhere is found."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from recsys.datasets.importing.findings import Finding, shown
from recsys.datasets.importing.plan import Kind

_OWN_ID = {"items": "item_id", "users": "user_id"}


@dataclass
class Ids:
    """The ids that were accepted so far.

    Attributes:
        items: of the catalog.
        users: of the table of users, or, without one, of the interactions, in the order of their first.
        has_users: whether there is a table of users.
    """

    has_users: bool
    items: set[str] = field(default_factory=set)
    users: dict[str, None] = field(default_factory=dict)

    def check(
        self, kind: Kind, file: str, frame: pd.DataFrame, rows: pd.Series, columns: dict[str, str]
    ) -> tuple[pd.Series, list[Finding]]:
        """Returns which rows cannot be used because of their ids, and why; remembers the ids of the others.

        Args:
            frame: rows that are fine in themselves.
            rows: where they stand in the file.
            columns: role to the name in the file.
        """
        if kind in _OWN_ID:
            return self._check_repeated(kind, file, frame, rows, columns)
        if kind == "interactions":
            return self._check_dangling(file, frame, rows, columns)
        is_linked = _is_in(frame["head"], self.items) | _is_in(frame["tail"], self.items)
        what, fix = (
            "Neither end of the triple is an item",
            "Use ids of items; it is kept, but says nothing of them.",
        )
        warnings = _findings(file, columns["head"], frame["head"][~is_linked], rows, what, fix, is_error=False)
        return pd.Series(False, index=frame.index), warnings

    def _check_repeated(
        self, kind: Kind, file: str, frame: pd.DataFrame, rows: pd.Series, columns: dict[str, str]
    ) -> tuple[pd.Series, list[Finding]]:
        role = _OWN_ID[kind]
        known = self.items if kind == "items" else self.users
        own = frame[role]
        is_bad = _is_in(own, known) | own.duplicated()
        if kind == "items":
            self.items.update(own[~is_bad])
        else:
            self.users.update(dict.fromkeys(own[~is_bad]))
        fix = "Keep one row for each id; the first one is taken."
        return is_bad, _findings(file, columns[role], own[is_bad], rows, "The id was there before", fix)

    def _check_dangling(
        self, file: str, frame: pd.DataFrame, rows: pd.Series, columns: dict[str, str]
    ) -> tuple[pd.Series, list[Finding]]:
        no_item = ~_is_in(frame["item_id"], self.items)
        findings = _findings(
            file, columns["item_id"], frame["item_id"][no_item], rows,
            "The item is not in the catalog", "Add the item to the catalog, or delete the row.",
        )  # fmt: skip
        no_user = pd.Series(False, index=frame.index)
        if self.has_users:
            no_user = ~_is_in(frame["user_id"], self.users)
            findings += _findings(
                file, columns["user_id"], frame["user_id"][no_user], rows,
                "The person is not in the table of users", "Add the person, or delete the row.",
            )  # fmt: skip
        else:
            self.users.update(dict.fromkeys(frame["user_id"][~no_item].unique().tolist()))
        return no_item | no_user, findings


def _is_in(column: pd.Series, known: Container[str]) -> pd.Series:
    codes, values = pd.factorize(column)
    is_known = np.array([value in known for value in values.tolist()], dtype=bool)
    return pd.Series(is_known[codes] if len(codes) else False, index=column.index, dtype=bool)


def _findings(
    file: str, column: str, values: pd.Series, rows: pd.Series, what: str, fix: str, *, is_error: bool = True
) -> list[Finding]:
    return [
        Finding(file, int(row), column, shown(value), what, fix, is_error)
        for row, value in zip(rows[values.index], values, strict=True)
    ]


class MixedTypes:
    """Notices attributes that are numbers nearly everywhere, and text in a few rows."""

    _ENOUGH, _MOSTLY, _EXAMPLES = 20, 10, 5

    def __init__(self, names: Iterable[str]) -> None:
        self._numbers = dict.fromkeys(names, 0)
        self._texts = dict.fromkeys(names, 0)
        self._examples: dict[str, list[tuple[int, str]]] = {name: [] for name in self._numbers}

    def see(self, name: str, values: pd.Series, rows: pd.Series) -> None:
        """Counts the values of an attribute, missing ones already gone."""
        is_text = pd.to_numeric(values, errors="coerce").isna()
        self._numbers[name] += int((~is_text).sum())
        self._texts[name] += int(is_text.sum())
        free = self._EXAMPLES - len(self._examples[name])
        if free > 0:
            odd = values[is_text].head(free)
            self._examples[name] += list(zip(rows[odd.index].astype(int), odd, strict=True))

    def findings(self, file: str) -> list[tuple[list[Finding], int]]:
        """Returns the examples of every mixed attribute with the number of further ones."""
        what, fix = "A text stands among numbers", "Correct it if it is a slip; it is kept as it is."
        found = []
        for name, texts in self._texts.items():
            if 0 < texts * self._MOSTLY <= self._numbers[name] and self._numbers[name] >= self._ENOUGH:
                own = [Finding(file, row, name, shown(value), what, fix, False) for row, value in self._examples[name]]
                found.append((own, texts - len(own)))
        return found
