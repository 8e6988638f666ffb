"""One way to run a page in-process."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from recsys.datasets import open_dataset
from recsys.recommender import Recommender

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _router_mode(monkeypatch):
    """AppTest finds the folder pages/ before every run and would skip app.py (Streamlit 1.67)."""
    from streamlit.runtime.pages_manager import PagesManager

    original = PagesManager.__init__

    def init(self, *args, **kwargs):
        PagesManager.uses_pages_directory = False
        original(self, *args, **kwargs)

    monkeypatch.setattr(PagesManager, "__init__", init)


@pytest.fixture(autouse=True)
def _everything_is_shown():
    """What a page raises is an exception here, not the box that readers see; settings in a file win over the environment."""
    before = config.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "full")
    yield
    config.set_option("client.showErrorDetails", before)


@pytest.fixture(scope="session")
def pages_data(tmp_path_factory) -> Path:
    """MovieLens-100K, encoded and trained once, so that no page waits for it."""
    folder = tmp_path_factory.mktemp("pages-data")
    Recommender.from_dataset(open_dataset("movielens-100k", data_dir=folder))
    return folder


@pytest.fixture
def own_data(pages_data, tmp_path) -> Path:
    """A copy of ``pages_data`` to which a test may add datasets."""
    return shutil.copytree(pages_data, tmp_path / "data")


@pytest.fixture
def open_app(monkeypatch, request) -> Callable[..., AppTest]:
    """Returns a function that runs the app, with query parameters, on a data folder: ``pages_data`` if none is given."""

    def run(data_dir: Path | None = None, dataset: str | None = None, **params) -> AppTest:
        monkeypatch.setenv("COLDLENS_DATA_DIR", str(data_dir or request.getfixturevalue("pages_data")))
        if dataset:
            monkeypatch.setenv("COLDLENS_DATASET", dataset)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for key, value in params.items():
            app.query_params[key] = value
        return app.run()

    return run
