"""Carries what a source has learned over to another catalog: the facets that both share, and nothing that would be guessed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.schema import Dataset
from recsys.scorer import AdditiveModel
from recsys.transfer.facts import share_facts
from recsys.transfer.reading import read_by_text
from recsys.transfer.source import Source
from recsys.views.view import VIEW_WORDS

NEW_ITEMS = "what an item is beyond its text"
"""What never carries over: the target's items have no likes yet."""


@dataclass(frozen=True, eq=False)
class Transferred:
    """A scorer for a catalog that nobody has interacted with.

    Attributes:
        model: additive, over the text embeddings of the target.
        dataset: the target; one without users has the source's facts of people.
        kept: what carries over.
        lost: what does not, to why.
        about: where it comes from, as plain JSON values.
    """

    model: AdditiveModel
    dataset: Dataset
    kept: tuple[str, ...]
    lost: Mapping[str, str]
    about: Mapping[str, Any]


def carry(source: Source, target: Dataset, item_vectors: np.ndarray, *, has_prior: bool = True) -> Transferred:
    """Returns a scorer for the target, which needs no interactions.

    Texts of both are centred on their own mean, so that what all items of a catalog have in common says nothing.

    Args:
        item_vectors: ``(n_items, dim)``, the target's text embeddings, by the encoder that the source was read with.
        has_prior: whether popularity is predicted from the texts; else it is zero.

    Raises:
        DataError: for embeddings of another length.
    """
    model = source.model
    if item_vectors.shape[1] != len(model.text):
        fix = f"Read '{target.name}' with the encoder that '{source.name}' was read with."
        raise DataError("The embeddings have another length than those learned from", item_vectors.shape[1], fix=fix)
    opened = target if len(target.users) else target.with_lent(source.facts)
    shared = share_facts(model.basis, model.facts, opened)
    wide = np.asarray(item_vectors, np.float64)
    centre = wide.mean(axis=0)
    prior = source.prior.of(wide - centre) if has_prior else np.zeros(len(wide))
    known = replace(model, basis=shared.basis, facts=shared.facts, text_centre=centre)
    carried = read_by_text(known, wide - centre, prior, source.balance)
    kept, lost = _told(source, shared.kept, shared.lost, has_prior=has_prior)
    about = {
        "source": source.name,
        "source_title": source.title,
        "n_users": source.n_users,
        "n_likes": source.n_likes,
        "balance": asdict(source.balance),
        "prior": "predicted from texts" if has_prior else "zero",
        "kept": list(kept),
        "lost": dict(lost),
    }
    return Transferred(replace(carried, about=about), opened, kept, lost, about)


def _told(
    source: Source, facts: tuple[str, ...], lost: Mapping[str, str], *, has_prior: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    kept = (*facts, "interests", "liked items", *(("popularity, predicted from texts",) if has_prior else ()))
    gone = dict(lost) | {NEW_ITEMS: "it is learned from likes of the items themselves"}
    for view in source.views:
        gone[VIEW_WORDS[view]] = "learned in a space of its own, which the target's items are not in"
    if not has_prior:
        gone["popularity"] = "it was asked to be zero"
    return kept, gone | {"probabilities": "they are calibrated on likes of the target's own items"}
