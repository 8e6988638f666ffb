"""Which rivals run: all that are installed, or the ones that are named."""

from importlib.util import find_spec

from recsys.evaluation.rivals.catalogue import all_rivals, rival

_PACKAGES = {"implicit mf": "implicit", "lightfm": "lightfm"}
"""Rival to the module it needs, from the extra ``peers``."""


def split_rivals(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the names of the rivals to run, and of those left out because their package is not installed.

    Args:
        text: ``all``, ``none``, or names separated by commas; a rival that is named is never left out.

    Raises:
        ConfigError: for an unknown name.
    """
    if text.strip() in ("", "none"):
        return (), ()
    if text.strip() == "all":
        names = [found.name for found in all_rivals()]
        missing = [name for name in names if name in _PACKAGES and find_spec(_PACKAGES[name]) is None]
        return tuple(name for name in names if name not in missing), tuple(missing)
    return tuple(dict.fromkeys(rival(part.strip()).name for part in text.split(","))), ()
