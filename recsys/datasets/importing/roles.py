"""What a column probably means: guessed from its name and its first values, shown for correction."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from recsys.datasets.importing import normal
from recsys.datasets.importing.batches import NESTED, ROW
from recsys.datasets.importing.plan import OPTIONAL, REQUIRED, Ages, Dates, Kind, TablePlan

_NAMES: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "items": {
        "item_id": ("item_id", "id", "item", "sku", "product_id", "article_id", "movie_id", "book_id", "track_id",
                    "song_id",
                    "news_id", "isbn", "asin", "parent_asin", "ean", "gtin", "artikelnummer", "artikel_nr", "nummer",
                    "nr", "code", "编号", "商品编号", "商品id"),
        "title": ("title", "name", "item_name", "product_name", "titel", "bezeichnung", "titre", "nom", "titulo",
                  "nombre", "headline",
                  "label", "product", "song", "track", "book_title", "标题", "名称", "商品名称"),
        "description": ("description", "desc", "text", "abstract", "summary", "overview", "beschreibung", "body",
                        "content", "plot",
                        "descripcion", "details", "描述", "简介"),
        "categories": ("categories", "category", "genres", "genre", "tags", "kategorie", "kategorien", "topics",
                       "topic", "type",
                       "section", "department", "categorie", "class", "类别", "分类"),
        "year": ("year", "release_year", "jahr", "annee", "ano", "publication_year", "year_of_publication", "released",
                 "erscheinungsjahr", "年份"),
        "price": ("price", "preis", "prix", "precio", "cost", "list_price", "price_eur", "price_usd",
                  "价格"),
        "image": ("image", "image_url", "picture", "cover", "poster", "img", "bild"),
        "audio": ("audio", "audio_url", "preview_url", "sample_url"),
    },
    "users": {
        "user_id": ("user_id", "id", "user", "customer_id", "customer", "kunde", "kundennummer", "client_id",
                    "member_id", "uid",
                    "reader_id", "listener_id", "visitor_id", "person_id", "用户编号", "用户id"),
        "age": ("age", "alter", "age_years", "birth_year", "year_of_birth", "birthyear", "geburtsjahr", "yob",
                "age_group", "age_band",
                "age_range", "altersgruppe", "edad", "birth_date", "birthdate", "date_of_birth", "dob", "birthday",
                "geburtsdatum", "年龄"),
        "gender": ("gender", "sex", "geschlecht", "genre", "sexo", "性别"),
    },
    "interactions": {
        "user_id": ("user_id", "user", "customer_id", "customer", "kunde", "kundennummer", "client_id", "member_id",
                    "uid", "reader_id",
                    "listener_id", "visitor_id", "person_id", "session_id"),
        "item_id": ("item_id", "item", "sku", "product_id", "article_id", "movie_id", "book_id", "track_id",
                    "song_id", "news_id",
                    "isbn", "parent_asin", "asin", "artikelnummer", "artikel_nr", "product", "article", "artikel"),
        "rating": ("rating", "stars", "score", "book_rating", "bewertung", "note", "value", "overall"),
        "timestamp": ("timestamp", "time", "date", "datetime", "datum", "created_at", "event_time", "zeit", "when",
                      "ts", "purchased_at"),
    },
    "graph": {
        "head": ("head", "subject", "source", "from", "h"),
        "relation": ("relation", "predicate", "type", "rel", "r", "edge"),
        "tail": ("tail", "object", "target", "to", "t"),
    },
}  # fmt: skip
_FILES: Mapping[Kind, tuple[str, ...]] = {
    "graph": ("graph", "triple", "kg", "edges", "link"),
    "interactions": ("interaction", "rating", "event", "purchase", "order", "click", "like", "review", "play", "log",
                     "kauf", "bewertung"),
    "users": ("user", "customer", "member", "people", "person", "kunde", "client", "reader", "profile"),
    "items": ("item", "product", "catalog", "movie", "book", "track", "song", "article", "news", "artikel", "film"),
}  # fmt: skip
_SEPARATORS = ("|", ";", " / ", "/", " > ", ">", ",", "·")
_BAND = re.compile(
    r"^\s*(?:\d{1,3}\s*(?:-|–|to|bis)\s*\d{1,3}|\d{1,3}\s*\+|(?:under|unter|<)\s*\d{1,3}|(?:over|über|>)\s*\d{1,3})\s*$",
    re.I,
)


def guess_kind(name: str, columns: Sequence[str]) -> Kind:
    """Returns which table a file probably is, by its columns first and its name second."""
    found = {kind: _roles(kind, columns) for kind in _NAMES}
    if len(found["graph"]) == 3:
        return "graph"
    base = name.lower().rsplit("/", 1)[-1]
    by_name = [kind for kind, words in _FILES.items() if any(word in base for word in words)]
    complete = [kind for kind in _NAMES if set(REQUIRED[kind]) <= set(found[kind])]
    if "interactions" in complete and "title" not in found["items"]:
        return "interactions"
    for kind in by_name:
        if kind in complete:
            return kind
    if "items" in complete:
        return "items"
    if "users" in complete and len(found["users"]) > 1:
        return "users"
    return by_name[0] if by_name else "items"


def guess_plan(kind: Kind, sample: pd.DataFrame) -> TablePlan:
    """Returns what the columns of a table probably mean; every column that has no role becomes an attribute.

    Args:
        sample: its first rows.
    """
    columns = [str(name) for name in sample.columns if name != ROW]
    roles = _roles(kind, columns)
    if kind == "items" and "item_id" not in roles and columns:
        roles = {
            "item_id": next((c for c in columns if _key(c).endswith("id") and c not in roles.values()), ""),
            **roles,
        }
        roles = {role: column for role, column in roles.items() if column}
    rest = [name for name in columns if name not in roles.values() and not _is_nested(sample[name])]
    has_attributes = kind in ("items", "users")
    ages: Ages = guess_ages(sample[roles["age"]]) if "age" in roles else "years"
    dates: Dates = normal.guess_dates(sample[roles["timestamp"]]) if "timestamp" in roles else "day first"
    separator = guess_separator(sample[roles["categories"]]) if "categories" in roles else "|"
    return TablePlan(
        kind=kind,
        roles=roles,
        attributes=tuple(rest) if has_attributes else (),
        separator=separator,
        ages=ages,
        dates=dates,
    )


def _roles(kind: Kind, columns: Sequence[str]) -> dict[str, str]:
    """Every role takes the column whose name stands first in its list; a column has one role at most."""
    keys = {_key(column): column for column in reversed(list(columns))}
    found: dict[str, str] = {}
    for role in (*REQUIRED[kind], *OPTIONAL[kind]):
        for name in _NAMES[kind][role]:
            if name in keys and keys[name] not in found.values():
                found[role] = keys[name]
                break
    return found


def _key(column: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", column) if not unicodedata.combining(c))
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain.strip())
    return re.sub(r"[\W_]+", "_", spaced.lower()).strip("_")


def _is_nested(column: pd.Series) -> bool:
    return bool(column.map(lambda value: isinstance(value, str) and value == NESTED).any())


def guess_separator(column: pd.Series) -> str:
    """Returns what stands between the categories of a column: the mark that most cells have,
    ``|`` if none is common."""
    texts = [str(value) for value in column.dropna().head(500) if isinstance(value, str)]
    counts = {mark: sum(mark in text for text in texts) for mark in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda mark: counts[mark])
    return best if counts[best] >= max(1, len(texts) // 20) else "|"


def guess_ages(column: pd.Series) -> Ages:
    """Returns what a column of ages holds."""
    texts = column.dropna().astype(str).str.strip()
    texts = texts[texts != ""].head(500)
    if len(texts) == 0:
        return "years"
    if texts.map(lambda text: bool(_BAND.match(text))).mean() > 0.5:
        return "band"
    numbers = normal.years(texts).dropna()
    return "birth year" if len(numbers) and numbers.between(1900, 2100).mean() > 0.5 else "years"


def guess_template(plan: TablePlan) -> str:
    """Returns a template for the text of an item from the columns that it has."""
    makers = ("brand", "artist", "author", "book_author", "store", "director", "marke", "autor")
    by = next((name for name in plan.attributes if _key(name) in makers and not set("{}[]|") & set(name)), None)
    parts = ["{title}", f"[ by {{{by}}}]" if by else "", "[ ({year})]", "[. {categories}]", "[. {description}]"]
    known = {"year", "categories", "description"} & set(plan.roles)
    return "".join(part for part in parts if "{" in part and (_field(part) in (*known, "title", by)))


def _field(part: str) -> str:
    return part[part.index("{") + 1 : part.index("}")]


def guess_profile_template(plan: TablePlan | None) -> str:
    """Returns a template for the sentence of a profile from what is known of users."""
    attributes = [name for name in plan.attributes if not set("{}[]|") & set(name)] if plan else []
    noun = next((name for name in attributes if _key(name) in ("occupation", "job", "profession", "beruf")), None)
    rest = "".join(f"[, {name} {{{name}}}]" for name in attributes if name != noun)
    who = f"[ {{{noun}|person}}]" if noun else " person"
    return f"A[ {{age}}-year-old][ {{gender}}]{who}{rest}[ who likes {{interests}}][, who enjoyed {{liked}}]."


def gender_words(values: Sequence[Any]) -> dict[str, str]:
    """Returns how stored genders read in a sentence, as far as their first letters are understood."""
    meanings = {"f": "female", "female": "female", "w": "female", "woman": "female", "weiblich": "female", "frau": "female",
                "m": "male", "male": "male", "man": "male", "männlich": "male", "mann": "male"}  # fmt: skip
    return {str(value): meanings[str(value).lower()] for value in values if str(value).lower() in meanings}
