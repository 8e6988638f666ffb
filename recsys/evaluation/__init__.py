"""The laboratory: protocols, measures, rivals, intervals."""

from recsys.evaluation.contenders import PRIOR_ALONE
from recsys.evaluation.evaluation import HEADLINE, OURS, Evaluation, Plan
from recsys.evaluation.laboratory import Step, evaluate
from recsys.evaluation.measures import parse_measure
from recsys.evaluation.private_fits import private_name
from recsys.evaluation.protocols import PROTOCOLS, make_folds
from recsys.evaluation.rivals.catalogue import ablations_of, all_rivals
from recsys.evaluation.rivals.choice import split_rivals
from recsys.evaluation.shelf import evaluation_key, keep_evaluation, kept_evaluations
from recsys.evaluation.slices import MIN_GROUP, Nearest, Slice, nearest, slices
from recsys.intervals import Interval

__all__ = [
    "HEADLINE",
    "MIN_GROUP",
    "OURS",
    "PRIOR_ALONE",
    "PROTOCOLS",
    "Evaluation",
    "Interval",
    "Nearest",
    "Plan",
    "Slice",
    "Step",
    "ablations_of",
    "all_rivals",
    "evaluate",
    "evaluation_key",
    "keep_evaluation",
    "kept_evaluations",
    "make_folds",
    "nearest",
    "parse_measure",
    "private_name",
    "slices",
    "split_rivals",
]
