"""What may be odd about vectors that came with a dataset: their lengths, the encoder named for them, and how findings read."""

from dataclasses import replace

import numpy as np

from recsys.diagnostics.finding import Finding, rank_correlation, table_of
from recsys.encoder import AGREES_FROM, BroughtVectors
from recsys.schema import COSINE, Dataset

_SHOWN = 200
_EVEN = 0.01
"""Lengths that vary by no more than this are taken to be all the same."""
_LONG = 3.0
"""A vector is unusually long from so many times the median on."""
_ADVICE = {
    "hubness": "Look at what the model that made the vectors knows of the hubs: too little, or too much of everything. By dot, a "
    "long vector is near to all.",
    "duplicates": "Merge real duplicates. Where different items have the same vector, the model cannot tell them apart.",
    "outliers": "See whether the model knew these items when it made the vectors.",
    "categories": "The vectors know little of such a category; what is wanted of it must be said by liked items.",
}


def reworded(finding: Finding) -> Finding:
    """Returns a finding about vectors in words that do not speak of texts."""
    meaning, figures = finding.meaning, finding.figures
    if finding.key == "duplicates":
        meaning = (
            f"{figures['items']:.0f} items in {figures['groups']:.0f} groups have vectors that are all but the same (cosine from "
            f"{figures['threshold']:g})."
        )
    return replace(finding, meaning=meaning, advice=_ADVICE.get(finding.key, finding.advice))


def lengths(dataset: Dataset, came: BroughtVectors) -> Finding:
    """How long the vectors are, how they are compared, and whether popular items have longer ones."""
    known = came.lengths[came.lengths > 0]
    middle = float(np.median(known)) if len(known) else float("nan")
    is_even = bool(len(known)) and float(np.ptp(known)) <= _EVEN * middle
    n_zero = int((came.lengths == 0).sum())
    told = (
        np.round(came.lengths / middle, 4) if len(known) else came.lengths
    )  # the last digits are rounding, and order nothing
    by_likes = rank_correlation(told, dataset.popularity.astype(float))
    order = np.argsort(-np.abs(np.log(np.maximum(came.lengths, 1e-12) / max(middle, 1e-12))), kind="stable")[:_SHOWN]
    is_far = bool(len(known)) and float(known.max()) > _LONG * middle
    return Finding(
        "lengths",
        "Lengths of the vectors",
        n_zero > 0 or (came.similarity != COSINE and is_far),
        {
            "shortest": float(known.min(initial=np.inf)) if len(known) else float("nan"),
            "median": middle,
            "longest": float(known.max(initial=0.0)) if len(known) else float("nan"),
            "without a vector": float(n_zero),
            "with popularity": by_likes,
        },
        f"{_compared(came, is_even)} Items without a vector, or with one of length zero: {n_zero}. Lengths go with likes by "
        f"{by_likes:+.2f} (Spearman; 0 is no relation).",
        "Say in [vectors] of dataset.toml how the model that made the vectors compares them: cosine or dot. Give vectors to the "
        "items without one.",
        table_of(dataset, order, length=np.round(came.lengths[order].astype(float), 4)),
    )


def _compared(came: BroughtVectors, is_even: bool) -> str:
    if is_even:
        return f"Compared by {came.similarity}; all vectors are about as long, so cosine and dot rank alike."
    if came.similarity == COSINE:
        return "Compared by cosine: the vectors came with different lengths, which count for nothing here."
    return "Compared by dot: a vector that is twice as long scores twice as high, whoever asks."


def agreement(cosine: float, encoder: str) -> Finding:
    """Whether the encoder that is named for the vectors makes the same ones now."""
    does_agree = cosine >= AGREES_FROM
    made = f"What {encoder} makes of sixteen items now has a median cosine of {cosine:.3f} with the vectors that came"
    told = (
        f"{made}, as it should be." if does_agree else f"{made}, so it is not what made them, or it read other texts."
    )
    return Finding(
        "agreement",
        "The encoder named for the vectors",
        not does_agree,
        {"median cosine": cosine, "wanted": AGREES_FROM},
        told,
        "Name another encoder in [vectors] of dataset.toml or none, or correct the template of item texts there.",
        table_of(None, np.zeros(0, int)),
    )
