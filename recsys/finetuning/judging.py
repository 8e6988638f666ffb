"""How good the lists of two towers are for users whom they were not trained on."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from recsys.finetuning.examples import Collator
from recsys.finetuning.two_tower import TwoTower
from recsys.training import Histories
from recsys.training.selection import ndcg_of_rows
from recsys.views.text import profile_text

_BATCH = 128
MOST_USERS = 200


def make_judge(held_out: Histories, collator: Collator, *, shares: np.ndarray) -> Callable[[TwoTower], float]:
    """Returns a function from towers to the mean nDCG@10 of held-out users.

    Everything of the first day is revealed, later likes are to be found among all items that are not.

    Args:
        shares: ``category_shares`` of the training users.
    """
    judged = np.array([user for user in range(len(held_out)) if len(held_out.later(user))][:MOST_USERS], int)
    people = held_out.of(judged)
    profiles = people.profiles(shares=shares)
    texts = [profile_text(profile, people.dataset) for profile in profiles]
    hidden = people.revealed_likes.toarray() > 0
    targets = people.later_likes.toarray() > 0

    def judge(model: TwoTower) -> float:
        if not len(judged):
            return 0.0
        scores = two_tower_scores(model, collator, profiles, texts, n_items=targets.shape[1])
        scores[hidden] = -np.inf
        return float(ndcg_of_rows(scores, targets).mean())

    return judge


def two_tower_scores(
    model: TwoTower, collator: Collator, profiles: Sequence, texts: Sequence[str], *, n_items: int
) -> np.ndarray:
    """Returns ``(n_profiles, n_items)`` float32."""
    device = model.prior.device
    items = np.concatenate(
        [
            model.texts(batch["item_ids"].to(device), batch["item_mask"].to(device)).float().cpu().numpy()
            for batch in (collator.items(list(rows)) for rows in _parts(n_items))
        ]
    )
    people = np.concatenate(
        [
            model.people({name: part.to(device) for name, part in batch.items()}).float().cpu().numpy()
            for batch in (
                collator.people([profiles[row] for row in rows], [texts[row] for row in rows])
                for rows in _parts(len(profiles))
            )
        ]
    )
    prior = model.prior.cpu().numpy()
    return np.asarray(people @ np.column_stack([items, prior, np.ones_like(prior)]).T, np.float32)


def _parts(n: int) -> Iterator[range]:
    return (range(start, min(n, start + _BATCH)) for start in range(0, n, _BATCH))
