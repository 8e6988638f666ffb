"""What if they were someone else: edits of a profile and what they change."""

from recsys.whatif.counterfactual import Counterfactual, Outcome, bring_in
from recsys.whatif.edits import PROTECTED, Edit, single_edits
from recsys.whatif.vocabulary import vocabulary

__all__ = ["PROTECTED", "Counterfactual", "Edit", "Outcome", "bring_in", "single_edits", "vocabulary"]
