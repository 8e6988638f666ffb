"""Building a dataset: its texts encoded, a scorer trained, the maps laid out, as one job that can be stopped and resumed."""

from recsys.building.board import STEPS, BuildStep, build_state
from recsys.building.job import UNTIL, Built, build

__all__ = ["STEPS", "UNTIL", "BuildStep", "Built", "build", "build_state"]
