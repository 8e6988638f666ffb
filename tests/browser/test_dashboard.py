"""What a person does in the dashboard, in a real Chromium. The first test finds a fresh server with an empty data folder."""

import re
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

from driver import visit
from playwright.sync_api import expect

DEEP_LINK = "/datasets?age=64&gender=F&interests=jazz&k=5"


def test_a_cold_deep_link_opens_its_page_with_frame_and_profile(visitor):
    visitor.open(DEEP_LINK)

    expect(visitor.page.get_by_role("heading", name="What data is this about?")).to_be_visible()
    expect(visitor.page.get_by_role("link", name="Recommend").first).to_be_visible()
    expect(visitor.page.get_by_test_id("stMain")).to_contain_text("Age 64")
    expect(visitor.page.get_by_test_id("stMain")).to_contain_text("jazz")
    expect(visitor.page).to_have_url(re.compile(r"[?&]age=64(&|$)"))


def test_the_profile_follows_to_the_other_page(visitor):
    visitor.open(DEEP_LINK)

    visitor.page.get_by_role("link", name="Recommend").first.click()
    visitor.settle()

    expect(visitor.page.get_by_role("heading", name="What would we show this person?")).to_be_visible()
    expect(visitor.page.get_by_test_id("stMain")).to_contain_text("Age 64")
    assert len(visitor.titles()) == 5


def test_a_first_visit_shows_a_preset_and_ten_items(visitor):
    visitor.open("/")

    assert len(visitor.titles()) == 10
    expect(visitor.page.get_by_test_id("stMain")).to_contain_text("Age 22")


def test_changing_the_person_changes_the_list_and_the_copied_link_brings_it_back(visitor, browser, server):
    page = visitor.page
    visitor.open("/")
    seen = [visitor.titles()]

    slider = page.get_by_role("slider", name="Age")
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    visitor.settle()
    expect(page.get_by_test_id("stMain")).to_contain_text("Age 34")
    seen.append(visitor.titles_after(seen[-1]))

    page.get_by_test_id("stSidebar").get_by_role("radio", name="M", exact=True).or_(
        page.get_by_test_id("stSidebar").get_by_role("button", name="M", exact=True)
    ).first.click()
    visitor.settle()
    expect(page.get_by_test_id("stMain")).to_contain_text("Gender M")
    seen.append(visitor.titles_after(seen[-1]))

    page.get_by_role("combobox", name="Interests").fill("submarines")
    page.keyboard.press("Enter")
    visitor.settle()
    expect(page.get_by_test_id("stMain")).to_contain_text("submarines")
    seen.append(visitor.titles_after(seen[-1]))
    assert all(before != after for before, after in pairwise(seen))

    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Liked items").fill("Toy Story")
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    visitor.settle()
    expect(page.get_by_test_id("stMain")).to_contain_text("likes Toy Story")
    page.keyboard.press("Escape")
    visitor.settle()
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_test_id("stCode").filter(has_text="submarines").first.inner_text().strip()
    with visit(browser, server) as friend:
        friend.open(link.removeprefix(server.url))
        assert friend.titles() == visitor.titles()
        expect(friend.page.get_by_test_id("stMain")).to_contain_text("Age 34 · Gender M")
        expect(friend.page.get_by_test_id("stMain")).to_contain_text("likes Toy Story")


def test_one_change_and_a_reload_keep_the_preset_and_liked_items(visitor, browser, server):
    visitor.open("/")
    visitor.page.get_by_role("combobox", name="Liked items").fill("Star Wars")
    visitor.page.wait_for_timeout(300)
    visitor.page.keyboard.press("Enter")
    visitor.settle()
    expect(visitor.page.get_by_test_id("stMain")).to_contain_text("likes Star Wars")
    before = visitor.titles()

    visitor.page.reload()
    visitor.settle(timeout=120)

    line = visitor.page.get_by_test_id("stMain")
    expect(line).to_contain_text("Age 22 · Gender F · Occupation student")
    expect(line).to_contain_text("likes Star Wars")
    assert visitor.titles() == before
    assert visitor.page.get_by_test_id("stAlert").filter(has_text="left out").count() == 0


def test_less_popularity_moves_the_meter_and_a_copied_link_keeps_it(visitor, browser, server):
    page = visitor.page
    visitor.open("/?age=41&gender=M&interests=space")
    before, said = visitor.titles(), visitor.meter()
    assert "popularity" in said

    page.get_by_role("slider", name="Popularity").focus()
    page.keyboard.press("Home")
    after = visitor.titles_after(before)
    assert after != before
    assert "popularity" not in visitor.meter()

    page.get_by_role("slider", name="Diversity").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("stMain")).to_contain_text("not in the order of the scores")
    visitor.titles_after(after)
    address = parse_qs(urlsplit(page.url).query)
    assert (float(address["popularity"][0]), float(address["diversity"][0])) == (0.0, 0.35)

    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_test_id("stCode").filter(has_text="diversity").first.inner_text().strip()
    with visit(browser, server) as friend:
        friend.open(link.removeprefix(server.url))
        assert friend.titles() == visitor.titles()
        assert friend.meter() == visitor.meter()
        assert friend.page.get_by_test_id("stAlert").count() == 0


def test_the_cosine_of_a_link_is_kept_in_the_address(visitor):
    visitor.open("/?scorer=cosine&age=41&interests=space")

    expect(visitor.page.get_by_test_id("stMain")).to_contain_text("similarity of words, not of taste")
    expect(visitor.page).to_have_url(re.compile(r"[?&]scorer=cosine(&|$)"))


def test_wrong_values_in_a_link_are_named(visitor):
    visitor.open("/?age=abc&k=5000&liked=nothing&interests=space")

    expect(visitor.page.get_by_test_id("stAlert").first).to_contain_text("abc")
    assert len(visitor.titles()) == 10


def test_dark_and_narrow_pages_fit(browser, server):
    with visit(browser, server, color_scheme="dark") as visitor:
        visitor.page.set_viewport_size({"width": 400, "height": 900})
        visitor.open("/")
        assert len(visitor.titles()) == 10
        assert visitor.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
