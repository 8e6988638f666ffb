"""Who is welcome, and whose profiles are whose; the sign-in itself is driven in tests/browser/test_signing_in.py."""

import pytest

from pages.shared import gate, resources
from recsys.schema import Profile


@pytest.mark.parametrize(
    ("user", "users", "is_welcome"),
    [
        ({"email": "ann@example.com"}, (), True),
        ({}, (), True),
        ({"email": "Ann@Example.com "}, ("ann@example.com",), True),
        ({"email": "ann@example.com"}, ("@example.com",), True),
        ({"email": "ann@sub.example.com"}, ("@example.com",), False),
        ({"email": "ann@evilexample.com"}, ("@example.com",), False),
        ({"email": "ann@example.com", "email_verified": False}, ("@example.com",), False),
        ({"email": "eve@evil.org@example.com"}, ("ann@example.com",), False),
        ({"email": "@example.com"}, ("ann@example.com",), False),
        ({"email": None}, ("@example.com",), False),
        ({}, ("@",), False),
    ],
)
def test_who_is_welcome(user, users, is_welcome):
    assert gate.is_welcome(user, users) is is_welcome


class User:
    is_logged_in = True

    def __init__(self, subject):
        self.subject = subject

    def to_dict(self):
        return {"iss": "https://id.example.com", "sub": self.subject, "email": "ann@example.com"}


def test_saved_profiles_belong_to_the_account(tmp_path, monkeypatch):
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path))
    resources.saved_profiles("toy").save("everybody's", Profile(age=1))
    monkeypatch.setattr(gate, "is_configured", lambda: True)
    monkeypatch.setattr(gate.st, "user", User("7"))
    resources.saved_profiles("toy").save("mine", Profile(age=2))
    assert [saved.name for saved in resources.saved_profiles("toy").all()] == ["mine"]
    monkeypatch.setattr(gate.st, "user", User("8"))
    assert resources.saved_profiles("toy").all() == []
    assert not any("ann" in str(path) for path in tmp_path.rglob("*"))
