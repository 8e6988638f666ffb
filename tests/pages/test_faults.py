"""What nobody foresaw: an id on the page, one line in the log, and nothing of what was typed in either."""

import logging
import re
import threading

import pytest
import streamlit as st
from streamlit import config

from pages.shared import faults

CANARY = "canary-of-somebody-who-likes-submarines"


@pytest.fixture
def hidden():
    """As the dashboard is shipped; tests elsewhere want to see everything."""
    before = st.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "none")
    yield
    config.set_option("client.showErrorDetails", before)


@pytest.fixture
def log():
    """Everything that is logged, as it would be printed, Streamlit's loggers included."""
    faults.install()
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Keep()
    loggers = [logging.getLogger(name) for name in ("", "streamlit.error_util", "streamlit")]
    for logger in loggers:
        logger.addHandler(handler)
    yield lines
    for logger in loggers:
        logger.removeHandler(handler)


def fail(*args, **kwargs):
    raise RuntimeError(f"cannot do it for {CANARY}") from ValueError(CANARY)


def the_id(app) -> str:
    [box] = [error.value for error in app.error if "should not have" in error.value]
    return re.search(r"“([0-9a-f]{8})”", box)[1]


def test_a_page_that_fails_shows_an_id_that_finds_one_line(open_app, monkeypatch, hidden, log):
    monkeypatch.setattr("recsys.recommender.Recommender.recommend", fail)

    app = open_app(interests=[CANARY])

    fault = the_id(app)
    assert not app.exception
    [line] = [line for line in log if fault in line]
    assert "RuntimeError from ValueError at" in line
    assert "test_faults.py" in line
    assert "recommend.py" in line
    assert not any(CANARY in line for line in log)
    assert not any(CANARY in error.value for error in app.error)
    assert app.select_slider(key="age").value  # the form is still there


def test_a_callback_that_fails_as_well(open_app, monkeypatch, hidden, log):
    app = open_app()
    monkeypatch.setattr("pages.shared.form.random_profile", fail)

    app.button(key="surprise").click().run()

    fault = the_id(app)
    assert sum(fault in line for line in log) == 1
    assert not any(CANARY in line for line in log)
    assert not any(CANARY in part.value for part in (*app.error, *app.exception))


def test_a_thread_that_fails_is_told_without_its_message(log):
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    assert sum("RuntimeError" in line for line in log) == 1
    assert not any(CANARY in line for line in log)


def test_any_logged_exception_is_told_without_its_message(log):
    try:
        fail()
    except RuntimeError:
        logging.getLogger("some.library").exception("while working")

    [line] = [line for line in log if "while working" in line]
    assert "RuntimeError" in line
    assert CANARY not in line


def test_for_developers_everything_is_shown(open_app, monkeypatch):
    monkeypatch.setattr("recsys.recommender.Recommender.recommend", fail)

    app = open_app()

    assert CANARY in app.exception[0].message
