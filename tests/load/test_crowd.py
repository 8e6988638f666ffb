"""The crowd finds what it is there to find: an app that shows everybody what anybody has typed."""

import asyncio
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.load.crowd import _is_foreign, gather
from tests.load.protocol import Protocol, choice

ROOT = Path(__file__).resolve().parents[2]
LEAKY = """
import streamlit as st

@st.cache_resource
def shelf():
    return []

age = st.text_input("age", key="age", bind="query-params")
typed = st.multiselect("Interests", ["a"], key="interests", accept_new_options=True)
shelf().extend(typed)
st.write(" ".join({0}))
"""


def test_a_foreign_text_is_told_from_ones_own():
    own = {b"canary-0000000000000001"}
    assert not _is_foreign([b"x canary-0000000000000001 y", b""], own)
    assert _is_foreign([b"x canary-0000000000000001 canary-0000000000000002"], own)


@pytest.mark.release
@pytest.mark.parametrize(("shown", "is_leaky"), [("shelf()[-9:]", True), ("typed", False)])
def test_an_app_that_leaks_is_caught_and_one_that_does_not_is_not(tmp_path, shown, is_leaky):
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    from driver import free_port, wait_for

    script, port = tmp_path / "leaky.py", free_port()
    script.write_text(LEAKY.replace("{0}", shown))
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", "--server.headless=true"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        found = gather(f"http://127.0.0.1:{port}", process.pid, n_sessions=4, n_reruns=4)
    finally:
        process.kill()
        process.wait()
    assert found.errors == []
    assert found.lost == 0
    assert (found.foreign > 0) == is_leaky


@pytest.mark.release
def test_a_thousand_reruns_of_fifty_sessions(tmp_path):
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    from driver import serve

    with serve(tmp_path / "data", tmp_path / "log") as server:
        gather(server.url, server.pid, n_sessions=1, n_reruns=1)
        found = gather(server.url, server.pid, n_sessions=50, n_reruns=20, arrivals=20, think=5)
        print(found.to_dict())
        assert "Traceback" not in server.log
    assert found.errors == []
    assert (len(found.first), len(found.reruns)) == (50, 1000)
    assert (found.lost, found.foreign) == (0, 0)
    assert found.grown_mb < 5


@pytest.mark.release
def test_fifty_people_leave_no_trace(tmp_path):
    """With profiles kept out of links, what is typed is in no address, file, log or metric; the page itself shows it."""
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    from driver import serve

    async def visit(url: str, number: int) -> tuple[int, str]:
        async with Protocol(url) as visitor:
            await visitor.ask()
            run = await visitor.ask(choice(visitor.widgets["interests"], f"canary-{number}"))
            messages = [ForwardMsg.FromString(frame) for one in visitor.runs for frame in one.frames]
            addresses = [found.page_info_changed.query_string for found in messages]
            return int(run.holds(f"canary-{number}")), " ".join(addresses)

    with serve(tmp_path / "data", tmp_path / "log", environment={"COLDLENS_PROFILE_IN_LINK": "off"}) as server:
        found = [asyncio.run(visit(server.url, number)) for number in range(50)]
        with urllib.request.urlopen(f"{server.url}/_stcore/metrics", timeout=10) as metrics:
            told = metrics.read()
        log = server.log
    assert sum(shown for shown, _ in found) == 50
    assert not any("canary" in address for _, address in found)
    assert "canary" not in log
    assert b"canary" not in told
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if b"canary-" in path.read_bytes()] == []
