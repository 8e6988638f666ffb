"""Where the milliseconds go between a click and the list it changes."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from recsys.bench.dashboard import Dashboard, cpu_seconds, running, tree_of
from recsys.bench.visitor import Seen, Visitor, visiting
from recsys.datasets import open_dataset
from recsys.recommender import Recommender
from recsys.sealing import Seal
from recsys.settings import Settings

_CLICKS, _WARM = 36, 3
Act = Callable[[Any], None]


def run_profile_bench(settings: Settings, *, clicks: int = _CLICKS) -> dict[str, Any]:
    """Changes the profile of a running dashboard again and again, in a real browser.

    Returns milliseconds: ``click_to_list`` from the reader's act to the last change drawn, ``by_act`` the same for each kind of
    act, ``cpu_ms_per_click`` what each side computes for one, which other work on the machine stretches little, and ``parts``
    that add up to it: ``browser`` before it sends, ``to_server``, the ``script``, ``sending`` until the last
    message is there, and ``drawing``. ``stages`` are those of the script. Further, seconds from the start of the process to the
    first list, and memory after use in MB.

    Raises:
        ArtifactError: if the dashboard or Chromium is not there.
        MissingExtraError: if playwright is not installed.
    """
    dataset = open_dataset(settings.dataset, data_dir=settings.data_dir, seal=Seal.from_settings(settings))
    Recommender.from_dataset(dataset, settings=settings)  # what a first start makes is not measured
    with visiting() as visitor, running(settings) as dashboard:
        first = visitor.open(dashboard.url)
        memory_at_first = dashboard.memory_mb()
        found = change_often(visitor, dashboard, acts_on(dataset.categories), clicks)
        memory = dashboard.memory_mb()
    start = {"start_to_list_seconds": round(first.drawn - dashboard.started, 2)}
    return {"dataset": dataset.name, **found, **start, "memory_mb": memory, "memory_at_first_list_mb": memory_at_first}


def acts_on(categories: Sequence[str]) -> Iterator[tuple[str, Act]]:
    """Yields what a reader may do, over and over: another age, another interest, another length of the list."""
    yield from zip(cycle(("age", "k", "interest")), _endless(categories), strict=False)


def _endless(categories: Sequence[str]) -> Iterator[Act]:
    interests = cycle(categories or ("something new",))
    for turn in cycle(range(4)):
        yield partial(_press, label="Age", key="ArrowRight")
        yield partial(_press, label="Items in the list", key="ArrowRight" if turn < 2 else "ArrowLeft")
        yield partial(_interest, text=next(interests) if turn % 2 == 0 else None)


def _press(page: Any, *, label: str, key: str) -> None:
    page.locator(f'input[aria-label="{label}"]').first.focus()
    page.keyboard.press(key)


def _interest(page: Any, *, text: str | None) -> None:
    """Adds an interest, or removes the last one."""
    field = page.get_by_role("combobox", name="Interests").first
    if text is None:
        field.press("Backspace")
        return
    field.fill(text)
    field.press("Enter")


def change_often(
    visitor: Visitor, dashboard: Dashboard, acts: Iterator[tuple[str, Act]], clicks: int
) -> dict[str, Any]:
    """Returns the milliseconds of many acts, after a few that do not count."""
    for _, act in islice(acts, _WARM):
        visitor.change(act)
    before = _cpu(dashboard)
    seen: list[tuple[str, Seen, dict[str, Any]]] = []
    for name, act in islice(acts, clicks):
        moment = visitor.change(act)
        seen.append((name, moment, _run_of(moment, dashboard.profile_file)))
    after = _cpu(dashboard)
    total = [1000 * (moment.drawn - moment.acted) for _, moment, _ in seen]
    names = dict.fromkeys(name for name, _, _ in seen)
    stages = dict.fromkeys(stage for _, _, run in seen for stage in run["stages"])
    parts = [_parts(moment, run) for _, moment, run in seen]
    return {
        "clicks": len(seen),
        "click_to_list": _percentiles(total),
        "by_act": {
            name: _percentiles([t for t, (own, _, _) in zip(total, seen, strict=True) if own == name]) for name in names
        },
        "cpu_ms_per_click": {
            name: round(1000 * (after[name] - before[name]) / max(1, len(seen)), 1) for name in before
        },
        "script_cpu_ms": _percentiles([run["cpu_ms"] for _, _, run in seen]),
        "runs_per_click": round(float(np.mean([run["runs"] for _, _, run in seen])), 2),
        "parts": {part: _percentiles([found[part] for found in parts]) for part in parts[0]},
        "stages": {name: _percentiles([run["stages"].get(name, 0.0) for _, _, run in seen]) for name in stages},
    }


def _cpu(dashboard: Dashboard) -> dict[str, float]:
    """Processor seconds so far: of the server, and of the browser with what drives it."""
    server = set(tree_of(dashboard.pid))
    browser = set(tree_of(os.getpid())) - server - {os.getpid()}
    return {"server": cpu_seconds(server), "browser": cpu_seconds(browser)}


def _run_of(moment: Seen, file: Path) -> dict[str, Any]:
    """Returns the last run of the page that began before the list was there; the runs of one act count as one."""
    runs = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    own = [run for run in runs if moment.acted <= run["started"] <= moment.drawn]
    stages: dict[str, float] = {}
    for run in own:
        for name, milliseconds in run["stages"].items():
            stages[name] = stages.get(name, 0.0) + milliseconds
    script = sum(run["ended"] - run["started"] for run in own)
    rest = {"rest": 1000 * script - sum(stages.values())}
    cpu = sum(run["cpu_ms"] for run in own)
    return {
        "started": own[0]["started"],
        "ended": own[-1]["ended"],
        "cpu_ms": cpu,
        "runs": len(own),
        "stages": stages | rest,
    }


def _parts(moment: Seen, run: dict[str, Any]) -> dict[str, float]:
    moments = (moment.acted, moment.sent, run["started"], run["ended"], max(moment.got, run["ended"]), moment.drawn)
    names = ("browser", "to_server", "script", "sending", "drawing")
    return {name: 1000 * (moments[n + 1] - moments[n]) for n, name in enumerate(names)}


def _percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    return {f"p{share}_ms": round(float(np.percentile(milliseconds, share)), 1) for share in (50, 95)}
