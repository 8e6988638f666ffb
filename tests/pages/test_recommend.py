"""The page "What would we show this person?" in-process."""

import json

import pandas as pd
import pytest

from pages.shared import stages
from recsys.datasets import open_dataset, write_folder
from recsys.recommender import Recommender
from recsys.schema import Dataset, DatasetInfo, Profile


def titles(app):
    return [m.value for m in app.markdown if m.value.startswith("**") and m.value[2].isdigit()]


def texts(elements):
    return " ".join(element.value for element in elements)


def test_a_first_visit_shows_a_preset_and_its_list(open_app, pages_data):
    app = open_app()

    dataset = open_dataset("movielens-100k", data_dir=pages_data)
    first = dataset.info.presets[0].profile
    expected = Recommender.from_dataset(dataset).recommend(first).table["title"]
    assert not app.exception
    assert app.select_slider(key="age").value == "22"
    assert [title.split(". ", 1)[1].rstrip("*").replace("\\", "") for title in titles(app)] == list(expected)


def test_a_deep_link_gives_the_profile_of_the_link_and_nothing_else(open_app):
    app = open_app(age="31", interests=["space"], k="3")

    assert app.select_slider(key="age").value == "31"
    assert app.multiselect(key="interests").value == ["space"]
    assert app.multiselect(key="liked").value == []
    assert len(titles(app)) == 3


def test_changing_the_profile_changes_the_list(open_app):
    app = open_app(interests=["space"], k="5")
    before = titles(app)

    app.multiselect(key="interests").set_value(["romance"]).run()

    assert not app.exception
    assert titles(app) != before


def test_an_empty_profile_says_so_and_does_not_fail(open_app):
    app = open_app(age="unknown", interests=[""])

    assert not app.exception
    assert "Nothing is known about this person" in texts(app.markdown)
    assert len(titles(app)) == 10


def test_one_result(open_app):
    assert len(titles(open_app(k="1", interests=["space"]))) == 1


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"age": "abc"}, "abc"),
        ({"age": "999"}, "999"),
        ({"k": "0"}, "k was left out"),
        ({"scorer": "magic"}, "scorer was left out"),
        ({"popularity": "1.5"}, "popularity was left out"),
        ({"popularity": "nan"}, "popularity was left out"),
        ({"diversity": "much"}, "diversity was left out"),
        ({"gender": "X"}, "gender was left out"),
        ({"liked": "no-such-item"}, "no\\-such\\-item"),
        ({"attr-occupation": "wizard"}, "wizard"),
        ({"nonsense": "1"}, "nonsense"),
        ({"years": ["abc", "1990"]}, "abc"),
    ],
)
def test_every_wrong_value_of_a_link_is_named_and_the_list_still_comes(open_app, params, named):
    app = open_app(**params)

    assert not app.exception
    assert named in texts(app.warning)
    assert titles(app)


def test_too_many_interests_are_refused_in_three_parts(open_app):
    app = open_app(interests=[f"interest {n}" for n in range(21)])

    assert not app.exception
    assert "There are too many interests" in texts(app.error)
    assert "21" in texts(app.error)
    assert "Keep at most 20" in texts(app.error)


def test_too_long_an_interest_is_refused(open_app):
    app = open_app(interests=["x" * 201])

    assert not app.exception
    assert "too long" in texts(app.error)


def test_an_age_outside_the_users_range_is_warned_about(open_app):
    assert "outside the users" in texts(open_app(age="99").warning)


def test_an_interest_that_the_encoder_does_not_know_is_warned_about(open_app):
    assert "carries no meaning" in texts(open_app(interests=["🦄"]).warning)


def test_presets_surprises_and_clearing_fill_the_form(open_app):
    app = open_app()

    app.selectbox(key="preset").set_value(1).run()
    assert app.select_slider(key="age").value == "41"
    assert app.multiselect(key="liked").value == ["Star Wars (1977)", "Toy Story (1995)"]

    next(button for button in app.button if button.label == "Clear").click().run()
    assert app.select_slider(key="age").value == "unknown"
    assert app.multiselect(key="interests").value == []

    next(button for button in app.button if button.label == "Surprise me").click().run()
    assert not app.exception
    assert app.select_slider(key="age").value != "unknown"


def test_a_saved_profile_is_offered_again_and_deleted_for_good(open_app):
    app = open_app(age="55", interests=["jazz"])
    app.text_input(key="save_name").set_value("Jazz lover")
    next(button for button in app.button if button.label == "Save").click().run()

    again = open_app()
    assert "Jazz lover" in again.selectbox(key="preset").options

    next(button for button in again.button if button.label == "Delete").click().run()
    assert "Jazz lover" not in open_app().selectbox(key="preset").options


def test_the_table_shows_the_same_list(open_app):
    app = open_app(interests=["space"], k="4", scorer="cosine")
    app.segmented_control(key="view").set_value("Table").run()

    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["rank"]) == [1, 2, 3, 4]
    assert table["score"].iloc[0] == pytest.approx(table["“space”"].iloc[0])


def test_filters_reach_the_list(open_app):
    app = open_app(interests=["space"], category=["Western"], k="100")

    assert 0 < len(titles(app)) <= 20
    assert all(
        "Western" in caption.value for caption in app.caption if "·" in caption.value and caption.value[:2] == "19"
    )


def test_a_filter_that_nothing_passes_gives_an_empty_state(open_app):
    app = open_app(interests=["space"], category=["Western"], years=["1922", "1923"])

    assert not app.exception
    assert "No item passes the filters" in texts(app.info)


def test_the_page_tells_its_stages(open_app, monkeypatch, tmp_path):
    monkeypatch.setenv(stages.FILE, str(tmp_path / "runs"))
    app = open_app(interests=["space"], k="3")
    assert not app.exception
    found = json.loads((tmp_path / "runs").read_text().splitlines()[-1])["stages"]
    assert {"form", "recommend", "encode", "search", "contributions", "reasons", "influence", "cards"} <= set(found)
    assert all(milliseconds > -0.01 for milliseconds in found.values())


def test_an_index_that_may_miss_items_is_named_with_its_recall(open_app, monkeypatch):
    monkeypatch.setenv("COLDLENS_INDEX", "compressed")
    app = open_app(interests=["space"], k="3")
    assert len(titles(app)) == 3
    assert "compressed index, recall@10 1.000" in texts(app.caption).replace("\\", "")


def test_honesty_and_status_are_on_the_page(open_app):
    app = open_app(scorer="cosine")

    assert "similarity of words, not of taste" in texts(app.info)
    assert "The sentence that BERT reads" in [expander.label for expander in app.expander]
    assert "1,682 items" in texts(app.caption)


def test_the_profile_survives_a_page_change(open_app):
    app = open_app(age="64", interests=["space"])

    app.switch_page("pages/datasets.py").run()

    assert not app.exception
    assert app.title[0].value == "What data is this about?"
    assert app.select_slider(key="age").value == "64"
    assert "space" in texts(app.markdown)


def test_a_catalog_without_users_or_years_works(open_app, tmp_path):
    items = pd.DataFrame({"item_id": ["1", "2", "3"], "title": ["Red lamp", "Blue chair", "Garden hose"]})
    write_folder(Dataset("shop", DatasetInfo("Shop"), items, pd.DataFrame(), pd.DataFrame()), tmp_path / "shop")

    app = open_app(tmp_path, dataset="shop", interests=["lamp"], scorer="additive")

    assert not app.exception
    assert app.selectbox(key="scorer").options == ["cosine"]
    assert "scorer was left out: “additive”" in texts(app.warning).replace("\\", "")
    assert "Red lamp" in titles(app)[0]
    assert len(titles(app)) == 3


def test_a_broken_dataset_folder_gives_a_message(open_app, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "dataset.toml").write_text('title = "Broken"')

    app = open_app(tmp_path, dataset="broken")

    assert not app.exception
    assert "has no items" in texts(app.error)


def test_an_encoder_that_does_not_load_gives_a_message(open_app, tmp_path, monkeypatch):
    monkeypatch.setenv("COLDLENS_ENCODER", str(tmp_path))

    app = open_app(tmp_path / "data")

    assert not app.exception
    assert "The encoder" in texts(app.error)


def test_the_profile_of_the_page_equals_the_one_of_the_library(open_app):
    app = open_app(age="27", gender="F", interests=["science fiction"], liked=["1"], **{"attr-occupation": "student"})

    assert not app.exception
    line = texts(app.markdown)
    for facet in Profile(27, "F", {"occupation": "student"}, ("science fiction",)).facets:
        assert facet.label in line


def test_switching_the_dataset_keeps_what_fits_and_drops_the_rest(open_app, own_data):
    items = pd.DataFrame(
        {"item_id": ["a", "b", "c"], "title": ["Red lamp", "Blue chair", "Hose"], "room": ["x", "y", "y"]}
    )
    users = pd.DataFrame({"user_id": ["1"], "age": [30.0], "gender": ["woman"], "plan": ["free"]})
    write_folder(Dataset("shop", DatasetInfo("Shop"), items, users, pd.DataFrame()), own_data / "shop")
    app = open_app(own_data, age="41", gender="M", interests=["lamp"], liked=["50"], category=["Western"])
    assert not app.exception

    app.selectbox(key="dataset").set_value("shop").run()

    assert not app.exception
    assert "Red lamp" in titles(app)[0]
    assert app.select_slider(key="age").value == "41"
    assert app.multiselect(key="liked").value == []
    assert (app.selectbox(key="scorer").options, app.selectbox(key="scorer").value) == (["cosine"], "cosine")

    app.multiselect(key="item-room").set_value(["y"]).run()
    assert not app.exception
    assert len(titles(app)) == 2

    app.selectbox(key="dataset").set_value("movielens-100k").run()
    assert not app.exception
    assert app.selectbox(key="scorer").value == "additive"
    assert len(titles(app)) == 10


@pytest.mark.parametrize("liked", ["50", "Star Wars (1977)"])
def test_liked_items_of_a_link_may_be_ids_or_labels(open_app, liked):
    app = open_app(age="30", liked=[liked])

    assert app.multiselect(key="liked").value == ["Star Wars (1977)"]
    assert not app.warning
    assert "likes Star Wars" in texts(app.markdown)


def test_two_liked_items_of_the_same_title_stay_two(open_app):
    app = open_app(liked=["573", "670"], k="3")
    assert app.multiselect(key="liked").value == ["Body Snatchers (1993) · 573", "Body Snatchers (1993) · 670"]

    app.segmented_control(key="view").set_value("Table").run()

    assert not app.exception
    assert [name for name in app.dataframe[0].value if name.startswith("Liked Body")] == [
        "Liked Body Snatchers (1993) · 573",
        "Liked Body Snatchers (1993) · 670",
    ]


def test_an_address_that_stands_for_itself_is_not_given_a_preset(open_app):
    assert "Nothing is known about this person" in texts(open_app(v="1").markdown)


def test_simulated_people_are_named_as_such_on_every_page(open_app, own_data):
    app = open_app(own_data, "sample-news")

    for page in ("recommend", "explain", "compare", "evaluate", "datasets"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        assert "made by a simulator" in " ".join(caption.value for caption in app.caption)
