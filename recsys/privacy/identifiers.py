"""Which columns of users point at one person: by their names, and by what stands in them."""

import re
import unicodedata
from dataclasses import dataclass

import pandas as pd

from recsys.schema import USER_ID
from recsys.schema.columns import AGE, GENDER, MOST_VALUES

_NAMES: dict[str, tuple[str, ...]] = {
    "a name": ("name", "names", "firstname", "lastname", "surname", "fullname", "username", "nickname", "nick", "login",
               "handle", "vorname", "nachname", "prenom", "nom", "nombre", "apellido", "screenname", "alias", "姓名", "名字"),
    "an address on the net": ("email", "mail", "url", "website", "homepage", "ip", "ipaddress", "twitter", "facebook",
                              "instagram", "linkedin", "cookie", "deviceid", "device", "useragent", "uuid", "guid",
                              "邮箱", "电子邮件"),
    "a telephone number": ("phone", "telephone", "tel", "mobile", "cell", "fax", "telefon", "handy", "telefono",
                           "电话", "手机"),
    "a place to live": ("zip", "zipcode", "postal", "postcode", "postalcode", "plz", "postleitzahl", "address", "street",
                        "strasse", "adresse", "city", "town", "ort", "location", "lat", "lon", "lng", "latitude",
                        "longitude", "geo", "place", "codepostal", "地址", "邮编"),
    "an official number": ("ssn", "passport", "iban", "bic", "account", "creditcard", "card", "taxid", "license",
                           "licence", "socialsecurity", "personnummer", "customernumber", "kundennummer"),
    "a date of birth": ("dob", "birthday", "birthdate", "birth", "dateofbirth", "born", "geburtsdatum", "geburtstag",
                        "geburtsjahr", "birthyear", "yob", "yearofbirth"),
    "free text": ("comment", "comments", "review", "reviews", "text", "notes", "note", "bio", "about", "description",
                  "message", "feedback", "bemerkung", "kommentar", "remarks"),
}  # fmt: skip
_SPLIT = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"\+?[\d\s()/.-]{7,}")
_MIN_DIGITS = 7
_WORDS, _SHARE = 4, 0.5


@dataclass(frozen=True)
class Finding:
    """What becomes of one column.

    Attributes:
        table: ``users`` or ``interactions``.
        column: its name.
        is_dropped: whether it is left out.
        why: in words.
    """

    table: str
    column: str
    is_dropped: bool
    why: str


def identifying(column: str, values: pd.Series) -> str | None:
    """Returns why a column points at single people, ``None`` if nothing says so.

    Names are compared word by word, so ``zip_code`` and ``homeZip`` are found and ``zipper`` is not. By value, a column is
    left out where it looks like addresses or telephone numbers, reads as free text, has more than 200 values, or is different for
    more than half of the users.
    """
    words = _words(column)
    for what, names in _NAMES.items():
        if words & set(names) or "".join(sorted(words, key=column.lower().find)) in names:
            return f"its name says that it holds {what}"
    texts = values.dropna().astype(str).str.strip()
    texts = texts[texts != ""]
    if not len(texts):
        return None
    if texts.str.contains(_EMAIL).any():
        return "there are e-mail addresses in it"
    n_values = int(texts.nunique())
    is_number = texts.str.fullmatch(_PHONE) & (texts.str.count(r"\d") >= _MIN_DIGITS)
    if is_number.mean() > _SHARE:
        return "it looks like telephone or account numbers"
    if texts.str.split().map(len).mean() >= _WORDS and n_values > _SHARE * len(texts):
        return "it reads as free text"
    if n_values > MOST_VALUES:
        return f"it has {n_values:,} different values, more than {MOST_VALUES}"
    if n_values > max(2, _SHARE * len(texts)):
        return f"it tells more than half of the users apart ({n_values:,} values among {len(texts):,})"
    return None


def look_at_users(users: pd.DataFrame, *, keep: frozenset[str], drop: frozenset[str]) -> list[Finding]:
    """Returns what becomes of every column of the users; ``user_id``, ``age`` and ``gender`` have rules of their own."""
    found = []
    for name in users.columns:
        if name == USER_ID:
            continue
        why = "you said so" if name in drop else None if name in keep else identifying(str(name), users[name])
        if name in (AGE, GENDER) and name not in drop:
            why = None
        told = "you said so" if name in keep else "nothing points at single people"
        found.append(Finding("users", str(name), why is not None, why or told))
    return found


def _words(name: str) -> set[str]:
    folded = unicodedata.normalize("NFKD", _CAMEL.sub("_", name).casefold())
    return set(_SPLIT.split(folded.encode("ascii", "ignore").decode())) - {""} | {name.strip()}
