import socket
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from recsys.errors import ConfigError, MissingExtraError
from recsys.index import ItemIndex, collection, milvus, row_filter
from recsys.index.collection import Collection, alias_of, fingerprint_of, publish
from recsys.index.milvus import MilvusIndex
from recsys.index.row_filter import row_filters

N_ITEMS = 500
ALIAS = alias_of("tests", "cosine")


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = np.random.default_rng(0).standard_normal((N_ITEMS, 24)).astype(np.float32)
    made[400:430] = made[400]  # ties
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def queries() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((7, 24))


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory, vectors: np.ndarray) -> str:
    """A file that the vectors were published to."""
    path = str(tmp_path_factory.mktemp("milvus") / "items.db")
    publish(vectors, uri=path, alias=ALIAS)
    return path


@pytest.fixture
def index(vectors: np.ndarray, uri: str) -> Iterator[MilvusIndex]:
    """Searches the file."""
    made = MilvusIndex(ItemIndex(vectors), uri=uri, alias=ALIAS)
    yield made
    made.close()


def masks() -> dict[str, np.ndarray | None]:
    rng = np.random.default_rng(2)
    few, many = rng.random(N_ITEMS) < 0.02, rng.random(N_ITEMS) < 0.98
    return {"all": None, "few": few, "many": many, "half": rng.random(N_ITEMS) < 0.5, "none": np.zeros(N_ITEMS, bool)}


def agreement(hits, expected) -> float:
    found = [len(set(ours) & set(theirs)) / max(1, len(theirs)) for ours, theirs in zip(hits, expected, strict=True)]
    return float(np.mean(found))


@pytest.mark.parametrize("listed", [10_000, 7])
@pytest.mark.parametrize("name", ["all", "few", "many", "half"])
def test_the_answers_are_those_of_the_local_index(index, vectors, queries, name, listed, monkeypatch):
    monkeypatch.setattr(row_filter, "LISTED", listed)
    allowed = [masks()[name]] * len(queries)
    expected = ItemIndex(vectors).search(queries, 20, allowed=allowed)
    monkeypatch.setattr(index.local, "search", None)

    hits = index.search(queries, 20, allowed=allowed)

    assert agreement(hits.rows, expected.rows) == 1
    for ours, theirs in zip(hits.rows, expected.rows, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert len(ours) == (20 if allowed[0] is None else min(20, allowed[0].sum()))
    for ours, theirs in zip(hits.scores, expected.scores, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert index.notice == ""


def test_nothing_allowed_gives_nothing(index, queries):
    hits = index.search(queries[:1], 5, allowed=[masks()["none"]])
    assert hits.rows[0].tolist() == []
    assert hits.scores[0].tolist() == []


@pytest.mark.parametrize("k", [1, N_ITEMS - 1, N_ITEMS, 1000])
def test_any_length_up_to_the_whole_catalog(index, vectors, queries, k, monkeypatch):
    expected = ItemIndex(vectors).search(queries[:1], k)
    monkeypatch.setattr(index.local, "search", None)
    np.testing.assert_array_equal(index.search(queries[:1], k).rows[0], expected.rows[0])


def test_batch_equals_one_by_one(index, queries):
    allowed = [*masks().values(), None, masks()["few"]]
    together = index.search(queries, 10, allowed=allowed)
    assert len(together.rows) == 7
    for number in range(7):
        alone = index.search(queries[number : number + 1], 10, allowed=allowed[number : number + 1])
        np.testing.assert_array_equal(alone.rows[0], together.rows[number])
        np.testing.assert_array_equal(alone.scores[0], together.scores[number])


def test_ties_are_settled_as_locally_however_many_there_are(index, vectors, monkeypatch):
    monkeypatch.setattr(milvus, "_SPARE", 0)
    query = vectors[400:401].astype(np.float64)
    assert index.search(query, 10).rows[0].tolist() == list(range(400, 410))
    assert index.search(np.zeros((1, 24)), 5).rows[0].tolist() == [0, 1, 2, 3, 4]
    monkeypatch.setattr(milvus, "_MOST", 100)
    limits, search = [], Collection.search
    monkeypatch.setattr(Collection, "search", lambda *args, **more: limits.append(args[2]) or search(*args, **more))
    assert index.search(np.zeros((1, 24)), 5).rows[0].tolist() == [0, 1, 2, 3, 4]
    assert limits == [5, 10, 20, 40, 80]
    assert index.notice == ""


def test_differences_too_small_for_the_server_count(tmp_path):
    rng = np.random.default_rng(3)
    base = rng.standard_normal(384).astype(np.float32)
    vectors = base + 1e-7 * rng.standard_normal((300, 384)).astype(np.float32)
    publish(vectors, uri=str(tmp_path / "near.db"), alias=ALIAS)
    index = MilvusIndex(ItemIndex(vectors), uri=str(tmp_path / "near.db"), alias=ALIAS)
    expected = ItemIndex(vectors).search(base[None], 10).rows[0]
    np.testing.assert_array_equal(index.search(base[None], 10).rows[0], expected)
    assert index.notice == ""
    index.close()


def test_an_empty_catalog_and_no_queries(tmp_path, queries):
    empty = np.zeros((0, 24), np.float32)
    assert publish(empty, uri=str(tmp_path / "empty.db"), alias=ALIAS).n_items == 0
    index = MilvusIndex(ItemIndex(empty), uri=str(tmp_path / "empty.db"), alias=ALIAS)
    assert index.search(queries[:1], 5).rows[0].tolist() == []
    assert index.search(queries[:0], 5).rows == ()
    assert index.notice == ""
    index.close()


def test_scores_and_ranks_are_the_local_ones(index, vectors, queries):
    local = ItemIndex(vectors)
    assert len(index) == N_ITEMS
    assert index.vectors is vectors
    allowed, rows = masks()["half"], np.array([3, 400, 401])
    np.testing.assert_array_equal(index.scores(queries), local.scores(queries))
    np.testing.assert_array_equal(index.rescore(queries[0], rows), local.rescore(queries[0], rows))
    assert index.rank_of(queries[0], 7, allowed=allowed) == local.rank_of(queries[0], 7, allowed=allowed)
    ranks = index.ranks_of(queries, rows, allowed=[allowed] * 7)
    np.testing.assert_array_equal(ranks, local.ranks_of(queries, rows, allowed=[allowed] * 7))


def answers_locally(vectors: np.ndarray, queries: np.ndarray, uri: str) -> str:
    """Returns the notice that comes with the right answer, within two seconds."""
    index = MilvusIndex(ItemIndex(vectors), uri=uri, alias=ALIAS)
    expected = ItemIndex(vectors).search(queries, 20)
    started = time.monotonic()
    hits = index.search(queries, 20)
    assert time.monotonic() - started < milvus.SECONDS + 0.5
    for ours, theirs in zip(hits.rows, expected.rows, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    index.close()
    return index.notice


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_server_that_is_down_or_silent_is_told_and_replaced(vectors, queries, is_silent, monkeypatch):
    monkeypatch.setattr(milvus, "SECONDS", 1.0 if is_silent else 2.0)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if is_silent:
            listening.listen()
        notice = answers_locally(vectors, queries, f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert "was not used, because it does not answer. The list is complete" in notice


def test_a_server_without_the_collection_or_with_another_or_half_of_it(vectors, queries, tmp_path):
    path = str(tmp_path / "items.db")
    whole = Collection.open(path, ALIAS, fingerprint_of(vectors), timeout=5)
    assert "because nothing has been published there" in answers_locally(vectors, queries, path)
    publish(vectors[::-1], uri=path, alias=ALIAS)
    assert "because it holds other vectors" in answers_locally(vectors, queries, path)
    publish(vectors, uri=path, alias=ALIAS)
    assert answers_locally(vectors, queries, path) == ""
    beside_the_sample = sorted(set(range(500)) - set(np.linspace(0, 499, 256).astype(int).tolist()))
    whole._client.delete(whole.name, ids=beside_the_sample)
    assert "because it holds 256 of 500 items" in answers_locally(vectors, queries, path)
    assert not publish(vectors, uri=path, alias=ALIAS).reused
    assert answers_locally(vectors, queries, path) == ""
    whole.close()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda hits: hits[:-1], "it found 35 of 36 items"),
        (lambda hits: [*hits[:-1], hits[0]], "it found items that were not asked for"),
        (lambda hits: [*hits[:-1], (N_ITEMS, 0.0)], "it found items that were not asked for"),
        (lambda hits: [*hits[:-1], (13, 9.0)], "it found items that were not asked for"),
    ],
)
def test_wrong_answers_are_not_passed_on(index, vectors, queries, wrong, why, monkeypatch):
    search = Collection.search
    monkeypatch.setattr(Collection, "search", lambda *args, **more: [wrong(hits) for hits in search(*args, **more)])
    allowed = [np.arange(N_ITEMS) != 13] * 7
    hits = index.search(queries, 20, allowed=allowed)
    assert f"because {why}" in index.notice
    np.testing.assert_array_equal(hits.rows[3], ItemIndex(vectors).search(queries, 20, allowed=allowed).rows[3])


def test_a_server_that_failed_is_left_alone_for_a_while_and_then_asked_again(index, queries, monkeypatch):
    asked = []
    monkeypatch.setattr(milvus, "PAUSE", 0.3)
    with monkeypatch.context() as down:
        down.setattr(Collection, "open", lambda *args, **more: asked.append(args) or 1 / 0)
        down.setattr(index, "_failures", (ZeroDivisionError,))
        index.search(queries, 20)
        index.search(queries, 20)
    assert len(asked) == 1
    assert index.notice
    time.sleep(0.3)
    index.search(queries, 20)
    assert index.notice == ""


def test_publishing_switches_over_when_all_is_there_and_drops_what_was_before(vectors, tmp_path, monkeypatch):
    path = str(tmp_path / "items.db")
    first = publish(vectors[:50], uri=path, alias=ALIAS)
    assert (first.n_items, first.reused, first.dropped) == (50, False, ())
    neighbour = publish(vectors[:9], uri=path, alias=alias_of("tests", "additive"))
    with monkeypatch.context() as broken:
        broken.setattr(Collection, "count", lambda self, timeout: 49)
        with pytest.raises(ConfigError, match=r"Not all vectors arrived \(49 of 60\).*is still in use"):
            publish(vectors[:60], uri=path, alias=ALIAS)
    looking = Collection.open(path, ALIAS, fingerprint_of(vectors[:50]), timeout=5)
    assert looking.complaint(50, timeout=5) == ""
    second = publish(vectors[:70], uri=path, alias=ALIAS)
    assert first.collection in second.dropped
    assert len(second.dropped) == 2
    assert looking.complaint(50, timeout=5) == "it holds other vectors"
    assert publish(vectors[:70], uri=path, alias=ALIAS).reused
    assert sorted(looking._client.list_collections()) == sorted([second.collection, neighbour.collection])
    looking.close()


def test_one_wrong_bit_in_the_sample_is_seen(vectors, tmp_path, monkeypatch):
    bent = vectors[:20].copy()
    bent[19, 5] = np.nextafter(bent[19, 5], np.float32(9))
    load = Collection._load
    monkeypatch.setattr(Collection, "_load", lambda self, given: load(self, bent))
    with pytest.raises(ConfigError, match="Not all vectors arrived"):
        publish(vectors[:20], uri=str(tmp_path / "items.db"), alias=ALIAS)


def test_publishing_to_nobody_is_an_error(vectors, monkeypatch):
    monkeypatch.setattr(collection, "_PATIENCE", 0.3)
    with pytest.raises(ConfigError, match=r"The search server failed .*'http://127.0.0.1:9'. Name a server as"):
        publish(vectors, uri="http://127.0.0.1:9", alias=ALIAS)


def test_names_differ_where_what_they_name_does(vectors):
    names = {alias_of("a-b", "c"), alias_of("a_b", "c"), alias_of("a", "b_c"), alias_of("ä" * 300, "c")}
    assert len(names) == 4
    assert all(len(name) < 200 and name.isascii() and name.replace("_", "").isalnum() for name in names)
    prints = {fingerprint_of(one) for one in (vectors, vectors[::-1], vectors[:-1], vectors.reshape(-1, 12))}
    assert len(prints) == 4


@pytest.mark.parametrize("listed", [1, 3, 100])
@pytest.mark.parametrize("seed", range(4))
def test_filters_let_through_what_is_allowed_once(listed, seed, monkeypatch):
    monkeypatch.setattr(row_filter, "LISTED", listed)
    allowed = np.random.default_rng(seed).random(40) < (0.05, 0.3, 0.7, 0.95)[seed]
    filters = list(row_filters(allowed, 40))
    let = [[row for row in range(40) if eval(one.expression, {"row": row})] for one in filters]
    assert sorted(row for rows in let for row in rows) == np.flatnonzero(allowed).tolist()
    assert [len(rows) for rows in let] == [one.n_allowed for one in filters]
    assert all(len(one.values.get("rows", ())) <= listed for one in filters)


def test_servers_that_know_templates_get_the_values_beside_the_filter(queries):
    class Client:
        def __init__(self, version: str) -> None:
            self.version, self.asked = version, {}

        def get_server_version(self, timeout: float) -> str:
            return self.version

        def search(self, name: str, data: list, **asked) -> list:
            self.asked = asked
            return [[{"row": 3, "distance": 0.5}]]

    (few,) = row_filters(np.arange(9) == 3, 9)
    for version, expected in [
        ("v2.3.5", "row in [3]"),
        ("milvus_lite-3.2.2", "row in [3]"),
        ("v2.6.1", "row in {rows}"),
    ]:
        client = Client(version)
        knows = collection._knows_templates(client, 1)
        found = Collection(client, "a", "b", knows_templates=knows).search(queries[:1], 1, few, timeout=1)
        assert found == [[(3, 0.5)]]
        assert client.asked["filter"] == expected
        assert client.asked.get("filter_params") == ({"rows": [3]} if knows else None)


def test_without_pymilvus_the_extra_is_named(vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    for call in (
        lambda: MilvusIndex(ItemIndex(vectors), uri="x", alias="y"),
        lambda: publish(vectors, uri="x", alias="y"),
    ):
        with pytest.raises(MissingExtraError, match=r"'cluster'. Install it: pip install 'coldlens\[cluster\]'"):
            call()
