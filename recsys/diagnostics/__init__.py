"""What is wrong with embeddings, and how two encoders differ."""

from recsys.diagnostics.brought import agreement
from recsys.diagnostics.encoders import Comparison, LsaEncoder, compare_encoders, open_rival
from recsys.diagnostics.finding import Finding
from recsys.diagnostics.findings import DUPLICATE_FROM, diagnose, occurrences

__all__ = [
    "DUPLICATE_FROM",
    "Comparison",
    "Finding",
    "LsaEncoder",
    "agreement",
    "compare_encoders",
    "diagnose",
    "occurrences",
    "open_rival",
]
