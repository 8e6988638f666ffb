"""What the users of one dataset teach that holds for texts nobody has seen: the source of a transfer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoder import Encoder
from recsys.schema import Dataset, LentFacts
from recsys.scorer import AdditiveModel
from recsys.training import AdditiveConfig, Histories, train_additive
from recsys.training.content import Content
from recsys.transfer.balancing import choose_balance
from recsys.transfer.facts import lent_facts
from recsys.transfer.reading import Balance, ContentPrior, content_prior

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


@dataclass(frozen=True, eq=False)
class Source:
    """A dataset whose people have been learned from.

    Attributes:
        name: of the dataset.
        title: of the dataset, for people.
        model: fitted to texts alone; what other views say is learned in spaces that the target does not share.
        prior: what the text of an item tells of its popularity.
        balance: how much each part counts beside it.
        facts: what it knows of people.
        views: names of the views that the source has and the model does not use.
        n_users: people that it learned from.
        n_likes: likes of theirs.
    """

    name: str
    title: str
    model: AdditiveModel
    prior: ContentPrior
    balance: Balance
    facts: LentFacts
    views: tuple[str, ...]
    n_users: int
    n_likes: int

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        item_vectors: np.ndarray,
        *,
        encoder: Encoder,
        views: Sequence[str] = (),
        config: AdditiveConfig | None = None,
        progress: Progress | None = None,
    ) -> "Source":
        """Learns from the likes of a dataset; the same dataset and seed give the same source.

        Args:
            item_vectors: ``(n_items, dim)``, the text embeddings of its items.
            encoder: made them, and encodes interests.
            views: names of the views that the dataset has beside the text.

        Raises:
            NotTrainedError: for a dataset without users or without likes.
        """
        report = progress or (lambda done, total: None)
        training = train_additive(dataset, item_vectors, encoder=encoder, config=config)
        report(1, 2)
        histories = Histories.from_dataset(dataset)
        model, content = training.model, Content.from_dataset(dataset, item_vectors)
        n_likes = np.asarray(histories.all_likes.sum(0)).ravel()
        balance = choose_balance(histories, np.asarray(item_vectors), encoder, training.config)
        report(2, 2)
        return cls(
            dataset.name,
            dataset.info.title,
            model,
            content_prior(content, model.prior, n_likes, seed=training.config.seed),
            balance,
            lent_facts(dataset, model.basis),
            tuple(views),
            len(histories),
            int(n_likes.sum()),
        )
