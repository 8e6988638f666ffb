"""One row for each method, level and person: what every evaluation is made of."""

from typing import ClassVar

import pandas as pd

HEADLINE = "nDCG@10"
ABOUT_A_USER = ("method", "level", "user_id", "fold")
"""Columns that are no measure."""


class UserTable:
    """What the table of users says of itself.

    Attributes:
        users: ``method``, ``level``, ``user_id``, ``fold`` and one column per measure, ours first.
    """

    users: pd.DataFrame
    _ABOUT_A_USER: ClassVar[tuple[str, ...]] = ABOUT_A_USER

    @property
    def levels(self) -> tuple[str, ...]:
        """In order of what they reveal."""
        return tuple(dict.fromkeys(self.users["level"]))

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method, ours first."""
        return tuple(dict.fromkeys(self.users["method"]))

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures with one value per user."""
        return tuple(str(name) for name in self.users if name not in self._ABOUT_A_USER)

    @property
    def n_users(self) -> int:
        """Number of test users."""
        return int(self.users["user_id"].nunique())
