"""Small parts that several pages draw."""

import re

import streamlit as st

from recsys.errors import ColdlensError

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=@/\"'])")
_MAIL = re.compile(r"(?<=[\w.+-])@(?=[\w-]+\.\w)")
_LINK = re.compile(r"(www|https?|ftp|mailto)(?=[.:])", re.IGNORECASE)


def plain(text: str) -> str:
    """Returns Markdown that shows the text as it is: no link, image, formula, colour or HTML comes out of it."""
    broken = _LINK.sub(lambda found: found[1] + "\u2060", " ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", _MAIL.sub("\u2060@", broken))


def show_error(error: ColdlensError) -> None:
    """Shows one of our errors: what is wrong, which value, what to do."""
    found = "" if error.value is None else f": “{plain(error.value)}”"
    st.error(f"**{plain(error.what)}**{found}\n\n{plain(error.fix)}", icon=":material/error:")


def show_warnings(warnings: tuple[str, ...] | list[str]) -> None:
    """Shows sentences about the profile that a reader should know."""
    if warnings:
        st.warning("\n\n".join(plain(text) for text in warnings), icon=":material/warning:")
