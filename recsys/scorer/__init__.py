"""Scorers: profile x items -> scores that are sums of contributions."""

from recsys.scorer.additive import AdditiveModel, AdditiveScorer, Known
from recsys.scorer.basis import FactBasis
from recsys.scorer.cosine import CosineScorer
from recsys.scorer.liked import LikedScorer
from recsys.scorer.protocol import SENTENCE, FacetVectors, ProfileText, Scorer, TextMap
from recsys.scorer.shapley import first_last_shapley, shapley_values
from recsys.scorer.unaware import UnawareScorer

__all__ = [
    "SENTENCE",
    "AdditiveModel",
    "AdditiveScorer",
    "CosineScorer",
    "FacetVectors",
    "FactBasis",
    "Known",
    "LikedScorer",
    "ProfileText",
    "Scorer",
    "TextMap",
    "UnawareScorer",
    "first_last_shapley",
    "shapley_values",
]
