"""Evaluation: what the laboratory found, kept as an artifact with the command that makes it again."""

import io
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.evaluation.user_table import ABOUT_A_USER, HEADLINE, UserTable
from recsys.intervals import Interval, interval, paired_difference
from recsys.sealing import NO_SEAL, Seal

OURS = "additive"


@dataclass(frozen=True)
class Plan:
    """What is evaluated, and how; the same plan on the same data gives the same numbers.

    Attributes:
        dataset: its name.
        protocol: one of ``PROTOCOLS``.
        folds: number of parts the users (or items) are split into.
        seed: draws the parts, and everything else that is random.
        shots: numbers of liked items that are revealed; 0 stands for the two levels without.
        rivals: names of the methods to compare with.
        views: whether to learn anew without each view, to tell what it adds.
        fine_tuned: steps of BERT's own training on the training users of every fold; 0 leaves it out.
        private: epsilons of differentially private fits, to tell what their noise costs; none leaves them out.
    """

    dataset: str
    protocol: str = "cold-user"
    folds: int = 5
    seed: int = 0
    shots: tuple[int, ...] = (0, 1, 3, 5)
    rivals: tuple[str, ...] = ()
    views: bool = False
    fine_tuned: int = 0
    private: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns the plan as plain values; what it does not ask for is left out, so that older plans stay what they were."""
        return {name: value for name, value in asdict(self).items() if name not in ("fine_tuned", "private") or value}

    @property
    def words(self) -> tuple[str, ...]:
        """The words after ``recsys`` that repeat the evaluation."""
        words: tuple[str, ...] = ("evaluate", "--dataset", self.dataset, "--protocol", self.protocol)
        words += ("--shots", ",".join(map(str, self.shots)), "--folds", str(self.folds), "--seed", str(self.seed))
        words += ("--views",) if self.views else ()
        words += ("--fine-tuned", str(self.fine_tuned)) if self.fine_tuned else ()
        words += ("--private", ",".join(f"{epsilon:g}" for epsilon in self.private)) if self.private else ()
        return (*words, "--rivals", ",".join(self.rivals) or "none")

    @property
    def command(self) -> str:
        """The command line that repeats the evaluation."""
        return shlex.join(["recsys", *self.words])


def by_user(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per user: under ``cold-item`` a user is tested in several folds, and the mean over them counts once."""
    if frame["user_id"].is_unique:
        return frame
    kept = [name for name in frame if name not in ABOUT_A_USER]
    return frame.groupby("user_id", sort=False)[kept].mean().reset_index()


def bootstrapped(users: pd.DataFrame) -> pd.DataFrame:
    """Returns the mean of every measure with its 95 % bootstrap interval over users, for every method and level."""
    measures = [name for name in users if name not in ABOUT_A_USER]
    rows = []
    for (method, level), asked in users.groupby(["method", "level"], sort=False):
        frame = by_user(asked)
        for name in measures:
            found = interval(frame[name].dropna().to_numpy())
            rows.append((method, level, name, found.mean, found.low, found.high, found.n))
    return pd.DataFrame(rows, columns=["method", "level", "measure", "mean", "low", "high", "n"])


@dataclass(frozen=True)
class Evaluation(UserTable):
    """What was found.

    Attributes:
        plan: what was asked.
        users: one row per method, level and test user: ``method``, ``level``, ``user_id``, ``fold`` and one column per
            measure; the users of every method and level stand in the same order.
        intervals: one row per method, level and measure: ``mean``, ``low``, ``high``, ``n``; see ``bootstrapped``.
        overall: one row per method and level: the coverage at ten items, ``mean`` and interval over folds (all
            lists of a fold make one value).
        calibration: one row per level and bin of the additive scorer: ``level``, ``probability``, ``share`` of likes, ``n``.
        lists: one row per test user and level: ``user_id``, ``level``, ``item_ids``, what the additive scorer would have shown.
        about: number of users left out, parameters chosen per fold, seconds per method, when and by which version it was made.
    """

    plan: Plan
    users: pd.DataFrame
    intervals: pd.DataFrame
    overall: pd.DataFrame
    calibration: pd.DataFrame
    lists: pd.DataFrame
    about: Mapping[str, Any]

    _OF_PEOPLE = ("users", "lists")
    _FRAMES = ("users", "intervals", "overall", "calibration", "lists")

    def user_ids(self, method: str, level: str) -> list[str]:
        """Returns the test users in the order of ``values``."""
        return list(self._groups[method, level]["user_id"])

    def values(self, method: str, level: str, measure: str = HEADLINE) -> np.ndarray | None:
        """Returns ``(n_users,)``, or ``None`` where the method cannot use the level."""
        frame = self._groups.get((method, level))
        return None if frame is None else frame[measure].to_numpy()

    @cached_property
    def _groups(self) -> dict[tuple[str, str], pd.DataFrame]:
        found = self.users.groupby(["method", "level"], sort=False)
        return {(str(method), str(level)): by_user(frame) for (method, level), frame in found}

    @cached_property
    def results(self) -> dict[str, dict[str, dict[str, Interval]]]:
        """Level to method to measure to its mean with a 95 % bootstrap interval over users; unknown values are left out."""
        found: dict[str, dict[str, dict[str, Interval]]] = {level: {} for level in self.levels}
        for row in self.intervals.to_dict("records"):
            value = Interval(row["mean"], row["low"], row["high"], row["n"])
            found[row["level"]].setdefault(row["method"], {})[row["measure"]] = value
        return found

    def best_rival(self, level: str, measure: str = HEADLINE) -> str | None:
        """Returns the rival with the largest mean; ablations of our own are no rivals."""
        rivals = [name for name in self.plan.rivals if (name, level) in self._groups]
        return max(rivals, key=lambda name: float(np.nanmean(self._groups[name, level][measure])), default=None)

    def marginal_values(self, measure: str = HEADLINE) -> list[dict[str, Any]]:
        """Returns what each view adds, as paired differences: one row for each method, view, way of asking and level."""
        rows = []
        for asked in self.about.get("marginals", []):
            for level in self.levels:
                ours, theirs = (self.values(asked[name], level, measure) for name in ("with_it", "without_it"))
                if ours is not None and theirs is not None:
                    rows.append({**asked, "level": level, "value": paired_difference(ours, theirs)})
        return rows

    def gains_of_fine_tuning(self, measure: str = HEADLINE) -> dict[str, dict[str, Interval]]:
        """Returns method to level to how much better it is than ``additive`` with BERT as it came, as paired differences."""
        return self._gains(self.about.get("fine_tuned", []), measure)

    def gains_of_privacy(self, measure: str = HEADLINE) -> dict[str, dict[str, Interval]]:
        """Returns private fit to level to how much better (below zero: worse) it is than ``additive``, as paired differences."""
        return self._gains(self.about.get("private", []), measure)

    def _gains(self, methods: Sequence[str], measure: str) -> dict[str, dict[str, Interval]]:
        found: dict[str, dict[str, Interval]] = {}
        for name in methods:
            for level in self.levels:
                theirs, ours = self.values(name, level, measure), self.values(OURS, level, measure)
                if theirs is not None and ours is not None:
                    found.setdefault(name, {})[level] = paired_difference(theirs, ours)
        return found

    def versus(self, level: str, rival: str, measure: str = HEADLINE) -> Interval:
        """Returns the paired difference between the additive scorer and a method."""
        ours, theirs = self.values(OURS, level, measure), self.values(rival, level, measure)
        assert ours is not None and theirs is not None
        return paired_difference(ours, theirs)

    def to_dict(self) -> dict[str, Any]:
        """Returns the summary as plain JSON values."""
        overall = {(row["level"], row["method"]): row for row in self.overall.to_dict("records")}
        results: dict[str, dict[str, dict[str, Any]]] = {}
        for level, methods in self.results.items():
            results[level] = {}
            for method, measures in methods.items():
                shown: dict[str, Any] = {name: found.to_dict() for name, found in measures.items() if found.n}
                results[level][method] = shown | {
                    "coverage@10": {part: overall[level, method][part] for part in ("mean", "low", "high")}
                }
        return {
            "dataset": self.plan.dataset,
            "protocol": self.plan.protocol,
            "seed": self.plan.seed,
            "folds": self.plan.folds,
            "n_users": self.n_users,
            "n_left_out": self.about["n_left_out"],
            "results": results,
            "versus_best_rival": self._versus([self.best_rival(level) for level in self.levels]),
            "versus_ablation": {name: self._versus([name] * len(self.levels)) for name in self.about["ablations"]},
            "views": [row | {"value": row["value"].to_dict()} for row in self.marginal_values()],
            "fine_tuning": _plain(self.gains_of_fine_tuning()),
            "privacy": _plain(self.gains_of_privacy()),
            "calibration_error": self.about["calibration_error"],
            "command": self.plan.command,
        }

    def _versus(self, rivals: list[str | None]) -> dict[str, dict[str, Any]]:
        found = {}
        for level, rival in zip(self.levels, rivals, strict=True):
            if rival is not None and (rival, level) in self._groups:
                difference = self.versus(level, rival)
                found[level] = {
                    "rival": rival,
                    "difference": difference.mean,
                    "low": difference.low,
                    "high": difference.high,
                }
        return found

    def save(self, folder: Path, *, seal: Seal = NO_SEAL) -> None:
        """Writes the evaluation into a folder; the tables that have a row for each user are sealed."""
        for name in self._FRAMES:
            content = getattr(self, name).to_parquet(index=False)
            sealed = seal.close(content) if name in self._OF_PEOPLE else content
            (folder / f"{name}.parquet").write_bytes(sealed)
        (folder / "evaluation.json").write_text(
            json.dumps({"plan": self.plan.to_dict(), "about": dict(self.about)}, indent=1), "utf-8"
        )
        (folder / "summary.json").write_text(json.dumps(self.to_dict(), indent=1), "utf-8")

    @classmethod
    def load(cls, folder: Path, *, seal: Seal = NO_SEAL) -> "Evaluation":
        """Reads what ``save`` wrote.

        Raises:
            ConfigError: if it is sealed and the key is missing, or another one.
        """
        rest = json.loads((folder / "evaluation.json").read_text("utf-8"))
        plan = rest["plan"] | {name: tuple(rest["plan"].get(name, ())) for name in ("shots", "rivals", "private")}
        frames = {name: pd.read_parquet(io.BytesIO(seal.read(folder / f"{name}.parquet"))) for name in cls._FRAMES}
        return cls(Plan(**plan), **frames, about=rest["about"])


def _plain(gains: Mapping[str, Mapping[str, Interval]]) -> dict[str, dict[str, Any]]:
    return {method: {level: gain.to_dict() for level, gain in levels.items()} for method, levels in gains.items()}
