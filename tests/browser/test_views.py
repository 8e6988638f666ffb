"""Pictures and facts of the shop in a real Chromium: on cards, over the map, in explanations; none of them from elsewhere."""

import re

import pytest
from driver import serve, visit
from playwright.sync_api import expect

from recsys.datasets import fetch_dataset

SHOP = "dataset=sample-shop&v=1&interests=something+red+for+the+kitchen"
_SPOT = """() => {
  const chart = document.querySelector('.js-plotly-plot'), layout = chart._fullLayout, box = chart.getBoundingClientRect();
  const items = chart._fullData.find((trace) => trace.customdata);
  return [box.left + layout._size.l + layout.xaxis.l2p(items.x[0]), box.top + layout._size.t + layout.yaxis.l2p(items.y[0])];
}"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A dashboard with nothing but the shop; maps stay previews."""
    scratch = tmp_path_factory.mktemp("views")
    fetch_dataset("sample-shop", data_dir=scratch / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLDLENS_DATASET", "sample-shop")
        patch.setenv("COLDLENS_BACKGROUND", "off")
        with serve(scratch / "data", scratch / "log") as running:
            yield running
            assert "Traceback" not in running.log


@pytest.fixture
def customer(browser, shop):
    with visit(browser, shop) as found:
        yield found
        assert (found.faults, found.outside) == ([], [])
        assert found.page.get_by_test_id("stException").count() == 0


def bars(visitor, name):
    """What the thin bars on the cards add up from: one text for each card."""
    found = visitor.page.locator(f"[data-testid=stMain] img[alt*='{name} ']").evaluate_all("all => all.map(i => i.alt)")
    return [told for told in found if not told.startswith("Score")]


@pytest.mark.release  # the picture in the drawer is seen with every commit
def test_cards_show_pictures_and_a_view_that_is_left_out_adds_nothing(customer):
    page = customer.page
    customer.open(f"/?{SHOP}&k=6")
    pictures = page.locator("[data-testid=stMain] img[alt=''][src*='/media/']")
    expect(pictures.nth(4)).to_be_attached()  # an item may lack a picture
    assert pictures.first.evaluate("picture => picture.naturalWidth") == 48
    before = bars(customer, "picture")
    assert len(before) == 6
    assert not all(told.startswith("text +0.000") for told in before)

    for name in ("picture", "text"):  # what the shop's people like says nearly nothing about its pictures
        page.get_by_test_id("stSidebar").get_by_role("button", name=name, exact=True).click()
        customer.settle()

    expect(page.locator("[data-testid=stMain] img[alt^='text +0.000, picture +0.000, facts']")).to_have_count(6)
    expect(page).to_have_url(re.compile("without=picture&without=text"))


def test_an_address_opens_with_its_weights_and_explains_by_views_and_facts_on_a_narrow_screen(customer):
    page = customer.page
    page.set_viewport_size({"width": 420, "height": 1600})
    customer.open(f"/explain?{SHOP}&scorer=cosine&weight-image=0")
    main = page.get_by_test_id("stMain")
    expect(main.locator("img[alt*='picture +0.000']").first).to_be_attached()
    expect(main).to_contain_text("Facts that it shares")
    expect(main.get_by_text("Shares ").or_(main.get_by_text("Same ")).first).to_be_visible()
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length > 3")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(page).to_have_url(re.compile("weight-image=0"))
    # the grid tells its cells to screen readers some time after it has drawn them
    expect(page.get_by_test_id("stDataFrame").filter(has_text="picture")).to_have_count(1)


def test_the_picture_stands_beside_the_pointer_and_in_the_drawer(customer):
    page = customer.page
    customer.open(f"/explore?{SHOP}&scorer=cosine")
    page.get_by_role("combobox", name="Map of").click()
    page.get_by_role("option", name="What pictures show").click()
    customer.settle()
    page.wait_for_function("() => document.querySelector('.js-plotly-plot')?._fullLayout?.xaxis")
    page.wait_for_timeout(800)
    card = page.locator(".card")
    expect(card).to_be_hidden()
    x, y = page.evaluate(_SPOT)

    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)

    expect(card).to_be_visible()
    title = card.inner_text()
    assert title
    assert card.locator("img").evaluate("picture => picture.naturalWidth") > 50
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.wait_for_timeout(400)
    page.mouse.down()
    page.mouse.up()
    customer.settle()
    expect(page.get_by_role("img", name=f"Picture of {title}")).to_be_visible()
    page.get_by_text("Facts that it shares").click()
    customer.settle()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    page.mouse.move(2, 2)
    expect(card).to_be_hidden()
