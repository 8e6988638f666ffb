"""Valid files of every format, changed at random: no traceback, every refusal says where, and no row is lost.

``COLDLENS_TEST_MUTANTS=1000`` changes every format a thousand times; test_fuzz.py does more before a release.
"""

import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.datasets.importing import mutants
from tests.datasets.importing.test_formats_books_news import BX, MIND
from tests.datasets.importing.test_formats_movielens import FILES_1M, FILES_CSV, GOOD_100K
from tests.datasets.importing.test_formats_shop_music import LASTFM, META, REVIEWS

pytestmark = pytest.mark.slow
N = int(os.environ.get("COLDLENS_TEST_MUTANTS", "100"))
N_KNOWN = int(os.environ.get("COLDLENS_TEST_MUTANTS", "30"))
"""Known formats go through the same readers, table by table, and take six minutes for a thousand each."""

ITEMS_CSV = (
    'item_id,title,genres,year,price,"a, note"\n1,Alien,Horror|Space,1979,3.5,"say ""hi"""\n2,Käse,Crime,1995,"1.234,50 €",\n'
    '3,"Sol\naris",Space,,7,x\n4,T,,2001-02-03,,\n'
).encode()
ITEMS_JSONL = "\n".join(
    json.dumps(row, ensure_ascii=False)
    for row in (
        {"id": 1, "title": "Alien", "genres": ["Horror", "Space"], "year": 1979, "price": 3.5},
        {"id": "2", "title": "Käse", "genres": [], "year": None, "more": {"a": [1, {"b": 2}]}},
        {"id": 3.0, "title": "S", "released": "2001-02-03", "ok": True},
    )
).encode()


def items_parquet() -> bytes:
    table = pa.table(
        {
            "id": pa.array([1, 2, 3]),
            "title": ["Alien", "Käse", "S"],
            "genres": [["Horror", "Space"], None, []],
            "price": [3.5, None, 1e300],
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "released": pa.array([0, 1, None], pa.timestamp("ms")),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out, compression="none")
    return out.getvalue()


def items_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shop/items.csv", ITEMS_CSV)
        archive.writestr("shop/readme.txt", "nothing", zipfile.ZIP_STORED)
    return out.getvalue()


FORMATS: dict[str, dict[str, bytes]] = {
    "CSV": {"items.csv": ITEMS_CSV},
    "JSON Lines": {"items.jsonl": ITEMS_JSONL},
    "Parquet": {"items.parquet": items_parquet()},
    "zip": {"shop.zip": items_zip()},
    "MovieLens 100K": GOOD_100K,
    "MovieLens 1M": FILES_1M,
    "MovieLens 10M": {name: FILES_1M[name] for name in ("movies.dat", "ratings.dat")},
    "MovieLens latest": {name: FILES_CSV[name] for name in ("movies.csv", "ratings.csv")},
    "Book-Crossing": BX,
    "MIND news": {
        name: MIND[name] for name in MIND if "train" in name and name.endswith(("news.tsv", "behaviors.tsv"))
    },
    "Amazon Reviews 2023": {"meta_All_Beauty.jsonl": META, "All_Beauty.jsonl": REVIEWS},
    "Last.fm 360K": LASTFM,
}


OWN = ("CSV", "JSON Lines", "Parquet", "zip")


@pytest.fixture(scope="module")
def importers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[mutants.Importer]]:
    folder = tmp_path_factory.mktemp("mutants")
    made = [mutants.Importer(folder / str(number)) for number in range(min(4, os.cpu_count() or 1))]
    yield made
    for importer in made:
        importer.close()


def check(outcome: mutants.Outcome, files: dict[str, bytes]) -> None:
    assert outcome.crash is None, outcome.crash
    if outcome.told is not None:
        names = [Path(name).name for name in files]
        named = any(name in outcome.told for name in names) or re.search(r"\b(row|column|line)s? ", outcome.told)
        assert named, outcome.told
        assert outcome.told.isprintable(), ascii(outcome.told)
        assert "Traceback" not in outcome.told
        assert outcome.told.endswith((".", "!")), outcome.told
    assert all(read == accepted + rejected for read, accepted, rejected in outcome.counts)
    odd = [text for text in outcome.findings if not text.isprintable()]
    assert odd == []


def drawn(valid: dict[str, bytes], n: int) -> list[dict[str, bytes]]:
    """Sets of files of which one has changed."""
    found: list[dict[str, bytes]] = []

    @settings(max_examples=n, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 1 << 16), mutants.CHANGES)
    def draw(which: int, changes: list[tuple[mutants.Change, int, int, int]]) -> None:
        changed = sorted(valid)[which % len(valid)]
        found.append(valid | {changed: mutants.mutated(valid[changed], changes)})

    draw()
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_mutants(importers: list[mutants.Importer], name: str):
    valid = FORMATS[name]
    outcome = importers[0].run(valid)
    check(outcome, valid)
    assert outcome.told is None
    assert outcome.counts[0][1] > 0
    n = N if name in OWN else N_KNOWN
    sets = drawn(valid, n)
    assert len(sets) >= n

    def imported(number: int) -> list[tuple[dict[str, bytes], mutants.Outcome]]:
        return [(files, importers[number].run(files)) for files in sets[number :: len(importers)]]

    with ThreadPoolExecutor(len(importers)) as pool:
        outcomes = [one for part in pool.map(imported, range(len(importers))) for one in part]
    for files, outcome in outcomes:
        check(outcome, files)
    n_refused = sum(outcome.told is not None for _, outcome in outcomes)
    print(f"{name}: {n_refused} of {len(outcomes)} refused")
    assert n_refused < len(outcomes) * 0.95
    assert n_refused or name not in OWN
