"""The page "Where do people and items sit?" in-process; clicks, lassos and the 3-D view are tested in the browser."""

import shutil

import pytest

from recsys.datasets import open_dataset
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
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")

    def run(tab="Map", data_dir=None, dataset=None, **params):
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
    assert "trustworthiness 0." in texts(app.caption)
    assert "Around this person it keeps" in texts(app.caption)
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

    app.radio(key="other_encoder").set_value("Another encoder: name or folder")
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
    import numpy as np

    from pages.shared.map_figures import DRAWN, Colours, Layers, draw_map

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
