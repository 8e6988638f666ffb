"""The whole path: a profile in, a ranked list with its contributions out."""

from recsys.recommender.available import SCORERS, available_scorers, default_scorer
from recsys.recommender.opening import encoder_name
from recsys.recommender.recommender import Recommender

__all__ = ["SCORERS", "Recommender", "available_scorers", "default_scorer", "encoder_name"]
