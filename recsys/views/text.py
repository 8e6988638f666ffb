"""The text view: an item or a profile becomes a text by its dataset's template."""

import re
from collections.abc import Sequence

import pandas as pd

from recsys.schema import CATEGORIES, Dataset, Profile, Template


def item_texts(dataset: Dataset) -> list[str]:
    """Returns the text of every item, in item_row order."""
    template = Template(dataset.info.item_template)
    template.check([str(name) for name in dataset.items.columns] + ["description", "year", "categories"])
    comma = _commas(dataset)[0]
    columns = {str(name): _as_texts(dataset.items[name], comma) for name in dataset.items.columns}
    rows = zip(*columns.values(), strict=True)
    return [template.render(dict(zip(columns, row, strict=True))) for row in rows]


def _commas(dataset: Dataset) -> tuple[str, str]:
    """What stands between the words of a list in the dataset's language, and before the last of them."""
    return ("、", "和") if dataset.info.language.lower().startswith("zh") else (", ", " and ")


def _as_texts(column: pd.Series, comma: str) -> list[str]:
    if column.name == CATEGORIES:
        return [comma.join(values) for values in column]
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
    comma, last = _commas(dataset)
    fields["interests"] = _listed(profile.interests, comma, last)
    fields["liked"] = _listed([dataset.title_of(item_id) for item_id in profile.liked], comma, last)
    text = Template(dataset.info.profile_template).render(fields)
    return re.sub(r"^A (?=8|11\b|18\b|[aeiouAEIOU])", "An ", text)


def _listed(texts: Sequence[str], comma: str, last: str) -> str:
    return last.join(filter(None, (comma.join(texts[:-1]), texts[-1]))) if texts else ""
