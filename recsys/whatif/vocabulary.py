"""The interests that an edit may add: the categories of a catalog, its frequent terms, and the words of one item."""

import re
from collections import Counter
from collections.abc import Iterable

from recsys.schema import DESCRIPTION, TITLE, Dataset
from recsys.settings import MAX_INTEREST_LENGTH

_TERM = re.compile(r"[^\W\d_][^\W\d_'’-]{2,}")
_FREQUENT = 200
_AT_LEAST = 3


def vocabulary(dataset: Dataset, item_row: int | None = None) -> tuple[str, ...]:
    """Returns interests without repeats: all categories, then the words of an item's own text, then the terms that stand in
    most texts of the catalog, at most 200 of them and only those in three items or more."""
    own = _terms(_texts_of(dataset, item_row)) if item_row is not None else []
    known = {text.lower() for text in dataset.categories}
    found = [*dataset.categories, *(term for term in [*own, *_frequent(dataset)] if term not in known)]
    return tuple(dict.fromkeys(text[:MAX_INTEREST_LENGTH] for text in found))


def _frequent(dataset: Dataset) -> list[str]:
    counts: Counter[str] = Counter()
    columns = [dataset.items[name].fillna("").astype(str) for name in (TITLE, DESCRIPTION) if name in dataset.items]
    for texts in zip(*columns, strict=True):
        counts.update(_terms(texts))
    often = sorted((term for term in counts if counts[term] >= _AT_LEAST), key=lambda term: (-counts[term], term))
    return often[:_FREQUENT]


def _texts_of(dataset: Dataset, item_row: int) -> list[str]:
    item = dataset.items.iloc[item_row]
    return [str(item[name] or "") for name in (TITLE, DESCRIPTION) if name in dataset.items]


def _terms(texts: Iterable[str]) -> list[str]:
    """The words of some texts, each once, without those that mean little."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = (word.lower() for text in texts for word in _TERM.findall(text))
    return [word for word in dict.fromkeys(words) if word not in ENGLISH_STOP_WORDS]
