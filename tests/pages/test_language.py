"""The interface in several languages: every text is in the catalogs, every text on the screen comes from one, addresses last."""

import json
import re
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from google.protobuf.descriptor import FieldDescriptor

from pages.shared import language, retelling, speaking
from pages.shared.language import CHINESE, LIBRARY, PAGES, _, catalog, everywhere, heading, po_file
from pages.shared.retelling import library_texts, retold
from pages.shared.speaking import of_browser
from pages.shared.tabs import TABS
from pages.shared.wording import page_texts, updated
from recsys.datasets import open_dataset, write_folder
from recsys.recommender import Recommender
from tests.toy import toy_dataset

SHOWN = ("label", "help", "placeholder", "body", "options", "alt", "text", "value", "header", "title", "raw_values", "content")
"""Fields of Streamlit's messages that a reader sees or hears."""
_PLOTTED = ("text", "name", "hovertemplate", "ticktext", "customdata", "title")
_WORD = re.compile(r"[A-Za-z]{2,}")


@pytest.fixture(scope="module")
def toy_data(tmp_path_factory):
    """The toy world with BERT's embeddings: the smallest dataset that has everything but pictures and sounds."""
    folder = tmp_path_factory.mktemp("language") / "data"
    write_folder(toy_dataset(), folder / "toy")
    Recommender.from_dataset(open_dataset("toy", data_dir=folder))
    return folder


@pytest.fixture
def open_toy(open_app, toy_data, monkeypatch):
    """Returns a function that runs the app on the toy world, on one of its pages."""
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")

    def run(page=None, tab=None, **params):
        app = open_app(toy_data, "toy", **params)
        if page is not None:
            app.switch_page(f"pages/{page}.py")
            for key, name in (tab or {}).items():
                app.session_state[key] = name
            app.run()
        assert not app.exception, app.exception[0].message
        return app

    return run


def _forget():
    for known in (catalog, retelling._retold, retelling._patterns):
        known.cache_clear()


@pytest.fixture
def pseudo(monkeypatch, tmp_path):
    """Chinese is a language in which every text is itself in brackets, so that what is not in brackets comes from no catalog."""
    for domain, texts in ((PAGES, page_texts()), (LIBRARY, library_texts())):
        made = updated(Catalog(locale="zh_CN"), texts)
        for message in made:
            if message.id:
                message.string = (f"⟦{message.id[1]}⟧",) if isinstance(message.id, tuple) else f"⟦{message.id}⟧"
        with (tmp_path / f"{domain}.po").open("wb") as file:
            write_po(file, made)
    monkeypatch.setattr(speaking, "ENGLISH", CHINESE)  # AppTest asks widgets what they show outside of any script
    monkeypatch.setattr(language, "po_file", lambda _language, domain=PAGES: tmp_path / f"{domain}.po")
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def shown(message):
    """Yields every text of a message of Streamlit that a reader sees or hears."""
    name = message.DESCRIPTOR.name
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if name in ("Arrow", "ArrowData", "Table"):
                continue
            for part in values:
                yield from shown(part) if hasattr(part, "ListFields") else ()
        elif field.name == "spec" and name == "PlotlyChart":
            yield from plotted(json.loads(value))
        elif field.name in SHOWN and field.type == FieldDescriptor.TYPE_STRING:
            yield from values


def plotted(part, key=""):
    """Yields every text of a figure."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from plotted(value, key if name == "text" and key == "title" else name)
    elif isinstance(part, list):
        for value in part:
            yield from plotted(value, key)
    elif isinstance(part, str) and key in _PLOTTED:
        yield part


def elements(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            proto = getattr(child, "proto", None)
            if proto is not None:
                yield proto, None
            yield from elements(child)
        else:
            yield child.proto, child


def texts_of(app):
    """Returns every text on the screen, names of columns and cells of tables as well."""
    found = []
    for proto, element in elements(app._tree):
        if proto is not None and hasattr(proto, "ListFields"):
            found += shown(proto)
        if element is not None and element.type in ("arrow_data_frame", "dataframe"):
            table = element.value
            found += [*map(str, table.columns), *(str(cell) for cell in table.to_numpy().ravel() if isinstance(cell, str))]
    return [text for text in found if text]
