"""The private scorer is offered once it has been fitted, and says what it promises."""

from pathlib import Path

import pytest

from pages.shared import resources
from recsys.datasets import open_dataset, write_folder
from recsys.privacy import Budget, Public, SiteSums, UserColumns, federated_fit, fit_and_keep
from recsys.recommender import Recommender
from tests.pages.test_recommend import titles
from tests.toy import ToyEncoder
from tests.training.world import world


@pytest.fixture
def data(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(resources, "_encoder", lambda *_: ToyEncoder())
    write_folder(world(), tmp_path / "world")
    return tmp_path


def fit(data: Path, epsilon: float) -> None:
    dataset = open_dataset("world", data_dir=data)
    ready = Recommender.from_dataset(dataset, scorer="cosine", encoder=ToyEncoder())
    fit_and_keep(
        dataset,
        ready.embeddings,
        encoder=ready.encoder,
        embeddings_key=ready.embeddings_key,
        budget=Budget(epsilon),
    )


def captions(app) -> str:
    return " ".join(caption.value.replace("\\", "") for caption in app.caption)


def test_it_is_offered_once_it_is_there_and_tells_epsilon_and_delta(open_app, data: Path):
    app = open_app(data, "world", age="27", gender="F")
    assert not app.exception
    assert "private" not in app.selectbox(key="scorer").options
    fit(data, 3.0)

    app.run()
    app.selectbox(key="scorer").set_value("private").run()

    assert not app.exception
    assert len(titles(app)) == 10
    assert "no single one of them makes a difference. epsilon = 3, delta = 1e-05." in captions(app)

    first = titles(app)
    fit(data, 0.1)
    app.run()

    assert not app.exception
    assert "epsilon = 0.1, delta = 1e-05" in captions(app)
    assert titles(app) != first, "the fit that was made last is the one that is shown"


def test_a_link_to_it_works(open_app, data: Path):
    fit(data, 3.0)
    app = open_app(data, "world", age="27", scorer="private")
    assert not app.exception
    assert app.selectbox(key="scorer").value == "private"


def test_sums_of_sites_are_not_called_private(open_app, data: Path):
    dataset = open_dataset("world", data_dir=data)
    ready = Recommender.from_dataset(dataset, scorer="cosine", encoder=ToyEncoder())
    columns, vectors = UserColumns.of(dataset), ready.embeddings
    public = Public.from_catalog(dataset, vectors, encoder=ready.encoder, columns=columns)
    sites = [SiteSums.of(dataset, vectors, public)]
    federated_fit(dataset, vectors, sites, public, encoder=ready.encoder, embeddings_key=ready.embeddings_key)

    app = open_app(data, "world", age="27", scorer="federated")

    assert not app.exception
    assert app.selectbox(key="scorer").value == "federated"
    assert "private" not in app.selectbox(key="scorer").options
    assert "1 site, 0 of them with noise of their own" in captions(app)
    assert "makes a difference" not in captions(app)
    assert len(titles(app)) == 10
