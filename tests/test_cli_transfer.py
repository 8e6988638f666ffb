"""`recsys train --from --to`, and `recsys evaluate --protocol transfer`."""

import json
from pathlib import Path

import pytest

from recsys.datasets import open_dataset, write_folder
from recsys.evaluation import kept_transfers
from recsys.recommender import Recommender, available_scorers
from recsys.schema import Profile
from tests.test_cli import Shell, shell  # noqa: F401  # shell is a fixture
from tests.toy import ToyEncoder
from tests.training.world import world
from tests.transfer.test_transfer import catalog
from tests.transfer.test_transfer_evaluation import dated


@pytest.fixture
def worlds(shell: Shell) -> Shell:  # noqa: F811
    write_folder(world(), shell.data_dir / "world")
    write_folder(catalog(), shell.data_dir / "tales")
    return shell


def test_a_catalog_learns_elsewhere_and_is_ranked_by_that(worlds: Shell):
    found = worlds.json("train", "--from", "world", "--to", "tales")
    assert (found["dataset"], found["scorer"], found["source"]) == ("tales", "transferred", "world")
    assert found["kept"][:3] == ["age", "gender", "occupation"] and found["prior"] == "predicted from texts"
    assert "data" not in found and "embeddings" not in found
    dataset = open_dataset("tales", data_dir=worlds.data_dir)
    assert available_scorers(dataset)[0] == "transferred"
    recommender = Recommender.from_dataset(dataset, encoder=ToyEncoder())
    listed = recommender.recommend(Profile(age=20, gender="M"), k=3)
    assert recommender.scorer.name == "transferred" and len(listed.table) == 3


def test_a_person_is_told_what_carries_over_and_what_does_not(worlds: Shell):
    code, out, err = worlds("train", "--from", "world", "--to", "tales", "--no-prior")
    assert (code, err) == (0, "read (0 of 4)\nlearn (1 of 4)\nbalance (2 of 4)\ncarry (3 of 4)\n")
    assert "ranked by what 2,573 likes of 160 people of world taught" in out
    assert "Not carried over: popularity (it was asked to be zero)." in out


def test_a_page_is_told_how_far_it_is(worlds: Shell, tmp_path: Path):
    """A job of the dashboard adds the file of its progress, its data folder, encoder and device to every command."""
    progress = tmp_path / "progress"
    words = ("--data-dir", str(worlds.data_dir), "--progress", str(progress), "--encoder", "", "--device", "cpu")
    code, _, err = worlds("train", "--from", "world", "--to", "tales", *words)
    assert (code, err) == (0, "")
    assert json.loads(progress.read_text("utf-8")) == {"finished": True}


def test_a_transfer_is_judged_kept_and_told(worlds: Shell):
    write_folder(dated("target", 7), worlds.data_dir / "target")
    words = ["evaluate", "--dataset", "target", "--protocol", "transfer", "--from", "world", "--folds", "2"]
    code, out, err = worlds(*words, "--shots", "0", "--likes", "30", "--progress", str(worlds.data_dir / "progress"))
    assert (code, err) == (0, "")
    assert "transferred against zero-shot cosine: +" in out
    assert "transferred, 30 likes against additive, 30 likes: +" in out
    dataset = open_dataset("target", data_dir=worlds.data_dir)
    key = Recommender.from_dataset(dataset, scorer="cosine", encoder=ToyEncoder()).material_key
    (kept,) = kept_transfers(dataset, key)
    assert kept.plan.source == "world" and kept.plan.likes == (30,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "train --from world",
            "A transfer goes from one dataset to another: '--from world --to None'. Write recsys train",
        ),
        ("train --to tales", "A transfer goes from one dataset to another"),
        ("train --from world --to tales --scorer private", "This does not go with --from and --to: 'private'. Leave"),
        ("train --from world --to tales --scorer fine-tuned", "This does not go with --from and --to: 'fine-tuned'"),
        ("train --from world --to tales --wandb", "This does not go with --from and --to: '--wandb'"),
        ("train world --no-prior", "Only what is carried over can be without a prior: '--no-prior'. Add --from"),
        ("train --from nowhere --to tales", "There is no such dataset: 'nowhere'"),
        ("train --from tales --to world", "There are no likes of other users to learn from: 'tales'"),
        ("train --from world --to world", "A dataset cannot be carried over to itself: 'world'"),
        ("evaluate --dataset world --protocol transfer", "A transfer needs its protocol and its source"),
        ("evaluate --dataset world --from tales", "A transfer needs its protocol and its source"),
        ("evaluate --dataset world --protocol transfer --from category<x", "no dataset and no part of a catalog"),
        (
            "evaluate --dataset world --protocol transfer --from category=opera",
            "The catalog has no such category: 'opera'",
        ),
        ("evaluate --dataset world --protocol transfer --from tales --likes x", "The numbers of likes are not numbers"),
    ],
)
def test_what_cannot_be_done_exits_with_2_in_three_parts(worlds: Shell, arguments: str, message: str):
    code, out, err = worlds(*arguments.split())
    assert (code, out) == (2, "")
    assert message in err and "Traceback" not in err
