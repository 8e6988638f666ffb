"""Real users are shown by row alone: names, ids and the like of a dataset never reach the browser, on any page."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pages.shared import atlases, present
from recsys.datasets import open_dataset, write_folder
from recsys.evaluation import Plan, evaluate, keep_evaluation, report_fairness
from recsys.projection import (
    Atlas,
    MapConfig,
    Trust,
    find_clusters,
    fit_pca,
    keep_atlas,
    nearest_items,
    open_space,
    people_of,
    place_people,
)
from recsys.recommender import Recommender
from recsys.schema import Dataset
from recsys.settings import Settings
from tests.training.world import world

CANARIES = {"id": b"canaryid", "name": b"canaryname", "zip": b"canaryzip", "rare": b"canaryrare"}
N_USERS = 60


def canary_world() -> Dataset:
    """The world of known tastes, whose people have names, zip codes and a value that nobody else has."""
    found = world(n_users=N_USERS)
    called = {user_id: f"canaryid{number:03d}" for number, user_id in enumerate(found.users["user_id"])}
    users = found.users.assign(
        user_id=found.users["user_id"].map(called),
        Name=[f"canaryname{n:03d}" for n in range(N_USERS)],
        zip_code=[f"canaryzip{n // 3:03d}" for n in range(N_USERS)],
        locker=[f"canaryrare{n:03d}" for n in range(N_USERS)],
    )
    interactions = found.interactions.assign(user_id=found.interactions["user_id"].map(called))
    return replace(found, name="canary", users=users, interactions=interactions)


def map_of(recommender: Recommender, folder: Path) -> None:
    """A map without UMAP, which takes long to start: the principal components, kept as the map that the page opens."""
    space, texts = open_space("text", recommender.scorer, recommender.embeddings), recommender.explainer.item_texts
    items = replace(fit_pca(space.vectors), config=MapConfig())
    n = len(space.vectors)
    trust = Trust(float("nan"), float("nan"), np.full(n, np.nan), n)
    atlas = Atlas(space, items, trust, find_clusters(items.coordinates, texts), nearest_items(space.vectors))
    keep_atlas(atlas, texts, folder)
    place_people(atlas, people_of(recommender.dataset), texts, folder)


@pytest.fixture(scope="module")
def canary_data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("canary-data")
    write_folder(canary_world(), folder / "canary")
    made = Recommender.from_dataset(open_dataset("canary", data_dir=folder), settings=Settings(data_dir=folder))
    found = evaluate(made.dataset, made.embeddings, encoder=made.encoder, plan=Plan("canary", folds=2, shots=(0, 5)))
    keep_evaluation(made.dataset, made.material_key, found)
    assert made.dataset.folder is not None
    map_of(made, made.dataset.folder)
    return folder


def sent(app) -> bytes:
    """Everything that the browser gets: the message of every element."""

    def messages(node) -> Iterator[bytes]:
        if getattr(node, "proto", None) is not None:
            yield node.proto.SerializeToString()
        for child in getattr(node, "children", {}).values():
            yield from messages(child)

    return b"".join(messages(app._tree))


def visited(open_app, folder: Path, pages: tuple[str, ...]) -> dict[str, bytes]:
    """What each page sends, with everything opened that is about real users."""
    app = open_app(folder, "canary", age="30", gender="F")
    found = {}
    for page in pages:
        app.switch_page(f"pages/{page}.py")
        if page == "compare":
            app.session_state["tab"] = "Fairness"
        if page == "explore":
            app.session_state["map_people"] = True
        app.run()
        assert not app.exception
        found[page] = sent(app)
        if page == "evaluate":
            app.session_state["evaluate_tab"] = "Fairness"
            found[page] += sent(app.run())
        assert not app.exception
    return found


def found_in(messages: dict[str, bytes]) -> set[tuple[str, str]]:
    return {
        (page, kind) for page, message in messages.items() for kind, canary in CANARIES.items() if canary in message
    }


def test_no_page_sends_who_anybody_is(open_app, canary_data):
    messages = visited(open_app, canary_data, ("recommend", "explain", "explore", "compare", "evaluate", "datasets"))

    assert found_in(messages) == set()
    assert b"User 17 of 60" in messages["explore"]  # the people are there, by row
    assert b" of 60" in messages["evaluate"]
    assert b"fewer than 10 people" in messages["datasets"]
    assert b"zip\\_code" in messages["datasets"]  # which columns are left out is said


def test_few_users_of_an_age_are_not_counted(monkeypatch):
    drawn, said = [], []
    monkeypatch.setattr(present.st, "bar_chart", lambda table, **rest: drawn.append(table))
    monkeypatch.setattr(present.st, "caption", said.append)
    users = pd.DataFrame(
        {"user_id": [str(n) for n in range(72)], "age": [15.0] * 3 + [20.0] * 40 + [30.0] * 12 + [60.0] * 17}
    )
    present._draw_ages(replace(canary_world(), users=users))

    assert drawn[0].to_dict() == {"18 to 24": 40, "55 and over": 17}
    assert "under 18, 25 to 34: hidden" in said[0]
    assert "fewer than 10 people" in said[0]


def test_without_the_guards_the_canaries_are_found(open_app, canary_data, monkeypatch, tmp_path):
    data_dir = shutil.copytree(canary_data, tmp_path / "data")  # of a dataset that no test before has opened
    monkeypatch.setattr(Dataset, "identifying", ())
    monkeypatch.setattr(Dataset, "user_called", lambda self, row: str(self.users["user_id"].iloc[row]))
    made = Recommender.from_dataset(open_dataset("canary", data_dir=data_dir), settings=Settings(data_dir=data_dir))
    told = atlases.told_people(made.dataset, people_of(made.dataset))
    assert all(canary.decode() in told[16] for canary in CANARIES.values())

    shown = found_in(visited(open_app, data_dir, ("recommend", "evaluate")))
    assert {("recommend", "name"), ("recommend", "zip"), ("recommend", "rare")} <= shown
    assert {("evaluate", "id"), ("evaluate", "name")} <= shown


def test_what_leaves_as_json_is_about_nobody(canary_data):
    from recsys.evaluation import kept_evaluations

    made = Recommender.from_dataset(
        open_dataset("canary", data_dir=canary_data), settings=Settings(data_dir=canary_data)
    )
    (kept,) = kept_evaluations(made.dataset, made.material_key)
    report = report_fairness(kept, made.dataset, recommender=made, n_draws=199)
    for told in (kept.to_dict(), report.to_dict()):
        text = json.dumps(told).encode()
        assert not any(canary in text for canary in CANARIES.values())
    assert isinstance(kept.users, pd.DataFrame)
    assert CANARIES["id"].decode() in kept.users["user_id"].iloc[0]  # the laboratory keeps them for itself
