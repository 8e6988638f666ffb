"""What is wrong with embeddings, and how two encoders differ."""

from recsys.diagnostics.encoders import Comparison, LsaEncoder, compare_encoders
from recsys.diagnostics.findings import DUPLICATE_FROM, Finding, diagnose, occurrences

__all__ = ["DUPLICATE_FROM", "Comparison", "Finding", "LsaEncoder", "compare_encoders", "diagnose", "occurrences"]
