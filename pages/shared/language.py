"""The words of the pages in the reader's language: standard gettext, without Streamlit.

The code speaks English. ``_`` looks a text up when it is drawn, never when a module is imported: one process serves
readers of several languages at once. A constant is marked with ``N_`` and given to ``_`` where it is drawn.
"""

import gettext
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = {ENGLISH: "English", CHINESE: "中文"}
"""What each language is called, in itself."""
LOCALE = Path(__file__).parent / "locale"
PAGES, LIBRARY = "coldlens", "coldlens-library"
"""Catalogs: of what the pages say themselves, and of what the library says, see ``retold``."""
COLUMN = "column"
"""Context of the names of columns: short words that mean other things elsewhere."""
_FOLDERS = {CHINESE: "zh_CN"}


class _Asked:
    """Who knows the reader's language; without anybody, it is English."""

    by: Callable[[], str] = staticmethod(lambda: ENGLISH)


def ask_for_language(by: Callable[[], str]) -> None:
    """Has the language of every text be asked for there, once for the process; a thread without a reader gets English."""
    _Asked.by = staticmethod(by)


def language() -> str:
    """Returns the language of whom the running thread draws for, a key of ``LANGUAGES``."""
    return _Asked.by()


def po_file(language: str, domain: str = PAGES) -> Path:
    """Returns where the texts of a language lie."""
    return LOCALE / _FOLDERS[language] / "LC_MESSAGES" / f"{domain}.po"


@cache
def catalog(language: str, domain: str = PAGES) -> gettext.NullTranslations:
    """Returns the texts of a language, read once for the process; English needs none."""
    if language not in _FOLDERS:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with po_file(language, domain).open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def N_(text: str) -> str:  # gettext's own name
    """Marks a constant for the catalog; it is translated where it is drawn."""
    return text


def _(text: str) -> str:
    """Returns a text in the reader's language; placeholders are still to be filled."""
    return catalog(language()).gettext(text) if text else text  # gettext's answer to nothing is the head of the catalog


def ngettext(one: str, many: str, n: int) -> str:
    """Returns the text for a number of things in the reader's language."""
    return catalog(language()).ngettext(one, many, n)


def heading(name: object) -> str:
    """Returns the name of a column in the reader's language; what the code does not name is data, and stays."""
    return catalog(language()).pgettext(COLUMN, str(name)) if str(name) else ""


def everywhere(text: str) -> tuple[str, ...]:
    """Returns a text of the code in every language, English first: an address may have been made in any of them."""
    return tuple(dict.fromkeys([text, *(catalog(one).gettext(text) for one in LANGUAGES)]))


def fact_name(name: str) -> str:
    """Returns what a fact of a person is called: age and gender are our words, what else a dataset knows is data."""
    return _(name) if name in _FACTS else name


def fact_label(name: str) -> str:
    """Returns the same for a label, which no address repeats: a fact that the library has a word for, as for ``occupation``."""
    return catalog(language(), LIBRARY).gettext(name) if name else name


def yes_or_no(claim: bool) -> str:
    """Returns whether something holds, in a word."""
    return _("yes") if claim else _("no")


_FACTS = (N_("age"), N_("gender"))
