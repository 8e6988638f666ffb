"""Running and cancelling an evaluation as a person does, in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Server, Visitor, serve, visit
from playwright.sync_api import expect

from recsys.datasets import write_folder
from tests.training.world import world

PAGE = "/evaluate?dataset=world&age=25"
FOUND = "better than the best rival, popular"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluating") / "data"
    write_folder(world(n_users=120), folder / "world")
    return folder


@pytest.fixture(scope="module")
def evaluating(data) -> Iterator[Server]:
    with serve(data, data.parent / "log") as running:
        yield running
        assert "Traceback" not in running.log


@pytest.fixture
def tester(browser, evaluating) -> Iterator[Visitor]:
    with visit(browser, evaluating) as found:
        yield found
        assert found.faults == []
        assert found.outside == []
        assert found.page.locator("[data-testid=stException]").count() == 0


def kept(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "world" / "artifacts").glob("evaluation-*"))


def main_of(visitor: Visitor):
    return visitor.page.get_by_test_id("stMain")


def keep_only(visitor: Visitor, rival: str) -> None:
    """Empties the list of rivals and chooses one."""
    page = visitor.page
    main_of(visitor).get_by_role("button", name="Clear all").first.click()
    page.get_by_role("combobox", name="Rivals").fill(rival)
    page.get_by_role("option", name=rival, exact=True).first.click()
    page.keyboard.press("Escape")


def start(visitor: Visitor, *, seed: int = 0) -> None:
    page = visitor.page
    page.get_by_role("spinbutton", name="Folds").fill("2")
    page.get_by_role("spinbutton", name="Seed").fill(str(seed))
    page.get_by_role("button", name="Run", exact=True).click()


def test_a_person_runs_an_evaluation_and_sees_it_finish(tester: Visitor, data: Path):
    tester.open(PAGE)
    expect(main_of(tester)).to_contain_text("No evaluation has been made yet")
    assert kept(data) == []

    keep_only(tester, "popular")
    start(tester)
    progress = main_of(tester).get_by_test_id("stProgress")
    expect(progress.first).to_be_visible(timeout=20_000)
    expect(main_of(tester).get_by_role("button", name="Cancel")).to_be_visible()
    expect(main_of(tester).get_by_role("button", name="Run", exact=True)).to_have_count(0)
    expect(progress.first).to_contain_text("Fold", timeout=60_000)

    expect(main_of(tester)).to_contain_text(FOUND, timeout=120_000)
    tester.settle()
    table = main_of(tester).locator("table").first
    expect(table.locator("thead th")).to_have_text(
        ["nDCG@10", "demographics", "demographics+interests", "+1", "+3", "+5"]
    )
    names = [row.locator("td").first.inner_text() for row in table.locator("tbody tr").all()]
    assert names[0] == "additive"
    assert "popular" in names
    assert "item knn" not in names
    expect(table.locator("tbody tr td strong")).to_have_count(1 + 5)  # our name, and a winner in each column
    expect(main_of(tester)).to_contain_text("Mean over")
    assert len(kept(data)) == 1

    for name in ("For whom", "Fairness", "Views", "Calibration", "One person", "Training runs", "Measures", "Curve"):
        tester.page.get_by_role("tab", name=name).click()
        tester.settle()
        expect(tester.page.get_by_role("tabpanel", name=name)).to_be_visible()
        if name == "Fairness":
            expect(tester.page.get_by_role("tabpanel", name=name)).to_contain_text(
                "The same people with another gender"
            )


@pytest.mark.release  # jobs that are cancelled are seen with every commit in tests/pages/test_jobs.py
def test_a_cancelled_evaluation_leaves_nothing_and_the_page_goes_on(tester: Visitor, data: Path):
    if not kept(data):  # the test above runs with every commit, this one also alone
        tester.open(PAGE)
        keep_only(tester, "popular")
        start(tester)
        expect(main_of(tester)).to_contain_text(FOUND, timeout=180_000)
    before = kept(data)
    assert len(before) == 1
    tester.open(PAGE)
    tester.page.get_by_text("Run an evaluation").first.click()
    tester.settle()
    start(tester, seed=5)  # with every rival, so that there is time to cancel
    cancel = main_of(tester).get_by_role("button", name="Cancel")
    expect(main_of(tester).get_by_test_id("stProgress").first).to_contain_text("Fold", timeout=60_000)
    cancel.click()
    expect(cancel).to_have_count(0, timeout=20_000)
    tester.settle()

    assert kept(data) == before
    expect(main_of(tester)).to_contain_text(FOUND)
    assert tester.page.get_by_test_id("stAlert").count() == 0
    tester.page.wait_for_timeout(3000)
    assert kept(data) == before
    assert not list((data / "world" / "artifacts").glob(".draft-*"))

    tester.page.get_by_role("link", name="Recommend").first.click()
    tester.settle()
    assert len(tester.titles()) == 10
    expect(main_of(tester)).to_contain_text("How good for people like them")
