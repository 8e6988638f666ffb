"""A catalog in Chinese on the pages: explained in words, and a warning where the encoder does not read it."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import words
from recsys.datasets import open_dataset
from recsys.datasets.folder import write_folder
from recsys.datasets.samples import read_sample
from recsys.encoder import MULTILINGUAL, open_encoder
from recsys.recommender import Recommender
from tests.toy import ToyEncoder


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    """A folder with the sample's catalog, without its people."""
    folder = tmp_path_factory.mktemp("chinese")
    sample = read_sample("sample-films-zh")
    alone = replace(sample, users=sample.users.head(0), interactions=sample.interactions.head(0))
    write_folder(alone, folder / "films")
    return folder


def test_words_of_an_explanation_are_drawn_in_chinese(open_app, chinese, monkeypatch):
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")
    drawn = []
    original = words.draw_texts
    monkeypatch.setattr(
        "pages.shared.explaining.draw_texts", lambda *found, **more: drawn.append(found) or original(*found, **more)
    )
    app = open_app(chinese, "films", interests=["科幻", "爱情"])
    app.switch_page("pages/explain.py")
    app.session_state["explain_tab"] = "Words"
    app.run()
    assert not app.exception and not app.error
    explanation = drawn[-1][0]
    shown = [word.text for word in explanation.texts[0].words]
    assert shown == ["一位", "观众", "喜欢", "科幻", "和", "爱情"]
    assert not any("Chinese" in element.value for element in app.warning)


def _page():
    import streamlit as st

    from pages.shared.spoken import draw_language

    draw_language(st.session_state["recommender"])


def test_a_catalog_that_is_not_read_is_told_with_the_offer_of_another_encoder(chinese):
    dataset = open_dataset("films", data_dir=chinese)
    dataset = replace(dataset, items=dataset.items.head(8), folder=None)
    shown = []
    for encoder in (ToyEncoder(), open_encoder(MULTILINGUAL)):
        app = AppTest.from_function(_page, default_timeout=30)
        app.session_state["recommender"] = Recommender.from_dataset(dataset, scorer="cosine", encoder=encoder)
        shown.append([element.value.replace("\\", "") for element in app.run().warning])
    ((warning,), nothing) = shown
    assert "are in Chinese, which the encoder toy does not read" in warning
    assert MULTILINGUAL in warning and "dataset.toml" in warning
    assert nothing == []
