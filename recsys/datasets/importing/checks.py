"""What must hold for a row to be used, as pandera schemas: each rule says what is wrong and what to do."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd
import pandera.pandas as pa

from recsys.datasets.importing import normal
from recsys.datasets.importing.batches import NESTED
from recsys.datasets.importing.findings import Finding, shown
from recsys.datasets.importing.media import MediaNames, is_address, is_plain
from recsys.datasets.importing.plan import Kind, TablePlan
from recsys.settings import MAX_AGE, Limits

ID_CHARACTERS = 200
_READ_CHARACTERS = 1_000
"""About as many characters of a text as BERT reads."""
_FIRST_YEAR, _FIRST_TIME, _DEAREST = 1000, -2208988800, 1e9
_YEARS_AHEAD, _SECONDS_AHEAD = 10, 2 * 86400


@dataclass(frozen=True)
class Rule:
    """Something that holds for every cell of a column.

    Attributes:
        what: the fault, where it does not hold.
        fix: what to do.
        holds: from the column as text (missing is ``""``) to a series of ``bool``.
        is_error: whether the row cannot be used; otherwise only the value is left out or kept as it is.
        is_kept: whether a value that breaks it is kept as it is, where the row can be used.
    """

    what: str
    fix: str
    holds: Callable[[pd.Series], pd.Series]
    is_error: bool = True
    is_kept: bool = False


def rules_for(kind: Kind, plan: TablePlan, limits: Limits, media: MediaNames | None = None) -> dict[str, list[Rule]]:
    """Returns the rules of a table by role; one for an attribute stands under ``attribute:NAME``.

    Args:
        media: the pictures and sounds that came along.
    """
    by_kind = {
        "items": _item_rules,
        "users": _user_rules,
        "interactions": _interaction_rules,
        "graph": _graph_rules,
    }
    rules = by_kind[kind](plan, limits)
    if kind == "items":
        rules |= {role: _media_rules(noun, media) for role, noun in (("image", "picture"), ("audio", "sound"))}
    for name in plan.attributes:
        rules[f"attribute:{name}"] = [_short(limits), _flat()]
    return rules


def _item_rules(plan: TablePlan, limits: Limits) -> dict[str, list[Rule]]:
    return {
        "item_id": _id_rules("item"),
        "title": [
            Rule("The title is empty", "Give the item a title.", lambda s: s != ""),
            _short(limits),
            _flat(is_error=True),
        ],
        "description": [_short(limits), _long(), _flat()],
        "year": [
            Rule(
                "The year is impossible",
                f"Write a year from {_FIRST_YEAR} to {_this_year() + _YEARS_AHEAD}; the item is kept without it.",
                _year_holds,
                is_error=False,
            )
        ],
        "price": [
            Rule(
                "The price is not a possible number",
                "Write a number from 0 on; the item is kept without it.",
                lambda s: normal.is_missing(s) | normal.numbers(s, comma_groups=True).between(0, _DEAREST),
                is_error=False,
            )
        ],
    }


def _media_rules(noun: str, media: MediaNames | None) -> list[Rule]:
    """Where no file came along at all, none is told to be missing; see ``none_came``."""
    fix = "Write a path such as photos/red.png or sounds/rain.mp3; the item is kept without it."
    plain = Rule(
        f"This is no plain path of a {noun}",
        fix,
        lambda s: s.map(lambda name: name in ("", NESTED) or is_address(name) or is_plain(name)).astype(bool),
        is_error=False,
        is_kept=True,
    )
    if not media or not media.n_files:
        return [_flat(), plain]
    there = Rule(
        f"The {noun} is not among the files",
        "Bring it along under this path; the item is kept without it.",
        lambda s: s.map(media.has).astype(bool),
        is_error=False,
        is_kept=True,
    )
    return [_flat(), plain, there]


def _user_rules(plan: TablePlan, limits: Limits) -> dict[str, list[Rule]]:
    reads = {"years": "a number", "birth year": "a year or date of birth", "band": "a band such as 25-34 or 65+"}[
        plan.ages
    ]
    age = Rule(
        "The age is impossible",
        f"Write {reads}, so that the age is from 0 to {MAX_AGE}; the person is kept without it.",
        lambda s: normal.is_missing(s) | normal.ages(s, plan).between(0, MAX_AGE),
        is_error=False,
    )
    return {"user_id": _id_rules("person"), "age": [age], "gender": [_short(limits), _flat()]}


def _interaction_rules(plan: TablePlan, limits: Limits) -> dict[str, list[Rule]]:
    rating = Rule(
        "The rating is not a number",
        "Write a number, or leave it empty: an interaction without a rating counts as a like.",
        lambda s: normal.is_missing(s) | normal.numbers(s).notna(),
    )
    time = Rule(
        "The date is impossible",
        "Write seconds since 1970 or a date such as 2025-12-24, not in the future; the row is kept without it.",
        partial(_time_holds, plan),
        is_error=False,
    )
    return {"user_id": _id_rules("person"), "item_id": _id_rules("item"), "rating": [rating], "timestamp": [time]}


def _graph_rules(plan: TablePlan, limits: Limits) -> dict[str, list[Rule]]:
    return {role: _id_rules(role) for role in ("head", "relation", "tail")}


def _id_rules(noun: str) -> list[Rule]:
    return [
        Rule(f"The id of the {noun} is missing", "Fill it in, or delete the row.", lambda s: s != ""),
        Rule(
            f"The id of the {noun} is longer than {ID_CHARACTERS} characters",
            "Shorten it.",
            lambda s: s.str.len() <= ID_CHARACTERS,
        ),
        Rule(
            f"The id of the {noun} is a number that has lost its last digits",
            "Write ids as text; a spreadsheet or a float has cut them.",
            lambda s: ~s.str.fullmatch(r"[+-]?\d(?:[.,]\d+)?[eE]\+?\d+"),
        ),
        _flat(is_error=True),
    ]


def _short(limits: Limits) -> Rule:
    most = limits.text_characters
    fix = "Shorten it, or raise COLDLENS_MAX_TEXT."
    return Rule(f"The text is longer than {most:,} characters", fix, lambda s: s.str.len() <= most)


def _long() -> Rule:
    what = f"The text is longer than the {_READ_CHARACTERS:,} characters that BERT reads, about"
    fix = "Put what matters first; the text is kept whole."
    return Rule(what, fix, lambda s: s.str.len() <= _READ_CHARACTERS, is_error=False, is_kept=True)


def _flat(*, is_error: bool = False) -> Rule:
    what = "The value is not a text, a number or a list of those"
    fix = "Write it as text." if is_error else "Write it as text; the row is kept without it."
    return Rule(what, fix, lambda s: s != NESTED, is_error)


def _this_year() -> int:
    return datetime.datetime.now(datetime.UTC).year


def _year_holds(column: pd.Series) -> pd.Series:
    years = normal.years(column)
    return normal.is_missing(column) | (years == 0) | years.between(_FIRST_YEAR, _this_year() + _YEARS_AHEAD)


def _time_holds(plan: TablePlan, column: pd.Series) -> pd.Series:
    latest = datetime.datetime.now(datetime.UTC).timestamp() + _SECONDS_AHEAD
    times = normal.times(column, plan.dates)
    return normal.is_missing(column) | times.between(_FIRST_TIME, latest).fillna(False).astype(bool)


@dataclass(frozen=True)
class Checked:
    """What a check of some rows found.

    Attributes:
        findings: one for each cell that breaks a rule.
        is_rejected: ``(n_rows,)`` of ``bool``.
        left_out: role to ``(n_rows,)`` of ``bool``, values that are to become missing.
    """

    findings: list[Finding]
    is_rejected: pd.Series
    left_out: dict[str, pd.Series]


class Checker:
    """Checks batches of one table; ``rules`` as ``rules_for`` gives them."""

    def __init__(self, file: str, rules: dict[str, list[Rule]], columns: dict[str, str]) -> None:
        self._file, self._columns = file, columns
        self._rules = {(role, rule.what): rule for role, own in rules.items() for rule in own if role in columns}
        schema: dict[str, pa.Column] = {}
        for role, own in rules.items():
            if role in columns:
                checks = [
                    pa.Check(partial(_held, rule), name=rule.what, error=rule.what, ignore_na=False) for rule in own
                ]
                schema[role] = pa.Column(checks=checks, nullable=True, required=True)
        self._schema = pa.DataFrameSchema(schema)

    def check(self, frame: pd.DataFrame, rows: pd.Series) -> Checked:
        """Checks some rows.

        Args:
            frame: a text column for each role and attribute, with an index from 0.
            rows: where each stands in the file.
        """
        is_rejected = pd.Series(False, index=frame.index)
        left_out: dict[str, pd.Series] = {}
        findings: list[Finding] = []
        for role, what, index, value in self._failures(frame):
            rule = self._rules[role, what]
            if rule.is_error:
                is_rejected[index] = True
            elif not rule.is_kept:
                left_out.setdefault(role, pd.Series(False, index=frame.index))[index] = True
            findings += [
                Finding(self._file, int(row), self._columns[role], shown(text), what, rule.fix, rule.is_error)
                for row, text in zip(rows[index], value, strict=True)
            ]
        return Checked(findings, is_rejected, left_out)

    def _failures(self, frame: pd.DataFrame) -> list[tuple[str, str, pd.Index, list[str]]]:
        """Returns (role, what, index, values) of every rule that some rows break."""
        try:
            self._schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as error:
            cases = error.failure_cases
        else:
            return []
        found = []
        for (role, what), own in cases.groupby(["column", "check"], sort=False):
            index = pd.Index(own["index"].astype(int))
            found.append((str(role), str(what), index, [str(value) for value in frame.loc[index, role]]))
        return found


def _held(rule: Rule, column: pd.Series) -> pd.Series:
    return rule.holds(column).astype(bool)
