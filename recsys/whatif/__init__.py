"""What if they were someone else: edits of a profile and what they change."""

from recsys.whatif.compare import Change, Comparison, Difference, compare, overlap_matrix
from recsys.whatif.counterfactual import Counterfactual, Outcome, bring_in
from recsys.whatif.edits import PROTECTED, Edit, single_edits
from recsys.whatif.lists import overlap, rank_biased_overlap
from recsys.whatif.panel import ListConfig, Panel
from recsys.whatif.sweep import Axis, Flip, Step, Surface, Sweep, axes_of, sweep, sweep_two
from recsys.whatif.vocabulary import vocabulary

__all__ = [
    "PROTECTED",
    "Axis",
    "Change",
    "Comparison",
    "Counterfactual",
    "Difference",
    "Edit",
    "Flip",
    "ListConfig",
    "Outcome",
    "Panel",
    "Step",
    "Surface",
    "Sweep",
    "axes_of",
    "bring_in",
    "compare",
    "overlap",
    "overlap_matrix",
    "rank_biased_overlap",
    "single_edits",
    "sweep",
    "sweep_two",
    "vocabulary",
]
