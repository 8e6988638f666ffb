"""Do explanations hold? Measured against true deletions, beside other methods, on real pairs of profile and item."""

from recsys.audit.audit import audit_explanations

__all__ = ["audit_explanations"]
