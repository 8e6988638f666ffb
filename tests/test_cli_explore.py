"""`recsys project`, `recsys diagnose` and the sizes of `recsys bench --maps`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.bench import run_map_bench
from recsys.datasets import write_folder
from recsys.encoder import TransformerEncoder
from recsys.projection import nearest_items
from recsys.settings import Settings
from tests.test_cli import Shell, shell  # noqa: F401  # shell is a fixture
from tests.toy import ToyEncoder, toy_dataset


def test_project_fits_both_maps_once(shell: Shell, tmp_path: Path):  # noqa: F811
    progress = tmp_path / "progress.json"

    first = shell.json("project", "toy", "--space", "taste", "--progress", str(progress))
    kept = sorted((shell.data_dir / "toy" / "artifacts").glob("map-*"))
    again = shell.json("project", "toy", "--space", "taste", "--progress", str(progress))

    assert (first["items"], first["2d"]["people"], first["space"]) == (12, 6, "taste")
    assert first["3d"]["trustworthiness"] == again["3d"]["trustworthiness"]
    assert len(kept) == 2
    assert sorted((shell.data_dir / "toy" / "artifacts").glob("map-*")) == kept
    assert json.loads(progress.read_text()) == {"finished": True}


def test_neighbours_are_found_once_for_both_maps(shell: Shell, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    calls = []

    def counted(vectors: np.ndarray, **options: Any) -> np.ndarray:
        calls.append(len(vectors))
        return nearest_items(vectors, **options)

    monkeypatch.setattr("recsys.projection.atlas.nearest_items", counted)
    shell.json("project", "toy")

    assert calls == [12]


def test_project_prints_for_people(shell: Shell):  # noqa: F811
    code, out, _ = shell("project", "toy")

    assert code == 0
    assert "toy, text, 2d: 12 items and 6 people" in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("project toy --space magic", "The scorer has no such space: 'magic'. Use text or graph or taste."),
        ("project toy --scorer cosine --space taste", "The scorer has no such space: 'taste'. Use text or graph."),
        ("project nonsense", "There is no such dataset: 'nonsense'."),
        ("diagnose nonsense", "There is no such dataset: 'nonsense'."),
        ("bench --maps much", "The numbers of items are not understood: 'much'."),
        ("bench --maps 5", "The numbers of items are not understood: '5'."),
    ],
)
def test_bad_input_is_answered_in_three_parts(shell: Shell, command: str, message: str):  # noqa: F811
    code, out, err = shell(*command.split(), "--json")

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_diagnose_prints_findings_and_a_comparison(shell: Shell):  # noqa: F811
    found = shell.json("diagnose", "toy", "--against", "lsa")

    assert [finding["key"] for finding in found["findings"]][:2] == ["hubness", "duplicates"]
    assert all(finding["meaning"] and finding["advice"] for finding in found["findings"])
    assert found["comparison"]["second"] == "TF-IDF (LSA)"
    code, out, _ = shell("diagnose", "toy", "--against", "lsa")
    assert code == 0
    assert "Near-duplicates" in out


def test_what_is_unknown_of_a_tiny_catalog_is_null_and_said_in_words(shell: Shell):  # noqa: F811
    toy = toy_dataset()
    bare = replace(toy, items=toy.items.iloc[:2], users=toy.users.iloc[:0], interactions=toy.interactions.iloc[:0])
    write_folder(bare, shell.data_dir / "two")

    found = shell.json("project", "two")
    code, out, _ = shell("project", "two")

    assert found["2d"]["trustworthiness"] is None
    assert code == 0
    assert "too few items to measure the trust" in out
    assert "nan" not in out


def test_maps_are_timed(toy_folder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TransformerEncoder, "from_folder", lambda folder, **options: ToyEncoder())
    found = run_map_bench(Settings(data_dir=toy_folder.folder.parent, dataset="toy"), sizes=(60,))

    assert found["60"]["fit_seconds"] > 0
    assert 0 < found["60"]["place_p50_ms"] <= found["60"]["place_p95_ms"]
    assert 60 * 30 < found["60"]["sent_bytes"] < 60 * 120
