"""What was found wrong with the rows of a file: each with its row, column and value, and what to do."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from recsys.errors import shorten

EXAMPLES = 200
"""Findings of one sort that are kept with their row; beyond, they are counted only."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        file: name of the file.
        row: line of a text file or row of a Parquet file, from 1; ``None`` for what concerns a whole column or file.
        column: as the file calls it.
        value: shortened.
        what: the fault, without the value and without a full stop; the same words for the same sort of fault.
        fix: a full sentence that says what to do.
        is_error: the row cannot be used; otherwise it is kept, without the value or as it is.
    """

    file: str
    row: int | None
    column: str
    value: str
    what: str
    fix: str
    is_error: bool

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        column = f", column '{self.column}'" if self.column else ""
        return f"{self.what}: {self.file}{row}{column}, '{self.value}'. {self.fix}"


class Findings:
    """Collects findings: every one is counted, the first of each sort are kept."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, bool], list[Finding]] = {}
        self._counts: dict[tuple[str, str, bool], int] = {}

    def add(self, findings: Iterable[Finding], *, further: int = 0) -> None:
        """Adds findings; ``further`` more like the last of them are counted only."""
        key = None
        for finding in findings:
            key = (finding.file, finding.what, finding.is_error)
            kept = self._kept.setdefault(key, [])
            if len(kept) < EXAMPLES:
                kept.append(finding)
            self._counts[key] = self._counts.get(key, 0) + 1
        if key and further:
            self._counts[key] += further

    def join(self, others: "Findings") -> None:
        """Adds what was collected elsewhere, kept or only counted."""
        for key, kept in others._kept.items():
            self.add(kept, further=others._counts[key] - len(kept))

    @property
    def n_errors(self) -> int:
        """How many errors there are, kept or not."""
        return sum(count for (_, _, is_error), count in self._counts.items() if is_error)

    @property
    def n_warnings(self) -> int:
        """How many warnings there are, kept or not."""
        return sum(self._counts.values()) - self.n_errors

    @property
    def kept(self) -> list[Finding]:
        """The findings that are kept, errors first, then in the order of the file."""
        found = [finding for kept in self._kept.values() for finding in kept]
        return sorted(found, key=lambda finding: (not finding.is_error, finding.file, finding.row or 0))

    def counts(self) -> list[dict[str, Any]]:
        """Returns how often each sort was found, errors first, the most frequent first."""
        rows = [
            {"file": file, "what": what, "count": count, "is_error": is_error}
            for (file, what, is_error), count in self._counts.items()
        ]
        return sorted(rows, key=lambda row: (not row["is_error"], -int(str(row["count"]))))

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        return {
            "errors": self.n_errors,
            "warnings": self.n_warnings,
            "counts": self.counts(),
            "findings": [asdict(finding) for finding in self.kept],
        }


def shown(value: object) -> str:
    """Returns a value as a finding shows it: on one line, short, without control characters and lone surrogates."""
    text = " ".join(str(value)[:1000].split()).replace("\0", "\\0")
    return shorten("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text), 80)
