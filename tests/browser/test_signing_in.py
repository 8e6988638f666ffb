"""Where a provider is configured nothing is shown to who has not signed in, by whatever address they come."""

import re

import pytest
from driver import free_port, serve, visit
from playwright.sync_api import expect
from provider import provide

from tests.hostile import write_hostile

PAGES = (
    "/",
    "/explain?item=50&age=30",
    "/explore",
    "/compare?age=30",
    "/evaluate",
    "/datasets",
    "/?person=x&dataset=hostile",
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A provider, and a dashboard that lets in one domain and one address."""
    scratch, port = tmp_path_factory.mktemp("guarded"), free_port()
    write_hostile(scratch / "data" / "hostile")
    with provide() as provider:
        found = provider.secrets_for(f"http://127.0.0.1:{port}", scratch / "secrets.toml")
        environment = {"COLDLENS_USERS": "@example.com, guest@elsewhere.org", "COLDLENS_DATASET": "hostile"}
        options = [f"--secrets.files={found}"]
        with serve(scratch / "data", scratch / "log", port=port, options=options, environment=environment) as server:
            yield provider, server
            assert "Traceback" not in server.log


@pytest.mark.parametrize(
    "path", [pytest.param(p, marks=[pytest.mark.release] if n > 1 else []) for n, p in enumerate(PAGES)]
)
def test_no_address_leads_past_the_sign_in(browser, guarded, path):
    with visit(browser, guarded[1]) as visitor:
        visitor.open(path)
        expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible()
        text = visitor.page.locator("body").inner_text()
        assert "Profile" not in text
        assert "Dataset" not in text.replace("Datasets", "")
        assert visitor.page.get_by_test_id("stSidebar").count() == 0
        assert visitor.outside == []


def test_who_signs_in_is_let_in_and_out_again(browser, guarded):
    provider, server = guarded
    provider.user = {"sub": "7", "email": "ann@example.com", "email_verified": True}
    with visit(browser, server) as visitor:
        visitor.open("/datasets")
        visitor.page.get_by_role("button", name="Sign in").click()
        visitor.page.get_by_role("button", name="Sign out").wait_for(timeout=120_000)
        visitor.settle(timeout=120)
        expect(visitor.page.get_by_test_id("stSidebar")).to_contain_text("Dataset")
        # the name is shown with word joiners, so that Markdown makes no link of it
        expect(visitor.page.get_by_test_id("stSidebar")).to_contain_text(
            re.compile("\u2060?".join(map(re.escape, "ann@example.com")))
        )
        visitor.page.get_by_role("button", name="Sign out").click()
        expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible(timeout=30_000)
        assert "/token" in provider.asked


@pytest.mark.parametrize(
    "user",
    [
        {"email": "eve@evil.org"},
        pytest.param({"email": "ann@example.com", "email_verified": False}, marks=pytest.mark.release),
        pytest.param({"name": "Nobody"}, marks=pytest.mark.release),
    ],
)
def test_an_account_that_is_not_on_the_list_sees_nothing(browser, guarded, user):
    provider, server = guarded
    provider.user = {"sub": "9", **user}
    with visit(browser, server) as visitor:
        visitor.open("/")
        visitor.page.get_by_role("button", name="Sign in").click()
        expect(visitor.page.get_by_test_id("stAlert")).to_contain_text("may not use this dashboard", timeout=60_000)
        visitor.page.goto(f"{server.url}/evaluate")
        expect(visitor.page.get_by_test_id("stAlert")).to_contain_text("may not use this dashboard", timeout=60_000)
        assert visitor.page.get_by_test_id("stSidebar").count() == 0
