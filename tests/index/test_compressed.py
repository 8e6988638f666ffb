import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.index import CompressedIndex, ItemIndex, compressed, open_index, shards


def uneven(n: int, rng: np.random.Generator) -> np.ndarray:
    """Item vectors as the additive scorer has them: small tastes, and a prior of another scale in the last column."""
    tastes = rng.standard_normal((n, 48)) * np.geomspace(0.02, 0.001, 48)
    return np.hstack([tastes, rng.gamma(0.3, 0.2, (n, 1))]).astype(np.float32)


def queries_for(n: int, rng: np.random.Generator, *, popularity: float = 1.0) -> np.ndarray:
    return np.hstack([rng.standard_normal((n, 48)), np.full((n, 1), popularity)])


@pytest.fixture
def catalog() -> np.ndarray:
    return uneven(20_000, np.random.default_rng(0))


def test_a_prior_of_another_scale_does_not_coarsen_the_rest(catalog, monkeypatch):
    usual, taste = (queries_for(40, np.random.default_rng(1), popularity=weight) for weight in (1.0, 0.0))
    index = CompressedIndex.from_vectors(catalog)
    assert index.measured_recall(usual) == index.measured_recall(taste) == 1.0
    one_range = compressed.Grid(np.zeros(49, np.float32), np.full(49, np.abs(catalog).max(), np.float32))
    monkeypatch.setattr(compressed.Grid, "from_vectors", lambda vectors: one_range)
    assert CompressedIndex.from_vectors(catalog).measured_recall(taste) < 0.95


def test_recall_is_measured_against_exact_search(catalog, monkeypatch):
    index = CompressedIndex.from_vectors(catalog)
    assert 0.95 < index.recall <= 1.0
    monkeypatch.setattr(compressed, "_scan", lambda start, shard, asked, n, mask: np.arange(start, start + 10))
    assert index.measured_recall() < 0.5


def test_what_comes_back_short_is_asked_for_again_and_at_the_end_exactly(catalog, monkeypatch):
    index, query, real = (
        CompressedIndex.from_vectors(catalog),
        queries_for(1, np.random.default_rng(2)),
        compressed._scan,
    )
    asked_for: list[int] = []

    def short(start, shard, asked, n, mask):
        asked_for.append(n)
        return real(start, shard, asked, n, mask)[: n // 100]

    monkeypatch.setattr(shards, "_n_threads", lambda: 1)
    monkeypatch.setattr(compressed, "_scan", short)
    expected = ItemIndex(catalog).search(query, 10)
    assert index.search(query, 10).rows[0].tolist() == expected.rows[0].tolist()
    assert asked_for == [40, 80, 160, 320, 640, 1280]
    monkeypatch.setattr(compressed, "_scan", lambda start, shard, asked, n, mask: np.zeros(0, np.int64))
    mask = np.arange(20_000) % 7 == 0
    exact = ItemIndex(catalog).search(query, 10, allowed=[mask])
    assert index.search(query, 10, allowed=[mask]).rows[0].tolist() == exact.rows[0].tolist()


def test_columns_in_which_all_items_agree_and_catalogs_of_one(catalog):
    flat = catalog.copy()
    flat[:, 3] = 0.5
    query = queries_for(1, np.random.default_rng(3))
    found = CompressedIndex.from_vectors(flat).search(query, 10)
    assert found.rows[0].tolist() == ItemIndex(flat).search(query, 10).rows[0].tolist()
    assert CompressedIndex.from_vectors(catalog[:1]).recall == 1.0
    assert np.isnan(CompressedIndex.from_vectors(catalog[:0]).recall)


def test_an_unknown_kind_is_refused_by_name(catalog):
    with pytest.raises(ConfigError, match=r"does not exist: 'ivf'\. Set COLDLENS_INDEX to one of: exact, compressed\."):
        open_index(catalog, kind="ivf")
