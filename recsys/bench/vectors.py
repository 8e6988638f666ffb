"""How soon vectors that somebody brings are on the map: imported in a process of their own, then opened in a real browser."""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recsys.bench.dashboard import cpu_seconds, running, tree_of
from recsys.bench.importing import run_command
from recsys.bench.visitor import visiting
from recsys.errors import DataError
from recsys.settings import Settings

_DIM, _KINDS, _FEW = 384, 40, 100
_PATIENCE = 120
_HAS_MAP = """() => {
  const map = document.querySelector('.js-plotly-plot');
  return map && map._fullData && map._fullLayout.xaxis && map._fullData.some(trace => trace.x && trace.x.length > 1);
}"""


def run_vectors_bench(settings: Settings, *, n_items: int = 10_000) -> dict[str, Any]:
    """Imports vectors of 384 numbers into a running dashboard, and opens them on the Explore page.

    The dashboard runs already and shows some other vectors, as for somebody who tries one set after the other. The map that is
    opened is the preview of principal components; the fitted one follows in a process of its own.

    Returns seconds: ``start_to_page`` from the start of the dashboard to its first page, ``import`` of the whole command,
    ``open`` from the address to the drawn map, and ``open_again`` in a second visit. ``cpu`` is what the dashboard and the
    browser computed for the first visit, which other work on the machine stretches little.

    Raises:
        ArtifactError: if the dashboard or Chromium is not there.
        DataError: if the import fails.
        MissingExtraError: if playwright is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="coldlens-vectors-") as scratch:
        chosen = replace(settings, data_dir=Path(scratch) / "data", dataset="few")
        _import(Path(scratch), "few", _FEW)
        with visiting() as visitor, running(chosen) as dashboard:
            first = _opened(visitor.page, f"{dashboard.url}/explore?dataset=few")
            found: dict[str, Any] = {"items": n_items, "dim": _DIM}
            found["start_to_page"] = round(first - dashboard.started, 2)
            found["import"] = _import(Path(scratch), "many", n_items)
            for name in ("open", "open_again"):
                before, started = _cpu(dashboard.pid), time.time()
                drawn = _opened(visitor.page, f"{dashboard.url}/explore?dataset=many")
                found[name] = round(drawn - started, 2)
                after = _cpu(dashboard.pid)
                found.setdefault("cpu", {side: round(after[side] - before[side], 2) for side in before})
            found["memory_mb"] = dashboard.memory_mb()
    return found


def _cpu(server: int) -> dict[str, float]:
    """Processor seconds so far of the dashboard, without what it does in the background, and of the browser."""
    browser = set(tree_of(os.getpid())) - set(tree_of(server)) - {os.getpid()}
    return {"dashboard": cpu_seconds([server]), "browser": cpu_seconds(browser)}


def _import(folder: Path, name: str, n_items: int) -> float:
    """Returns the seconds that the command takes."""
    rng = np.random.default_rng(0)
    kinds = rng.standard_normal((_KINDS, _DIM), np.float32)
    vectors = kinds[rng.integers(0, _KINDS, n_items)] + 0.6 * rng.standard_normal((n_items, _DIM), np.float32)
    np.save(folder / f"{name}.npy", vectors)
    words = ["datasets", "import", "--item-vectors", str(folder / f"{name}.npy"), "--name", name, "--json"]
    found, seconds, _ = run_command([*words, "--data-dir", str(folder / "data")])
    if not found["published"]:
        raise DataError("The synthetic vectors were not imported", found["errors"], fix="Report this as a bug.")
    return seconds


def _opened(page: Any, url: str) -> float:
    """Opens an address and returns when the map was there, in seconds since 1970."""
    page.goto(url)
    page.wait_for_function(_HAS_MAP, timeout=1000 * _PATIENCE, polling=20)
    return time.time()
