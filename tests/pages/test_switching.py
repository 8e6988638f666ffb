"""Changing datasets: each keeps its form, and a dataset without people works."""

from pathlib import Path

import pandas as pd
import pytest

from recsys.datasets import write_folder
from recsys.schema import Dataset, DatasetInfo


def catalog(folder: Path) -> None:
    items = pd.DataFrame(
        {
            "item_id": [f"t{n}" for n in range(12)],
            "title": [f"Tea number {n}" for n in range(12)],
            "categories": [("green",) if n % 2 else ("black",) for n in range(12)],
            "origin": ["Nepal" if n % 3 else "Japan" for n in range(12)],
        }
    )
    nobody = pd.DataFrame({"user_id": pd.Series(dtype=str)})
    nothing = pd.DataFrame({"user_id": pd.Series(dtype=str), "item_id": pd.Series(dtype=str)})
    write_folder(Dataset("teas", DatasetInfo("Teas"), items, nobody, nothing), folder / "teas")


def choose(app, key, value):
    widget = next(w for w in [*app.selectbox, *app.multiselect, *app.select_slider] if w.key == key)
    widget.set_value(value)
    return app.run()


def form(app, *keys):
    return {key: app.session_state[key] if key in app.session_state else None for key in keys}  # noqa: SIM401


def test_each_dataset_keeps_its_own_form(open_app, own_data):
    catalog(own_data)
    app = open_app(own_data, age="27", gender="F", interests="space")
    choose(app, "attr-occupation", "student")
    choose(app, "category", ["Drama"])
    choose(app, "scorer", "cosine")
    films = form(app, "age", "gender", "attr-occupation", "interests", "category", "scorer")

    choose(app, "dataset", "teas")
    assert not app.exception
    assert app.session_state["scorer"] == "cosine"
    assert app.session_state["category"] == []
    choose(app, "item-origin", ["Japan"])
    choose(app, "interests", ["green"])
    choose(app, "dataset", "movielens-100k")
    assert not app.exception
    assert form(app, *films) == films

    choose(app, "scorer", "additive")
    choose(app, "dataset", "teas")
    assert app.session_state["item-origin"] == ["Japan"]
    assert app.session_state["interests"] == ["green"]
    choose(app, "dataset", "movielens-100k")
    assert app.session_state["scorer"] == "additive"
    assert app.session_state["interests"] == ["space"]


def test_a_first_change_takes_the_person_along(open_app, own_data):
    catalog(own_data)
    app = open_app(own_data, age="27", interests="space", dataset="movielens-100k")
    choose(app, "dataset", "sample-news")
    assert app.session_state["age"] == "27"
    assert app.session_state["interests"] == ["space"]
    assert app.session_state["scorer"] == "additive"


def test_a_catalog_alone_has_no_form_of_people(open_app, own_data):
    catalog(own_data)
    app = open_app(own_data, dataset="teas", interests="green tea from Japan")
    assert not app.exception
    keys = [w.key for w in [*app.selectbox, *app.multiselect, *app.select_slider]]
    assert "age" not in keys
    assert not [key for key in keys if key and key.startswith("attr-")]
    assert "interests" in keys


PAGES = ("recommend", "explain", "explore", "compare", "evaluate", "datasets")


@pytest.mark.parametrize("name", PAGES)
def test_a_catalog_alone_works_on_every_page(open_app, own_data, monkeypatch, name):
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")
    catalog(own_data)
    app = open_app(own_data, dataset="teas", interests="green tea from Japan")
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    assert [error.value for error in app.error] == []
