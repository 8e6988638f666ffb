"""The bench that clicks, in a process of its own: it drives a browser of its own."""

import json
import subprocess
import sys

import pytest
from driver import CHROMIUM, ROOT

_BENCH = """
import json
from recsys.bench import run_memory_bench
from recsys.settings import Settings
print(json.dumps(run_memory_bench(Settings(device="cpu"), n_items=400, clicks=3)))
"""


@pytest.mark.release
def test_clicks_and_memory_are_measured_on_a_synthetic_catalog(browser):
    assert CHROMIUM
    done = subprocess.run([sys.executable, "-c", _BENCH], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["items"], found["users"], found["clicks"]) == (400, 40, 3)
    assert 0 < found["click_to_list"]["p50_ms"] <= found["click_to_list"]["p95_ms"]
    assert list(found["by_act"]) == ["age", "k", "interest"]
    assert all(part["p50_ms"] >= 0 for part in found["parts"].values())
    assert {"form", "encode", "search", "reasons", "cards", "rest"} <= set(found["stages"])
    assert found["runs_per_click"] >= 1
    assert 50 < found["memory_at_first_list_mb"]["pss"] <= found["peak_memory_mb"]["pss"] * 1.05
    assert found["start_to_list_seconds"] > 0
