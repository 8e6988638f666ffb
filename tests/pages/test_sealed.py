"""A sealed dataset on the pages: a box that says what to set without the key, the list with it."""

import pytest

from pages.shared import resources
from recsys.datasets import write_folder
from recsys.saved_profiles import SavedProfiles
from recsys.schema import Profile
from recsys.sealing import Seal
from tests.toy import ToyEncoder

KEY = "k" * 43 + "="


@pytest.fixture
def sealed(toy, tmp_path, monkeypatch):
    """The toy world and a saved profile, sealed, and no key in the environment."""
    for name in ("COLDLENS_KEY", "COLDLENS_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(resources, "_encoder", lambda *_: ToyEncoder())
    write_folder(toy, tmp_path / "toy", seal=Seal((KEY,)))
    SavedProfiles(tmp_path / "profiles" / "toy.json", Seal((KEY,))).save("Anna of the shelf", Profile(30))
    return tmp_path


def test_without_the_key_a_box_says_what_to_set_and_with_it_the_list_is_there(open_app, sealed, monkeypatch):
    closed = open_app(sealed, "toy", scorer="cosine")
    assert not closed.exception
    [box] = [error.value.replace("\\", "") for error in closed.error]
    assert "The file is sealed, and no key is set" in box
    assert "Set COLDLENS_KEY or COLDLENS_KEY_FILE" in box

    monkeypatch.setenv("COLDLENS_KEY", KEY)
    opened = open_app(sealed, "toy", scorer="cosine", interests="space")
    assert not opened.exception
    assert not opened.error
    assert any("Story" in markdown.value for markdown in opened.markdown)
    assert "Anna of the shelf" in opened.selectbox(key="saved_name").options


def test_only_processes_that_open_a_dataset_are_told_the_key(monkeypatch, tmp_path):
    from pages.shared import asking, job

    seen = []
    monkeypatch.setattr(asking, "_run", lambda words, environment, seconds: seen.append(environment) or (0, b"1", ""))
    monkeypatch.setenv("COLDLENS_KEY_FILE", "here/key")
    monkeypatch.chdir(tmp_path)
    asking.ask(["datasets", "inspect", "x"])
    asking.ask(["reread", "people", "x"], opens_dataset=True)
    background = job._environment(resources.settings(), tmp_path, is_patient=False, is_reading=False)

    assert ["COLDLENS_KEY_FILE" in environment for environment in seen] == [False, True]
    for environment in (seen[1], background):  # they run in another folder
        assert environment["COLDLENS_KEY_FILE"] == str(tmp_path / "here" / "key")
