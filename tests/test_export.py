"""A list for other programs."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.export import neutralise, to_csv, to_json
from recsys.recommender import Recommender
from recsys.schema import Profile
from tests.hostile import write_hostile


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\0=1", "'=1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert neutralise(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Alien", "1984", "a=b", ""])
def test_other_texts_stay_as_they_are(text):
    assert neutralise(text) == text


@given(st.text())
def test_dropping_one_apostrophe_always_gives_the_text_back(text):
    safe = neutralise(text)

    assert (safe[1:] if safe.startswith("'") else safe) == text


def test_csv_and_json_hold_the_list(tmp_path, toy_encoder):
    dataset = write_hostile(tmp_path / "hostile")
    profile = Profile(interests=("=cmd()",))
    found = Recommender.from_dataset(dataset, scorer="cosine", encoder=toy_encoder).recommend(profile, k=12)

    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, 13)]
    assert not any(row["title"].startswith(("=", "@")) for row in rows)
    assert [neutralise(title) for title in found.table["title"]] == [row["title"] for row in rows]
    value = json.loads(to_json(found, dataset="hostile"))
    assert value["dataset"] == "hostile"
    assert [row["title"] for row in value["recommendations"]] == list(found.table["title"])
    assert value["profile"]["interests"] == ["=cmd()"]
