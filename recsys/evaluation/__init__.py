"""The laboratory: protocols, measures, rivals, intervals."""

from recsys.evaluation.contenders import PRIOR_ALONE
from recsys.evaluation.evaluation import HEADLINE, OURS, Evaluation, Plan
from recsys.evaluation.fair_words import called, fair_words
from recsys.evaluation.fairness import FairnessReport, report_fairness
from recsys.evaluation.laboratory import Step, evaluate
from recsys.evaluation.measures import parse_measure
from recsys.evaluation.private_fits import private_name
from recsys.evaluation.protocols import PROTOCOLS, make_folds
from recsys.evaluation.rivals.catalogue import ablations_of, all_rivals
from recsys.evaluation.rivals.choice import split_rivals
from recsys.evaluation.shelf import evaluation_key, keep_evaluation, kept_evaluations
from recsys.evaluation.slices import MERGED_BELOW, Nearest, Slice, groups_of, nearest, shown_counts, slices
from recsys.intervals import Interval

__all__ = [
    "HEADLINE",
    "MERGED_BELOW",
    "OURS",
    "PRIOR_ALONE",
    "PROTOCOLS",
    "Evaluation",
    "FairnessReport",
    "Interval",
    "Nearest",
    "Plan",
    "Slice",
    "Step",
    "ablations_of",
    "all_rivals",
    "called",
    "evaluate",
    "evaluation_key",
    "fair_words",
    "groups_of",
    "keep_evaluation",
    "kept_evaluations",
    "make_folds",
    "nearest",
    "parse_measure",
    "private_name",
    "report_fairness",
    "shown_counts",
    "slices",
    "split_rivals",
]
