"""With COLDLENS_PROFILE_IN_LINK=off nothing of a person is in the address: a random id is, the profile stays on the server."""

from urllib.parse import parse_qs, urlsplit

import pytest

CANARY = "canarysubmarine"


def texts(elements):
    return " ".join(element.value for element in elements)


@pytest.fixture
def private(monkeypatch, own_data):
    monkeypatch.setenv("COLDLENS_PROFILE_IN_LINK", "off")
    return own_data


def asked_by(link):
    """The query of a link, but for the dataset, which is the first one anyway."""
    return {key: values for key, values in parse_qs(urlsplit(link).query).items() if key != "dataset"}


def made_links(app):
    return [code.value for code in app.code if "person=" in code.value]


def test_the_address_holds_nothing_of_the_person(open_app, private):
    app = open_app(private)

    app.multiselect(key="interests").set_value([CANARY]).run()
    app.select_slider(key="age").set_value("71").run()

    assert not app.exception
    assert CANARY in texts(app.markdown)
    assert not {"age", "gender", "interests", "liked"} & set(app.query_params)
    assert CANARY not in str(dict(app.query_params))


def test_what_an_address_says_of_a_person_is_left_out_and_told(open_app, private):
    app = open_app(private, age="71", interests=[CANARY], liked=["50"], k="3")

    assert "links carry no profiles" in texts(app.warning)
    assert CANARY not in texts(app.markdown)
    assert CANARY not in str(dict(app.query_params))
    assert app.multiselect(key="liked").value == []
    assert app.select_slider(key="age").value == "22"  # the first preset, as without any person in the address
    assert app.slider(key="k").value == 3


def test_a_made_link_brings_the_person_back_until_it_is_revoked(open_app, private):
    app = open_app(private)
    app.multiselect(key="interests").set_value([CANARY]).run()
    next(button for button in app.button if button.label == "Make a link").click().run()
    [link] = made_links(app)
    query = asked_by(link)
    assert CANARY not in link
    assert len(query["person"][0]) >= 22

    friend = open_app(private, **query)
    assert CANARY in texts(friend.markdown)
    assert friend.select_slider(key="age").value == app.select_slider(key="age").value
    assert not friend.warning

    next(button for button in app.button if button.label == "Revoke").click().run()
    assert made_links(app) == []
    late = open_app(private, **query)
    assert "leads to no profile" in texts(late.warning)
    assert CANARY not in texts(late.markdown)
    assert not any(CANARY.encode() in path.read_bytes() for path in (private / "profiles").rglob("*") if path.is_file())


def test_both_people_of_compare_come_back(open_app, private):
    app = open_app(private)
    app.switch_page("pages/compare.py").run()
    app.multiselect(key="b-interests").set_value([CANARY]).run()
    app.session_state["tab"] = "Share"
    app.run()
    next(button for button in app.button if button.label == "Make a link").click().run()
    [link] = made_links(app)
    assert CANARY not in link

    friend = open_app(private, **asked_by(link))
    friend.switch_page("pages/compare.py").run()

    assert friend.multiselect(key="b-interests").value == [CANARY]
