"""Facts that two items share, as an English phrase."""

from collections.abc import Sequence
from itertools import groupby

from recsys.views.facts import LEAST_WORTH, ItemFact
from recsys.views.relation import plural

_MOST_KINDS, _MOST_NAMES = 3, 3


def describe(shared: Sequence[ItemFact], title: str) -> str:
    """Returns what an item has in common with another one: ``shares director and 2 actors with Alien``.

    Args:
        shared: what ``Facts.shared`` found; the kinds with the strongest facts are named, three at most; what
            nearly everything has in common (``LEAST_WORTH``) is not.
        title: of the other item.

    Returns:
        A phrase without a full stop: ``sequel of Alien, shares 2 actors``, ``same brand Velomarsh as Floor Pump``. Empty for
        two items that share nothing.
    """
    links = list(dict.fromkeys(fact.link for fact in shared if fact.link))
    kinds = _kinds([fact for fact in shared if not fact.link and fact.weight >= LEAST_WORTH])[:_MOST_KINDS]
    words = _listed([_counted(kind) for kind in kinds])
    if links:
        return f"{_listed(links)} {title}" + (f", shares {words}" if words else "")
    if not words:
        return ""
    is_one_name = len(kinds) == 1 and len(kinds[0]) == 1 and kinds[0][0].name
    return f"same {words} as {title}" if is_one_name else f"shares {words} with {title}"


def _kinds(facts: Sequence[ItemFact]) -> list[list[ItemFact]]:
    """The facts by their word, the kind with the strongest fact first."""
    kinds = [list(kind) for _, kind in groupby(sorted(facts, key=lambda fact: fact.word), key=lambda fact: fact.word)]
    return sorted(kinds, key=lambda kind: -max(fact.weight for fact in kind))


def _counted(kind: Sequence[ItemFact]) -> str:
    """``director``, ``2 actors``, ``brand Velomarsh``, ``categories Comedy and Drama``: names only where all have one."""
    word, names = kind[0].word, [fact.name for fact in kind if fact.name]
    if len(names) < len(kind) or len(names) > _MOST_NAMES:
        return word if len(kind) == 1 else f"{len(kind)} {plural(word)}"
    return f"{word if len(kind) == 1 else plural(word)} {_listed(names)}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
