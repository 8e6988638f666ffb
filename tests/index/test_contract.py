"""What every kind of index that lives in this process promises."""

from collections.abc import Callable

import numpy as np
import pytest

from recsys.index import CompressedIndex, Index, ItemIndex, exact, open_index, shards

KINDS: dict[str, Callable[[np.ndarray], Index]] = {
    "numpy": ItemIndex,
    "faiss": ItemIndex,
    "torch": lambda vectors: ItemIndex(vectors, device="cpu:0"),
    "torch in chunks": lambda vectors: ItemIndex(vectors, device="cpu:0", device_bytes=100 * 4 * vectors.shape[1]),
    "compressed": CompressedIndex.from_vectors,
}


@pytest.fixture(params=KINDS)
def make(request, monkeypatch) -> Callable[[np.ndarray], Index]:
    """Small catalogs are scanned as large ones are, in several shards."""
    monkeypatch.setattr(exact, "_FLAT_ITEMS", 10**9 if request.param == "numpy" else 0)
    monkeypatch.setattr(shards, "_WORTH_A_THREAD", 100)
    monkeypatch.setattr(shards, "_n_threads", lambda: 3)
    return KINDS[request.param]


def units(n: int, dim: int = 24, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def brute_force(vectors: np.ndarray, query: np.ndarray, k: int, mask: np.ndarray | None = None) -> list[int]:
    exact_scores = vectors.astype(np.float64) @ query.astype(np.float64)
    rows = [row for row in range(len(vectors)) if mask is None or mask[row]]
    return sorted(rows, key=lambda row: (-exact_scores[row], row))[:k]


@pytest.mark.parametrize("n_queries", [1, 7])
@pytest.mark.parametrize("k", [1, 10, 799, 800, 2000])
def test_the_best_come_first_with_their_exact_scores(make, k, n_queries):
    vectors, queries = units(800), units(n_queries, seed=1)
    hits = make(vectors).search(queries, k)
    for query, rows, scores in zip(queries, hits.rows, hits.scores, strict=True):
        assert rows.tolist() == brute_force(vectors, query, k)
        np.testing.assert_allclose(scores, vectors[rows].astype(np.float64) @ query.astype(np.float64), atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.002, 0.02, 0.5, 0.998])
def test_only_what_is_allowed_comes_and_never_fewer_than_k_of_it(make, share):
    vectors, queries, rng = units(1000), units(3, seed=1), np.random.default_rng(2)
    masks = [rng.random(1000) < share, None, rng.random(1000) < share]
    index = make(vectors)
    together = index.search(queries, 10, allowed=masks)
    for query, rows, mask in zip(queries, together.rows, masks, strict=True):
        assert rows.tolist() == brute_force(vectors, query, 10, mask)
        assert index.search(query[None], 10, allowed=[mask]).rows[0].tolist() == rows.tolist()


def test_a_batch_equals_one_by_one_to_the_last_bit(make):
    vectors, queries = units(800), units(9, seed=1)
    index = make(vectors)
    together = index.search(queries, 10)
    for number, query in enumerate(queries):
        alone = index.search(query[None], 10)
        np.testing.assert_array_equal(alone.rows[0], together.rows[number])
        np.testing.assert_array_equal(alone.scores[0], together.scores[number])


def test_ties_go_to_the_smaller_row_however_many_there_are(make):
    vectors = np.tile(units(1), (1000, 1))
    vectors[[0, 1, 500]] = 0
    hits = make(vectors).search(units(1), 600)
    assert hits.rows[0].tolist() == [row for row in range(1000) if row not in (0, 1, 500)][:600]


def test_a_few_ties_at_the_end_of_the_list(make):
    vectors, query = units(1000), units(1, seed=1)
    best = brute_force(vectors, query[0], 12)
    vectors[best[10:]] = vectors[best[9]]
    hits = make(vectors).search(query, 10)
    assert hits.rows[0].tolist() == [*best[:9], min(best[9:])]


def test_no_queries_no_items_and_a_query_of_zeros(make):
    vectors = units(300)
    assert make(vectors).search(np.zeros((0, 24), np.float32), 5).rows == ()
    assert make(vectors[:0]).search(np.zeros((1, 24), np.float32), 5).rows[0].tolist() == []
    nothing = make(vectors).search(np.zeros((1, 24), np.float32), 300)
    assert nothing.rows[0].tolist() == list(range(300))
    assert len(make(vectors)) == 300


def test_ranks_and_scores_are_exact(make):
    vectors, queries = units(400), units(2, seed=1)
    index = make(vectors)
    mask = np.random.default_rng(3).random(400) < 0.5
    ranking = brute_force(vectors, queries[0], 400, mask)
    for place in (0, 1, 57, len(ranking) - 1):
        assert index.rank_of(queries[0], ranking[place], allowed=mask) == place + 1
    rows = np.array(ranking[:30])
    assert index.ranks_of(queries[:1], rows, allowed=[mask])[0].tolist() == list(range(1, 31))
    np.testing.assert_allclose(index.scores(queries), queries @ vectors.T, atol=1e-5)
    np.testing.assert_array_equal(
        index.rescore(queries[0], rows[:3]), index.search(queries[:1], 3, allowed=[mask]).scores[0]
    )


def test_memory_mapped_vectors_stay_where_they_are(make, tmp_path):
    np.save(tmp_path / "vectors.npy", units(500))
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    index = make(mapped)
    assert index.vectors is mapped
    assert index.search(units(1, seed=1), 10).rows[0].tolist() == brute_force(units(500), units(1, seed=1)[0], 10)


def test_the_door_gives_each_kind():
    vectors = units(50)
    assert isinstance(open_index(vectors), ItemIndex)
    assert isinstance(open_index(vectors, kind="compressed"), CompressedIndex)
