"""Several analysts at once, by Streamlit's own protocol; the full size is measured by `python -m tests.load.crowd`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tests.load.crowd import gather
from tests.load.protocol import Protocol, choice


def test_nobody_sees_what_another_one_types(server, visitor):
    visitor.open("/")

    found = gather(server.url, server.pid, n_sessions=8, n_reruns=4)

    assert found.errors == []
    assert (len(found.first), len(found.reruns)) == (8, 32)
    assert (found.lost, found.foreign) == (0, 0)
    assert "canary" not in server.log


def test_of_clicks_that_come_faster_than_answers_the_latest_counts(server, visitor):
    visitor.open("/")

    async def click_on() -> tuple[int, bool]:
        async with Protocol(server.url, age="30") as hurried:
            await hurried.ask()
            for n in range(15):
                await hurried.send(choice(hurried.widgets["interests"], f"hurried{n}"), age="30")
            n_runs, is_last = 0, False
            while not is_last:
                n_runs += 1
                is_last = (await hurried.wait()).holds("hurried14")
            return n_runs, is_last

    with ThreadPoolExecutor(1) as thread:
        n_runs, is_last = thread.submit(asyncio.run, click_on()).result(60)

    assert is_last
    assert n_runs < 8
