"""The views of items in the sidebar and in the address."""

from dataclasses import replace

import pytest

from pages.shared import resources
from pages.shared.link import check_link
from pages.shared.widgets import plain
from recsys.datasets import open_dataset, write_folder
from recsys.encoder import TransformerEncoder
from recsys.recommender import Recommender
from recsys.schema import Profile
from tests.toy import ToyEncoder, toy_dataset


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"weight-graph": ["0.5"], "without": ["facts", "text"]}, None),
        ({"weight-graph": ["9"]}, "The link's weight-graph was left out: “9”. Use a number from 0 to 2."),
        ({"weight-image": ["much"]}, "The link's weight-image was left out: “much”. Use a number from 0 to 2."),
        ({"without": ["smell"]}, "The link's without was left out: “smell”. Use one of text, picture, sound, facts."),
        ({"weight-smell": ["1"]}, "The link has a part that means nothing here: “weight-smell”. It was ignored."),
    ],
)
def test_an_address_may_only_say_what_there_is(params, said):
    assert check_link(params, toy_dataset()) == ([said] if said else [])


def titles(app):
    return [text.value.split("**")[1] for text in app.markdown if text.value.startswith("**")]


def expected(folder, weights):
    recommender = Recommender.from_dataset(open_dataset("movielens-100k", data_dir=folder), scorer="cosine")
    found = recommender.with_views(weights).recommend(Profile(liked=("183",)), k=3)
    return [plain(title) for title in found.table["title"]]


def test_a_weight_in_the_address_ranks_the_list(open_app, pages_data):
    app = open_app(liked="183", scorer="cosine", k="3", v="1", **{"weight-graph": "2", "weight-text": "0"})
    assert app.slider(key="weight-graph").value == 2.0
    shown = [text.split(". ", 1)[1] for text in titles(app) if text[:1].isdigit()]
    assert shown == expected(pages_data, {"graph": 2.0, "text": 0.0})
    app.slider(key="weight-graph").set_value(0.0).run()
    app.slider(key="weight-text").set_value(1.0).run()
    again = [text.split(". ", 1)[1] for text in titles(app) if text[:1].isdigit()]
    assert again == expected(pages_data, {"graph": 0.0}) != shown


def test_a_view_is_left_out_and_the_numbers_say_so(open_app):
    app = open_app(liked="183", k="3", v="1", without="facts")
    (pills,) = [group for group in app.get("button_group") if group.label == "Views left out"]
    assert pills.value == ["facts"]
    splits = [table.value for table in app.dataframe if "part" in table.value and "contribution" in table.value]
    assert splits and not any("facts" in table for table in splits)
    pills.set_value([]).run()
    splits = [table.value for table in app.dataframe if "part" in table.value and "contribution" in table.value]
    assert all("facts" in table for table in splits)
    for table in splits:
        rest = table[table["part"] != "Popularity"].drop(columns=["part", "contribution"])
        assert rest.sum(axis=1).to_numpy() == pytest.approx(table["contribution"][1:].to_numpy(), abs=1e-6)


def test_a_catalog_of_texts_alone_has_no_such_controls(open_app, monkeypatch, tmp_path):
    monkeypatch.setattr(TransformerEncoder, "from_folder", lambda folder, **options: ToyEncoder())
    resources._encoder.clear()
    toy = toy_dataset()
    bare = toy.items[["item_id", "title", "description"]]
    info = replace(toy.info, item_template="{title}[. {description}]")
    write_folder(replace(toy, items=bare, info=info), tmp_path / "bare")
    app = open_app(tmp_path, dataset="bare")
    resources._encoder.clear()
    assert not app.exception
    assert len(titles(app)) > 3
    assert not [group for group in app.get("button_group") if group.label == "Views left out"]
