"""`recsys links`: how many there are, and revoking one or all."""

import json

from typer.testing import CliRunner

from recsys.cli import app
from recsys.saved_profiles import LinkedProfiles
from recsys.schema import Profile


def run(*words):
    return CliRunner().invoke(app, list(words))


def test_links_are_counted_and_revoked(tmp_path):
    shelf = LinkedProfiles(tmp_path / "profiles" / "linked" / "movielens-100k")
    one, other, third = (shelf.keep([Profile(age=age, interests=("canary",))]) for age in (1, 2, 3))
    data = ("--data-dir", str(tmp_path))

    listed = run("links", "list", *data, "--json")
    assert json.loads(listed.stdout) == {"movielens-100k": 3}
    assert "canary" not in listed.stdout
    address = f"http://127.0.0.1:8501/?v=1&person={one}&k=5"
    assert json.loads(run("links", "revoke", address, *data, "--json").stdout) == {"revoked": 1}
    assert shelf.open(one) == ()
    assert shelf.open(other) != ()
    assert json.loads(run("links", "revoke", third, *data, "--json").stdout) == {"revoked": 1}
    assert json.loads(run("links", "revoke", "--all", *data, "--json").stdout) == {"revoked": 1}
    assert shelf.open(other) == ()
    assert run("links", "list", *data).stdout == "There are no links.\n"


def test_it_has_to_be_said_which_one(tmp_path):
    for words in ((), ("some", "--all")):
        assert "not said which link" in str(run("links", "revoke", *words, "--data-dir", str(tmp_path)).exception)
