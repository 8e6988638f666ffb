"""The text view: an item or a profile becomes a text by its dataset's template."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from recsys.errors import DataError
from recsys.schema import CATEGORIES, Dataset, Profile

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


def item_texts(dataset: Dataset) -> list[str]:
    """Returns the text of every item, in item_row order."""
    template = Template(dataset.info.item_template)
    template.check([str(name) for name in dataset.items.columns] + ["description", "year", "categories"])
    columns = {str(name): _as_texts(dataset.items[name]) for name in dataset.items.columns}
    rows = zip(*columns.values(), strict=True)
    return [template.render(dict(zip(columns, row, strict=True))) for row in rows]


def _as_texts(column: pd.Series) -> list[str]:
    if column.name == CATEGORIES:
        return [", ".join(values) for values in column]
    return ["" if pd.isna(value) else str(value) for value in column]


def profile_text(profile: Profile, dataset: Dataset) -> str:
    """Returns one natural sentence of the parts that are present; an empty profile gives an empty text.

    Interests stand in it as typed, liked items by their titles.
    """
    if profile.is_empty:
        return ""
    words = dataset.info.words
    fields = {name: words.get(name, {}).get(value, value) for name, value in profile.attributes.items()}
    if profile.age is not None:
        fields["age"] = f"{profile.age:g}"
    if profile.gender:
        fields["gender"] = words.get("gender", {}).get(profile.gender, profile.gender)
    fields["interests"] = _listed(profile.interests)
    fields["liked"] = _listed([dataset.title_of(item_id) for item_id in profile.liked])
    text = Template(dataset.info.profile_template).render(fields)
    return re.sub(r"^A (?=8|11\b|18\b|[aeiouAEIOU])", "An ", text)


def _listed(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1]))) if texts else ""
