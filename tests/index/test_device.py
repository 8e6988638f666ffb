"""The scan on a device, tested on the processor: torch calls it a device like any other."""

import numpy as np
import pytest
import torch

from recsys.index import ItemIndex, device
from recsys.index.device import DeviceScan


@pytest.fixture
def world() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((5000, 16)).astype(np.float32), rng.standard_normal((40, 16)).astype(np.float32)


def short_of_memory(monkeypatch, most: int) -> list[int]:
    """Choosing the best of more than this many scores fails, as on a device without memory; returns what was tried."""
    tried: list[int] = []
    real = torch.topk

    def topk(scores, *args, **kwargs):
        if scores.ndim == 2 and scores.shape[1] > 500:
            tried.append(scores.numel())
            if scores.numel() > most:
                raise torch.OutOfMemoryError("CUDA out of memory (a test says so)")
        return real(scores, *args, **kwargs)

    monkeypatch.setattr(torch, "topk", topk)
    return tried


def test_blocks_are_halved_when_memory_runs_out_and_stay_small(world, monkeypatch):
    vectors, queries = world
    expected = ItemIndex(vectors).search(queries, 5)
    index = ItemIndex(vectors, device="cpu:0")
    tried = short_of_memory(monkeypatch, 11 * 5000)
    assert [rows.tolist() for rows in index.search(queries, 5).rows] == [rows.tolist() for rows in expected.rows]
    assert tried == [size * 5000 for size in (40, 20, 10, 10, 10, 10)]


def test_then_the_matrix_is_taken_in_parts(world, monkeypatch):
    vectors, queries = world
    expected = ItemIndex(vectors).search(queries[:3], 5)
    index = ItemIndex(vectors, device="cpu:0")
    tried = short_of_memory(monkeypatch, 1300)
    assert [rows.tolist() for rows in index.search(queries[:3], 5).rows] == [rows.tolist() for rows in expected.rows]
    assert tried[:4] == [3 * 5000, 5000, 2500, 1250]


def test_what_is_too_large_for_any_block_is_an_error(world, monkeypatch):
    index = ItemIndex(world[0], device="cpu:0")
    short_of_memory(monkeypatch, 0)
    with pytest.raises(torch.OutOfMemoryError, match="a test says so"):
        index.search(world[1], 5)


def test_a_matrix_that_does_not_fit_after_all_is_sent_in_chunks(world, monkeypatch):
    vectors, queries = world
    real = torch.empty

    def empty(shape, **kwargs):
        if shape[0] > 2000:
            raise torch.OutOfMemoryError("CUDA out of memory (a test says so)")
        return real(shape, **kwargs)

    monkeypatch.setattr(torch, "empty", empty)
    scan = DeviceScan(vectors, device="cpu:0")
    assert scan.chunk == 1250
    np.testing.assert_allclose(scan.scores(queries), queries @ vectors.T, rtol=1e-4, atol=1e-5)


def test_queries_are_taken_in_blocks_that_fit_the_memory(world, monkeypatch):
    vectors, queries = world
    monkeypatch.setattr(device, "_WORK_BYTES", 16 * 5000 * 7)
    tried = short_of_memory(monkeypatch, 10**9)
    ItemIndex(vectors, device="cpu:0").search(queries, 5)
    assert tried == [7 * 5000] * 5 + [5 * 5000]


def test_masks_stay_with_their_queries_over_blocks_and_chunks(world, monkeypatch):
    vectors, queries = world
    rng = np.random.default_rng(1)
    monkeypatch.setattr(device, "_WORK_BYTES", 16 * 1000 * 7)
    one = rng.random(5000) < 0.1
    for masks in ([rng.random(5000) < 0.01 * n for n in range(40)], [one] * 40, [one, None, one, None] * 10):
        found = ItemIndex(vectors, device="cpu:0", device_bytes=1000 * 4 * 16).search(queries, 9, allowed=masks)
        expected = ItemIndex(vectors).search(queries, 9, allowed=masks)
        assert [rows.tolist() for rows in found.rows] == [rows.tolist() for rows in expected.rows]
