"""Losses by hand, and several processes that learn what one would."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from recsys.finetuning.objective import Objective
from tests.finetuning import two_processes
from tests.finetuning.tiny import tiny_bert

USERS = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
ITEMS = torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]])


def loss(kind: str, likes: list[list[int]], shares: list[float], *, negatives: int = 1) -> float:
    """Item 0 is liked by user 0, item 1 by user 1; item 2 was drawn."""
    objective = Objective(kind, likes=sparse.csr_matrix(likes), shares=np.array(shares), negatives=negatives)
    return float(objective(USERS, ITEMS, who=torch.tensor([0, 1]), rows=torch.tensor([0, 1, 2])))


def test_softmax_by_hand():
    found = loss("softmax", [[1, 0, 0], [0, 1, 0]], [0.5, 0.25, 0.25], negatives=0)
    scores = np.array([[2, 0, 1], [0, 3, 1]]) - np.log([0.5, 0.25, 0.25])
    wanted = -np.mean([scores[n, n] - np.log(np.exp(scores[n]).sum()) for n in range(2)])
    assert found == pytest.approx(wanted, abs=1e-5)


def test_the_chance_to_be_drawn_counts_uniform_draws_too():
    plain = loss("softmax", [[1, 0, 0], [0, 1, 0]], [0.5, 0.25, 0.25], negatives=0)
    assert loss("softmax", [[1, 0, 0], [0, 1, 0]], [0.5, 0.25, 0.25], negatives=3) != pytest.approx(plain, abs=1e-3)


def test_bce_by_hand():
    found = loss("bce", [[1, 0, 0], [0, 1, 0]], [0.5, 0.25, 0.25])

    def softplus(value: float) -> float:
        return float(np.log1p(np.exp(value)))

    liked = (softplus(-2) + softplus(-3)) / 2
    others = ((softplus(0) + softplus(1)) / 2 + (softplus(0) + softplus(1)) / 2) / 2
    assert found == pytest.approx(liked + others, abs=1e-5)


@pytest.mark.parametrize("kind", ["softmax", "bce"])
def test_what_a_user_likes_is_never_held_against_them(kind: str):
    shares = [0.3, 0.3, 0.4]
    apart = loss(kind, [[1, 0, 0], [0, 1, 0]], shares)
    both = loss(kind, [[1, 0, 1], [0, 1, 1]], shares)
    assert both < apart
    if kind == "softmax":
        scores = np.array([[2, 0], [0, 3]]) - np.log(np.array(shares[:2]) + 1 / 3)
        wanted = -np.mean([scores[n, n] - np.log(np.exp(scores[n]).sum()) for n in range(2)])
        assert both == pytest.approx(wanted, abs=1e-5)


def test_two_processes_have_the_gradients_of_one(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    surroundings = os.environ | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": "2",
        "OMP_NUM_THREADS": "1",
    }
    (tmp_path / "tiny").mkdir()
    tiny_bert(tmp_path / "tiny", dropout=0.0)
    words = [sys.executable, "-m", "tests.finetuning.two_processes", str(tmp_path)]
    running = [subprocess.Popen(words, env=surroundings | {"RANK": str(rank)}) for rank in range(2)]
    alone = two_processes.gradients(tmp_path / "tiny", slice(0, 8))
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    for kind in ("softmax", "bce"):
        together = [np.load(tmp_path / f"{kind}-{rank}.npy") for rank in range(2)]
        np.testing.assert_array_equal(together[0], together[1])
        assert two_processes.distance(together[0], alone[kind]) < 1e-5
        cut_off = np.load(tmp_path / f"{kind}-cut-off.npy")
        assert two_processes.distance(cut_off, alone[kind]) > 0.05, (
            "remote items without gradients are another training"
        )
