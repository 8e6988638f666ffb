"""The page "Why this item, and why not that one?" in-process; what is drawn in the browser is tested there."""

import json

import pytest

from recsys.datasets import open_dataset
from recsys.explanation import Explainer
from recsys.recommender import Recommender
from recsys.schema import Profile

TABS = ("Parts", "Words", "Against another item", "Why not that one?", "Does it hold?")


@pytest.fixture
def open_explain(open_app, monkeypatch):
    """Opens the page on a tab; nothing runs in the background."""
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")

    def run(tab: str = "Parts", data_dir=None, dataset=None, **params):
        app = open_app(data_dir, dataset, **params)
        app.switch_page("pages/explain.py")
        app.session_state["explain_tab"] = tab
        return app.run()

    return run


def texts(elements):
    return " ".join(element.value for element in elements)


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.parametrize("scorer", ["additive", "cosine"])
@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    "params",
    [
        {"age": "31", "gender": "F", "interests": ["space", "love and war"], "liked": ["50"]},
        {"age": "unknown", "interests": [""]},
        {"interests": ["科幻 🎬"], "k": "1"},
    ],
    ids=["typical", "empty", "chinese"],
)
def test_every_tab_opens_for_every_person(open_explain, scorer, tab, params):
    app = open_explain(tab, scorer=scorer, **params)

    assert not app.exception
    assert not app.error
    assert app.title[0].value == "Why this item, and why not that one?"


def test_it_opens_on_the_first_item_of_the_list_and_says_its_score(open_explain, pages_data):
    recommender = Recommender.from_dataset(open_dataset("movielens-100k", data_dir=pages_data))
    best = recommender.recommend(Profile(age=31, interests=("space",)), k=1).to_records()[0]

    app = open_explain(age="31", interests=["space"])

    assert app.selectbox(key="item").value.startswith(best["title"])
    assert metrics(app)["Rank"].startswith("1 of ")
    assert metrics(app)["Score"] == f"{best['score']:.4f}"
    assert len(app.get("plotly_chart")) == 1


def test_an_item_of_the_link_is_opened_and_a_wrong_one_is_named(open_explain):
    app = open_explain(age="31", interests=["space"], item="183")
    assert app.selectbox(key="item").value == "Alien (1979)"

    app = open_explain(age="31", interests=["space"], item="nothing")
    assert not app.exception


def test_a_change_of_the_person_keeps_the_item(open_explain):
    app = open_explain(age="31", interests=["space"], item="183")
    before = metrics(app)["Score"]

    app.multiselect(key="interests").set_value(["romance"]).run()

    assert app.selectbox(key="item").value == "Alien (1979)"
    assert metrics(app)["Score"] != before


def test_parts_that_do_not_add_up_are_not_drawn(open_explain, monkeypatch):
    original = Explainer.explain

    def broken(self, *args, **kwargs):
        found = original(self, *args, **kwargs)
        object.__setattr__(found, "completeness_error", 2e-6)
        return found

    monkeypatch.setattr(Explainer, "explain", broken)

    app = open_explain(age="31", interests=["space"])

    assert "do not add up" in texts(app.error)
    assert "2\\.00e\\-06" in texts(app.error)
    assert len(app.get("plotly_chart")) == 0
    assert not app.exception


def test_above_the_average_item(open_explain):
    app = open_explain(age="31", interests=["space"])

    app.segmented_control(key="numbers").set_value("Above the average item").run()

    assert not app.exception
    assert "less what it adds to the average item" in texts(app.caption)


def test_an_edit_that_brings_the_item_in_can_be_tried(open_explain):
    app = open_explain("Why not that one?", age="31", interests=["space"])
    wanted = app.selectbox(key="wanted").value
    assert int(metrics(app)["Rank"].split()[0].replace(",", "")) >= 1

    app.button(key="edit-0").click().run()

    assert not app.exception
    app.switch_page("pages/recommend.py").run()
    shown = [m.value for m in app.markdown if m.value.startswith("**") and m.value[2].isdigit()]
    assert any(wanted.split(" (")[0] in title.replace("\\", "") for title in shown)


def test_filters_that_leave_an_item_out_are_said(open_explain):
    app = open_explain("Why not that one?", age="31", interests=["space"], category=["Documentary"])

    assert not app.exception
    assert "filters leave this item out" in texts(app.info)


def test_a_card_leads_to_its_explanation(open_app, monkeypatch):
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")
    app = open_app(age="31", interests=["space"])
    third = next(m.value for m in app.markdown if m.value.startswith("**3. "))

    app.session_state["_explain_item"] = next(b.key for b in app.button if str(b.key).startswith("why-"))[4:]
    app.switch_page("pages/explain.py").run()

    assert not app.exception
    assert third
    assert app.title[0].value == "Why this item, and why not that one?"


def test_the_explanation_can_be_exported(open_explain, monkeypatch):
    import streamlit as st

    files = {}

    def spy(label, data, file_name, *args, **kwargs):
        files[label] = (file_name, data)
        return False

    monkeypatch.setattr(st, "download_button", spy)
    open_explain(age="31", interests=["space"], item="183")

    value = json.loads(files["JSON"][1])
    assert sum(part["contribution"] for part in value["parts"]) == pytest.approx(value["total"], abs=1e-6)
    assert "Alien (1979)" in files["HTML"][1]
    assert files["HTML"][0].endswith(".html")


def test_the_reason_stands_on_every_card(open_app):
    app = open_app(age="31", interests=["space"], k="5")

    reasons = [caption.value for caption in app.caption if "space" in caption.value or "Popular" in caption.value]
    assert len(reasons) >= 5
