"""Pooling: how the hidden states of a text's tokens become one vector."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Pooling = Literal["mean", "cls", "lasttoken", "max"]


def pool(hidden: "torch.Tensor", mask: "torch.Tensor", how: Pooling) -> "torch.Tensor":
    """Returns ``(n_texts, dim)``, not scaled.

    Args:
        hidden: ``(n_texts, n_tokens, dim)``, padded at the end.
        mask: ``(n_texts, n_tokens)`` of int, 1 for the tokens of the text, at least one each.
    """
    import torch

    weights = mask.unsqueeze(-1).to(hidden.dtype)
    if how == "cls":
        return hidden[:, 0]
    if how == "lasttoken":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(1) - 1]
    if how == "max":
        return hidden.masked_fill(weights == 0, -torch.inf).max(1).values
    return (hidden * weights).sum(1) / weights.sum(1)
