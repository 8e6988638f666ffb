"""Template: how fields become a text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.errors import DataError

_FIELD = re.compile(r"\{([^{}|]+)(?:\|([^{}]*))?\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Template:
    """A text with fields.

    ``{name}`` is a field, ``{name|word}`` a field with a word in its place when it is empty, and a part in square
    brackets is left out when a field in it is empty: ``"{title}[ ({year})]"``.
    """

    pattern: str

    def render(self, fields: Mapping[str, str]) -> str:
        """Returns the text; surplus spaces go. Field values are inserted as they are, brackets and braces included."""
        kept = _OPTIONAL.sub(lambda part: part[1] if self._is_filled(part[1], fields) else "", self.pattern)
        text = _FIELD.sub(lambda found: fields.get(found[1], "") or found[2] or "", kept)
        return " ".join(text.split())

    @staticmethod
    def _is_filled(part: str, fields: Mapping[str, str]) -> bool:
        return all(fields.get(found[1]) or found[2] for found in _FIELD.finditer(part))

    def check(self, known: Sequence[str]) -> None:
        """Raises a DataError if the template names a field that is not known."""
        for found in _FIELD.finditer(self.pattern):
            if found[1] not in known:
                raise DataError("The template names an unknown field", found[1], fix=f"Use {', '.join(known)}.")
