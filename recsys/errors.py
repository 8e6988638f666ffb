"""Every error a person can cause, in three parts: what is wrong, which value, what to do.

ColdlensError
├── DataError          a file, column or value that we cannot accept
├── ConfigError        a setting, an encoder folder, an option
├── UnknownItemError   an item_id that is not in the catalog (also a LookupError)
├── NotTrainedError    a scorer that needs interactions, or a fit, that is not there
├── ArtifactError      missing, damaged, or made by another version
└── MissingExtraError  an optional package that is not installed

The command line prints them and exits with 2; the page frame shows them in a box. Anything else is our bug.
"""

_LONGEST_VALUE = 120


class ColdlensError(Exception):
    """What is wrong, which value, what to do.

    Args:
        what: the fault, without the value and without a full stop.
        value: the offending value (a file, row, column, number); ``None`` when there is none to name.
        fix: a full sentence that says what to do.
    """

    def __init__(self, what: str, value: object = None, *, fix: str) -> None:
        self.what = what
        self.value = None if value is None else shorten(str(value))
        self.fix = fix
        super().__init__(str(self))

    def __str__(self) -> str:
        found = "" if self.value is None else f": '{self.value}'"
        return f"{self.what}{found}. {self.fix}"


class DataError(ColdlensError):
    """A file, column or value that we cannot accept."""


class ConfigError(ColdlensError):
    """A setting, an encoder folder or an option that does not work."""


class UnknownItemError(ColdlensError, LookupError):
    """An ``item_id`` that is not in the catalog."""


class NotTrainedError(ColdlensError):
    """A scorer that needs interactions, or a fit, that is not there."""


class ArtifactError(ColdlensError):
    """An artifact that is missing, damaged, or of another version."""


class MissingExtraError(ColdlensError):
    """An optional package that is not installed."""


def shorten(text: str, limit: int = _LONGEST_VALUE) -> str:
    """Returns the text on one line, cut to ``limit`` characters with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
