"""Popularity, diversity and the influence meter, in-process."""

import pytest

from pages.shared.controls import ListControls
from pages.shared.frame import Page
from pages.shared.influence import alarm
from pages.shared.sharing import about
from recsys.datasets import open_dataset
from recsys.recommender import Recommender
from recsys.schema import ItemFilter, Profile
from tests.pages.test_recommend import texts, titles

PERSON = {"age": "41", "gender": "M", "interests": ["space"], "k": "10"}
UNREAD = {"v": "1", "interests": ["🦄"]}
"""A profile that means nothing to the encoder, so the list is the prior's."""


def meter(app):
    return next((caption.value for caption in app.caption if caption.value.startswith("This list:")), "")


def shares(app):
    """Returns kind to whole percent, as the meter says it."""
    said = meter(app).removeprefix("This list: ").split(";")[0].replace("\u00a0", " ").split(", ")
    return {part.split(" % ")[1]: int(part.split(" % ")[0]) for part in said}


def test_the_learned_scorer_is_the_default_and_cosine_is_a_choice(open_app):
    app = open_app(**PERSON)
    learned = titles(app)
    assert app.selectbox(key="scorer").value == "additive"

    app.selectbox(key="scorer").set_value("cosine").run()

    assert not app.exception
    assert titles(app) != learned
    assert meter(app) == ""
    assert "popularity" not in [slider.key for slider in app.slider]
    assert "diversity" in [slider.key for slider in app.slider]


def test_the_learned_scorer_carries_no_notice_of_the_cosine(open_app):
    app = open_app(**PERSON)

    assert not app.exception
    assert "zero-shot" not in texts(app.info)
    assert not app.expander


def test_the_meter_adds_up_and_counts_what_everybody_gets(open_app, pages_data):
    app = open_app(**PERSON)

    opened = Recommender.from_dataset(open_dataset("movielens-100k", data_dir=pages_data))
    profile = Profile(41, "M", {}, ("space",))
    expected = opened.influence(opened.recommend(profile))
    assert sum(shares(app).values()) == 100
    assert shares(app)["popularity"] == pytest.approx(100 * expected.shares["prior"], abs=1)
    assert f"{expected.n_shared} of 10 items" in meter(app)
    told = [picture.alt for image in app.get("image") for picture in image.proto.imgs]
    assert f"Influence on the list: {meter(app).removeprefix('This list: ').split(';')[0]}" in told


def test_less_popularity_changes_the_list_the_meter_and_hides_the_probability(open_app):
    app = open_app(**PERSON)
    before, popular = titles(app), shares(app)["popularity"]
    assert "likely to be liked" in texts(app.markdown)

    app.slider(key="popularity").set_value(0.3).run()
    assert not app.exception
    assert titles(app) != before
    assert shares(app)["popularity"] < popular
    assert "likely to be liked" not in texts(app.markdown)

    app.slider(key="popularity").set_value(0.0).run()
    assert "popularity" not in shares(app)


@pytest.mark.parametrize("scorer", ["additive", "cosine"])
def test_diversity_changes_the_list_and_says_what_that_does_to_ranks(open_app, scorer):
    app = open_app(**PERSON, scorer=scorer)
    before = titles(app)
    assert "not in the order of the scores" not in texts(app.caption)

    app.slider(key="diversity").set_value(0.5).run()

    assert not app.exception
    assert titles(app) != before
    assert "not in the order of the scores" in texts(app.caption)


def test_a_deep_link_sets_popularity_and_diversity(open_app, pages_data):
    app = open_app(**PERSON, popularity="0.3", diversity="0.5")

    opened = Recommender.from_dataset(open_dataset("movielens-100k", data_dir=pages_data))
    found = opened.recommend(Profile(41, "M", {}, ("space",)), popularity=0.3, diversity=0.5)
    assert not app.warning
    assert (app.slider(key="popularity").value, app.slider(key="diversity").value) == (0.3, 0.5)
    assert [title.split(". ", 1)[1].rstrip("*").replace("\\", "") for title in titles(app)] == list(
        found.table["title"]
    )


def test_a_profile_that_changes_nothing_raises_the_alarm(open_app):
    app = open_app(**UNREAD)

    assert not app.exception
    assert "This profile changes nothing: everybody would get this list." in texts(app.warning)
    assert "10 of 10 items are what everybody gets" in meter(app)


def test_a_profile_that_changes_the_list_raises_no_alarm(open_app):
    assert not open_app(**PERSON).warning


@pytest.mark.parametrize("diversity", ["0.0", "0.5"])
def test_an_empty_profile_is_told_that_everybody_gets_this(open_app, diversity):
    app = open_app(v="1", diversity=diversity)

    assert not app.warning
    assert "Nothing is known, so this is what everybody gets." in texts(app.info)
    assert "100\u00a0% popularity; 10 of 10 items" in meter(app)


def test_without_profile_and_popularity_nothing_tells_items_apart(open_app):
    app = open_app(v="1", popularity="0")

    assert not app.exception
    assert "Nothing given tells items apart" in texts(app.info)
    assert meter(app) == ""


def test_a_filter_that_nothing_passes_has_neither_meter_nor_alarm(open_app):
    app = open_app(**PERSON, category=["Western"], years=["1922", "1923"])

    assert not app.exception
    assert meter(app) == ""
    assert not app.warning


def test_the_table_has_a_probability_where_there_is_one(open_app):
    app = open_app(**PERSON)
    app.segmented_control(key="view").set_value("Table").run()
    table = app.dataframe[0].value
    assert table["probability"].between(1, 100).all()
    assert table["probability"].is_monotonic_decreasing

    app.slider(key="popularity").set_value(0.5).run()

    assert not app.exception
    assert "probability" not in app.dataframe[0].value


def test_the_alarm_proposes_only_what_can_be_done():
    assert alarm(1.0, is_filtered=False).endswith("Add interests or liked items, or lower the popularity weight.")
    assert alarm(0.0, is_filtered=False).endswith("Add interests or liked items.")
    assert alarm(0.5, is_filtered=True).endswith("items, lower the popularity weight, or widen the filters.")


def test_the_export_says_how_the_list_was_made(toy, toy_encoder):
    opened = Recommender.from_dataset(toy, encoder=toy_encoder)
    page = Page(opened, Profile(age=30), ListControls(3, ItemFilter(), 0.25, 0.5))
    found = opened.recommend(page.profile, k=3, popularity=0.25, diversity=0.5)

    said = about(page, found)

    assert said == {"dataset": "toy", "scorer": "additive", "encoder": "toy", "popularity": 0.25, "diversity": 0.5}
