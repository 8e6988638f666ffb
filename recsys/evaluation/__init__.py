"""The laboratory: protocols, measures, rivals, intervals."""

from recsys.evaluation.catalog_parts import part_of
from recsys.evaluation.contenders import PRIOR_ALONE
from recsys.evaluation.evaluation import OURS, Evaluation, Plan
from recsys.evaluation.fair_words import called, fair_words
from recsys.evaluation.fairness import FairnessReport, report_fairness
from recsys.evaluation.laboratory import Step, evaluate
from recsys.evaluation.measures import parse_measure
from recsys.evaluation.private_fits import private_name
from recsys.evaluation.protocols import PROTOCOLS, make_folds
from recsys.evaluation.rivals.catalogue import ablations_of, all_rivals
from recsys.evaluation.rivals.choice import split_rivals
from recsys.evaluation.shelf import (
    evaluation_key,
    keep_evaluation,
    keep_transfer,
    kept_evaluations,
    kept_transfers,
    seal_evaluations,
)
from recsys.evaluation.slices import MERGED_BELOW, Nearest, Slice, groups_of, nearest, shown_counts, slices
from recsys.evaluation.transfer_laboratory import Taught, evaluate_transfer
from recsys.evaluation.transfers import TRANSFER, TransferEvaluation, TransferPlan
from recsys.evaluation.user_table import HEADLINE
from recsys.intervals import Interval

__all__ = [
    "HEADLINE",
    "MERGED_BELOW",
    "OURS",
    "PRIOR_ALONE",
    "PROTOCOLS",
    "TRANSFER",
    "Evaluation",
    "FairnessReport",
    "Interval",
    "Nearest",
    "Plan",
    "Slice",
    "Step",
    "Taught",
    "TransferEvaluation",
    "TransferPlan",
    "ablations_of",
    "all_rivals",
    "called",
    "evaluate",
    "evaluate_transfer",
    "evaluation_key",
    "fair_words",
    "groups_of",
    "keep_evaluation",
    "keep_transfer",
    "kept_evaluations",
    "kept_transfers",
    "make_folds",
    "nearest",
    "parse_measure",
    "part_of",
    "private_name",
    "report_fairness",
    "seal_evaluations",
    "shown_counts",
    "slices",
    "split_rivals",
]
