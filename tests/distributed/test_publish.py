"""From the command line to the reader: what is published is searched there, and when it cannot be, the reader is told."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.errors import ConfigError
from recsys.recommender import Recommender
from recsys.schema import Dataset, ItemFilter, Profile
from recsys.settings import Settings
from tests.toy import ToyEncoder
from tests.training.world import world

PROFILES = [Profile(30, "F", interests=("space",), liked=("03",)), Profile(), Profile(interests=("comedy",))]


@pytest.fixture
def with_toy_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.recommender.opening.open_encoder", lambda *_, **__: ToyEncoder())


def published(*more: str) -> dict:
    outcome = CliRunner().invoke(app, ["publish", *more, "--scorer", "cosine", "--json"], catch_exceptions=False)
    assert outcome.exit_code == 0
    return json.loads(outcome.stdout)


def test_what_is_published_is_searched_there_with_the_same_answers(toy_folder: Dataset, with_toy_encoder, tmp_path):
    uri = str(tmp_path / "items.db")
    said = published(str(toy_folder.folder), "--to", uri)
    assert (said["n_items"], said["reused"], said["scorer"]) == (12, False, "cosine")
    assert published(str(toy_folder.folder), "--to", uri)["reused"]
    local = Recommender.from_dataset(toy_folder, scorer="cosine")
    remote = Recommender.from_dataset(toy_folder, scorer="cosine", settings=replace(Settings(), milvus=uri))
    keep = ItemFilter(categories=("space", "comedy"))
    for ours, theirs in zip(
        remote.recommend_many(PROFILES, k=5, keep=keep, exclude=["06"]),
        local.recommend_many(PROFILES, k=5, keep=keep, exclude=["06"]),
        strict=True,
    ):
        assert ours.table.equals(theirs.table)
        assert ours.warnings == ()
    assert remote.explain(PROFILES[0], "00").rank == local.explain(PROFILES[0], "00").rank
    remote.index.close()


def test_the_reader_is_told_of_a_server_that_is_down(toy_folder: Dataset):
    settings = Settings(milvus="http://127.0.0.1:9")
    found = Recommender.from_dataset(
        toy_folder, scorer="cosine", encoder=ToyEncoder(), settings=settings
    ).recommend_many(PROFILES, k=3)
    expected = Recommender.from_dataset(toy_folder, scorer="cosine", encoder=ToyEncoder()).recommend_many(PROFILES, k=3)
    for ours, theirs in zip(found, expected, strict=True):
        (warning,) = ours.warnings
        assert "The search server at http://127.0.0.1:9 was not used" in warning
        assert ours.table.equals(theirs.table)


def test_other_weights_of_views_are_ranked_here():
    settings = Settings(milvus="http://127.0.0.1:9")
    there = Recommender.from_dataset(world(), encoder=ToyEncoder(), settings=settings)
    profile = Profile(30, "F")
    assert len(there.recommend(profile, k=3).warnings) == 1
    assert there.with_views({"text": 0.5}).recommend(profile, k=3).warnings == ()


def test_publishing_needs_an_address(toy_folder: Dataset, monkeypatch):
    monkeypatch.delenv("COLDLENS_MILVUS", raising=False)
    with pytest.raises(ConfigError, match="No search server is named. Give its address with --to"):
        CliRunner().invoke(app, ["publish", str(toy_folder.folder)], catch_exceptions=False)
