"""How importing and building grow: rows per second, peak memory, and what a change of one item in a hundred costs."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.datasets import open_dataset
from recsys.encoder import Encoder, open_encoder
from recsys.errors import DataError
from recsys.settings import Settings
from recsys.views.embeddings import build_embeddings
from recsys.views.text import item_texts

_PER_ITEM, _PER_USER = 20, 200
"""Interactions per item and per user."""
_SAMPLE = 2_000
_ROWS = 500_000
_TELLING = """
import atexit, resource, sys
def tell():
    try:
        peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print("peak", peak, file=sys.stderr)
atexit.register(tell)
from recsys.cli import main
main()
"""
"""Runs a command and tells its peak memory in KB; the kernel's own figure for a child counts its parent's as well."""
_NAME = "synthetic"
_NOUNS = "lamp kettle rucksack notebook saddle teapot blanket drill kite compass ladder guitar"
_KINDS = "garden kitchen travel office sport music light wool steel winter summer paper"
_WORDS = (
    "light sturdy quiet warm small large old new simple fine for on with every day evening river mountain home journey hand "
    "makes keeps holds opens folds carries lasts fits cleans weighs little much wood glass cotton copper"
)


class _StandIn:
    """Gives every text a vector at once, under the identity of a real encoder: what is measured is everything but encoding."""

    def __init__(self, real: Encoder) -> None:
        self.name, self.identity, self.dim, self.description = real.name, real.identity, real.dim, real.description
        self.check = real.check

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: object = None) -> np.ndarray:
        """Returns ``(n_texts, dim)`` float32, rows of length 1."""
        found = np.random.default_rng(len(texts)).standard_normal((len(texts), self.dim), np.float32)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def run_scale_bench(settings: Settings, *, n_items: int = 100_000) -> dict[str, Any]:
    """Imports a synthetic catalog with 20 interactions per item, and builds it twice, the second time with 1 % more items.

    The first build has the real encoder's cost measured on a sample, the second encodes the new items for real. Imports run in
    processes of their own, as they do for a reader, and peak memory is that of the process.

    Raises:
        DataError: if an import fails.
    """
    encoder = open_encoder(settings.encoder_for(), device=settings.device, precision=settings.precision)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(prefix="coldlens-scale-") as scratch:
        root = Path(scratch)
        chosen = replace(settings, data_dir=root / "data")
        sizes = _write(root, n_items, rng)
        found: dict[str, Any] = {"machine": encoder.description, "items": n_items, **sizes}
        found["import"] = _import(root, sum(sizes.values()) + n_items, chosen)
        found["encode"] = _encoding(chosen, encoder, n_items)
        found["build_but_encoding"] = _built(chosen, _StandIn(encoder))
        added = max(1, n_items // 100)
        _add_items(root, n_items, added, rng)
        found["import_again"] = _import(root, sum(sizes.values()) + n_items + added, chosen)
        found["build_again"] = _built(chosen, encoder)
    first = found["encode"]["seconds_for_all"] + found["build_but_encoding"]["seconds"]
    found["peak_mb_of_building"] = round(_peak_kb() / 1024)
    found["resume"] = {
        "items_added": added,
        "texts_encoded": found["build_again"]["texts_encoded"],
        "share_of_first_build": round(found["build_again"]["seconds"] / first, 4),
    }
    return found


def _write(root: Path, n_items: int, rng: np.random.Generator) -> dict[str, int]:
    n_interactions, n_users = n_items * _PER_ITEM, max(10, n_items * _PER_ITEM // _PER_USER)
    _items(0, n_items, rng).to_csv(root / "items.csv", index=False)
    users = pd.DataFrame({"user_id": _ids("u", np.arange(n_users)), "age": rng.integers(14, 90, n_users)})
    users.assign(gender=rng.choice(["F", "M"], n_users)).to_csv(root / "users.csv", index=False)
    for start in range(0, n_interactions, _ROWS):
        n = min(_ROWS, n_interactions - start)
        item = np.minimum((n_items * rng.random(n) ** 2).astype(int), n_items - 1)
        part = {"user_id": _ids("u", rng.integers(0, n_users, n)), "item_id": _ids("i", item)}
        frame = pd.DataFrame(part | {"rating": rng.integers(1, 6, n), "timestamp": rng.integers(10**9, 17 * 10**8, n)})
        frame.to_csv(root / "interactions.csv", mode="a" if start else "w", header=not start, index=False)
    return {"users": n_users, "interactions": n_interactions}


def _add_items(root: Path, n_items: int, added: int, rng: np.random.Generator) -> None:
    _items(n_items, added, rng).to_csv(root / "items.csv", mode="a", header=False, index=False)


def _items(start: int, n: int, rng: np.random.Generator) -> pd.DataFrame:
    numbers = np.arange(start, start + n)
    words = rng.choice(_WORDS.split(), (n, 12))
    kinds, nouns = rng.choice(_KINDS.split(), (n, 2)), rng.choice(_NOUNS.split(), n)
    return pd.DataFrame(
        {
            "item_id": _ids("i", numbers),
            "title": [
                f"{kind} {noun} {number}" for kind, noun, number in zip(kinds[:, 0], nouns, numbers, strict=True)
            ],
            "categories": ["|".join(pair) for pair in kinds],
            "price": rng.integers(1, 500, n),
            "description": [" ".join(row) for row in words],
        }
    )


def _ids(letter: str, numbers: np.ndarray) -> list[str]:
    return [f"{letter}{number}" for number in numbers]


def _import(root: Path, rows: int, settings: Settings) -> dict[str, Any]:
    files = [str(root / f"{name}.csv") for name in ("items", "users", "interactions")]
    words = ["datasets", "import", *files, "--name", _NAME, "--replace", "--json"]
    found, seconds, peak = run_command([*words, "--data-dir", str(settings.data_dir)])
    if not found["published"]:
        raise DataError("The synthetic catalog was not imported", found["errors"], fix="Report this as a bug.")
    return {"rows": rows, "seconds": seconds, "rows_per_second": round(rows / seconds), "peak_mb": peak}


def run_command(words: Sequence[str]) -> tuple[Mapping[str, Any], float, int]:
    """Returns what a command of the command line printed, its seconds, and its peak memory in MB."""
    started = time.perf_counter()
    roomy = {**os.environ, "COLDLENS_MAX_ITEMS": str(10**9), "COLDLENS_MAX_INTERACTIONS": str(10**9)}
    done = subprocess.run([sys.executable, "-c", _TELLING, *words], capture_output=True, text=True, env=roomy)
    seconds = round(time.perf_counter() - started, 2)
    if done.returncode:
        fix = "Run it alone and read its message."
        raise DataError("A command of the bench failed", done.stderr.split("peak ")[0].strip(), fix=fix)
    return json.loads(done.stdout), seconds, round(int(done.stderr.rsplit("peak ", 1)[1]) / 1024)


def _peak_kb() -> int:
    """Returns the peak memory of this process, in which both builds ran."""
    try:
        lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _encoding(settings: Settings, encoder: Encoder, n_items: int) -> dict[str, Any]:
    dataset = open_dataset(_NAME, data_dir=settings.data_dir)
    texts = item_texts(replace(dataset, items=dataset.items.head(_SAMPLE)))
    encoder.encode(texts[:200], bulk=True)
    started = time.perf_counter()
    encoder.encode(texts, bulk=True)
    rate = len(texts) / (time.perf_counter() - started)
    return {"sample": len(texts), "texts_per_second": round(rate), "seconds_for_all": round(n_items / rate, 1)}


def _built(settings: Settings, encoder: Encoder) -> dict[str, Any]:
    started = time.perf_counter()
    embedded = build_embeddings(open_dataset(_NAME, data_dir=settings.data_dir), encoder)
    return {"seconds": round(time.perf_counter() - started, 2), "texts_encoded": embedded.n_encoded}
