"""`recsys project`, `recsys diagnose` and the sizes of `recsys bench --maps`."""

import json
from pathlib import Path

import pytest

from recsys.bench import run_map_bench
from recsys.encoder import TransformerEncoder
from recsys.settings import Settings
from tests.test_cli import Shell, shell  # noqa: F401  # shell is a fixture
from tests.toy import ToyEncoder


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


def test_project_prints_for_people(shell: Shell):  # noqa: F811
    code, out, _ = shell("project", "toy")

    assert code == 0
    assert "toy, text, 2d: 12 items and 6 people" in out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("project toy --space magic", "The scorer has no such space: 'magic'. Use text or taste."),
        ("project toy --scorer cosine --space taste", "The scorer has no such space: 'taste'. Use text."),
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


def test_maps_are_timed(toy_folder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TransformerEncoder, "from_pretrained", lambda name, **options: ToyEncoder())
    found = run_map_bench(Settings(data_dir=toy_folder.folder.parent, dataset="toy"), sizes=(60,))

    assert found["60"]["fit_seconds"] > 0
    assert 0 < found["60"]["place_p50_ms"] <= found["60"]["place_p95_ms"]
