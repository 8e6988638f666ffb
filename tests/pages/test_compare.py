"""The page "What changes if they were someone else?" in-process; what is drawn in the browser is tested there."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from recsys.datasets import open_dataset
from recsys.recommender import Recommender
from recsys.schema import Profile
from recsys.whatif import Scenario, compare
from tests.hostile import write_hostile

TABS = ("A and B", "Sweep", "Bring it in", "Fairness", "Many people", "Cold to warm", "Share")
A = {"age": "27", "gender": "F", "interests": ["romance"], "liked": ["50"], "v": "1"}


@pytest.fixture
def open_compare(open_app, monkeypatch):
    """Opens the page on a tab; nothing runs in the background."""
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")

    def run(tab: str = "A and B", data_dir=None, dataset=None, **params) -> AppTest:
        app = open_app(data_dir, dataset, **params)
        app.switch_page("pages/compare.py")
        app.session_state["tab"] = tab
        return app.run()

    return run


@pytest.fixture(scope="module")
def recommender(pages_data):
    return Recommender.from_dataset(open_dataset("movielens-100k", data_dir=pages_data))


def texts(elements):
    return " ".join(element.value for element in elements)


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.parametrize("scorer", ["additive", "cosine"])
@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    "params",
    [
        {"age": "31", "gender": "F", "interests": ["space", "love and war"], "liked": ["50"], "b-age": "60"},
        {"age": "unknown", "interests": [""], "v": "1"},
        {"interests": ["科幻 🎬"], "k": "1", "b-interests": ["爱情"]},
    ],
    ids=["typical", "empty", "chinese"],
)
def test_every_tab_opens_for_every_pair(open_compare, scorer, tab, params):
    app = open_compare(tab, scorer=scorer, **params)

    assert not app.exception
    assert not app.error
    assert app.title[0].value == "What changes if they were someone else?"


def test_b_starts_as_a_copy_of_a_and_then_nothing_differs(open_compare):
    app = open_compare(**A)

    assert app.select_slider(key="b-age").value == "27"
    assert app.multiselect(key="b-interests").value == ["romance"]
    assert metrics(app)["Shared"].startswith("100")
    assert "Both see the same list" in texts(app.markdown)


def test_b_may_be_changed_and_the_page_says_what_that_does(open_compare, recommender):
    app = open_compare(**A)

    app.select_slider(key="b-age").set_value("60").run()
    app.segmented_control(key="b-gender").set_value("M").run()

    first = Profile(27, "F", interests=("romance",), liked=("50",))
    second = Profile(60, "M", interests=("romance",), liked=("50",))
    found = compare(recommender, first, second)
    assert metrics(app)["Shared"] == f"{found.overlap:.0%}".replace("%", "\u00a0%")
    assert metrics(app)["Shared, top first"] == f"{found.rank_biased_overlap:.2f}"
    assert f"**{len(found.of_kind('entered'))} of 10 items are others for B.**" in texts(app.markdown)


def test_copy_and_swap(open_compare):
    app = open_compare(**A, **{"b-age": "60", "b-interests": ["war"]})
    by_label = {button.label: button for button in app.button}

    by_label["Swap A and B"].click().run()

    assert (app.select_slider(key="age").value, app.select_slider(key="b-age").value) == ("60", "27")
    assert app.multiselect(key="interests").value == ["war"]
    next(button for button in app.button if button.label == "Copy A to B").click().run()
    assert app.select_slider(key="b-age").value == "60"
    assert app.multiselect(key="b-interests").value == ["war"]


def test_a_link_brings_back_both_people_and_what_was_open(open_app, monkeypatch):
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")
    app = open_app(
        **A, **{"b-age": "60", "b-gender": "M", "b-attr-occupation": "writer", "tab": "Sweep", "over": "gender"}
    )
    app.switch_page("pages/compare.py").run()

    assert app.select_slider(key="b-age").value == "60"
    assert app.selectbox(key="b-attr-occupation").value == "writer"
    assert app.selectbox(key="over").value == "gender"
    assert not app.warning


def test_what_a_link_says_wrongly_is_told_and_left_out(open_app):
    app = open_app(
        **A, **{"b-age": "old", "b-gender": "x", "b-liked": ["nothing"], "over": "nonsense", "locked": ["x"]}
    )

    said = texts(app.warning)
    assert "b\\-age" in said and "b\\-gender" in said and "b\\-liked" in said
    app.switch_page("pages/compare.py").run()
    assert app.select_slider(key="b-age").value == "27"
    assert not app.exception


def test_the_second_person_survives_a_change_of_page(open_compare):
    app = open_compare(**A)
    app.select_slider(key="b-age").set_value("60").run()

    app.switch_page("pages/recommend.py").run()
    app.switch_page("pages/compare.py").run()

    assert app.select_slider(key="b-age").value == "60"


def test_a_sweep_can_go_over_anything(open_compare):
    app = open_compare("Sweep", **A)

    assert len(app.selectbox(key="over").options) == 6  # age, gender, occupation, interests, a weight, likes
    for place in range(len(app.selectbox(key="over").options)):
        app.selectbox(key="over").select_index(place).run()
        assert not app.exception and not app.error
    app.selectbox(key="over").select_index(0).run()
    app.selectbox(key="by").select_index(1).run()
    assert "Which item is first" in texts(app.caption)
    app.selectbox(key="target").select_index(1).run()
    assert "Rank of" in texts(app.caption)


def test_reactions_go_step_by_step(open_compare):
    app = open_compare("Cold to warm", **A)
    like = next(button for button in app.button if str(button.key).startswith("like-"))

    like.click().run()

    assert app.session_state["reactions"] == [f"+{like.key.removeprefix('like-')}"]
    assert "after 1 reaction" in texts(app.markdown)
    next(button for button in app.button if str(button.key).startswith("dislike-")).click().run()
    assert len(app.session_state["reactions"]) == 2
    next(button for button in app.button if button.label == "Undo").click().run()
    assert len(app.session_state["reactions"]) == 1
    next(button for button in app.button if button.label == "Start over").click().run()
    assert app.session_state["reactions"] == []


def test_many_people_are_ranked_on_demand(open_compare):
    app = open_compare("Many people", **A)
    app.multiselect(key="grid_interests").set_value(["none", "Drama"])
    app.number_input(key="grid_every").set_value(35)

    next(button for button in app.button if button.label == "Rank them all").click().run()

    assert not app.exception and not app.error
    assert metrics(app)["People"] == str(3 * 2 * 2)


def test_a_link_brings_back_the_choice_of_many_people(open_compare):
    app = open_compare(
        "Many people",
        **A,
        grid_ages=["20", "30"],
        grid_every="10",
        grid_genders=["F", "nonsense"],
        grid_interests=["none"],
    )

    assert app.slider(key="grid_ages").value == (20, 30)
    assert app.multiselect(key="grid_genders").value == ["F"]
    next(button for button in app.button if button.label == "Rank them all").click().run()
    assert metrics(app)["People"] == "2"
    wrong = open_compare("Many people", **A, grid_ages=["old"], grid_every="-3", grid_source="nowhere")
    assert wrong.slider(key="grid_ages").value == (10, 80) and wrong.number_input(key="grid_every").value == 5


def test_a_bad_table_is_refused_with_row_and_column(open_compare):
    app = open_compare("Many people", **A)
    app.segmented_control(key="grid_source").set_value("From a table").run()

    app.file_uploader[0].upload("people.csv", b"age,gender\n27,F\nabc,M\n", "text/csv").run()

    assert "row 3, column age" in texts(app.error).replace("\\", "")
    assert not app.exception
    app.file_uploader[0].upload("people.csv", b"age,gender\n27,F\n40,M\n", "text/csv").run()
    assert metrics(app)["People"] == "2"


def test_a_scenario_goes_out_and_comes_back(open_compare, recommender):
    from recsys.whatif import make_scenario

    first, second = Profile(27, "F", interests=("romance",)), Profile(70, "M", interests=("war",))
    kept = make_scenario(recommender, {"A": first, "B": second}, made="2026-11-25T12:00:00+00:00", k=5)
    app = open_compare("Share", **A)

    app.file_uploader[0].upload("scenario.json", kept.to_json().encode(), "application/json").run()

    assert "every list is the same" in texts(app.success)
    next(button for button in app.button if button.label == "Load these people and controls").click().run()
    assert app.select_slider(key="age").value == "27"
    assert app.select_slider(key="b-age").value == "70"
    assert app.slider(key="k").value == 5


def test_a_scenario_that_no_longer_holds_says_so(open_compare, recommender):
    from recsys.whatif import list_hash, make_scenario

    kept = make_scenario(recommender, {"A": Profile(27)}, made="2026-11-25T12:00:00+00:00", k=3)
    values = json.loads(kept.to_json())
    values["lists"]["A"] = values["lists"]["A"][::-1]
    values["hashes"]["A"] = list_hash(values["lists"]["A"])
    Scenario.from_json(json.dumps(values))
    app = open_compare("Share", **A)

    app.file_uploader[0].upload("scenario.json", json.dumps(values).encode(), "application/json").run()

    assert len(app.warning) == 1
    assert not app.exception


def test_what_is_no_scenario_is_refused(open_compare):
    app = open_compare("Share", **A)

    app.file_uploader[0].upload("scenario.json", b'{"a": 1}', "application/json").run()

    assert len(app.error) == 1 and not app.exception


def test_hostile_titles_do_no_harm(open_compare, tmp_path):
    write_hostile(tmp_path / "data" / "hostile")

    for tab in TABS:
        app = open_compare(tab, tmp_path / "data", "hostile")
        assert not app.exception and not app.error


def test_saved_profiles_stand_beside_the_two(open_compare, own_data):
    from recsys.saved_profiles import SavedProfiles

    saved = SavedProfiles(own_data / "profiles" / "movielens-100k.json")
    saved.save("Night owl", Profile(22, "M", interests=("horror",)))

    app = open_compare(data_dir=own_data, **A)

    assert any("With the 1 saved profile" in expander.label for expander in app.expander)
    assert not app.exception


def test_a_saved_profile_that_the_data_no_longer_knows_breaks_nothing(open_compare, own_data):
    from recsys.saved_profiles import SavedProfiles

    saved = SavedProfiles(own_data / "profiles" / "movielens-100k.json")
    saved.save("Gone", Profile(22, "M", liked=("999999",)))
    saved.save("A", Profile(33))

    for tab in ("A and B", "Share"):
        app = open_compare(tab, data_dir=own_data, **A)
        assert not app.exception and not app.error
    assert any("With the 1 saved profile" in one.label for one in open_compare(data_dir=own_data, **A).expander)


def test_filters_that_leave_nothing_are_told_on_every_tab(open_compare):
    for tab in TABS:
        app = open_compare(tab, **A, category=["Western"], years=["1922", "1922"])
        assert not app.exception and not app.error, tab


@pytest.mark.parametrize(
    "view", [{"wanted": [], "target": {}, "flip": 5}, {"reactions": 5, "grid_genders": 7, "locked": "x", "over": []}]
)
def test_whatever_view_a_scenario_holds_no_tab_breaks(open_compare, recommender, view):
    from recsys.whatif import make_scenario

    kept = make_scenario(recommender, {"A": Profile(27), "B": Profile(60)}, made="2026-11-25T12:00:00+00:00", view=view)
    app = open_compare("Share", **A)
    app.file_uploader[0].upload("scenario.json", kept.to_json().encode(), "application/json").run()
    next(button for button in app.button if button.label == "Load these people and controls").click().run()

    for tab in TABS:
        app.session_state["tab"] = tab
        app.run()
        assert not app.exception, tab


def test_a_scenario_brings_its_scorer_back(open_compare, pages_data):
    from recsys.whatif import make_scenario

    cosine = Recommender.from_dataset(open_dataset("movielens-100k", data_dir=pages_data), scorer="cosine")
    kept = make_scenario(cosine, {"A": Profile(27, interests=("war",))}, made="2026-11-25T12:00:00+00:00")
    app = open_compare("Share", **A)

    app.file_uploader[0].upload("scenario.json", kept.to_json().encode(), "application/json").run()
    next(button for button in app.button if button.label == "Load these people and controls").click().run()

    assert app.selectbox(key="scorer").value == "cosine"


def test_a_table_and_a_generated_grid_are_not_taken_for_each_other(open_compare):
    app = open_compare("Many people", **A, grid_ages=["20", "20"], grid_interests=["none"], grid_genders=["F"])
    next(button for button in app.button if button.label == "Rank them all").click().run()
    assert metrics(app)["People"] == "1"

    app.segmented_control(key="grid_source").set_value("From a table").run()
    assert "People" not in metrics(app)
    app.file_uploader[0].upload("people.csv", b"age\n27\n40\n", "text/csv").run()
    assert metrics(app)["People"] == "2"
    app.segmented_control(key="grid_source").set_value("Every combination").run()
    assert "People" not in metrics(app)


def test_swapping_with_somebody_impossible_is_told_and_nothing_is_lost(open_compare):
    app = open_compare(**A, **{"b-interests": [f"interest {n}" for n in range(25)]})
    assert len(app.error) == 1

    next(button for button in app.button if button.label == "Swap A and B").click().run()

    assert not app.exception
    assert len(app.multiselect(key="interests").value) == 25
