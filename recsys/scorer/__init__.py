"""Scorers: profile x items -> scores that are sums of contributions."""

from recsys.scorer.cosine import CosineScorer
from recsys.scorer.protocol import FacetVectors, Scorer
from recsys.scorer.shapley import first_last_shapley, shapley_values

__all__ = ["CosineScorer", "FacetVectors", "Scorer", "first_last_shapley", "shapley_values"]
