"""The command line: the same path as the pages, for people and, with ``--json``, for machines."""

from recsys.cli import (
    benching,
    comparing,
    compressing,
    distributing,
    explaining,
    exploring,
    importing,
    laboratory,
    links,
    privacy,
    recommending,
    sealing,
    training,
)
from recsys.cli.shared import app, run

__all__ = [
    "app",
    "benching",
    "comparing",
    "compressing",
    "distributing",
    "explaining",
    "exploring",
    "importing",
    "laboratory",
    "links",
    "main",
    "privacy",
    "recommending",
    "sealing",
    "training",
]


def main() -> None:
    """Runs the command line; our errors go to stderr and exit with 2."""
    run()
