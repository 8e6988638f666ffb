"""The encoder on a CUDA device: the same numbers, a batch that does not fit, and how much of the card it uses.

What can be computed without one is tested without one: the last tests here let a processor play the device.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.encoder import Encoder, TransformerEncoder, open_encoder
from recsys.encoder.device import choose_precision
from recsys.settings import DEFAULT_ENCODER
from tests.encoder.tiny import save_bert

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
TEXTS = [f"{'a quiet ' * (n % 9)}film number {n} about space" for n in range(300)]
LONG = ["a quiet film about a lighthouse keeper and his daughter " * 20] * 512


def opened(device: str, precision: str = "float32", name: str = DEFAULT_ENCODER) -> TransformerEncoder:
    found = open_encoder(name, device=device, precision=precision)
    assert isinstance(found, TransformerEncoder)
    return found


def rate(call: Callable[[], object], work: float, *, device: str, repeats: int = 5) -> float:
    """Returns work per second, the best of several times; a GPU is waited for."""
    wait: Callable[[], object] = torch.cuda.synchronize if device == "cuda" else lambda: None
    call()
    best = float("inf")
    for _ in range(repeats):
        wait()
        started = time.perf_counter()
        call()
        wait()
        best = min(best, time.perf_counter() - started)
    return work / best


def matrix_rate(device: str, size: int) -> float:
    """Returns multiply-adds (each two operations) per second of one large product in bfloat16."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    return rate(lambda: left @ right, 2.0 * size**3, device=device)


def operations(encoder: TransformerEncoder, texts: list[str]) -> float:
    """Returns the operations of the model's linear layers, two for each multiply-add, for the tokens of the texts alone."""
    weights = sum(
        layer.weight.numel() for layer in encoder.model.encoder.modules() if isinstance(layer, torch.nn.Linear)
    )
    return 2.0 * weights * sum(len(ids) for ids in encoder.tokenizer(texts)["input_ids"])


def report(encoder: TransformerEncoder, texts: list[str], *, device: str, size: int) -> dict[str, float]:
    """Returns texts per second, and the share of the device's matrix rate that their operations come to."""
    texts_per_second = rate(lambda: encoder.encode(texts, bulk=True), len(texts), device=device)
    model = rate(lambda: forward_only(encoder, texts), len(texts), device=device)
    peak = matrix_rate(device, size)
    work = operations(encoder, texts) / len(texts)
    found = {
        "texts_per_second": texts_per_second,
        "share_of_matrix_rate": texts_per_second * work / peak,
        "share_without_tokenising": model * work / peak,
        "matrix_tflops": peak / 1e12,
    }
    print(encoder.description, {name: round(value, 4) for name, value in found.items()})
    return found


def forward_only(encoder: Encoder, texts: list[str]) -> None:
    ids = _IDS.setdefault(encoder.identity, encoder.token_ids(texts))
    for _ in encoder._batches(ids, encoder._unit, bulk=True):
        pass


_IDS: dict[str, list[list[int]]] = {}


@pytest.mark.gpu
@on_gpu
def test_float32_agrees_with_the_processor(minilm: TransformerEncoder):
    found = opened("cuda")
    assert found.description.startswith("cuda")
    for bulk in (False, True):
        np.testing.assert_allclose(found.encode(TEXTS, bulk=bulk), minilm.encode(TEXTS), atol=1e-4)
    for ours, theirs in zip(found.encode_tokens(TEXTS[:20]), minilm.encode_tokens(TEXTS[:20]), strict=True):
        assert ours.pieces == theirs.pieces
        np.testing.assert_allclose(ours.embeddings, theirs.embeddings, atol=1e-3)


@pytest.mark.gpu
@on_gpu
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_is_close(minilm: TransformerEncoder, precision: str):
    found = opened("cuda", precision).encode(TEXTS, bulk=True)
    assert (found * minilm.encode(TEXTS)).sum(1).min() >= 0.999


@pytest.mark.gpu
@on_gpu
def test_auto_is_half_precision_on_a_card():
    assert choose_precision("auto", torch.device("cuda")) in ("bfloat16", "float16")


@pytest.mark.gpu
@on_gpu
def test_a_batch_that_does_not_fit_is_halved():
    encoder = opened("cuda", "float32")
    expected = encoder.encode(LONG[:8], bulk=True)[0]
    torch.cuda.empty_cache()
    free = 1.3 * torch.cuda.memory_reserved() + 200e6
    before = encoder._budget
    torch.cuda.set_per_process_memory_fraction(min(1.0, free / torch.cuda.get_device_properties(0).total_memory))
    try:
        found = encoder.encode(LONG, bulk=True)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert encoder._budget < before
    np.testing.assert_allclose(found, np.tile(expected, (len(LONG), 1)), atol=1e-4)


@pytest.mark.gpu
@on_gpu
def test_speed_of_a_large_catalog():
    encoder = opened("cuda", "auto")
    found = report(encoder, TEXTS * 200, device="cuda", size=8192)
    assert found["texts_per_second"] > 2_000
    assert 0 < found["share_of_matrix_rate"] < 1


class Device:
    """Says that it is a CUDA device; computes on the processor."""

    type = "cuda"


def test_batches_of_a_card_are_padded_to_a_multiple(minilm: TransformerEncoder):
    card = TransformerEncoder(
        minilm.model, minilm.tokenizer, recipe=minilm.recipe, name="", identity="", device=torch.device("cpu"),
        precision="float32",
    )  # fmt: skip
    card.device = Device()
    assert [card._width(n) for n in (1, 8, 9, 31, 249, 256)] == [8, 8, 16, 32, 256, 256]
    assert [minilm._width(n) for n in (1, 9, 31)] == [1, 9, 31]


def test_padding_changes_nothing(minilm: TransformerEncoder, monkeypatch: pytest.MonkeyPatch):
    expected = minilm.encode(TEXTS[:20])
    monkeypatch.setattr(minilm, "_width", lambda longest: longest + 5)
    np.testing.assert_allclose(minilm.encode(TEXTS[:20]), expected, atol=1e-5)


def test_several_waves_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encoder = opened("cpu", name=str(save_bert(tmp_path)))
    expected = encoder.encode(TEXTS)
    monkeypatch.setattr("recsys.encoder.transformer._WAVE", 7)
    seen: list[int] = []
    found = encoder.encode(TEXTS, progress=lambda done, total: seen.append(done))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert len(seen) >= 300 / 7
    assert seen == sorted(seen)
    assert seen[-1] == 300


def test_all_of_bfloat16_stays_close_as_a_card_computes_it(minilm: TransformerEncoder):
    from recsys.encoder.bulk_model import bulk_model

    whole = bulk_model(minilm.model, "bfloat16", torch.device("cuda"))
    tokens = minilm.tokenizer(TEXTS[:20], padding=True, return_tensors="pt")
    inputs = {name: tokens[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        found = minilm._unit(whole(**inputs).last_hidden_state.float(), inputs["attention_mask"]).numpy()
    assert (found * minilm.encode(TEXTS[:20])).sum(1).min() >= 0.999


def test_the_report_counts_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    encoder = opened("cpu", name=str(save_bert(tmp_path)))
    layer = 4 * 16 * 16 + 2 * 16 * 32
    assert operations(encoder, ["space", "space opera"]) == 2 * (2 * layer) * (3 + 4)
    found = report(encoder, TEXTS[:10], device="cpu", size=64)
    assert all(value > 0 for value in found.values())
    assert "texts_per_second" in capsys.readouterr().out
