"""Amazon Reviews 2023: meta_<Category>.jsonl and <Category>.jsonl, plain or gzip, of one or more categories.

Products of one kind in several colours share a ``parent_asin``, by which metadata and reviews are told.

Source: Y. Hou et al., Bridging Language and Items for Retrieval and Recommendation, arXiv 2403.03952, 2024.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd

from recsys.datasets.importing.formats.format import Format, base_name, filled, first_line
from recsys.datasets.importing.plan import Source, Table, TablePlan
from recsys.datasets.importing.tables import ROW, Batch, File, read_jsonl, shaped
from recsys.schema import LIKED_FROM
from recsys.settings import Limits

_PREFIX, _SUFFIX = "meta_", ".jsonl"
_ITEMS = TablePlan(
    kind="items",
    roles={
        "item_id": "parent_asin",
        "title": "title",
        "description": "description",
        "categories": "categories",
        "price": "price",
    },
    attributes=("store", "main_category"),
)
_REVIEWS = TablePlan(
    kind="interactions",
    roles={"user_id": "user_id", "item_id": "parent_asin", "rating": "rating", "timestamp": "timestamp"},
)
_META = ("parent_asin", "title", "main_category", "categories", "description", "features", "price", "store")
_ABOUT = {
    "domain": "e-commerce",
    "licence": "no licence stated; given out for research, cite the paper",
    "source": "Y. Hou, J. Li, Z. He, A. Yan, X. Chen and J. McAuley, "
    "Bridging Language and Items for Retrieval and Recommendation, 2024; amazon-reviews-2023.github.io",
    "item_template": "{title}[ by {store}][. {categories}][. {description}]",
    "profile_template": "A customer[ who likes {interests}][, who enjoyed {liked}].",
    "liked_from": LIKED_FROM,
}


def _products(frame: pd.DataFrame) -> pd.DataFrame:
    """Without a description the features stand in for it, without categories the main one."""
    found = filled(frame, (*_META, ROW))
    description = _prose(found["description"])
    categories = found["categories"].astype(object)
    has_categories = categories.map(lambda value: bool(value) and value == value)
    found = found.assign(
        description=description.where(description != "", _prose(found["features"])),
        categories=categories.where(has_categories, found["main_category"].astype(object)),
        price=_prices(found["price"]),
    )
    return found.drop(columns="features")


def _prose(column: pd.Series) -> pd.Series:
    """Paragraphs in one text."""
    return pd.Series(pd.array([_joined(value) for value in column], dtype="str"), index=column.index)


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(part for part in map(str.strip, value) if part)
    return value if isinstance(value, str) else ""


def _prices(column: pd.Series) -> pd.Series:
    """``from 12.99`` counts as 12.99; a dash and None are no price; the rest stays for the checks."""
    found = column.astype("str").str.strip().str.replace(r"(?i)^from\s+", "", regex=True)
    return found.where(~found.isin(["—", "-", "None"]), None)


def _reviews(frame: pd.DataFrame) -> pd.DataFrame:
    return filled(frame, ("user_id", "parent_asin", "rating", "timestamp", ROW))


def _table(file: File, plan: TablePlan, shape: Callable[[pd.DataFrame], pd.DataFrame], limits: Limits) -> Table:
    def read() -> Iterator[Batch]:
        return shaped(read_jsonl(file, limits), shape)

    return Table(file.name, read, plan)


def _open(files: Sequence[File], limits: Limits) -> Source:
    metas = _metas(files)
    named = {base_name(file): file for file in files}
    reviews = [named[name] for meta in metas if (name := base_name(meta).removeprefix(_PREFIX)) in named]
    tables = [_table(file, _ITEMS, _products, limits) for file in metas]
    tables += [_table(file, _REVIEWS, _reviews, limits) for file in reviews]
    title = f"Amazon Reviews 2023: {', '.join(_category(file) for file in metas)}"
    return Source(tuple(tables), {"title": title} | _ABOUT)


def _category(file: File) -> str:
    """``meta_All_Beauty.jsonl.gz`` is All Beauty."""
    name = file.name.rsplit("/", 1)[-1]
    return name[len(_PREFIX) : name.lower().rindex(_SUFFIX)].replace("_", " ")


def _metas(files: Sequence[File]) -> list[File]:
    """Metadata files, by their names and the key that only this edition has."""
    return [
        file
        for file in files
        if base_name(file).startswith(_PREFIX)
        and base_name(file).endswith(_SUFFIX)
        and '"parent_asin"' in first_line(file)
    ]


FORMAT = Format("Amazon Reviews 2023", lambda files: bool(_metas(files)), _open)
