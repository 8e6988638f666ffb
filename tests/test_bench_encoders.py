"""Encoders side by side in the toy world."""

import json
import re
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.bench.captions import CAPTIONS, INTERESTS, match, match_all
from recsys.bench.encoders import _Contestant, _quality, run_encoder_bench
from recsys.cli import app
from recsys.encoder import MULTILINGUAL, TransformerEncoder, open_encoder
from recsys.errors import ConfigError
from recsys.evaluation import Plan, evaluate
from recsys.schema import Dataset
from recsys.settings import Settings
from recsys.views.text import item_texts
from tests.encoder.tiny import save_bert, save_static
from tests.evaluation.worlds import aged_dataset
from tests.toy import ToyEncoder


@pytest.fixture
def encoders(tmp_path: Path) -> list[str]:
    for name, save in (("bert", partial(save_bert, spread=0.5)), ("static", save_static)):
        (tmp_path / name).mkdir()
        save(tmp_path / name)
    return [f"{tmp_path / 'bert'}@float32", f"{tmp_path / 'bert'}@int8", str(tmp_path / "static")]


def test_every_encoder_is_measured_against_the_first(toy_folder: Dataset, encoders: list[str]):
    found = run_encoder_bench(toy_folder, encoders, settings=Settings(device="cpu"), repeats=2, folds=0)
    first, int8, static = found["encoders"]
    assert [row["encoder"] for row in found["encoders"]] == encoders
    assert (first["top_10_overlap"], first["mean_cosine"]) == (1.0, pytest.approx(1, abs=1e-5))
    assert (first["times_as_fast"], first["times_as_fast_profile"]) == (1.0, 1.0)
    assert 0.9 < int8["mean_cosine"] < 0.999999
    assert (static["mean_cosine"], static["parameters"]) == (None, 12 * 8)
    assert static["times_as_fast_profile"] > 1
    assert first["parameters"] == int8["parameters"] > 1000
    assert 0 < static["megabytes"] < first["megabytes"] + 0.1
    assert 0 < static["top_10_overlap"] <= 1


def test_an_encoder_is_named_once(toy_folder: Dataset, encoders: list[str]):
    with pytest.raises(ConfigError, match="named twice"):
        run_encoder_bench(toy_folder, [encoders[0]] * 2, settings=Settings(device="cpu"), folds=0)


def test_an_unknown_precision_is_called_that(toy_folder: Dataset, encoders: list[str]):
    with pytest.raises(ConfigError, match="precision is unknown: 'int3'"):
        run_encoder_bench(toy_folder, [encoders[0], f"{encoders[2]}@int3"], settings=Settings(device="cpu"), folds=0)


def test_the_command_prints_a_table_and_json(toy_folder: Dataset, encoders: list[str], tmp_path: Path):
    words = ["encoders", encoders[0], encoders[2], "--dataset", "toy", "--data-dir", str(tmp_path / "data")]
    words += ["--device", "cpu", "--folds", "0", "--repeats", "1"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "top ten shared" in done.stdout
    found = json.loads(CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False).stdout)
    assert [row["encoder"] for row in found["encoders"]] == [encoders[0], encoders[2]]
    assert "Captions" not in done.stdout and found["encoders"][0]["captions"] == {}


def test_texts_that_are_found_are_counted():
    """The last two are alike, so guessing gains nothing; space stands in English twice."""
    pairs = (("space", "space"), ("romance", "romance"), ("comedy", "space"), ("student", "30"), ("student", "30"))
    found = match(ToyEncoder(), pairs)
    assert found.from_chinese.mean == pytest.approx(1 / 5)
    assert found.from_english.mean == pytest.approx(2 / 5)
    assert (found.from_english.low, found.from_english.high) == (
        pytest.approx(0.0527, abs=1e-4),
        pytest.approx(0.8534, abs=1e-4),
    )
    perfect = match(ToyEncoder(), pairs[:2]).from_chinese
    assert (perfect.mean, perfect.high) == (1, 1) and perfect.low == pytest.approx(0.1581, abs=1e-4)


@pytest.mark.parametrize("pairs", [CAPTIONS, INTERESTS])
def test_pairs_are_one_to_one_and_in_two_languages(pairs: tuple[tuple[str, str], ...]):
    chinese, english = (set(texts) for texts in zip(*pairs, strict=True))
    assert len(chinese) == len(english) == len(pairs) >= 99
    assert all(re.search("[\u4e00-\u9fff]", text) for text in chinese)
    assert all(text.isascii() for text in english)


@pytest.mark.release
def test_only_the_multilingual_encoder_finds_chinese_by_english(minilm: TransformerEncoder):
    lowest, highest = match_all(open_encoder(MULTILINGUAL)), match_all(minilm)
    assert len(lowest) == 4
    assert all(lowest[name]["low"] > 0.8 > 0.3 > highest[name]["high"] for name in lowest)


def test_quality_is_what_the_laboratory_finds():
    dataset = aged_dataset(60)
    encoder = ToyEncoder()
    vectors = encoder.encode(item_texts(dataset))
    found = _quality(dataset, _Contestant("toy", encoder, Path(), vectors), folds=2)
    expected = evaluate(dataset, vectors, encoder=encoder, plan=Plan("aged", folds=2, shots=(0, 5))).results
    assert list(found) == [
        *(f"additive, {level}" for level in expected),
        "cosine, demographics+interests",
        "cosine, +5",
    ]
    for level, methods in expected.items():
        ours = found[f"additive, {level}"]
        assert (ours["mean"], ours["n"]) == pytest.approx((methods["additive"]["nDCG@10"].mean, 60))
    assert found["cosine, +5"]["low"] < found["cosine, +5"]["mean"] < found["cosine, +5"]["high"]
