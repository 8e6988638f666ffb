"""What if they were someone else: edits of a profile and what they change."""

from recsys.whatif.compare import Change, Comparison, PartShift, compare, overlap_matrix
from recsys.whatif.counterfactual import Counterfactual, Outcome, bring_in
from recsys.whatif.edits import PROTECTED, Edit, single_edits
from recsys.whatif.fairness import AGE_BANDS, FlipReport, GroupMean, Pair, age_bands, flip
from recsys.whatif.flip_words import plain_words
from recsys.whatif.grid import DEAD_FROM, MAX_PAIRED, Grid, rank_grid
from recsys.whatif.lists import overlap, rank_biased_overlap
from recsys.whatif.pack import make_pack, to_pack
from recsys.whatif.panel import ListConfig, Panel
from recsys.whatif.profile_reading import read_profiles
from recsys.whatif.profile_table import NamedProfiles, generate_profiles, template_csv
from recsys.whatif.scenario import Scenario, list_hash, make_scenario, model_fingerprint
from recsys.whatif.scenario_check import ListCheck, ScenarioCheck, check_scenario
from recsys.whatif.simulation import Reaction, Stage, side_by_side, simulate
from recsys.whatif.sweep import Axis, Flip, Step, Surface, Sweep, axes_of, sweep, sweep_two
from recsys.whatif.vocabulary import vocabulary

__all__ = [
    "AGE_BANDS",
    "DEAD_FROM",
    "MAX_PAIRED",
    "PROTECTED",
    "Axis",
    "Change",
    "Comparison",
    "Counterfactual",
    "Edit",
    "Flip",
    "FlipReport",
    "Grid",
    "GroupMean",
    "ListCheck",
    "ListConfig",
    "NamedProfiles",
    "Outcome",
    "Pair",
    "Panel",
    "PartShift",
    "Reaction",
    "Scenario",
    "ScenarioCheck",
    "Stage",
    "Step",
    "Surface",
    "Sweep",
    "age_bands",
    "axes_of",
    "bring_in",
    "check_scenario",
    "compare",
    "flip",
    "generate_profiles",
    "list_hash",
    "make_pack",
    "make_scenario",
    "model_fingerprint",
    "overlap",
    "overlap_matrix",
    "plain_words",
    "rank_biased_overlap",
    "rank_grid",
    "read_profiles",
    "side_by_side",
    "simulate",
    "single_edits",
    "sweep",
    "sweep_two",
    "template_csv",
    "to_pack",
    "vocabulary",
]
