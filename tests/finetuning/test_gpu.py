"""The same training on a GPU, in half precision; run with ``pytest -m gpu``."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recsys.encoder import TransformerEncoder
from recsys.finetuning import fine_tune
from recsys.finetuning.trainer import Course
from recsys.schema import Dataset
from recsys.settings import DEFAULT_ENCODER
from tests.finetuning.test_finetune import SMALL
from tests.finetuning.tiny import tiny_bert
from tests.training.world import world

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def test_a_gpu_learns_what_a_processor_learns(tmp_path: Path):
    folder = tiny_bert(tmp_path, dropout=0.0)
    found = {}
    for device in ("cpu", "cuda"):
        encoder = TransformerEncoder.from_pretrained(str(folder), device=device, precision="float32")
        found[device] = fine_tune(world(), encoder, config=SMALL, course=Course(tmp_path / device, device))
    assert found["cuda"].losses == pytest.approx(found["cpu"].losses, abs=2e-3)


def test_half_precision_learns_too(tmp_path: Path):
    encoder = TransformerEncoder.from_pretrained(str(tiny_bert(tmp_path)), device="cuda")
    course = Course(tmp_path / "checkpoints", "cuda", encoder.precision)
    found = fine_tune(world(), encoder, config=replace(SMALL, steps=40, judge_every=20), course=course)
    assert encoder.precision in ("bfloat16", "float16")
    assert found.judged[found.best_step] > found.judged[0] + 0.05


def test_speed_of_a_full_training(movielens: Dataset, tmp_path: Path):
    encoder = TransformerEncoder.from_pretrained(DEFAULT_ENCODER, device="cuda")
    config = replace(SMALL, steps=200, batch_size=256, learning_rate=5e-5, judge_every=100)
    started = time.perf_counter()
    course = Course(tmp_path, "cuda", encoder.precision)
    found = fine_tune(movielens, encoder, config=config, course=course)
    pairs = 200 * 256 / (time.perf_counter() - started)
    print(f"{encoder.description}: {pairs:,.0f} pairs per second, held-out nDCG@10 {dict(found.judged)}")
    assert found.judged[found.best_step] > found.judged[0]
