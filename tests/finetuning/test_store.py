"""A fine-tuned encoder is kept with its dataset and then works like any other, on every path."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.datasets import open_dataset, write_folder
from recsys.encoder import TransformerEncoder
from recsys.encoder.saving import save_encoder
from recsys.errors import ConfigError, MissingExtraError, NotTrainedError
from recsys.evaluation import Plan, evaluate
from recsys.finetuning import FineTuningConfig, open_tuned, search, train_and_keep, tuned_key, tuning
from recsys.recommender import Recommender, available_scorers
from recsys.schema import Dataset, Profile
from recsys.settings import Settings
from recsys.training import list_runs, runs_folder
from recsys.views.text import item_texts
from tests.finetuning.tiny import tiny_bert
from tests.toy import ToyEncoder
from tests.training.world import world

QUICK = FineTuningConfig(steps=4, batch_size=16, learning_rate=2e-3, judge_every=2)
SOMEBODY = Profile(age=20, gender="F", interests=("space",), liked=("001",))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, tiny: TransformerEncoder) -> Dataset:
    """A dataset with a fine-tuned encoder."""
    dataset = write_folder(world(n_users=60), tmp_path_factory.mktemp("data") / "world")
    train_and_keep(dataset, tiny, config=QUICK)
    return dataset


def test_what_is_kept_is_found_and_opened_again(kept: Dataset, tiny: TransformerEncoder):
    assert available_scorers(kept) == ("additive", "fine-tuned", "cosine")
    found = open_tuned(kept, device="cpu", precision="float32")
    assert found.name.endswith(", fine-tuned")
    assert found.pooling == tiny.pooling and found.max_length == tiny.max_length
    assert np.abs(found.encode(["space"]) - tiny.encode(["space"])).max() > 1e-3
    assert kept.folder is not None and not list((kept.folder / "training").glob("*")), "checkpoints are gone"


def test_every_score_still_adds_up(kept: Dataset):
    recommender = Recommender.from_dataset(kept, scorer="fine-tuned", settings=Settings(device="cpu"))
    assert recommender.scorer.name == "fine-tuned"
    found = recommender.recommend(SOMEBODY, k=5)
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.table["score"], atol=1e-6)
    explanation = recommender.explain(SOMEBODY, found.table["item_id"][0])
    assert sum(part.contribution for part in explanation.parts) == pytest.approx(explanation.total, abs=1e-6)
    assert {word.text for word in explanation.words} >= {"space"}
    plain = Recommender.from_dataset(kept, scorer="additive", settings=Settings(device="cpu"), encoder=ToyEncoder())
    assert recommender.answers_key != plain.answers_key


def test_another_catalog_needs_another_training(kept: Dataset, tmp_path: Path):
    other = write_folder(world(seed=1, n_users=60), tmp_path / "world")
    assert kept.folder is not None and other.folder is not None
    shutil.copytree(kept.folder / "artifacts", other.folder / "artifacts")  # as when new files replace a dataset
    assert tuned_key(kept) is not None
    assert tuned_key(other) is None
    assert available_scorers(other) == ("additive", "cosine")
    with pytest.raises(NotTrainedError, match="recsys train world --scorer fine-tuned"):
        Recommender.from_dataset(other, scorer="fine-tuned", settings=Settings(device="cpu"))


def test_saved_encoders_read_as_they_were(tiny: TransformerEncoder, tmp_path: Path):
    save_encoder(tiny, tmp_path)
    found = TransformerEncoder.from_pretrained(str(tmp_path), device="cpu", precision="float32")
    texts = ["a person interested in space", "story 12", ""]
    np.testing.assert_allclose(found.encode(texts), tiny.encode(texts), atol=1e-6)
    assert (found.pooling, found.max_length) == (tiny.pooling, tiny.max_length)
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(tmp_path), device="cpu").encode(texts, show_progress_bar=False)
    np.testing.assert_allclose(tiny.encode(texts), theirs, atol=1e-5)


def test_a_dataset_in_memory_is_trained_on_then_and_there(tiny: TransformerEncoder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("recsys.recommender.opening.FineTuningConfig", lambda: QUICK)
    found = Recommender.from_dataset(world(n_users=60), scorer="fine-tuned", encoder=tiny)
    assert found.scorer.name == "fine-tuned"
    assert found.encoder.identity != tiny.identity
    with pytest.raises(ConfigError, match="cannot be fine-tuned"):
        Recommender.from_dataset(world(n_users=60), scorer="fine-tuned", encoder=ToyEncoder())


def test_the_laboratory_trains_anew_in_every_fold(tiny: TransformerEncoder, monkeypatch: pytest.MonkeyPatch):
    trained: list[set[str]] = []
    usual = tuning.fine_tune

    def watched(dataset: Dataset, *arguments: Any, **options: Any) -> Any:
        trained.append(set(dataset.users["user_id"]))
        return usual(dataset, *arguments, **options)

    monkeypatch.setattr("recsys.finetuning.store.fine_tune", watched)
    dataset = world(n_users=120)
    plan = Plan("world", folds=2, shots=(0,), fine_tuned=4)
    assert plan.command.endswith("--fine-tuned 4 --rivals none")
    found = evaluate(dataset, tiny.encode(item_texts(dataset)), encoder=tiny, plan=plan)
    assert len(trained) == 2, "once a fold, for both methods"
    assert not trained[0] & trained[1], "never with a user who is tested"
    gains = found.to_dict()["fine_tuning"]
    assert list(gains) == ["fine-tuned", "fine-tuned, two towers alone"]
    level = "demographics+interests"
    difference = found.values("fine-tuned", level) - found.values("additive", level)  # type: ignore[operator]
    assert gains["fine-tuned"][level]["mean"] == pytest.approx(float(difference.mean()))
    assert "fine_tuned" not in Plan("world").to_dict(), "older plans keep their keys"


def test_a_search_goes_on_where_it_was_stopped(tiny: TransformerEncoder, tmp_path: Path):
    config = replace(QUICK, steps=2, judge_every=1)
    dataset = world(n_users=60)
    first = search(dataset, tiny, config=config, folder=tmp_path, n_trials=1)
    assert first.trials[0]["parameters"]["learning_rate"] == config.learning_rate, "what is known is tried first"
    seen: list[int] = []
    found = search(
        dataset, tiny, config=config, folder=tmp_path, n_trials=3, progress=lambda done, total: seen.append(done)
    )
    assert seen == [1, 2, 3]
    assert [trial["number"] for trial in found.trials] == [0, 1, 2]
    assert found.trials[0] == first.trials[0]
    assert found.ndcg == max(trial["ndcg"] for trial in found.trials if trial["ndcg"] is not None)
    best = max(found.trials, key=lambda trial: trial["ndcg"] or 0.0)
    assert found.config == replace(config, **best["parameters"])


def test_without_optuna_the_message_names_the_extra(tiny: TransformerEncoder, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tuning, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="coldlens\\[tune\\]"):
        search(world(n_users=60), tiny, config=QUICK, folder=tmp_path, n_trials=1)


def test_the_command_line_trains_records_and_uses(bert: Path, tmp_path: Path):
    folder = write_folder(world(n_users=60), tmp_path / "world").folder
    shared = ["--encoder", str(bert), "--device", "cpu", "--data-dir", str(tmp_path), "--json"]
    words = ["train", "world", "--scorer", "fine-tuned", "--steps", "4", "--batch-size", "8", *shared]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found["held_out_ndcg@10"]) == ["0", "1", "2", "3", "4"]
    assert found["config"]["batch_size"] == 8
    dataset = open_dataset("world", data_dir=tmp_path)
    runs = list_runs(runs_folder(dataset))  # type: ignore[arg-type]
    assert [run.scorer for run in runs] == ["additive", "fine-tuned"], "the additive fit stands on top"
    assert runs[1].curve == pytest.approx(list(found["held_out_ndcg@10"].values()), abs=1e-4)
    assert list((folder / "runs" / runs[1].name).glob("events*"))  # type: ignore[operator]
    listed = CliRunner().invoke(
        app, ["recommend", "--dataset", "world", "--scorer", "fine-tuned", "--age", "30", "-k", "3", *shared]
    )
    assert listed.exit_code == 0, listed.output
    assert json.loads(listed.stdout)["scorer"] == "fine-tuned"


def test_other_scorers_cannot_be_trained():
    done = CliRunner().invoke(app, ["train", "--scorer", "cosine"])
    assert isinstance(done.exception, ConfigError)
    assert "fine-tuned" in str(done.exception)
