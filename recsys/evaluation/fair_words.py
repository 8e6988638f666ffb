"""A fairness report in sentences, the same on the page and on the command line."""

from collections.abc import Sequence

import numpy as np

from recsys.evaluation.comparisons import Gap
from recsys.evaluation.fairness import LIKES, QUALITY, Exposure, FairnessReport
from recsys.evaluation.swaps import FLAGGED_BELOW, LENGTH, Swap
from recsys.schema import AGE, GENDER

_MOST = 4


def called(split: str, group: str) -> str:
    """Returns how a group is called in a sentence."""
    return f"{split} {group}" if split in (GENDER, AGE) else group


def fair_words(report: FairnessReport) -> list[str]:
    """Returns what a report says, most serious first: quality, exposure beyond taste, exposure, what a swap changes."""
    beyond = [part for part in report.exposure if part.gap.is_found]
    shown = [part for part in report.exposure if part.shown.is_found]
    return [
        *_quality_words(report),
        *_beyond_words(report, beyond),
        _shown_words(report, shown),
        *_swap_words(report.swaps),
    ]


def _quality_words(report: FairnessReport) -> list[str]:
    told = []
    for measure in QUALITY:
        parts = [part for part in report.quality if part.gap.measure == measure]
        found = [part for part in parts if part.gap.is_found]
        if not found and parts:
            told.append(f"{measure}: {not_found([part.gap for part in parts])}")
        worse = {(part.split, -part.gap.difference) for part in found if part.gap.difference < 0}
        for part in sorted(found, key=lambda one: one.gap.difference):
            gap = part.gap
            if any(part.split == split and np.isclose(gap.difference, other) for split, other in worse):
                continue  # of two groups, one is better by what the other is worse
            way = "worse" if gap.difference < 0 else "better"
            told.append(
                f"{measure}: lists are {way} for {called(part.split, gap.group)}: {gap.mean.mean:.3f}, everyone else "
                f"{gap.rest:.3f} ({_span(gap)})."
            )
    return told


def not_found(gaps: Sequence[Gap]) -> str:
    """Returns what can be said where no difference is found: how large one would have to be to be seen."""
    sizes = np.array([gap.seen_from for gap in gaps])
    known = sizes[np.isfinite(sizes)]
    if not len(known):
        return "no difference was found; nobody's values differ."
    digits = 0 if known.min() > 2 else 2
    least, most = f"{known.min():.{digits}f}", f"{known.max():.{digits}f}"
    size = least if least == most else f"{least} (in the largest group) to {most} (in the smallest)"
    return f"no difference was found; with this many people one smaller than {size} would not have been seen."


def _span(gap: Gap) -> str:
    digits = 1 if gap.measure == LIKES else 3
    return f"{gap.difference:+.{digits}f}, from {gap.low:+.{digits}f} to {gap.high:+.{digits}f}"


def _beyond_words(report: FairnessReport, found: Sequence[Exposure]) -> list[str]:
    gaps = [part.gap for part in report.exposure if part.gap.measure != LIKES]
    categories = _largest([part for part in found if part.gap.measure != LIKES])
    told = []
    if gaps and not categories:
        told.append(f"Exposure beyond taste: {not_found(gaps)}")
    for part in categories:
        whom = called(part.split, part.gap.group)
        told.append(
            f"{part.gap.measure}: lists show {whom} {100 * part.gap.mean.mean:+.0f} points beyond what they went "
            f"on to like ({part.shown.mean.mean:.0%} against {part.liked:.0%}), everyone else "
            f"{100 * part.gap.rest:+.0f} (difference {_points(part.gap)})."
        )
    n_more = len([part for part in found if part.gap.measure != LIKES]) - len(categories)
    if n_more > 0:
        told.append(f"{n_more} more such differences, of a category and a group, stand in the tables.")
    return told


def _points(gap: Gap) -> str:
    return f"{100 * gap.difference:+.0f} points, from {100 * gap.low:+.0f} to {100 * gap.high:+.0f}"


def _largest(parts: Sequence[Exposure]) -> list[Exposure]:
    """The largest difference of each category, so that one group does not fill the page."""
    largest: dict[str, Exposure] = {}
    for part in sorted(parts, key=lambda one: -abs(one.gap.difference)):
        largest.setdefault(part.gap.measure, part)
    return list(largest.values())[:_MOST]


def _shown_words(report: FairnessReport, found: Sequence[Exposure]) -> str:
    if not found:
        return f"Exposure: {not_found([part.shown for part in report.exposure if part.shown.measure != LIKES])}"
    n_categories = len({part.shown.measure for part in found} - {LIKES})
    return (
        f"What is shown differs from everyone else's in {len(found)} of {len(report.exposure)} comparisons of a group, over "
        f"{n_categories} categories. That alone is not unfair: tastes differ."
    )


def _swap_words(swaps: Sequence[Swap]) -> list[str]:
    told = []
    for facet in (GENDER, AGE):
        own = [swap for swap in swaps if swap.facet == facet]
        if not own:
            continue
        least = min(own, key=lambda swap: swap.jaccard.mean)
        n_flagged = sum(swap.is_flagged for swap in own)
        said = (
            f"{n_flagged} of {len(own)} groups fall below {FLAGGED_BELOW}: a flag, not proof"
            if n_flagged
            else f"no group falls below {FLAGGED_BELOW}"
        )
        of_whom = f"for {called(facet, least.group)}, of all groups by {facet} the one that changes most"
        told.append(
            f"The same people with another {facet}: the lists of {LENGTH} share {least.jaccard.mean:.0%} of their items "
            f"[{least.jaccard.low:.0%}, {least.jaccard.high:.0%}] {of_whom}; {said}."
        )
    return told
