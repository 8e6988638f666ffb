"""Profiles under a name, on disk."""

import stat

import pytest

from recsys.errors import DataError
from recsys.saved_profiles import MAX_SAVED, SavedProfiles
from recsys.schema import Profile

PROFILE = Profile(27, "F", {"occupation": "student"}, ("jazz",), ("1",))


@pytest.fixture
def shelf(tmp_path) -> SavedProfiles:
    return SavedProfiles(tmp_path / "profiles" / "toy.json")


def test_a_saved_profile_comes_back_for_its_owner_only(shelf):
    shelf.save("  Jazz   student ", PROFILE)

    assert [(saved.name, saved.profile) for saved in shelf.all()] == [("Jazz student", PROFILE)]
    assert stat.S_IMODE(shelf.path.stat().st_mode) == 0o600


def test_saving_replaces_one_of_the_same_name_and_keeps_the_others(shelf):
    shelf.save("b", PROFILE)
    shelf.save("a", PROFILE)
    shelf.save("b", Profile(age=1))

    assert [(saved.name, saved.profile.age) for saved in shelf.all()] == [("a", 27), ("b", 1)]


def test_deleting_removes_it_from_the_file(shelf):
    shelf.save("canary-name", PROFILE)

    shelf.delete("canary-name")
    shelf.delete("never there")

    assert shelf.all() == []
    assert all("canary" not in path.read_text() for path in shelf.path.parent.iterdir())


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_name_that_does_not_fit_is_refused(shelf, name):
    with pytest.raises(DataError, match="The name does not fit"):
        shelf.save(name, PROFILE)


def test_too_many_are_refused(shelf, monkeypatch):
    monkeypatch.setattr("recsys.saved_profiles.MAX_SAVED", 1)
    shelf.save("a", PROFILE)

    with pytest.raises(DataError, match="too many saved profiles"):
        shelf.save("b", PROFILE)
    assert MAX_SAVED > 1


@pytest.mark.parametrize("content", ["{", "[1]", '{"a": 3}'])
def test_a_damaged_file_is_named(shelf, content):
    shelf.path.parent.mkdir()
    shelf.path.write_text(content)

    with pytest.raises(DataError, match=r"cannot be read.*toy\.json"):
        shelf.all()
