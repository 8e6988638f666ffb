"""What each of two processes computes of a batch that is split between them; started by ``test_objective``."""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from recsys.encoder import TransformerEncoder
from recsys.finetuning import objective
from recsys.finetuning.examples import Collator, Examples, item_popularity
from recsys.finetuning.finetune import FineTuningConfig, _towers
from recsys.scorer.basis import FactBasis
from recsys.training import Histories
from tests.training.world import world


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the length of the second."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def gradients(folder: Path, batch: slice) -> dict[str, np.ndarray]:
    """Returns the gradients of all weights after one batch, by loss; averaged over processes, where there are several.

    Args:
        folder: of an encoder without dropout.
    """
    encoder = TransformerEncoder.from_pretrained(str(folder), device="cpu", precision="float32")
    histories = Histories.from_dataset(world(n_users=60))
    profiles = histories.profiles()
    config = FineTuningConfig()
    basis = FactBasis.from_profiles(profiles, attribute_weight=0.1)
    prior, shares = item_popularity(histories)
    collator = Collator(histories.dataset, basis=basis, tokenise=encoder.token_ids, pad=encoder.padding)
    examples = Examples(histories, profiles, config=config, n=8)
    read = collator([examples[number] for number in range(8)[batch]])
    found = {}
    for kind in ("softmax", "bce"):
        towers = _towers(encoder, prior, basis, config)
        model = torch.nn.parallel.DistributedDataParallel(towers) if objective.is_distributed() else towers
        wanted = objective.Objective(kind, likes=histories.all_likes, shares=shares, negatives=config.negatives)
        wanted(*model(read), who=read["users"], rows=read["rows"]).backward()
        parts = [part.grad for part in towers.parameters() if part.grad is not None]
        found[kind] = torch.cat([part.flatten() for part in parts]).numpy()
    return found


def main(folder: Path) -> None:
    """Writes the gradients of this process, and what they would be if items came without theirs."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    own = slice(4 * rank, 4 * rank + 4)
    for kind, found in gradients(folder / "tiny", own).items():
        np.save(folder / f"{kind}-{rank}.npy", found)
    gathered = objective._gathered
    objective._gathered = lambda items: torch.where(  # type: ignore[assignment]
        (torch.arange(2 * len(items)) // len(items) == rank)[:, None], gathered(items), gathered(items.detach())
    )
    for kind, found in gradients(folder / "tiny", own).items():
        if rank == 0:
            np.save(folder / f"{kind}-cut-off.npy", found)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
