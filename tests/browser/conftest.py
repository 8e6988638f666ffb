"""One browser for the whole run, one server for each need; without Chromium the tests are skipped, with CI=true they fail."""

import os
from pathlib import Path

import pytest
from driver import CHROMIUM, chromium, serve, visit
from playwright.sync_api import expect

HOW = f"needs Chromium at {CHROMIUM}: on Debian, as root, `apt-get install chromium fonts-dejavu fonts-noto-core`"


def pytest_collection_modifyitems(items):
    """Marks the browser's tests, and has them run last: their server goes on working in the background."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker("browser")
    items[:] = [*(item for item in items if item not in ours), *ours]


@pytest.fixture(scope="session")
def browser():
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail(HOW)
        pytest.skip(HOW)
    expect.set_options(timeout=20_000)  # a busy machine draws late, and what is drawn is judged, not how soon
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A dashboard on an empty data folder; its log must stay free of tracebacks, and it may dial nobody."""
    scratch = tmp_path_factory.mktemp("browser")
    with serve(scratch / "data", scratch / "log") as running:
        yield running
        assert "Traceback" not in running.log
        assert running.dialled == ""


@pytest.fixture
def visitor(browser, server):
    """A fresh visitor; nothing may fail in the page and nothing may leave for another host."""
    with visit(browser, server) as found:
        yield found
        assert found.faults == []
        assert found.outside == []
        assert found.page.locator("[data-testid=stException]").count() == 0
