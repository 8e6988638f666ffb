"""Which columns of users say who somebody is: a name, an address, or a value that next to nobody else has."""

import re
from itertools import pairwise

import pandas as pd

_WORDS = {
    *("name", "names", "firstname", "lastname", "surname", "forename", "fullname", "username", "nickname", "nick"),
    *("login", "handle", "alias", "zip", "zipcode", "postcode", "postal", "plz", "address", "street", "mail", "email"),
    *("phone", "telephone", "mobile", "fax", "ssn", "passport", "iban", "ip", "birthday", "birthdate", "dob"),
    *("latitude", "longitude", "lat", "lon", "lng", "gps"),
}
_PAIRS = {
    *(("post", "code"), ("e", "mail"), ("birth", "date"), ("date", "birth"), ("user", "id")),
    *(("house", "number"), ("social", "security")),
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SHARE = 0.5
_ENOUGH = 20
"""Values from which on it tells something that most of them are unique; of a handful of people every value is."""


def is_identifying(name: str, column: pd.Series) -> bool:
    """Returns whether a column of users may say who somebody is.

    Its name has a word such as ``name``, ``zip`` or ``email`` in it, however it is written (``Zip-code``, ``zipCode``), or more
    than half of the people who have a value, twenty or more, have one that nobody else has.

    Args:
        column: one value for each user; unknown ones are left out.
    """
    words = [word.lower() for word in _WORD.findall(name) if word.lower() != "of"]
    pairs = {*pairwise(words)}
    if _WORDS & {*words, name.lower()} or _PAIRS & pairs:
        return True
    known = column.dropna().astype(str)
    known = known[known != ""]
    return len(known) >= _ENOUGH and float((~known.duplicated(keep=False)).mean()) > _SHARE
