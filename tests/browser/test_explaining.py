"""Explaining in a real Chromium: from a card to words, pairs, contrast, edits and back, with mouse and keyboard."""

import re
from urllib.parse import quote

import pytest
from driver import serve, visit
from playwright.sync_api import expect

from tests.hostile import write_hostile

PERSON = "/explain?age=31&gender=F&interests=science+fiction&interests=love+and+war&k=10"


def open_tab(visitor, name):
    visitor.page.get_by_role("tab", name=name).click()
    visitor.settle(timeout=120)


def main(visitor):
    return visitor.page.get_by_test_id("stMain")


def test_a_card_leads_to_its_explanation_and_back_leads_to_the_list(visitor):
    visitor.open("/?age=31&interests=space&k=5")
    titles = visitor.titles()

    visitor.page.get_by_role("button", name="Why?").nth(2).click()
    visitor.settle()

    expect(visitor.page.get_by_role("heading", name="Why this item, and why not that one?")).to_be_visible()
    expect(main(visitor)).to_contain_text(titles[2])
    expect(main(visitor)).to_contain_text("Age 31")
    expect(main(visitor)).to_contain_text("3 of 1,682")
    visitor.page.go_back()
    assert visitor.titles_after([]) == titles


def test_words_can_be_pressed_with_the_keyboard_and_tell_their_pairs(visitor):
    visitor.open(PERSON)
    open_tab(visitor, "Words")
    page = visitor.page
    word = page.get_by_role("button", name=re.compile("^science: "))
    expect(word).to_be_visible()
    whole = page.get_by_role("button", name=re.compile("^1977: |^19")).first.get_attribute("aria-label")
    expect(page.locator("svg path[stroke]").nth(4)).to_be_attached()

    word.focus()
    page.keyboard.press("Enter")

    expect(word).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("together with each word of the item")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^1977: |^19")).first).not_to_have_attribute("aria-label", whole)
    page.keyboard.press("Enter")
    expect(word).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_text("strongest pairs are drawn")).to_be_visible()


TEXTS = """lines => lines.map(line => [...line.childNodes].map(
  node => node.nodeType === 3 ? node.textContent : (node.querySelector("b") || node).textContent).join(""))"""


@pytest.mark.parametrize("interest", ["space 🎬 爱情 war", "naïve 👩‍🚀 café!", "(noir)"])
def test_a_text_is_shown_as_it_was_typed_whatever_the_script(visitor, interest):
    visitor.open(f"/explain?age=31&interests={quote(interest)}&scorer=additive")
    open_tab(visitor, "Words")

    expect(visitor.page.locator("p.line").first).to_be_visible()
    lines = visitor.page.locator("p.line").evaluate_all(TEXTS)

    assert lines[0] == "Age 31"
    assert lines[1] == interest
    assert lines[-1].split("  ") == ["facts", "learned from likes"]


def test_the_matrix_adds_up_as_printed(visitor):
    visitor.open(PERSON + "&scorer=cosine")
    open_tab(visitor, "Words")

    table = visitor.page.get_by_role("region", name="Parts of the person by parts of the item").locator("table")
    expect(table).to_be_visible()
    rows = [[cell.replace("−", "-") for cell in row] for row in table.locator("tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )]  # fmt: skip
    cells = [[float(cell) for cell in row[1:-1]] for row in rows[1:-1]]
    total = float(rows[-1][-1])
    assert sum(map(sum, cells)) == pytest.approx(total, abs=0.0005 * sum(len(row) for row in cells) + 0.001)
    expect(main(visitor)).to_contain_text(f"add up to {total:.2f}"[:-1])
    assert [row[0] for row in rows[1:-1]][:3] == ["A", "31-year-old", "female"]


def test_every_tab_is_drawn_and_an_edit_can_be_tried(visitor):
    visitor.open(PERSON)
    expect(main(visitor)).to_contain_text("without this: score")

    open_tab(visitor, "Against another item")
    expect(main(visitor)).to_contain_text("stands above")
    open_tab(visitor, "Does it hold?")
    expect(main(visitor)).to_contain_text("scored again each time")
    open_tab(visitor, "Why not that one?")
    expect(main(visitor)).to_contain_text("What would bring it into the top 10")
    wanted = visitor.page.get_by_role("combobox", name="Why is this one not in the list?").input_value()
    visitor.page.get_by_role("button", name="Try it").first.click()
    visitor.settle()
    visitor.page.get_by_role("link", name="Recommend").first.click()
    visitor.settle()

    assert any(title in wanted for title in visitor.titles())


def test_the_item_of_a_copied_link_comes_back(visitor, browser, server):
    visitor.open(PERSON + "&item=183")
    expect(main(visitor)).to_contain_text("Alien (1979)")
    visitor.page.get_by_role("button", name="Copy link").click()
    link = visitor.page.get_by_test_id("stCode").filter(has_text="explain").first.inner_text().strip()

    with visit(browser, server) as friend:
        friend.open(link.removeprefix(server.url))
        expect(main(friend)).to_contain_text("Alien (1979)")
        expect(main(friend)).to_contain_text("Age 31 · Gender F")


def test_the_exported_page_opens_without_the_server(visitor, tmp_path):
    visitor.open(PERSON)
    score = visitor.page.get_by_test_id("stMetricValue").nth(1).inner_text()
    visitor.page.get_by_role("button", name="Export").click()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="HTML").click()
    file = tmp_path / "why.html"
    download.value.save_as(file)

    page = visitor.page.context.new_page()
    page.goto(file.as_uri())

    expect(page.locator("body")).to_contain_text(f"score {score}")
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0


def test_narrow_and_dark_fit(browser, server):
    with visit(browser, server, color_scheme="dark") as visitor:
        visitor.page.set_viewport_size({"width": 400, "height": 900})
        visitor.open(PERSON)
        for name in ("Words", "Against another item", "Why not that one?", "Does it hold?"):
            open_tab(visitor, name)
            assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert visitor.faults == []


@pytest.mark.release
def test_a_hostile_catalog_is_explained_as_text(browser, tmp_path):
    write_hostile(tmp_path / "data" / "hostile")
    with serve(tmp_path / "data", tmp_path / "log") as server, visit(browser, server) as visitor:
        for item in ("00%3Cb%3E", "04%3Cb%3E", "10%3Cb%3E"):
            visitor.open(f"/explain?dataset=hostile&interests=%3Cimg%20src%3Dx%20onerror%3Dalert(9)%3E&item={item}")
            for name in ("Words", "Against another item", "Why not that one?", "Does it hold?"):
                open_tab(visitor, name)
        assert visitor.faults == []
        assert visitor.outside == []
        assert "Traceback" not in server.log
