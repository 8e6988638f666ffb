"""Small parts that several pages draw."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.language import heading
from pages.shared.retelling import retold
from recsys.errors import ColdlensError

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=@/\"'])")
_MAIL = re.compile(r"(?<=[\w.+-])@(?=[\w-]+\.\w)")
_LINK = re.compile(r"(www|https?|ftp|mailto)(?=[.:])", re.IGNORECASE)


def plain(text: str) -> str:
    """Returns Markdown that shows the text as it is: no link, image, formula, colour or HTML comes out of it."""
    broken = _LINK.sub(lambda found: found[1] + "\u2060", " ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", _MAIL.sub("\u2060@", broken))


def show_table(table: Any, *, column_config: Mapping[str, Any] | None = None, alt: str, **kept: Any) -> None:
    """Shows a table with the names of its columns in the reader's language; its cells are told already.

    Args:
        column_config: by the names that the columns have in the code.
        kept: as for ``st.dataframe``.
    """
    config = {heading(name): value for name, value in (column_config or {}).items()}
    shown = pd.DataFrame(table).rename(columns=heading)
    st.dataframe(shown, hide_index=True, column_config=config, alt=alt, **kept)


def show_error(error: ColdlensError) -> None:
    """Shows one of our errors: what is wrong, which value, what to do."""
    found = "" if error.value is None else f": “{plain(error.value)}”"
    st.error(f"**{plain(retold(error.what))}**{found}\n\n{plain(retold(error.fix))}", icon=":material/error:")


def show_warnings(warnings: tuple[str, ...] | list[str]) -> None:
    """Shows sentences about the profile that a reader should know."""
    if warnings:
        st.warning("\n\n".join(plain(retold(text)) for text in warnings), icon=":material/warning:")
