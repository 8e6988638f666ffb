"""What the towers are trained for: the item that was liked, ahead of everything else in the batch of all processes."""

from collections.abc import Callable

import numpy as np
import torch
import torch.distributed as dist
from scipy import sparse
from torch.nn.functional import cross_entropy, softplus


class Objective:
    """The loss of the users of this process against the items of all processes.

    Items travel between processes with their gradients (``torch.distributed.nn.all_gather``), so that, averaged over processes
    as data-parallel training does, the gradients are those of one process with the whole batch (tested).

    Args:
        kind: ``softmax`` or ``bce``.
        likes: ``(n_users, n_items)``: an item that a user likes is never held against them.
        shares: ``(n_items,)``, the share of pairs that each item is in, for the logQ correction.
        negatives: items drawn uniformly for each pair.

    Source: softmax over the batch with ``score - log Q``: X. Yi et al., Sampling-bias-corrected neural modeling, 2019; mixed with
    uniform draws: J. Yang et al., Mixed negative sampling, 2020.
    """

    def __init__(self, kind: str, *, likes: sparse.csr_matrix, shares: np.ndarray, negatives: int) -> None:
        self._loss = _LOSSES[kind]
        self._likes = likes
        n_items = len(shares)
        self._log_q = torch.from_numpy(np.log(shares + negatives / n_items + 1e-12)).float()

    def __call__(
        self, users: torch.Tensor, items: torch.Tensor, *, who: torch.Tensor, rows: torch.Tensor
    ) -> torch.Tensor:
        """Returns the mean loss of this process's users.

        Args:
            users: ``(n, dim)``.
            items: ``(m, dim)``, the first n of them liked by the users, in their order.
            who: ``(n,)``, rows of the users in ``likes``.
            rows: ``(m,)``, item_rows of the items.
        """
        own = torch.arange(len(users), device=users.device)
        if is_distributed():
            own = own + dist.get_rank() * len(items)
            items, rows = _gathered(items), _gathered_rows(rows)
        scores = users.float() @ items.float().T
        liked = torch.from_numpy(self._likes[who.cpu().numpy()][:, rows.cpu().numpy()].toarray() > 0).to(scores.device)
        liked[torch.arange(len(users), device=users.device), own] = False
        return self._loss(scores, own, liked, self._log_q.to(scores.device)[rows])


def is_distributed() -> bool:
    """Whether several processes train together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def _gathered(items: torch.Tensor) -> torch.Tensor:
    from torch.distributed.nn.functional import all_gather

    return torch.cat(list(all_gather(items.contiguous())))


def _gathered_rows(rows: torch.Tensor) -> torch.Tensor:
    parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


def softmax_loss(scores: torch.Tensor, own: torch.Tensor, liked: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the liked item among all columns, each less the logarithm of how often it is drawn."""
    return cross_entropy((scores - log_q).masked_fill(liked, -torch.inf), own)


def bce_loss(scores: torch.Tensor, own: torch.Tensor, liked: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of ``sigmoid(score)``: liked against all that is not; the two sides weigh the same."""
    rows = torch.arange(len(scores), device=scores.device)
    against = ~liked
    against[rows, own] = False
    positive = softplus(-scores[rows, own]).mean()
    counts = against.sum(dim=1).clamp(min=1)
    return positive + (softplus(scores).masked_fill(~against, 0.0).sum(dim=1) / counts).mean()


_LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "softmax": softmax_loss,
    "bce": bce_loss,
}
