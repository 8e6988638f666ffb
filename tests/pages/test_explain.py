"""The page "Why this item, and why not that one?" in-process; what is drawn in the browser is tested there."""

import json
from dataclasses import replace

import pytest
import streamlit as st

from pages.shared import other_item, part_charts, words
from recsys.datasets import open_dataset
from recsys.explanation import EXACT, Difference, Explainer, contrast
from recsys.recommender import Recommender
from recsys.schema import Line, Profile

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
    assert len(app.get("plotly_chart")) == 2  # the waterfall, and paths over facts


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


@pytest.mark.parametrize(
    ("tab", "first"), [("Words", "one"), ("Does it hold?", "another")]
)  # exact words are remembered
def test_slower_words_that_do_not_add_up_are_not_drawn_either(open_explain, monkeypatch, tab, first):
    original = Explainer.explain

    def broken(self, *args, tier, **kwargs):
        found = original(self, *args, tier=tier, **kwargs)
        object.__setattr__(found, "completeness_error", 2e-6 if tier == EXACT else 0.0)
        return found

    monkeypatch.setattr(Explainer, "explain", broken)

    app = open_explain(tab, age="31", interests=[f"{first} two three four five six seven"])

    assert "do not add up" in texts(app.error)


@pytest.mark.parametrize("tab", ["Against another item", "Why not that one?"])
def test_a_contrast_that_does_not_add_up_is_not_drawn(open_explain, monkeypatch, tab):
    monkeypatch.setattr(
        other_item, "contrast", lambda *sides: replace(contrast(*sides), completeness_error=float("nan"))
    )

    app = open_explain(tab, age="31", interests=["space"])

    assert "do not add up" in texts(app.error)
    assert len(app.get("plotly_chart")) == 0


@pytest.mark.parametrize("params", [{"liked": ["50"], "item": "50"}, {"category": ["Western"], "item": "50"}])
def test_an_item_outside_the_list_has_a_rank_and_says_why_it_is_outside(open_explain, params):
    app = open_explain(age="31", gender="F", interests=["romance"], **params)

    rank, of = (int(number.replace(",", "")) for number in metrics(app)["Rank"].split(" of "))
    assert 1 <= rank <= of
    said = texts(app.caption)
    assert ("liked by the person" in said) == ("liked" in params)
    assert ("filters leave this item out" in said) == ("category" in params)


def test_the_export_shows_what_the_screen_shows(open_explain, monkeypatch):
    files = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, *args, **kwargs: files.update({label: data}))
    app = open_explain(age="31", interests=["space"])
    assert json.loads(files["JSON"])["is_centred"] is False

    app.segmented_control(key="numbers").set_value("Above the average item").run()

    assert json.loads(files["JSON"])["is_centred"] is True
    assert "above the average item" in files["HTML"]


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


def test_an_edit_that_was_tried_shows_that_it_worked(open_explain):
    app = open_explain("Why not that one?", age="31", interests=["space"])
    wanted = app.selectbox(key="wanted").value

    app.button(key="edit-0").click().run()

    assert app.selectbox(key="wanted").value == wanted
    assert "in the top 10 already" in texts(app.success)


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


def test_the_bars_of_a_contrast_add_up_however_many_there_are():
    parts = [Difference(str(n), f"part {n}", "liked", n / 100, -n / 100) for n in range(60)]

    figure = part_charts.differences(parts, is_dark=False)

    assert len(figure.data) == 24
    assert sum(bar.x[0] for bar in figure.data) == pytest.approx(sum(part.value for part in parts))


def test_a_long_label_is_cut_in_the_figure_and_whole_in_the_hover():
    label = "“" + "submarines and " * 12 + "”"

    figure = part_charts.differences([Difference("a", label, "interest", 1.0, 0.0)], is_dark=False)

    assert len(figure.layout.annotations[0].text.split("</b>")[0]) < 50
    assert label.strip() in figure.data[0].hovertemplate


def test_parts_without_words_stand_beside_the_words_at_the_places_where_a_browser_finds_them():
    lines = [Line("🎬 Alien", "liked:1", False), Line("space", "interest:space", True), Line("Age 31", "age", False)]

    (drawn,) = words._wordless(lines, "The rest")

    in_browser = drawn["text"].encode("utf-16-le")
    found = [in_browser[2 * word["start"] : 2 * word["end"]].decode("utf-16-le") for word in drawn["words"]]
    assert found == ["🎬 Alien", "Age 31"]
    assert [word["line"] for word in drawn["words"]] == [0, 2]
    assert words._wordless(lines[1:2], "The rest") == []
