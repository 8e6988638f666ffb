"""Methods to compare with, each learning from the same training users."""
