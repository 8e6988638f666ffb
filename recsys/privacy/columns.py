"""Which genders and attribute values a private fit knows: a public list, however the users of a dataset look."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recsys.errors import DataError
from recsys.schema import Dataset
from recsys.schema.columns import MOST_VALUES, USER_ROLES

_FIX = 'Write for example {"genders": ["F", "M"], "attributes": {"occupation": ["student", "writer"]}}.'


@dataclass(frozen=True)
class UserColumns:
    """What is asked of users, and the answers there are; any other answer counts as unknown.

    The list is treated as public. Taken from a dataset (``of``) it tells which answers occur there, which a rare one
    should not: then write the list down, without looking at the users, and read it with ``from_file``.

    Attributes:
        genders: in order.
        attributes: column to its values, in order.
    """

    genders: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset) -> "UserColumns":
        """Returns what occurs among the users of a dataset."""
        attributes = {name: tuple(sorted(dataset.user_attributes[name])) for name in sorted(dataset.user_attributes)}
        return cls(tuple(sorted(dataset.genders)), attributes)

    @classmethod
    def from_file(cls, path: Path) -> "UserColumns":
        """Reads a JSON file with ``genders`` and ``attributes``.

        Raises:
            DataError: if it cannot be read, or is no such list.
        """
        try:
            return cls.from_dict(json.loads(path.read_text("utf-8")))
        except OSError as error:
            what = f"The list of user columns cannot be read ({error.strerror})"
            raise DataError(what, path, fix="Name a file that is there.") from None
        except ValueError:
            raise DataError("The list of user columns is not JSON", path, fix=_FIX) from None

    @classmethod
    def from_dict(cls, values: Any) -> "UserColumns":
        """Returns what ``to_dict`` wrote.

        Raises:
            DataError: for anything but lists of texts, each text once, at most 200 of one column.
        """
        if not isinstance(values, dict) or not isinstance(values.get("attributes", {}), dict):
            raise DataError("The list of user columns is not understood", values, fix=_FIX)
        lists = {"genders": values.get("genders", []), **values.get("attributes", {})}
        for name, found in lists.items():
            is_list = isinstance(found, list) and all(isinstance(value, str) for value in found)
            if not is_list or len(set(found)) != len(found) or len(found) > MOST_VALUES:
                raise DataError(f"The values of a user column are not a list of at most {MOST_VALUES}", name, fix=_FIX)
        taken = sorted(set(values.get("attributes", {})) & {*USER_ROLES})
        if taken:
            raise DataError("This column is no attribute", ", ".join(taken), fix=_FIX)
        attributes = {name: tuple(lists[name]) for name in sorted(values.get("attributes", {}))}
        return cls(tuple(lists["genders"]), attributes)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)
