"""A copy of a dataset that names nobody: no identifiers, bands of ages, days instead of seconds, k-anonymous facts.

This is not a proof of anonymity. What people liked stays, and likes themselves can identify.

Source: A. Narayanan, V. Shmatikov, Robust de-anonymization of large sparse datasets, 2008 (what likes alone give away).
"""

import secrets
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from recsys.errors import ConfigError, DataError
from recsys.privacy.identifiers import Finding, look_at_users
from recsys.privacy.suppression import measured, suppress
from recsys.schema import AGE, GENDER, ITEM_ID, RATING, TIMESTAMP, USER_ID, Dataset, Preset
from recsys.settings import MAX_AGE

WARNING = "This is not a proof of anonymity: likes themselves can identify, and they are kept."
TIMES = ("days", "drop", "keep")
_DAY = 86_400
_OF_INTERACTIONS = (USER_ID, ITEM_ID, RATING, TIMESTAMP)


@dataclass(frozen=True)
class AnonymousPlan:
    """What is done.

    Attributes:
        k: how many people at least share every combination of age band, gender and attributes.
        age_band: years; ages become the middle of their band.
        times: ``days`` (rounded down), ``drop`` or ``keep``.
        keep: columns that stay although they look as if they pointed at people.
        drop: columns that go although they do not.
    """

    k: int = 5
    age_band: int = 10
    times: str = "days"
    keep: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ConfigError(
                "The k of k-anonymity is out of range", self.k, fix="Choose a number from 1 on, usually 5."
            )
        if not 1 <= self.age_band <= MAX_AGE:
            fix = f"Choose a number of years from 1 to {MAX_AGE}."
            raise ConfigError("The age band is out of range", self.age_band, fix=fix)
        if self.times not in TIMES:
            raise ConfigError("This is not done to times", self.times, fix=f"Choose one of: {', '.join(TIMES)}.")
        if both := sorted(self.keep & self.drop):
            raise ConfigError("A column cannot be kept and dropped", ", ".join(both), fix="Name it once.")


@dataclass(frozen=True)
class Anonymised:
    """A dataset in memory, and what was done to it.

    Attributes:
        dataset: the copy.
        findings: what became of each column, and why.
        quasi_identifiers: the columns that k counts over.
        changed: column to the number of values that were left out to reach k.
        n_changed: users of whom anything was left out.
        before: ``k`` and ``l`` of these columns as pyCANON measures them, once ages are in bands.
        after: the same of the copy.
    """

    dataset: Dataset
    findings: tuple[Finding, ...]
    quasi_identifiers: tuple[str, ...]
    changed: dict[str, int]
    n_changed: int
    before: dict[str, Any]
    after: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "users": len(self.dataset.users),
            "interactions": len(self.dataset.interactions),
            "columns": [vars(finding) for finding in self.findings],
            "quasi_identifiers": list(self.quasi_identifiers),
            "values_left_out": self.changed,
            "users_changed": self.n_changed,
            "before": self.before,
            "after": self.after,
            "warning": WARNING,
        }


def anonymise(dataset: Dataset, plan: AnonymousPlan, *, rng: np.random.Generator | None = None) -> Anonymised:
    """Returns a copy of a dataset without what points at single people; its items and graph are the same.

    Args:
        rng: for the order of rows, new user_ids and whose values are left out; seeded by the operating system by default.

    Raises:
        DataError: for a dataset without users, a column that is not there, or fewer users than k.
        MissingExtraError: without the extra ``privacy``.
    """
    _check(dataset, plan)
    rng = rng or np.random.default_rng(secrets.randbits(256))
    findings = [*look_at_users(dataset.users, keep=plan.keep, drop=plan.drop), *_of_interactions(dataset, plan)]
    gone = {finding.column for finding in findings if finding.table == "users" and finding.is_dropped}
    users = _shuffled(_banded(_plain(dataset.users.drop(columns=list(gone))), plan.age_band), rng)
    quasi = tuple(str(name) for name in users.columns if name != USER_ID)
    attributes = [name for name in quasi if name not in (AGE, GENDER)]
    done = suppress(users, quasi, plan.k, rng)
    known = pd.concat([dataset.users[USER_ID], dataset.interactions[USER_ID]]).unique()
    renamed = dict(zip(known, _new_ids(len(known), rng), strict=True))
    copy = replace(
        dataset,
        info=replace(dataset.info, title=f"{dataset.info.title}, anonymised", presets=_presets(dataset, attributes)),
        users=done.users.assign(**{USER_ID: done.users[USER_ID].map(renamed)}),
        interactions=_interactions(dataset, plan, findings, renamed),
        folder=None,
        user_vectors=None,  # a vector tells one person from all others
    )
    before, after = (measured(frame, quasi, attributes) for frame in (users, done.users))
    return Anonymised(copy, tuple(findings), quasi, done.changed, done.n_rows, before, after)


def _check(dataset: Dataset, plan: AnonymousPlan) -> None:
    if not len(dataset.users) and not len(dataset.interactions):
        raise DataError("There are no users to anonymise", dataset.name, fix="Choose a dataset with users.")
    columns = {*map(str, dataset.users.columns), *map(str, dataset.interactions.columns)} - {USER_ID, ITEM_ID}
    if unknown := sorted((plan.keep | plan.drop) - columns):
        fix = f"The columns are: {', '.join(sorted(columns))}."
        raise DataError("There is no such column to keep or drop", ", ".join(unknown), fix=fix)


def _of_interactions(dataset: Dataset, plan: AnonymousPlan) -> list[Finding]:
    """Of interactions only what recommending needs stays: anything more may be a text that somebody wrote."""
    found = []
    for name in map(str, dataset.interactions.columns):
        if name in (USER_ID, ITEM_ID):
            continue
        said = name in plan.drop or (name == TIMESTAMP and plan.times == "drop")
        stays = name in plan.keep or (name in _OF_INTERACTIONS and not said)
        why = "you said so" if said or name in plan.keep else "recommending needs it"
        found.append(
            Finding("interactions", name, not stays, why if stays or said else "recommending does not need it")
        )
    return found


def _plain(users: pd.DataFrame) -> pd.DataFrame:
    """Attributes as texts of their own; a categorical column would carry values along that nobody has any more."""
    frame = users.reset_index(drop=True)
    texts = [name for name in frame.columns if name != AGE]
    return frame.assign(
        **{name: frame[name].astype(str).astype(object).where(frame[name].notna(), None) for name in texts}
    )


def _banded(users: pd.DataFrame, years: int) -> pd.DataFrame:
    if AGE not in users:
        return users
    ages = users[AGE].where((users[AGE] >= 0) & (users[AGE] <= MAX_AGE))
    return users.assign(**{AGE: np.minimum(ages // years * years + years / 2, MAX_AGE)})


def _shuffled(users: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """In another order, or the number of a row would be the old user_id."""
    return users.iloc[rng.permutation(len(users))].reset_index(drop=True)


def _new_ids(n: int, rng: np.random.Generator) -> list[str]:
    """Random ids, none twice."""
    width = max(6, len(f"{n:x}") + 4)
    found: dict[str, None] = {}
    while len(found) < n:
        found |= {rng.bytes(width).hex(): None for _ in range(n - len(found))}
    return list(found)


def _interactions(
    dataset: Dataset, plan: AnonymousPlan, findings: list[Finding], renamed: dict[str, str]
) -> pd.DataFrame:
    gone = [each.column for each in findings if each.table == "interactions" and each.is_dropped]
    frame = dataset.interactions.drop(columns=gone)
    frame = frame.assign(**{USER_ID: frame[USER_ID].map(renamed)})
    order = [USER_ID]
    if TIMESTAMP in frame and plan.times == "days":
        frame = frame.assign(**{TIMESTAMP: frame[TIMESTAMP] // _DAY * _DAY})
        order += [TIMESTAMP, ITEM_ID]  # within a day no order is left
    return frame.sort_values(order, kind="stable", ignore_index=True)


def _presets(dataset: Dataset, attributes: list[str]) -> tuple[Preset, ...]:
    """The ready-made profiles, which are invented, without attributes that are gone."""
    return tuple(
        replace(
            preset,
            profile=replace(
                preset.profile, attributes={n: v for n, v in preset.profile.attributes.items() if n in attributes}
            ),
        )
        for preset in dataset.info.presets
    )
