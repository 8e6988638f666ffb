"""Profiles under a name, on disk."""

import stat

import pytest

from recsys.errors import DataError
from recsys.saved_profiles import LINK_DAYS, MAX_SAVED, LinkedProfiles, SavedProfiles
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


@pytest.fixture
def linked(tmp_path) -> LinkedProfiles:
    return LinkedProfiles(tmp_path / "linked" / "toy")


def test_a_link_leads_to_its_profiles_until_it_expires(linked):
    link = linked.keep([PROFILE, Profile(age=1)], now=1000.0)

    [path] = linked.folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(linked.folder.stat().st_mode) == 0o700
    assert link not in path.name
    last = 1000.0 + LINK_DAYS * 86400
    assert linked.open(link, now=last - 1) == (PROFILE, Profile(age=1))
    assert linked.open(link, now=last) == ()
    other = linked.keep([PROFILE], now=last)
    assert [found.name for found in linked.folder.iterdir()] != [path.name]
    assert len(list(linked.folder.iterdir())) == 1
    assert linked.open(other, now=last) == (PROFILE,)


def test_unknown_revoked_expired_and_damaged_links_are_not_told_apart(linked):
    links = [linked.keep([PROFILE], now=0.0) for _ in range(4)]
    linked.revoke(links[0])
    linked.revoke(links[0])
    linked._path(links[1]).write_text("{", "utf-8")
    linked._path(links[2]).write_text('{"expires": "soon", "profiles": 3}', "utf-8")
    wrong = [*links[:3], links[3] + "x", "", "../../x", "x" * 5000, "\ud800"]

    assert [linked.open(link, now=1.0) for link in wrong] == [()] * len(wrong)
    assert linked.open(links[3], now=LINK_DAYS * 86400.0) == ()
    assert linked.open(links[3], now=1.0) == (PROFILE,)


def test_links_do_not_repeat_and_can_all_be_revoked(linked, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    links = {linked.keep([PROFILE]) for _ in range(300)}

    assert len(links) == 300
    assert linked.revoke_all() == 300
    assert all(linked.open(link) == () for link in links)


def test_too_many_links_are_refused(linked, monkeypatch):
    monkeypatch.setattr("recsys.saved_profiles.MAX_LINKED", 2)
    linked.keep([PROFILE])
    linked.keep([PROFILE])
    with pytest.raises(DataError, match="too many links"):
        linked.keep([PROFILE])
