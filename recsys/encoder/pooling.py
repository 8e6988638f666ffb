"""From the embeddings of tokens to the embedding of a text."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Pooling = Literal["mean", "cls", "lasttoken", "max"]


def pooled(hidden: "torch.Tensor", mask: "torch.Tensor", pooling: Pooling) -> "torch.Tensor":
    """Returns ``(n, dim)``, each row of length 1 (an all-zero one stays zero).

    Args:
        hidden: ``(n, n_tokens, dim)``.
        mask: ``(n, n_tokens)``, 1 for a token and 0 for filling, which stands at the end.
    """
    import torch

    weights = mask.unsqueeze(-1).to(hidden.dtype)
    if pooling == "cls":
        found = hidden[:, 0]
    elif pooling == "lasttoken":
        found = hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(1) - 1]
    elif pooling == "max":
        found = hidden.masked_fill(weights == 0, -torch.inf).max(1).values
    else:
        found = (hidden * weights).sum(1) / weights.sum(1)
    return torch.nn.functional.normalize(found, dim=1)
