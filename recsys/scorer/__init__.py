"""Scorers: profile x items -> scores that are sums of contributions."""

from recsys.scorer.additive import AdditiveModel, AdditiveScorer, Known
from recsys.scorer.basis import FactBasis
from recsys.scorer.cosine import CosineScorer
from recsys.scorer.protocol import FacetVectors, Scorer
from recsys.scorer.shapley import first_last_shapley, shapley_values

__all__ = [
    "AdditiveModel",
    "AdditiveScorer",
    "CosineScorer",
    "FacetVectors",
    "FactBasis",
    "Known",
    "Scorer",
    "first_last_shapley",
    "shapley_values",
]
