"""Why an item stands in a list, in one sentence: through which view of the item which part of the person lifts it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from recsys.encoder import Encoder, reads_text
from recsys.explanation import Explainer, reason
from recsys.schema import ITEM_ID, Dataset, Explanation, Facet, Recommendations
from recsys.scorer import Scorer
from recsys.views.fact_words import describe
from recsys.views.facts import Facts
from recsys.views.view import GRAPH


class Asked(Protocol):
    """What a recommender knows that a reason is made of."""

    dataset: Dataset
    scorer: Scorer
    encoder: Encoder

    @property
    def explainer(self) -> Explainer:
        """Knows the average item."""
        ...

    @property
    def facts(self) -> Facts:
        """What items have in common."""
        ...


def reasons_of(found: Recommendations, lifts: np.ndarray, asked: Asked) -> list[str]:
    """Returns one sentence for each item of a list.

    Args:
        lifts: ``(k, n_facets)``, contributions above the average item.
    """
    parts = asked.scorer.facet_vectors(found.profile, popularity=found.popularity)
    means = np.stack([parts.vectors @ asked.explainer.mean_parts[view] for view in found.views], axis=1)
    rows = [asked.dataset.item_row(item_id) for item_id in found.table[ITEM_ID]]
    return [
        _reason(asked, row, own.tolist(), found.facets, found.views, by_view - means)
        for row, own, by_view in zip(rows, lifts, found.by_view, strict=True)
    ]


def reason_of(explanation: Explanation, asked: Asked) -> str:
    """Returns the same sentence for one explained item."""
    lifts = [part.contribution - part.average for part in explanation.parts]
    facets = [part.facet for part in explanation.parts]
    views = list(explanation.by_view)
    shares = [{share.view: share.contribution - share.average for share in part.views} for part in explanation.parts]
    by_view = np.array([[own.get(view, 0.0) for view in views] for own in shares]).reshape(len(facets), len(views))
    return _reason(asked, asked.dataset.item_row(explanation.item_id), lifts, facets, views, by_view)


def _reason(
    asked: Asked,
    item_row: int,
    lifts: list[float],
    facets: Sequence[Facet],
    views: Sequence[str],
    by_view: np.ndarray,
) -> str:
    dataset = asked.dataset
    if asked.scorer.name != "cosine":
        return reason(lifts, facets, dataset, learned=True, is_cold=not dataset.popularity[item_row])
    through = {facet.key: views[int(row.argmax())] for facet, row in zip(facets, by_view, strict=True) if len(views)}
    facts = {}
    for facet in facets:
        if facet.kind == "liked" and through.get(facet.key) == GRAPH:
            other = dataset.item_row(facet.key.removeprefix("liked:"))
            facts[facet.key] = describe(asked.facts.shared(item_row, other), dataset.labels[other])
    of_text = reads_text(asked.encoder)
    return reason(lifts, facets, dataset, learned=False, through=through, facts=facts, of_text=of_text)
