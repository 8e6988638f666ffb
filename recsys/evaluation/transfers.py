"""What the protocol ``transfer`` asks, and what it found: how lists fare that were learned elsewhere."""

import io
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.evaluation.user_table import ABOUT_A_USER, HEADLINE, UserTable
from recsys.intervals import Interval, interval, paired_difference
from recsys.sealing import NO_SEAL, Seal

TRANSFER = "transfer"
OURS, COSINE, PRIOR = "transferred", "zero-shot cosine", "prior from texts"
WITHOUT_PRIOR = "transferred, no prior"
ALL = "additive, all likes"
NO_LIKES, ALL_LIKES = 0, -1


def few(n: int) -> str:
    """Returns the name of the method that starts from what was carried over and has n likes of the target."""
    return f"transferred, {n} likes"


def alone(n: int) -> str:
    """Returns the name of the method that has those likes and starts from nothing."""
    return f"additive, {n} likes"


@dataclass(frozen=True)
class TransferPlan:
    """What is evaluated; the same plan on the same data gives the same numbers.

    Attributes:
        dataset: the target, or the dataset that is split.
        source: name of the dataset that is learned from, or the part of the catalog that is, as ``year<1990`` or
            ``category!=Action``; the rest is the target then.
        folds: parts that the people are split into: nobody is learned from and judged.
        seed: draws the parts, and which likes come first.
        shots: as for the other protocols.
        likes: numbers of likes in the target that a few methods have.
    """

    dataset: str
    source: str
    folds: int = 5
    seed: int = 0
    shots: tuple[int, ...] = (0, 1, 3, 5)
    likes: tuple[int, ...] = (10, 100, 1000)

    @property
    def words(self) -> tuple[str, ...]:
        """The words after ``recsys`` that repeat the evaluation."""
        words: tuple[str, ...] = ("evaluate", "--dataset", self.dataset, "--protocol", TRANSFER, "--from", self.source)
        words += ("--shots", ",".join(map(str, self.shots)), "--folds", str(self.folds), "--seed", str(self.seed))
        return (*words, "--likes", ",".join(map(str, self.likes)) or "none")

    @property
    def command(self) -> str:
        """The command line that repeats the evaluation."""
        return shlex.join(["recsys", *self.words])


@dataclass(frozen=True)
class TransferEvaluation(UserTable):
    """What was found.

    Attributes:
        users: one row per method, level and person: ``method``, ``likes`` (of the target that it has; ``-1`` for all),
            ``level``, ``user_id``, ``fold`` and one column per measure; people stand in the same order everywhere.
        about: numbers of items and people on both sides, what was chosen, when and by which version it was made.
    """

    plan: TransferPlan
    users: pd.DataFrame
    about: Mapping[str, Any]

    _ABOUT_A_USER = (*ABOUT_A_USER, "likes")

    @cached_property
    def _groups(self) -> dict[tuple[str, str], pd.DataFrame]:
        found = self.users.groupby(["method", "level"], sort=False)
        return {(str(method), str(level)): frame for (method, level), frame in found}

    def values(self, method: str, level: str, measure: str = HEADLINE) -> np.ndarray:
        """Returns ``(n_users,)``."""
        return self._groups[method, level][measure].to_numpy()

    def mean(self, method: str, level: str, measure: str = HEADLINE) -> Interval:
        """Returns the mean with its 95 % bootstrap interval over people."""
        return interval(self.values(method, level, measure))

    def versus(self, other: str, level: str, *, method: str = OURS, measure: str = HEADLINE) -> Interval:
        """Returns how much better a method is than another for the same people, a paired difference."""
        return paired_difference(self.values(method, level, measure), self.values(other, level, measure))

    def curve(self, level: str, measure: str = HEADLINE) -> dict[str, dict[int, Interval]]:
        """Returns for what starts from the source, and what starts from nothing, the mean by number of likes in the target."""
        carried = {NO_LIKES: self.mean(OURS, level, measure)}
        carried |= {n: self.mean(few(n), level, measure) for n in self.plan.likes}
        return {OURS: carried, "additive": {n: self.mean(alone(n), level, measure) for n in self.plan.likes}}

    def to_dict(self) -> dict[str, Any]:
        """Returns the summary as plain JSON values."""
        against = {COSINE: OURS, PRIOR: OURS} | {alone(n): few(n) for n in self.plan.likes}
        return {
            "dataset": self.plan.dataset,
            "protocol": TRANSFER,
            "source": self.plan.source,
            "seed": self.plan.seed,
            "folds": self.plan.folds,
            "n_users": self.n_users,
            **{name: self.about[name] for name in ("n_left_out", "n_source_items", "n_target_items", "kept", "lost")},
            "results": {
                level: {
                    method: {name: self.mean(method, level, name).to_dict() for name in self.measures}
                    for method in self.methods
                }
                for level in self.levels
            },
            "versus": {
                level: {other: self.versus(other, level, method=method).to_dict() for other, method in against.items()}
                for level in self.levels
            },
            "command": self.plan.command,
        }

    def save(self, folder: Path, *, seal: Seal = NO_SEAL) -> None:
        """Writes the evaluation into a folder; the table of users is sealed."""
        (folder / "users.parquet").write_bytes(seal.close(self.users.to_parquet(index=False)))
        (folder / "evaluation.json").write_text(
            json.dumps({"plan": asdict(self.plan), "about": dict(self.about)}, indent=1), "utf-8"
        )
        (folder / "summary.json").write_text(json.dumps(self.to_dict(), indent=1), "utf-8")

    @classmethod
    def load(cls, folder: Path, *, seal: Seal = NO_SEAL) -> "TransferEvaluation":
        """Reads what ``save`` wrote.

        Raises:
            ConfigError: if it is sealed and the key is missing, or another one.
        """
        rest = json.loads((folder / "evaluation.json").read_text("utf-8"))
        plan = rest["plan"] | {name: tuple(rest["plan"][name]) for name in ("shots", "likes")}
        users = pd.read_parquet(io.BytesIO(seal.read(folder / "users.parquet")))
        return cls(TransferPlan(**plan), users, rest["about"])
