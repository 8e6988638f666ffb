"""Two towers that share one BERT: a person's words and facts on one side, an item's words on the other."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from recsys.encoder.pooling import Pooling, pool

_TOGETHER = 16
_OFFSET = -5.0
"""At the start: few items are liked. It matters to the sigmoid alone; in a softmax it cancels."""


class TwoTower(nn.Module):
    """Scores are one inner product: ``scale * (text(u) + facts(u)) . text(i) + weight * prior(i) + offset``.

    Texts go through the same BERT on both sides, are pooled as its configuration says, and have length 1.

    Args:
        bert: a transformers model.
        pooling: over its tokens.
        prior: ``(n_items,)``, standardised.
        n_facts: columns of a person's facts.
        scale: at the start.
    """

    prior: torch.Tensor

    def __init__(self, bert: Any, *, pooling: Pooling, prior: torch.Tensor, n_facts: int, scale: float) -> None:
        super().__init__()
        self.bert = bert
        self.pooling = pooling
        self.facts = nn.Linear(n_facts, int(bert.config.hidden_size), bias=False)
        nn.init.zeros_(self.facts.weight)  # facts say nothing until they have learned to
        self.log_scale = nn.Parameter(torch.tensor(float(scale)).log())
        self.weights = nn.Parameter(torch.tensor([1.0, _OFFSET]))
        self.register_buffer("prior", prior.float(), persistent=False)

    def forward(self, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns users ``(n, dim + 2)`` and the items of the columns ``(m, dim + 2)``; their inner products are the scores."""
        items = self.texts(batch["item_ids"], batch["item_mask"])[batch["places"]]
        prior = self.prior[batch["rows"]].to(items)
        return self.people(batch), torch.cat([items, torch.stack([prior, torch.ones_like(prior)], dim=1)], dim=1)

    def people(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Returns ``(n, dim + 2)``; the last two are the weight of the prior and the offset."""
        told = self.texts(batch["user_ids"], batch["user_mask"]) + self.facts(batch["facts"]).float()
        return torch.cat([self.log_scale.exp() * told, self.weights.expand(len(told), 2)], dim=1)

    def texts(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Returns ``(n, dim)`` float32, each of length 1.

        A processor reads texts of about the same length together, so that few have to be filled up; a GPU reads all at once.
        """
        if ids.device.type != "cpu":
            return self._read(ids, mask)
        lengths = mask.sum(dim=1)
        order = lengths.argsort(stable=True)
        parts = [
            self._read(ids[rows, : int(lengths[rows].max())], mask[rows, : int(lengths[rows].max())])
            for rows in order.split(_TOGETHER)
        ]
        return torch.cat(parts)[order.argsort()]

    def _read(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        return nn.functional.normalize(pool(hidden.float(), mask, self.pooling), dim=1)
