"""Relation: what links an item to something else, in words."""

import re

from recsys.schema import CATEGORIES

_WORDS = {
    CATEGORIES: "category",
    "actors": "actor",
    "artists": "artist",
    "authors": "author",
    "award_nomination": "award nomination",
    "award_won": "award",
    "cinematography": "cinematographer",
    "colour": "colour",
    "directed_by": "director",
    "edited_by": "editor",
    "genres": "genre",
    "performed_by": "performer",
    "produced_by": "producer",
    "production_companies": "production company",
    "published_by": "publisher",
    "rating": "age rating",
    "starring": "actor",
    "subjects": "subject",
    "tags": "tag",
    "topics": "topic",
    "written_by": "writer",
}
"""For the last part of a relation's name its word, where it does not say so itself."""
_LINKS = {"sequel": ("prequel of", "sequel of"), "prequel": ("sequel of", "prequel of")}
"""For the word of a relation between items what its head is to its tail, and its tail to its head."""
_IDENTIFIER = re.compile(
    r"/[^\s]*|[^\s]*[:#][^\s]*|[A-Za-z]{1,4}[._-]?\d[^\s]*|[A-Za-z]{1,2}\.[^\s]*|[\W\d_]*|[0-9a-fA-F-]{16,}"
)
"""What nobody can read: ``m.0bln8``, ``Q42``, ``nm0000123``, an address, a number, a hash."""
_PREPOSITIONS = (" to", " of", " on", " by", " from", " with", " in")
_REVERSED = "~"
_ENDING = re.compile(r"(?<=[^aeiou])y$")


def reversed_relation(relation: str) -> str:
    """Returns the name of a relation that is read from its tail."""
    return _REVERSED + relation


def word_of(relation: str) -> str:
    """Returns the word for what a relation leads to: ``film.film.directed_by`` leads to a director.

    One that is read from its tail leads to what the part before the last one says: ``film.director.film`` to a director.
    """
    parts = re.findall(r"[^./#:\s]+", relation.removeprefix(_REVERSED))
    if relation.startswith(_REVERSED):
        head = _LINKS.get(_word(parts[-1]) if parts else "", ("",))[0].removesuffix(" of")
        return head or _word((parts[-2:-1] or parts or [""])[0])
    return _word(parts[-1] if parts else relation)


def _word(part: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part)
    return _WORDS.get(part, re.sub(r"[_\W]+", " ", spaced).strip().lower() or "fact")


def plural(word: str) -> str:
    """Returns the plural of a word, by rule."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word if word.endswith("s") else f"{word}es"
    return _ENDING.sub("ie", word) + "s"


def link_words(relation: str) -> tuple[str, str]:
    """Returns what the head of a relation between items is to its tail, and the tail to its head: ``sequel of``."""
    word = word_of(relation)
    if word.endswith(_PREPOSITIONS):
        return word, "linked to"
    return _LINKS.get(word, (f"linked by {word} to",) * 2)


def readable(entity: str) -> str:
    """Returns a name as it is, and nothing for an identifier."""
    return "" if _IDENTIFIER.fullmatch(entity.strip()) else entity.strip()
