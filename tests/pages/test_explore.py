"""The page "Where do people and items sit?" in-process; clicks, lassos and the 3-D view are tested in the browser."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from pages.shared.map_figures import DRAWN, Colours, Layers, draw_map, rows_inside
from recsys.bench.mapping import sent_bytes
from recsys.datasets import open_dataset
from recsys.errors import ConfigError
from recsys.projection import MapConfig, open_or_fit_atlas, open_space, people_of, place_people
from recsys.recommender import Recommender


@pytest.fixture(scope="module")
def mapped_data(pages_data, tmp_path_factory):
    """The data of the pages with the flat map of texts fitted."""
    folder = shutil.copytree(pages_data, tmp_path_factory.mktemp("mapped") / "data")
    dataset = open_dataset("movielens-100k", data_dir=folder)
    recommender = Recommender.from_dataset(dataset)
    texts = recommender.explainer.item_texts
    space = open_space("text", recommender.scorer, recommender.embeddings)
    atlas = open_or_fit_atlas(space, MapConfig(), texts, dataset.folder)
    place_people(atlas, people_of(dataset), texts, dataset.folder)
    return folder


@pytest.fixture
def open_explore(open_app, monkeypatch):
    def run(tab="Map", data_dir=None, dataset=None, background="off", **params):
        monkeypatch.setenv("COLDLENS_BACKGROUND", background)
        app = open_app(data_dir, dataset, **params)
        app.switch_page("pages/explore.py")
        app.session_state["explore_tab"] = tab
        return app.run()

    return run


def texts(elements):
    return " ".join(element.value for element in elements)


@pytest.mark.parametrize("params", [{"age": "31", "interests": ["space"]}, {"age": "unknown", "interests": [""]}])
@pytest.mark.parametrize("scorer", ["additive", "cosine"])
def test_without_a_fitted_map_there_is_a_preview_and_a_way_to_fit_it(open_explore, scorer, params):
    app = open_explore(scorer=scorer, **params)

    assert not app.exception
    assert "This is a preview" in texts(app.info)
    assert "Fit the map" in [button.label for button in app.button]
    assert len(app.get("plotly_chart")) == 1


def test_a_fitted_map_says_how_far_it_can_be_trusted(open_explore, mapped_data):
    app = open_explore(data_dir=mapped_data, age="31", interests=["space"])

    assert not app.exception
    assert "Trustworthiness 0." in texts(app.caption)
    assert "Around this person this map keeps" in texts(app.caption)
    assert not app.info


def test_nobody_is_nowhere(open_explore, mapped_data):
    app = open_explore(data_dir=mapped_data, age="unknown", interests=[""])

    assert "nowhere on the map" in texts(app.caption)


@pytest.mark.parametrize(
    "colour", ["Category", "Group on the map", "Score for this person", "Popularity", "Year", "Hubness", "Map trust"]
)
def test_every_colour_is_drawn(open_explore, mapped_data, colour):
    app = open_explore(data_dir=mapped_data, age="31", interests=["space"])

    app.selectbox(key="map_colour").set_value(colour).run()

    assert not app.exception
    assert len(app.get("plotly_chart")) == 1


def test_an_item_is_opened_liked_and_its_true_neighbours_are_those_of_the_space(open_explore, mapped_data):
    app = open_explore(data_dir=mapped_data, age="31", interests=["space"])

    app.selectbox(key="map_open").set_value("Alien (1979)").run()

    assert not app.exception
    tables = [frame.value for frame in app.dataframe]
    near = next(table for table in tables if "cosine" in table)
    assert near["cosine"].is_monotonic_decreasing
    assert "Alien (1979)" not in set(near["item"])
    app.button(key="map_like").click().run()
    assert app.multiselect(key="liked").value == ["Alien (1979)"]


def test_people_sizes_search_and_the_table(open_explore, mapped_data):
    app = open_explore(data_dir=mapped_data, age="31", interests=["space"])
    for key in ("map_people", "map_sizes"):
        app.toggle(key=key).set_value(True).run()
    app.text_input(key="map_search").set_value("star wars").run()

    assert not app.exception


def test_a_selection_has_counts_scores_and_a_file(open_explore, mapped_data):
    app = open_explore(data_dir=mapped_data, age="31", interests=["space"])
    app.session_state["_map_selected"] = [0, 5, 7, 999_999]
    app.run()

    assert not app.exception
    assert "3 items selected" in texts(app.markdown)


def test_the_diagnosis_names_what_is_odd_in_movielens(open_explore):
    app = open_explore("Diagnosis")

    assert not app.exception
    assert "findings need a look" in texts(app.markdown)
    assert "unkonwn" in " ".join(str(frame.value.to_dict()) for frame in app.dataframe)


def test_two_encoders_are_compared(open_explore):
    app = open_explore("Two encoders")

    next(button for button in app.button if button.label == "Compare").click().run()

    assert not app.exception
    assert "Nearest ten shared" in [metric.label for metric in app.metric]
    assert len(app.get("plotly_chart")) == 2


def test_an_encoder_that_is_not_there_is_answered_in_three_parts(open_explore):
    app = open_explore("Two encoders")

    app.radio(key="other_encoder").set_value("Another encoder: name or folder; or a file of vectors")
    app.text_input(key="other_encoder_name").set_value("/no/such/encoder")
    next(button for button in app.button if button.label == "Compare").click().run()

    assert not app.exception
    assert "no/such/encoder" in texts(app.error).replace("\\", "")


def test_a_dataset_without_people_has_a_map_too(open_explore, own_data):
    from recsys.datasets import write_folder
    from tests.toy import toy_dataset

    write_folder(toy_dataset(), own_data / "toy")

    app = open_explore(data_dir=own_data, dataset="toy", scorer="cosine")

    assert not app.exception
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("sent", "row"),
    [
        ([7], 7),
        ({"0": 7}, 7),
        (7, 7),
        (0, 0),
        (None, None),
        ([], None),
        ({}, None),
        ("7", None),
        ([-1], None),
        ([[1]], None),
    ],
)
def test_a_point_is_read_in_every_shape_that_a_browser_sends(sent, row):
    from pages.shared.mapping import row_of

    assert row_of({"customdata": sent}) == row


def test_a_changed_map_is_small_and_a_large_one_is_a_density_with_the_persons_neighbourhood():
    rng = np.random.default_rng(0)
    small = rng.standard_normal((1682, 2)).astype(np.float32)
    colours = Colours("Score", values=rng.random(1682))
    figure = draw_map(small, [f"A title of some length ({n})" for n in range(1682)], colours, Layers(), is_dark=False)
    assert len(figure.to_json()) < 200_000

    n = DRAWN + 1
    large = rng.standard_normal((n, 2)).astype(np.float32)
    star = large[7]
    layers = Layers(star=star, listed=[n - 1, n - 2])
    figure = draw_map(large, [str(row) for row in range(n)], Colours("x", values=rng.random(n)), layers, is_dark=True)

    assert figure.data[0].type == "heatmap"
    drawn = {int(row[0]) for trace in figure.data if trace.customdata is not None for row in trace.customdata}
    assert len(drawn) < 10_000
    assert {n - 1, n - 2, 7} <= drawn
    nearest = np.argsort(np.linalg.norm(large - star, axis=1))[:100]
    assert set(nearest.tolist()) <= drawn


def test_a_large_map_in_three_dimensions_is_a_sample_too_with_what_is_near_in_truth():
    n = DRAWN + 1
    large = np.random.default_rng(0).standard_normal((n, 3)).astype(np.float32)
    layers = Layers(star=large[7], neighbours=[n - 1, n - 2])

    figure = draw_map(large, ["item"] * n, Colours("x", values=np.arange(n, dtype=float)), layers, is_dark=False)

    drawn = {int(row[0]) for trace in figure.data if trace.customdata is not None for row in trace.customdata}
    assert {7, n - 1, n - 2} <= drawn
    assert len(drawn) < 10_000


def test_a_lasso_means_all_that_lies_inside_it():
    across, up = np.meshgrid(np.arange(10), np.arange(10))
    grid = np.stack([across.ravel(), up.ravel()], axis=1).astype(np.float32)

    box = rows_inside(grid, [{"x": [1.5, 3.5], "y": [4.5, 2.5]}])
    triangle = rows_inside(grid, [{"x": [-0.5, 4.5, -0.5], "y": [-0.5, -0.5, 4.5]}])

    assert {tuple(grid[row]) for row in box} == {(2, 3), (2, 4), (3, 3), (3, 4)}
    assert {tuple(grid[row]) for row in triangle} == {(x, y) for x in range(4) for y in range(4) if x + y < 4}
    assert len(rows_inside(grid, [])) == 0


def test_a_lasso_over_a_density_selects_more_than_the_drawn_sample(monkeypatch):
    from pages.shared import mapping

    state = {}
    monkeypatch.setattr(mapping.st, "session_state", state)
    spots = np.zeros((DRAWN + 1, 2), np.float32)
    spots[:100] = 5
    shape = {"x": [4, 6, 6, 4], "y": [4, 4, 6, 6]}

    mapping._remember({"points": [{"customdata": [3]}], "lasso": [shape]}, spots)
    assert state["_map_selected"] == list(range(100))
    mapping._remember({"points": [{"customdata": [3]}, {"customdata": [4]}], "lasso": [shape]}, spots[:DRAWN])
    assert state["_map_selected"] == [3, 4]


@pytest.mark.parametrize("n_components", [2, 3])
def test_groups_have_labels_flat_and_in_space(n_components):
    spots = np.zeros((3, n_components), np.float32)
    layers = Layers(labels=[("sea · <b>ship</b>", spots[0]), ("love", spots[1])])

    figure = draw_map(spots, ["a", "b", "c"], Colours("x", groups=np.array(["k"] * 3, object)), layers, is_dark=False)

    shown = [note.text for note in figure.layout.annotations]
    shown += [text for trace in figure.data if trace.mode == "text" for text in trace.text]
    assert shown == ["sea · &lt;b&gt;ship&lt;/b&gt;", "love"]


def test_unknown_values_are_grey_and_said_and_counts_have_readable_marks():
    spots = np.zeros((4, 2), np.float32)
    colours = Colours("likes", values=np.array([0, 9, np.nan, 120]), is_log=True)

    figure = draw_map(spots, [f"film {n}\nDrama" for n in range(4)], colours, Layers(), is_dark=False)

    unknown, known = figure.data
    assert unknown.name == "unknown"
    assert unknown.marker.color == "#9AA5B1"
    assert list(unknown.text) == ["film 2<br>Drama<br>likes: unknown"]
    assert known.text[1] == "film 1<br>Drama<br>likes: 9"
    assert known.marker.color[1] == pytest.approx(1.0)
    assert list(known.marker.colorbar.ticktext) == ["0", "1", "10", "100"]
    assert known.marker.colorbar.tickvals[2] == pytest.approx(np.log10(11))


def test_the_bench_counts_what_a_changed_map_sends():
    spots = np.random.default_rng(0).standard_normal((1682, 2)).astype(np.float32)
    names = [f"A title of some length ({n})" for n in range(1682)]

    sent = len(draw_map(spots, names, Colours("x", values=np.random.rand(1682)), Layers(), is_dark=False).to_json())

    assert 0.6 * sent < sent_bytes(spots, names) <= sent


def test_hovering_shows_facts(open_explore, mapped_data):
    app = open_explore(data_dir=mapped_data, age="31", interests=["space"])

    figure = json.loads(app.get("plotly_chart")[0].proto.spec)

    texts_shown = [text for trace in figure["data"] if "customdata" in trace for text in trace["text"]]
    assert "Alien (1979)<br>Action, Horror, Sci-Fi, Thriller<br>" in " ".join(texts_shown)
    assert any(text.endswith(" likes") for text in texts_shown)
    app.toggle(key="map_people").set_value(True).run()
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    people = next(trace for trace in figure["data"] if trace["name"] == "people of the dataset")
    assert people["text"][0].startswith("User 1 of 943 · Age ")


def test_a_search_says_what_it_found(open_explore, mapped_data):
    app = open_explore(data_dir=mapped_data, age="31", interests=["space"])

    app.text_input(key="map_search").set_value("star wars").run()
    assert "1 of the titles hold “star wars”" in texts(app.caption)
    app.text_input(key="map_search").set_value("<b>nothing").run()
    assert "No title holds" in texts(app.caption)


def test_a_saved_profile_that_likes_what_is_gone_is_still_drawn(open_explore, own_data):
    from recsys.saved_profiles import SavedProfiles
    from recsys.schema import Profile

    saved = SavedProfiles(own_data / "profiles" / "movielens-100k.json")
    saved.save("Old friend", Profile(age=40, liked=("no such item",)))

    app = open_explore(data_dir=own_data, age="31", interests=["space"])

    assert not app.exception
    assert not app.error
    assert "Old friend" in app.get("plotly_chart")[0].proto.spec


def test_a_preview_does_not_wait_for_the_neighbours_of_every_item(open_explore, monkeypatch):
    def slow(*arguments, **options):
        raise AssertionError("takes minutes for a large catalog")

    monkeypatch.setattr("recsys.projection.trust.nearest_items", slow)
    monkeypatch.setattr("recsys.projection.atlas.nearest_items", slow)
    st.cache_resource.clear()

    app = open_explore(age="31", interests=["space"])
    app.selectbox(key="map_colour").set_value("Hubness").run()
    app.selectbox(key="map_open").set_value("Alien (1979)").run()

    assert not app.exception
    assert "cosine" in next(frame.value for frame in app.dataframe if "cosine" in frame.value)


class FakeJob:
    """A job that has ended, well or badly."""

    failure = None
    started = ()
    is_running, is_recorded = False, True

    @classmethod
    def begin(cls, folder, command, *, is_patient=False, is_reading=False):
        cls.started = (*cls.started, command)
        return cls()

    @classmethod
    def found(cls, folder):
        return None

    def progress(self):
        return {}

    def error(self):
        return self.failure

    def tidy(self):
        pass


@pytest.mark.parametrize("failure", [None, ConfigError("The background work failed", "out of memory", fix="Run it.")])
def test_a_fit_without_a_map_says_so_and_is_not_begun_again_by_itself(open_explore, monkeypatch, failure):
    monkeypatch.setattr("pages.shared.jobs.Job", FakeJob)
    monkeypatch.setattr(FakeJob, "failure", failure)
    monkeypatch.setattr(FakeJob, "started", ())
    st.cache_resource.clear()

    app = open_explore(age="31", interests=["space"], background="on")
    for _ in range(2):
        app.run()

    assert not app.exception
    assert ("out of memory" if failure else "is not there") in texts(app.error)
    assert len(FakeJob.started) == 1
    next(button for button in app.button if button.label == "Try again").click().run()
    assert len(FakeJob.started) == 2


def test_the_ended_job_of_an_older_dataset_does_not_pass_for_this_ones(open_explore, own_data, monkeypatch):
    from recsys.datasets import write_folder
    from tests.toy import toy_dataset

    monkeypatch.setattr("pages.shared.jobs.Job", FakeJob)
    monkeypatch.setattr(FakeJob, "started", ())
    st.cache_resource.clear()
    toy = toy_dataset()
    write_folder(toy, own_data / "toy")
    open_explore(data_dir=own_data, dataset="toy", scorer="cosine", background="on")
    write_folder(replace(toy, items=toy.items.assign(title=toy.items["title"] + "!")), own_data / "toy")

    open_explore(data_dir=own_data, dataset="toy", scorer="cosine", background="on")

    assert len(FakeJob.started) == 2


def test_without_people_there_is_no_switch_for_them(open_explore, own_data):
    from recsys.datasets import write_folder
    from tests.toy import toy_dataset

    toy = toy_dataset()
    write_folder(replace(toy, users=toy.users.iloc[:0], interactions=toy.interactions.iloc[:0]), own_data / "toy")

    app = open_explore(data_dir=own_data, dataset="toy")

    assert not app.exception
    assert "People of the dataset" not in [toggle.label for toggle in app.toggle]


def test_twenty_kinds_are_told_apart_and_the_rest_are_other():
    kinds = np.array([f"kind {n % 25:02d}" for n in range(250)] + ["other"] * 5, object)

    figure = draw_map(np.zeros((255, 2), np.float32), ["x"] * 255, Colours("k", groups=kinds), Layers(), is_dark=False)

    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(figure.data) == len(looks) == 21
    assert figure.data[0].name == "other"
    assert len(figure.data[0].x) == 55


def test_a_quality_that_is_unknown_is_not_a_number_on_the_page(open_explore, own_data):
    from recsys.datasets import write_folder
    from tests.toy import toy_dataset

    toy = toy_dataset()
    users = toy.users.iloc[:2]
    likes = toy.interactions[toy.interactions["user_id"].isin(users["user_id"])]
    write_folder(replace(toy, users=users, interactions=likes.reset_index(drop=True)), own_data / "toy")
    app = open_explore("Two encoders", data_dir=own_data, dataset="toy", scorer="cosine")

    next(button for button in app.button if button.label == "Compare").click().run()

    assert not app.exception
    assert "nan" not in [metric.value for metric in app.metric]
    assert "–" in [metric.value for metric in app.metric]
