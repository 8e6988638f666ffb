"""Eight real browsers at once: no errors, and everybody sees their own."""

import re
from contextlib import ExitStack

import pytest
from driver import visit


@pytest.mark.release
def test_eight_browsers_at_once(browser, server):
    with ExitStack() as stack:
        visitors = [stack.enter_context(visit(browser, server)) for _ in range(8)]
        visitors[0].open("/?age=30")
        for n, visitor in enumerate(visitors):
            visitor.page.goto(f"{server.url}/?age={20 + n}&gender=F")
        for visitor in visitors:
            visitor.settle(timeout=120)
        for turn in range(4):
            for n, visitor in enumerate(visitors):  # all ask before anybody is waited for
                visitor.page.get_by_role("combobox", name="Interests").fill(f"canary{turn}of{n}")
                visitor.page.keyboard.press("Enter")
            for n, visitor in enumerate(visitors):
                visitor.page.get_by_test_id("stMain").get_by_text(f"canary{turn}of{n}").first.wait_for(timeout=30_000)
                visitor.settle()
                visitor.page.keyboard.press("Escape")
                seen = set(re.findall(r"canary\dof(\d)", visitor.page.locator("body").inner_text()))
                assert seen == {str(n)}
                assert len(visitor.titles()) == 10
        for visitor in visitors:
            assert visitor.faults == []
            assert visitor.outside == []
            assert visitor.page.locator("[data-testid=stException]").count() == 0
