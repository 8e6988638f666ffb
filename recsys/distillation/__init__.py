"""Smaller encoders that have learned from a larger one."""

from recsys.distillation.layers import LayerConfig
from recsys.distillation.student import KINDS, Distilled, distil
from recsys.distillation.table import TableConfig
from recsys.distillation.texts import unlabelled_texts

__all__ = ["KINDS", "Distilled", "LayerConfig", "TableConfig", "distil", "unlabelled_texts"]
