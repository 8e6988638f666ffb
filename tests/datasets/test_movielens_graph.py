from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.datasets import movielens as reader
from recsys.datasets import read_folder, write_folder
from recsys.datasets.movielens_graph import read_graph
from recsys.datasets.movielens_ids import later_ids
from recsys.schema import Dataset
from recsys.views.fact_words import describe
from recsys.views.facts import Facts, facts_of
from tests.datasets.test_movielens import official_zip

KG = """head_id:token	relation_id:token	tail_id:token
m.alien	film.film.directed_by	m.scott
m.scott	film.director.film	m.alien
m.scott	film.director.film	m.other
m.chasing	film.film.genre	m.comedy
m.alien	film.film.sequel	m.chasing
m.chasing	film.film.prequel	m.alien
m.chasing	film.film.sequel	m.chasing
"""
LINK = "item_id:token	entity_id:token\n1214	m.alien\n1639	m.chasing\n999999	m.other\n"


def small_graph(folder: Path) -> pd.DataFrame:
    (folder / "ml-100k.kg").write_text(KG)
    (folder / "ml-100k.link").write_text(LINK)
    return read_graph(folder)


def test_each_fact_stands_once_with_the_film_as_its_head(tmp_path: Path):
    assert [tuple(row) for row in small_graph(tmp_path).to_numpy()] == [
        ("183", "film.film.directed_by", "m.scott"),
        ("183", "film.film.sequel", "246"),
        ("183", "film.film.sequel", "268"),
        ("246", "film.film.genre", "m.comedy"),
        ("246", "film.film.sequel", "268"),
        ("268", "film.film.genre", "m.comedy"),
        ("268", "film.film.sequel", "246"),
    ]


def test_without_the_files_there_is_no_graph(tmp_path: Path):
    small_graph(tmp_path)
    (tmp_path / "ml-100k.link").unlink()
    assert read_graph(tmp_path).empty
    assert reader.read(official_zip(tmp_path / "ml-100k.zip")).graph.empty


def test_graph_has_the_counted_facts_and_no_inverses(movielens: Dataset):
    graph = movielens.graph
    assert not graph.duplicated().any()
    assert graph["relation"].nunique() == 14
    backwards = graph.rename(columns={"head": "tail", "tail": "head"})
    assert graph.merge(backwards, on=["head", "tail"]).empty
    films = set(movielens.items["item_id"]) & set(graph["head"])
    assert len(films) == 1335
    assert movielens.likes["item_id"].isin(films).mean() == pytest.approx(0.958, abs=0.001)


def test_ids_are_those_of_the_catalog(movielens: Dataset):
    assert set(later_ids()) <= set(movielens.items["item_id"])
    assert later_ids()["50"] == "260"


@pytest.fixture(scope="module")
def facts(movielens: Dataset) -> Facts:
    return facts_of(movielens)


def row(movielens: Dataset, title: str) -> int:
    return int(np.flatnonzero(movielens.items["title"] == title)[0])


@pytest.mark.parametrize(
    ("title", "other", "phrase"),
    [
        ("Aliens", "Alien", "sequel of Alien, shares "),
        ("The Godfather", "The Godfather: Part II", "prequel of The Godfather: Part II, shares "),
        ("Blade Runner", "Alien", "shares "),
    ],
)
def test_known_films_share_known_facts(movielens: Dataset, facts: Facts, title: str, other: str, phrase: str):
    shared = facts.shared(row(movielens, title), row(movielens, other))
    assert describe(shared, other).startswith(phrase)
    assert "m.0" not in describe(shared, other)
    assert title != "Blade Runner" or shared[0].word == "director"


@pytest.mark.parametrize("category", ["Western", "Animation", "Horror", "Musical", "Documentary"])
def test_genres_of_the_graph_are_those_of_the_films(movielens: Dataset, category: str):
    """The graph belongs to other films if it is linked by the ids of its file: no genre then agrees."""
    has = {
        i
        for i, names in zip(movielens.items["item_id"], movielens.items["categories"], strict=True)
        if category in names
    }
    genres = movielens.graph[movielens.graph["relation"] == "film.film.genre"]
    genres = genres[genres["head"].isin(movielens.item_rows)]
    agreements = [2 * len(has & set(films)) / (len(has) + len(films)) for _, films in genres.groupby("tail")["head"]]
    assert max(agreements) > 0.6


def test_a_copy_from_before_the_graph_opens_and_says_how_to_get_it(movielens: Dataset, tmp_path: Path):
    old = write_folder(movielens, tmp_path / "movielens-100k")
    graph_file = next((tmp_path / "movielens-100k").rglob("graph.parquet"))
    assert read_folder(tmp_path / "movielens-100k").fingerprint == movielens.fingerprint
    version, parquets = graph_file.parent, [path for path in graph_file.parent.glob("*.parquet") if path != graph_file]
    flat = tmp_path / "before"
    flat.mkdir()
    for path in parquets:
        path.rename(flat / path.name)
    lines = (old.folder / "dataset.toml").read_text().splitlines()
    (flat / "dataset.toml").write_text("\n".join(line for line in lines if not line.startswith("version")))
    assert version.is_dir()
    before = read_folder(flat)
    assert before.graph.empty
    assert "recsys datasets fetch movielens-100k" in reader.refetch_note(before)
    assert reader.refetch_note(movielens) == ""
