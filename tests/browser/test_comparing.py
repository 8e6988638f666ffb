"""The demo that a stakeholder would see, in a real Chromium: two people, what changes, why, and the pack to take away."""

import re
from urllib.parse import quote

import pytest
from driver import serve, visit
from playwright.sync_api import expect

from tests.hostile import write_hostile

START = "/compare?age=27&gender=F&interests=romance&k=10&v=1"


def main(visitor):
    return visitor.page.get_by_test_id("stMain")


def open_tab(visitor, name):
    visitor.page.get_by_role("tab", name=name, exact=True).click()
    visitor.settle(timeout=120)


def listed(visitor, name):
    """The titles on one side of the chart, listed ones only."""
    rows = visitor.page.get_by_role("list", name=f"{name} sees").locator("li:not(.off):not(.break) .title")
    expect(rows.first).to_be_visible()
    return rows.all_inner_texts()


def test_the_demo_of_a_stakeholder(visitor, browser, tmp_path):
    page = visitor.page
    visitor.open("/compare")
    page.get_by_test_id("stSidebar").get_by_role("combobox", name="Start from").click()
    page.get_by_role("option").nth(1).click()
    visitor.settle()

    page.get_by_role("button", name="Copy A to B").click()
    visitor.settle()
    expect(main(visitor)).to_contain_text("Both see the same list")
    assert listed(visitor, "A") == listed(visitor, "B") != []

    second = main(visitor)
    second.get_by_role("combobox", name="Occupation").click()
    page.get_by_role("option", name="retired").click()
    visitor.settle()
    second.get_by_role("radio", name=re.compile("^(M|F)$")).locator("visible=true").last.click()
    visitor.settle()
    slider = second.get_by_role("slider", name="Age")
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    visitor.settle()
    first_list, second_list = listed(visitor, "A"), listed(visitor, "B")
    assert first_list != second_list
    expect(main(visitor)).to_contain_text("items are others for B")
    new = set(second_list) - set(first_list)
    assert new
    expect(page.get_by_text("enters", exact=True)).to_have_count(len(new))

    entered = page.get_by_role("list", name="B sees").get_by_role("button", name=re.compile("enters$")).first
    title = entered.get_attribute("title")
    entered.click()
    visitor.settle()
    expect(main(visitor).get_by_role("combobox", name="Why")).to_have_value(title)
    expect(main(visitor)).to_contain_text("The bars add up to")

    open_tab(visitor, "Sweep")
    expect(main(visitor)).to_contain_text(re.compile(r"items share the top 10"))
    expect(page.locator(".js-plotly-plot .hm")).to_have_count(1)

    open_tab(visitor, "Bring it in")
    expect(main(visitor)).to_contain_text("What would bring it into the top 10")
    page.get_by_role("button", name="Make it B").first.click()
    visitor.settle()
    open_tab(visitor, "A and B")
    changed = listed(visitor, "B")

    open_tab(visitor, "Share")
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name="Stakeholder pack").click()
    pack = tmp_path / "pack.html"
    download.value.save_as(pack)
    _the_pack_shows(browser, pack, changed)


def _the_pack_shows(browser, pack, titles):
    """Opens the file with no network at all; it must ask for nothing and show the same list."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(pack.as_uri())
    text = page.inner_text("body")
    context.close()
    assert faults == []
    assert asked == [pack.as_uri()]
    assert titles and all(title in text for title in titles)


def test_a_copied_link_brings_back_both_people(visitor, browser, server):
    visitor.open(START + "&b-age=60&b-gender=M&tab=Share")
    visitor.page.get_by_role("button", name="Copy link").click()
    visitor.page.wait_for_timeout(400)
    link = visitor.page.get_by_test_id("stCode").first.inner_text()
    visitor.page.keyboard.press("Escape")
    open_tab(visitor, "A and B")
    before = listed(visitor, "A"), listed(visitor, "B")

    with visit(browser, server) as other:
        other.open(link.replace(server.url, "").replace("tab=Share", "tab=A+and+B"))
        assert (listed(other, "A"), listed(other, "B")) == before
        assert other.faults == []


def test_back_and_forth_keeps_the_second_person(visitor):
    visitor.open(START + "&b-age=60")
    shown = listed(visitor, "B")

    visitor.page.get_by_role("link", name="Recommend").click()
    visitor.settle()
    visitor.page.get_by_role("link", name="Compare").click()
    visitor.settle()

    assert listed(visitor, "B") == shown


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1400),
        ("dark", 420),
        pytest.param("light", 420, marks=pytest.mark.release),
        pytest.param("dark", 1400, marks=pytest.mark.release),
    ],
)
def test_nothing_runs_over_the_edge(browser, server, scheme, width):
    with visit(browser, server, color_scheme=scheme) as visitor:
        visitor.page.set_viewport_size({"width": width, "height": 1200})
        for tab in ("A and B", "Sweep", "Cold to warm"):
            visitor.open(START + f"&b-age=60&tab={tab.replace(' ', '+')}")
            over = visitor.page.evaluate(
                "() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth; }"
            )
            assert over <= 1, tab
        assert visitor.faults == []


@pytest.mark.release
def test_hostile_titles_and_words_stay_text(browser, tmp_path):
    dataset = write_hostile(tmp_path / "data" / "hostile")
    ids = "".join(f"&liked={quote(item_id)}" for item_id in dataset.items["item_id"][:4])
    person = f"interests={quote('![x](http://example.org/x.png)')}&b-interests=romance{ids}&v=1"
    with serve(tmp_path / "data", tmp_path / "log") as running, visit(browser, running) as visitor:
        for tab in ("A+and+B", "Sweep", "Bring+it+in", "Cold+to+warm"):
            visitor.open(f"/compare?dataset=hostile&{person}&tab={tab}")
            assert visitor.faults == [] and visitor.outside == [], tab
            assert visitor.page.locator("[data-testid=stException]").count() == 0
        assert "Traceback" not in running.log
