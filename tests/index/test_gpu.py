"""The scan on a real CUDA device."""

import time

import numpy as np
import pytest
import torch

from recsys.index import ItemIndex

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def units(n: int, dim: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((n, dim), dtype=np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


@pytest.mark.parametrize("device_bytes", [None, 20_000 * 4 * 64])
def test_answers_are_those_of_the_processor(device_bytes):
    vectors, queries = units(100_000, 64, 0), units(300, 64, 1)
    masks = [None if n % 3 else np.random.default_rng(n).random(100_000) < 0.1 for n in range(300)]
    ours = ItemIndex(vectors, device="cuda", device_bytes=device_bytes)
    expected = ItemIndex(vectors).search(queries, 20, allowed=masks)
    found = ours.search(queries, 20, allowed=masks)
    for rows, scores, right, right_scores in zip(found.rows, found.scores, expected.rows, expected.scores, strict=True):
        np.testing.assert_array_equal(rows, right)
        np.testing.assert_array_equal(scores, right_scores)
    assert ours.rank_of(queries[0], int(found.rows[0][7]), allowed=masks[0]) == 8


def test_memory_that_runs_out_is_halved_until_it_does_not():
    vectors, queries = units(200_000, 64, 0), units(2000, 64, 1)
    expected = ItemIndex(vectors).search(queries[:50], 10)
    free, total = torch.cuda.mem_get_info()
    index = ItemIndex(vectors, device="cuda")
    assert index._on_device is not None
    index._on_device.block = 2000  # 1.6 GB of scores at a time, with what choosing needs
    torch.cuda.set_per_process_memory_fraction(min(1.0, (total - free + 1.0 * 2**30) / total))
    try:
        found = index.search(queries, 10)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert index._on_device.block < 2000
    for rows, right in zip(found.rows, expected.rows, strict=False):
        np.testing.assert_array_equal(rows, right)


def test_ten_million_items_and_ten_thousand_queries(capsys):
    vectors = np.empty((10_000_000, 128), np.float32)
    for start in range(0, len(vectors), 1_000_000):
        vectors[start : start + 1_000_000] = units(1_000_000, 128, start)
    index, query = ItemIndex(vectors, device="cuda"), units(60, 128, 7)
    index.search(query[:1], 10)
    taken = [_milliseconds(lambda one=one: index.search(one[None], 10)) for one in query[1:]]
    million = ItemIndex(vectors[:1_000_000], device="cuda")
    many = units(10_000, 128, 8)
    million.search(many[:10], 10)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    batch = _milliseconds(lambda: million.search(many, 10))
    peak = (torch.cuda.max_memory_allocated() - before) / 2**30
    best = million.search(query, 1).rows
    found = index.search(query, 1)
    assert all(own[0] == row[0] for own, row in zip(best, found.rows, strict=True) if row[0] < 1_000_000)
    assert peak < 8
    with capsys.disabled():
        p50, p95 = np.percentile(taken, 50), np.percentile(taken, 95)
        print(f"\n10,000,000 x 128 on {torch.cuda.get_device_name()}: one query p50 {p50:.2f} ms, p95 {p95:.2f} ms")
        print(f"10,000 queries x 1,000,000 x 128: {batch / 1000:.2f} s, {peak:.2f} GB for the scores")


def _milliseconds(call) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
