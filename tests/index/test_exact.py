import numpy as np
import pytest

from recsys.index import ItemIndex


@pytest.fixture
def vectors() -> np.ndarray:
    rng = np.random.default_rng(0)
    made = rng.standard_normal((500, 24)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def queries() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((7, 24)).astype(np.float32)


def brute_force(vectors: np.ndarray, query: np.ndarray, k: int, mask: np.ndarray | None = None) -> np.ndarray:
    exact = np.einsum("nd,d->n", vectors.astype(np.float64), query.astype(np.float64))
    rows = [row for row in range(len(vectors)) if mask is None or mask[row]]
    return np.array(sorted(rows, key=lambda row: (-exact[row], row))[:k])


@pytest.mark.parametrize("k", [1, 10, 499, 500, 1000])
def test_equals_brute_force(vectors, queries, k):
    hits = ItemIndex(vectors).search(queries, k)
    for query, rows, scores in zip(queries, hits.rows, hits.scores, strict=True):
        np.testing.assert_array_equal(rows, brute_force(vectors, query, k))
        np.testing.assert_allclose(scores, vectors[rows].astype(np.float64) @ query.astype(np.float64), atol=1e-12)
        assert len(rows) == min(k, 500)


def test_mask(vectors, queries):
    masks = [None, *(np.random.default_rng(n).random(500) < 0.1 for n in range(6))]
    hits = ItemIndex(vectors).search(queries, 10, allowed=masks)
    for query, rows, mask in zip(queries, hits.rows, masks, strict=True):
        np.testing.assert_array_equal(rows, brute_force(vectors, query, 10, mask))


def test_mask_that_leaves_few_or_none(vectors, queries):
    few = np.zeros(500, bool)
    few[[7, 3]] = True
    hits = ItemIndex(vectors).search(queries[:2], 10, allowed=[few, np.zeros(500, bool)])
    assert sorted(hits.rows[0].tolist()) == [3, 7]
    assert hits.rows[1].tolist() == []
    assert hits.scores[1].tolist() == []


def test_batch_equals_one_by_one(vectors, queries):
    index = ItemIndex(vectors)
    together = index.search(queries, 10)
    for number in range(len(queries)):
        alone = index.search(queries[number : number + 1], 10)
        np.testing.assert_array_equal(alone.rows[0], together.rows[number])
        np.testing.assert_array_equal(alone.scores[0], together.scores[number])


def test_small_blocks_change_nothing(vectors, queries, monkeypatch):
    masks = [np.random.default_rng(n).random(500) < 0.1 for n in range(7)]
    whole = ItemIndex(vectors).search(queries, 10, allowed=masks)
    monkeypatch.setattr("recsys.index.exact._BLOCK_BYTES", 1)
    monkeypatch.setattr("recsys.index.rescoring._RESCORED_ROWS", 3)
    found = ItemIndex(vectors).search(queries, 10, allowed=masks)
    for rows, expected in zip(found.rows, whole.rows, strict=True):
        np.testing.assert_array_equal(rows, expected)


def test_ties_go_to_the_smaller_row():
    vectors = np.array([[0, 1], [1, 0], [0, 1], [1, 0], [1, 0]], np.float32)
    hits = ItemIndex(vectors).search(np.array([[1, 0]], np.float32), 4)
    assert hits.rows[0].tolist() == [1, 3, 4, 0]


def test_many_more_ties_than_k():
    vectors = np.tile(np.random.default_rng(2).standard_normal(24).astype(np.float32), (1000, 1))
    vectors[:3] = 0
    hits = ItemIndex(vectors).search(vectors[5:6], 10)
    assert hits.rows[0].tolist() == list(range(3, 13))


def test_difference_too_small_for_float32_counts():
    vectors = np.zeros((100, 2), np.float32)
    vectors[:, 0] = 1
    vectors[70, 1] = 1e-4
    hits = ItemIndex(vectors).search(np.array([[1, 1e-5]], np.float32), 1)
    assert hits.rows[0].tolist() == [70]


def test_zero_query_gives_the_first_rows(vectors):
    hits = ItemIndex(vectors).search(np.zeros((1, 24), np.float32), 5)
    assert hits.rows[0].tolist() == [0, 1, 2, 3, 4]
    assert hits.scores[0].tolist() == [0.0] * 5


def test_no_queries_and_no_items(vectors):
    assert ItemIndex(vectors).search(np.zeros((0, 24), np.float32), 5).rows == ()
    hits = ItemIndex(vectors[:0]).search(np.zeros((1, 24), np.float32), 5)
    assert hits.rows[0].tolist() == []


def test_scores_of_one_and_of_many_agree(vectors, queries):
    index = ItemIndex(vectors)
    assert len(index) == 500
    np.testing.assert_allclose(index.scores(queries)[2], index.scores(queries[2:3])[0], atol=1e-5)


def test_memory_mapped_vectors(vectors, queries, tmp_path):
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        ItemIndex(mapped).search(queries, 10).rows[3], ItemIndex(vectors).search(queries, 10).rows[3]
    )


def test_near_duplicates_are_ordered_exactly():
    rng = np.random.default_rng(3)
    base = rng.standard_normal(384).astype(np.float32)
    base /= np.linalg.norm(base)
    vectors = base + 1e-8 * rng.standard_normal((2000, 384)).astype(np.float32)
    hits = ItemIndex(vectors).search(base[None], 10)
    np.testing.assert_array_equal(hits.rows[0], brute_force(vectors, base, 10))


@pytest.mark.parametrize("device_bytes", [None, 100])
def test_scanning_with_torch_whole_or_in_chunks_gives_the_same_answer(device_bytes):
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((57, 8)).astype(np.float32)
    queries = rng.standard_normal((4, 8)).astype(np.float32)

    by_torch = ItemIndex(vectors, device="cpu:0", device_bytes=device_bytes)

    np.testing.assert_allclose(by_torch.scores(queries), ItemIndex(vectors).scores(queries), rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(by_torch.search(queries, 5).rows, ItemIndex(vectors).search(queries, 5).rows, strict=True):
        assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_rank_of_an_item_is_its_place_in_the_search(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-1, 2, (40, 4)).astype(np.float32)  # many ties
    index, query = ItemIndex(vectors), rng.standard_normal(4).round(1)
    allowed = rng.random(40) < 0.7
    everything = index.search(query[None], 40, allowed=[allowed]).rows[0]

    for place, row in enumerate(everything, 1):
        assert index.rank_of(query, int(row), allowed=allowed) == place
    outside = int(np.flatnonzero(~allowed)[0])
    with_it = allowed.copy()
    with_it[outside] = True
    expected = 1 + int(np.flatnonzero(index.search(query[None], 40, allowed=[with_it]).rows[0] == outside)[0])
    assert index.rank_of(query, outside, allowed=allowed) == expected


@pytest.mark.parametrize("seed", range(5))
def test_ranks_of_many_items_for_many_queries_are_those_of_each_alone(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-1, 2, (40, 4)).astype(np.float32)  # many ties
    index, queries = ItemIndex(vectors), rng.standard_normal((6, 4)).round(1)
    allowed = [rng.random(40) < 0.7 for _ in queries]
    rows = rng.permutation(40)[:25]

    found = index.ranks_of(queries, rows, allowed=allowed)

    expected = [[index.rank_of(q, int(r), allowed=a) for r in rows] for q, a in zip(queries, allowed, strict=True)]
    np.testing.assert_array_equal(found, expected)
    everywhere = index.ranks_of(queries, rows)
    assert everywhere.tolist() == [[index.rank_of(q, int(r)) for r in rows] for q in queries]
    assert index.ranks_of(queries[:0], rows).shape == (0, 25)
    assert index.ranks_of(queries, rows[:0]).shape == (6, 0)


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_what_float32_cannot_tell_apart_is_a_candidate(device):
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((2000, 64)).astype(np.float32) / 100
    base = rng.standard_normal(64).astype(np.float32)
    alike = rng.permutation(2000)[:40]
    vectors[alike] = base + 1e-7 * rng.standard_normal((40, 64)).astype(np.float32)
    query = rng.standard_normal(64) / 8 + base

    hits = ItemIndex(vectors, device=device).search(query[None], 10)

    np.testing.assert_array_equal(hits.rows[0], brute_force(vectors, query, 10))
