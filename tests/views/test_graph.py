import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.datasets import write_folder
from recsys.errors import ConfigError, MissingExtraError
from recsys.schema import Dataset
from recsys.views import graph as graph_view
from recsys.views.facts import facts_of
from recsys.views.graph import open_graph_view
from recsys.views.learned_graph import learned_graph_vectors
from recsys.views.view import GRAPH, ItemView

KINDS = np.arange(12) % 3


def opened(dataset: Dataset) -> ItemView:
    view = open_graph_view(dataset)
    assert view is not None
    return view


def with_random_facts(toy: Dataset, *, n: int = 60, seed: int = 0) -> Dataset:
    """Every item has some of many facts, the last item none."""
    rng = np.random.default_rng(seed)
    heads = toy.items["item_id"].to_numpy()[rng.integers(0, 11, 6 * n)]
    graph = pd.DataFrame({"head": heads, "relation": "about", "tail": [f"fact {i}" for i in rng.integers(0, n, 6 * n)]})
    return replace(toy, graph=graph)


def test_items_of_a_kind_are_alike_and_others_are_not(toy: Dataset):
    view = opened(toy)
    assert view.name == GRAPH
    assert view.vectors.dtype == np.float32
    np.testing.assert_allclose(view.vectors @ view.vectors.T, KINDS[:, None] == KINDS, atol=1e-6)


def test_an_item_without_facts_is_zero_and_a_catalog_without_facts_has_no_view(toy: Dataset):
    view = opened(with_random_facts(toy))
    assert view.has.tolist() == [True] * 11 + [False]
    np.testing.assert_allclose(np.linalg.norm(view.vectors, axis=1), [1] * 11 + [0], rtol=1e-5)
    assert open_graph_view(replace(toy, items=toy.items.drop(columns="categories"))) is None
    everybody = replace(toy, items=toy.items.assign(categories=[("all",)] * 12))
    assert open_graph_view(everybody) is None


def test_full_rank_embedding_is_exact(toy: Dataset):
    dataset = with_random_facts(toy)
    matrix = facts_of(dataset).matrix.toarray()
    vectors = opened(dataset).vectors
    assert vectors.shape == (12, 11)
    np.testing.assert_allclose(vectors @ vectors.T, matrix @ matrix.T, atol=1e-5)


def test_leading_directions_are_those_of_the_full_decomposition(monkeypatch: pytest.MonkeyPatch, toy: Dataset):
    monkeypatch.setattr(graph_view, "DIM", 4)
    monkeypatch.setattr(graph_view, "_SPARE", 4)
    dataset = with_random_facts(toy)
    matrix = facts_of(dataset).matrix.toarray().astype(float)
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    exact = (left * values)[:, :4]
    exact /= np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12)
    vectors = opened(dataset).vectors
    np.testing.assert_allclose((vectors @ vectors.T)[:11, :11], (exact @ exact.T)[:11, :11], atol=0.01)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, toy: Dataset):
    dataset = with_random_facts(toy)
    whole = opened(dataset).vectors
    monkeypatch.setattr(graph_view, "_ROWS", 5)
    blocks = opened(dataset).vectors
    np.testing.assert_allclose(whole @ whole.T, blocks @ blocks.T, atol=1e-5)
    assert (blocks == opened(dataset).vectors).all()


def test_of_too_many_facts_the_heaviest_stay(monkeypatch: pytest.MonkeyPatch, toy: Dataset):
    words = [("a", "b")] * 4 + [("a",)] * 4 + [("c",)] * 2 + [("d",)] * 2
    dataset = replace(toy, items=toy.items.assign(categories=words))
    monkeypatch.setattr(graph_view, "_MOST_FACTS", 2)
    weights = facts_of(dataset).matrix.power(2).sum(axis=0)
    kept = np.flatnonzero(weights >= np.sort(weights)[-2])
    has_kept = facts_of(dataset).matrix.toarray()[:, kept].any(axis=1)
    assert 0 < has_kept.sum() < 12
    assert (opened(dataset).has == has_kept).all()


def test_view_is_made_once_and_kept(toy_folder: Dataset, toy: Dataset, tmp_path: Path):
    steps: list[tuple[str, int, int]] = []

    def tell(*step: object) -> None:
        steps.append(step)  # type: ignore[arg-type]

    first = open_graph_view(toy_folder, progress=tell)
    assert steps[0][:2] == ("graph", 0)
    assert steps[-1][1] == steps[-1][2]
    steps.clear()
    again = open_graph_view(toy_folder, progress=tell)
    assert first is not None and again is not None
    assert steps == []
    assert isinstance(again.vectors, np.memmap)
    assert again.key == first.key == opened(toy).key
    assert (np.asarray(again.vectors) == opened(toy).vectors).all()


def test_other_facts_are_another_view_and_the_oldest_goes(toy: Dataset, tmp_path: Path):
    keys = []
    for seed in range(3):
        keys.append(opened(write_folder(with_random_facts(toy, seed=seed), tmp_path / "toy")).key)
    assert len(set(keys)) == 3
    same_shape = replace(toy, items=toy.items.iloc[[1, 0, *range(2, 12)]].reset_index(drop=True))
    assert opened(same_shape).key != opened(toy).key
    assert {path.name for path in (tmp_path / "toy" / "artifacts").glob("graph-*")} == {
        f"graph-{key[:16]}" for key in keys[1:]
    }


def test_a_damaged_view_is_made_again(toy_folder: Dataset):
    whole = np.array(opened(toy_folder).vectors)
    assert toy_folder.folder is not None
    (path,) = toy_folder.folder.glob("artifacts/graph-*/vectors.npy")
    path.write_bytes(path.read_bytes()[:-4])
    assert (np.asarray(opened(toy_folder).vectors) == whole).all()


@pytest.mark.parametrize("options", [{"model": "Word2Vec"}, {"dim": 0}, {"epochs": 0}])
def test_faults_of_a_learned_graph_are_named(toy: Dataset, options: dict):
    with pytest.raises(ConfigError):
        learned_graph_vectors(toy, **options)


def test_no_facts_nothing_learned(toy: Dataset):
    assert learned_graph_vectors(replace(toy, items=toy.items.drop(columns="categories"))) is None


def test_without_the_extra_it_is_named(toy: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pykeen.models", None)
    monkeypatch.setitem(sys.modules, "pykeen", None)
    with pytest.raises(MissingExtraError, match=r"coldlens\[graph\]"):
        learned_graph_vectors(toy)


@pytest.fixture
def pykeen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PyKEEN makes a folder in the home folder when it is imported, unless it is told another one."""
    monkeypatch.setenv("PYSTOW_HOME", str(tmp_path))
    pytest.importorskip("pykeen.version", reason="the extra graph is not installed")


@pytest.mark.usefixtures("pykeen")
def test_learned_vectors_are_repeatable_and_zero_without_facts(toy: Dataset):
    dataset = with_random_facts(toy)
    before = np.random.get_state()[1].tolist()
    found, again = (learned_graph_vectors(dataset, dim=4, epochs=2, seed=1) for _ in range(2))
    assert found is not None and again is not None
    assert found.shape == (12, 8)
    assert (found == again).all()
    assert not (found == learned_graph_vectors(dataset, dim=4, epochs=2, seed=2)).all()
    assert np.random.get_state()[1].tolist() == before
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1] * 11 + [0], atol=1e-5)


@pytest.mark.usefixtures("pykeen")
def test_learned_vectors_of_attributes_tell_kinds_apart(toy: Dataset):
    found = learned_graph_vectors(toy, model="DistMult", dim=4, epochs=60)
    assert found is not None
    cosines, same = found @ found.T, KINDS[:, None] == KINDS
    assert cosines[same & ~np.eye(12, dtype=bool)].mean() > cosines[~same].mean() + 0.2
