"""The crowd finds what it is there to find: an app that shows everybody what anybody has typed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.crowd import _is_foreign, gather

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
