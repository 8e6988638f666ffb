"""The map in a real Chromium: fitted on the first visit, clicked, lassoed, turned in 3-D, and the star moves."""

import time

import pytest
from driver import visit
from playwright.sync_api import expect

PERSON = "/explore?age=31&gender=F&interests=science+fiction&k=10"
_STAR = """() => {
  const g = document.querySelector('.js-plotly-plot');
  const star = g && g._fullData && g._fullData.find(t => t.name === 'this person');
  return star ? [star.x[0], star.y[0]] : null;
}"""
_SPOT = """(name) => {
  const g = document.querySelector('.js-plotly-plot');
  const l = g._fullLayout, box = g.getBoundingClientRect();
  const found = [];
  for (const d of g._fullData) {
    if (!d.customdata) continue;
    for (let i = 0; i < d.x.length; i++) {
      const x = l.xaxis.l2p(d.x[i]), y = l.yaxis.l2p(d.y[i]);
      found.push([box.left + l._size.l + x, box.top + l._size.t + y, d.text[i]]);
    }
  }
  const wanted = found.find(p => p[2].startsWith(name));
  return wanted;
}"""


def main(visitor):
    return visitor.page.get_by_test_id("stMain")


def open_map(visitor, path=PERSON):
    """Opens the page and waits until the fitted map is there."""
    visitor.open(path)
    started = time.monotonic()
    while main(visitor).get_by_text("How far to trust this map").count() == 0:
        assert time.monotonic() - started < 200, main(visitor).inner_text()
        visitor.page.wait_for_timeout(500)
    visitor.settle()
    visitor.page.wait_for_function(
        "() => { const g = document.querySelector('.js-plotly-plot'); return g && g._fullLayout; }"
    )
    visitor.page.wait_for_timeout(800)


def drawn_star(visitor):
    return visitor.page.evaluate(_STAR)


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.release)])
def test_the_map_is_fitted_with_a_preview_and_the_star_moves_with_the_person(browser, server, scheme):
    with visit(browser, server, color_scheme=scheme) as visitor:
        open_map(visitor)
        before = drawn_star(visitor)
        assert before is not None

        visitor.page.get_by_role("combobox", name="Interests").fill("horror")
        visitor.page.keyboard.press("Enter")
        visitor.settle()
        for _ in range(20):
            if drawn_star(visitor) != before:
                break
            visitor.page.wait_for_timeout(250)

        after = drawn_star(visitor)
        assert after != before
        names = visitor.page.evaluate("document.querySelector('.js-plotly-plot')._fullData.map(t => t.name)")
        assert "trail" in names
        assert visitor.faults == []
        assert visitor.outside == []


def test_a_click_opens_the_item_with_its_true_neighbours(visitor):
    open_map(visitor)
    page = visitor.page
    x, y, label = page.evaluate(_SPOT, "Toy Story (1995)")

    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)
    page.wait_for_timeout(400)
    page.mouse.down()
    page.mouse.up()
    visitor.settle()

    expect(main(visitor)).to_contain_text("True neighbours")
    opened = page.get_by_role("combobox", name="Open an item").input_value()
    assert opened  # points may lie on top of each other; what was under the mouse is what hovering showed
    page.get_by_role("button", name="Like it").click()
    visitor.settle()
    expect(main(visitor)).to_contain_text(f"likes {opened.split(' (')[0]}")
    assert label


def test_a_box_selects_items_and_gives_counts_and_a_file(visitor):
    open_map(visitor)
    page = visitor.page
    page.locator(".js-plotly-plot").hover()
    page.locator(".modebar-btn[data-title='Lasso Select']").click()
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    left, top = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.35
    right, bottom = box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    visitor.settle()

    expect(main(visitor)).to_contain_text("items selected")
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert len(lines) > 5
    assert lines[0].startswith("item_id,item,categories,score")
    page.get_by_role("button", name="Clear selection").click()
    visitor.settle()
    expect(main(visitor)).not_to_contain_text("items selected")


def test_three_dimensions_and_the_table_for_the_keyboard(visitor):
    open_map(visitor)
    page = visitor.page
    page.get_by_role("radio", name="3-D").or_(page.get_by_role("button", name="3-D")).first.click()
    visitor.settle()
    started = time.monotonic()
    while main(visitor).get_by_text("How far to trust this map").count() == 0:  # the 3-D map is fitted second
        assert time.monotonic() - started < 120
        page.wait_for_timeout(500)
    visitor.settle()

    page.wait_for_function("() => document.querySelector('.js-plotly-plot .gl-container canvas')")
    page.get_by_text("The map as a table").click()
    visitor.settle()
    expect(main(visitor)).to_contain_text("This person's list")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()


def test_a_later_visit_opens_without_waiting(browser, server):
    with visit(browser, server) as visitor:
        open_map(visitor)
    with visit(browser, server) as again:
        again.open(PERSON)
        expect(main(again)).to_contain_text("How far to trust this map")
        assert main(again).get_by_text("preview").count() == 0


def test_narrow_pages_fit(browser, server):
    with visit(browser, server, color_scheme="dark") as visitor:
        visitor.page.set_viewport_size({"width": 400, "height": 900})
        open_map(visitor)
        for name in ("Diagnosis", "Two encoders"):
            visitor.page.get_by_role("tab", name=name).click()
            visitor.settle(timeout=120)
            assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert visitor.faults == []
