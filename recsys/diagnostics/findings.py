"""What is wrong with the embeddings of a catalog: each finding says what it means, shows its items, and what to do."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse, stats

from recsys.diagnostics.brought import lengths, reworded
from recsys.diagnostics.finding import Finding, rank_correlation, table_of
from recsys.encoder import Encoder, brought, reads_text
from recsys.projection.trust import nearest_items, unit_rows
from recsys.schema import ITEM_ID, Dataset
from recsys.segmenter import words_of_text

_K = 10
DUPLICATE_FROM = 0.98
"""Cosine from which two texts count as near-duplicates."""
_HUB_DEVIATIONS, _OUTLIER_DEVIATIONS = 5.0, 3.5
_FEWEST = 30
_SHOWN = 200
_MOST = 20_000
_OF_ALL = ("cut texts", "tiny texts")


def diagnose(
    dataset: Dataset, vectors: np.ndarray, texts: Sequence[str], encoder: Encoder, scores: np.ndarray | None = None
) -> list[Finding]:
    """Looks at the text embeddings of a catalog from every side.

    Catalogs of more than 20,000 items are judged by a sample of so many; texts are all looked at.

    Args:
        scores: ``(n_profiles, n_items)``, for some people, to see what lengths and popularity have to do with them.
    """
    rows = np.arange(len(vectors))
    if len(rows) > _MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, _MOST, replace=False))
    sample = np.asarray(vectors[rows], np.float32)
    near = nearest_items(sample, min(_K, max(1, len(rows) - 1))) if len(rows) > 1 else np.zeros((len(rows), 0), int)
    found = [
        hubs(dataset, rows, near),
        duplicates(dataset, rows, sample),
        spread(sample),
        *(of_texts(dataset, texts, encoder) if reads_text(encoder) else ()),
        outliers(dataset, rows, sample, near),
    ]
    if dataset.categories:
        found.append(mixed_categories(dataset, rows, sample))
    if len(rows) < len(vectors):
        told = f"Judged by a sample of {len(rows):,} of the {len(vectors):,} items."
        found = [one if one.key in _OF_ALL else replace(one, meaning=f"{one.meaning} {told}") for one in found]
    if (came := brought(encoder)) is not None:
        found = [*map(reworded, found), lengths(dataset, came)]
    if scores is not None:
        found.append(biases(dataset, texts, scores))
    return found


def occurrences(near: np.ndarray, n: int) -> np.ndarray:
    """Returns ``(n,)``: in how many items' nearest ten each item stands."""
    return np.bincount(near.ravel(), minlength=n)


def hubs(dataset: Dataset, rows: np.ndarray, near: np.ndarray) -> Finding:
    """Items that are among the nearest of very many others, and items that are among the nearest of none.

    Source: M. Radovanović, A. Nanopoulos, M. Ivanović, Hubs in space, 2010.
    """
    counts = occurrences(near, len(rows))
    deviation = (counts - counts.mean()) / max(float(counts.std()), 1e-12)
    worst = np.argsort(-counts, kind="stable")[:_SHOWN]
    is_hub = deviation > _HUB_DEVIATIONS
    never = np.flatnonzero(counts == 0)
    table = table_of(dataset, rows[worst], **{"in the nearest ten of": counts[worst], "hub": is_hub[worst]})
    silent = table_of(dataset, rows[never[:_SHOWN]], **{"in the nearest ten of": counts[never[:_SHOWN]], "hub": False})
    skewness = float(stats.skew(counts)) if counts.std() else 0.0
    return Finding(
        "hubness",
        "Hubs and items that are never reached",
        bool(is_hub.any()),
        {
            "skewness": skewness,
            "hubs": float(is_hub.sum()),
            "never reached": float(len(never)),
            "largest": float(counts.max(initial=0)),
        },
        f"{int(is_hub.sum())} items stand in the nearest ten of far more items than others do, {len(never)} in nobody's. "
        "Hubs turn up in lists whoever asks; what is never near anything is hardly ever shown by similarity. "
        f"A skewness of {skewness:.1f}: near 0 all are reached alike, above 1 a few take most of the places.",
        "Read the texts of the hubs: generic or keyword-stuffed ones should be rewritten. Give unreached items fuller texts.",
        pd.concat([table, silent[~silent[ITEM_ID].isin(table[ITEM_ID])]], ignore_index=True),
    )


def duplicates(dataset: Dataset, rows: np.ndarray, vectors: np.ndarray, threshold: float = DUPLICATE_FROM) -> Finding:
    """Groups of items whose texts say the same."""
    unit = unit_rows(vectors)
    group, n_pairs = np.arange(len(unit)), 0
    for start in range(
        0, len(unit), 1024
    ):  # joined block by block: of a catalog that repeats one text, the pairs fill the memory
        first, second = np.nonzero(unit[start : start + 1024] @ unit.T >= threshold)
        keep = first + start < second
        n_pairs += int(keep.sum())
        group = _joined(group, first[keep] + start, second[keep])
    sizes = np.bincount(group, minlength=1)
    members = np.flatnonzero(sizes[group] > 1)
    order = members[np.lexsort((members, group[members], -sizes[group[members]]))]
    numbers = {old: n + 1 for n, old in enumerate(dict.fromkeys(group[order].tolist()))}
    table = table_of(dataset, rows[order[: 5 * _SHOWN]], group=[numbers[g] for g in group[order[: 5 * _SHOWN]]])
    return Finding(
        "duplicates",
        "Near-duplicates",
        bool(len(members)),
        {
            "groups": float(len(numbers)),
            "items": float(len(members)),
            "pairs": float(n_pairs),
            "threshold": threshold,
        },
        f"{len(members)} items in {len(numbers)} groups have texts that read the same (cosine from {threshold:g}).",
        "Merge real duplicates. Where different items read the same, add what tells them apart: year, author, description.",
        table,
    )


def _joined(group: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Joins the groups of each pair; a group goes by the first of its rows."""
    if not len(first):
        return group
    n = len(group)
    ends = np.concatenate([np.arange(n), first]), np.concatenate([group, second])
    _, labels = sparse.csgraph.connected_components(
        sparse.coo_matrix((np.ones(len(ends[0])), ends), shape=(n, n)), False
    )
    return np.asarray(np.unique(labels, return_index=True)[1][labels])


def spread(vectors: np.ndarray) -> Finding:
    """Whether embeddings use their space: similarity of random pairs, spectrum, effective dimension."""
    unit = unit_rows(np.asarray(vectors, np.float64))
    n = len(unit)
    mean = float((np.square(unit.sum(axis=0)).sum() - np.square(unit).sum()) / max(n * (n - 1), 1))
    values = np.linalg.eigvalsh(np.cov(unit.T)) if n > 1 else np.zeros(1)
    values = np.maximum(values[::-1], 0.0)
    total = max(float(values.sum()), 1e-12)
    dimension = total**2 / max(float(np.square(values).sum()), 1e-12)
    shares = pd.DataFrame(
        {"direction": np.arange(1, 21)[: len(values)], "share of variance": np.round(values[:20] / total, 4)}
    )
    return Finding(
        "anisotropy",
        "How the space is used",
        mean > 0.5 or (n > 1 and dimension < min(5, n / 2)),  # a few items cannot span more
        {
            "mean cosine": mean,
            "effective dimension": dimension,
            "dimensions": float(unit.shape[1]),
            "largest share": values[0] / total,
        },
        f"Two random items have a cosine of {mean:.2f}; the variance is that of {dimension:.0f} equally used directions of "
        f"{unit.shape[1]}. Near 1, every cosine is high and says little.",
        "If the mean cosine is high, read scores above the average item, or use an encoder trained for similarity.",
        shares,
    )


def of_texts(dataset: Dataset, texts: Sequence[str], encoder: Encoder) -> tuple[Finding, Finding]:
    """What is wrong with the texts that the encoder reads."""
    return cut_texts(dataset, texts, encoder), tiny_texts(dataset, texts)


def cut_texts(dataset: Dataset, texts: Sequence[str], encoder: Encoder) -> Finding:
    """Texts longer than what the encoder reads."""
    longest = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
    cut: list[tuple[int, int]] = []
    missed = 0
    for row in longest:  # from the longest down: after fifty that fit, shorter ones do too
        check = encoder.check(texts[row])
        if check.is_cut:
            cut.append((row, check.n_tokens))
            missed = 0
        else:
            missed += 1
        if missed > 50:
            break
    table = table_of(dataset, np.array([row for row, _ in cut[:_SHOWN]], int), tokens=[n for _, n in cut[:_SHOWN]])
    return Finding(
        "cut texts",
        "Texts that are cut",
        bool(cut),
        {"items": float(len(cut)), "share": len(cut) / max(len(texts), 1)},
        f"{len(cut)} texts are longer than the encoder reads; what stands at their end counts for nothing.",
        "Put what matters first in the text template, or shorten descriptions.",
        table,
    )


def tiny_texts(dataset: Dataset, texts: Sequence[str]) -> Finding:
    """Texts that are empty or say almost nothing."""
    lengths = np.array([len(words_of_text(text)) for text in texts])
    rows = np.flatnonzero(lengths <= 1)
    order = rows[np.argsort(lengths[rows], kind="stable")]
    empty = int((lengths == 0).sum())
    return Finding(
        "tiny texts",
        "Empty and tiny texts",
        bool(len(rows)),
        {"empty": float(empty), "items": float(len(rows))},
        f"Empty texts: {empty}; texts of a single word: {len(rows) - empty}. They say too little to be told apart.",
        "Give them a title, categories or a description; until then they can only be found by likes.",
        table_of(dataset, order[:_SHOWN], words=lengths[order[:_SHOWN]]),
    )


def outliers(dataset: Dataset, rows: np.ndarray, vectors: np.ndarray, near: np.ndarray) -> Finding:
    """Items that are like nothing else: their nearest ten are unusually far."""
    unit = unit_rows(vectors)
    closeness = np.array([unit[row] @ unit[others].T for row, others in enumerate(near)]).reshape(len(near), -1)
    means = closeness.mean(axis=1) if closeness.size else np.zeros(len(near))
    middle = float(np.median(means)) if len(means) else 0.0
    width = 1.4826 * float(np.median(np.abs(means - middle))) if len(means) else 1.0
    deviation = (middle - means) / max(width, 1e-12)
    if len(near) < _FEWEST:  # of a handful, each is far from some of the others
        deviation = np.zeros(len(near))
    order = np.argsort(-deviation, kind="stable")
    worst = order[deviation[order] > _OUTLIER_DEVIATIONS][:_SHOWN]
    return Finding(
        "outliers",
        "Items that are like nothing else",
        bool(len(worst)),
        {"items": float((deviation > _OUTLIER_DEVIATIONS).sum()), "median cosine to the nearest ten": middle},
        f"{int((deviation > _OUTLIER_DEVIATIONS).sum())} items are unusually far from their nearest ten (robust deviation above "
        f"{_OUTLIER_DEVIATIONS}).",
        "Look for texts in another language, broken encodings, or a template that is missing a column.",
        table_of(dataset, rows[worst], **{"cosine to the nearest ten": np.round(means[worst], 4)}),
    )


def mixed_categories(dataset: Dataset, rows: np.ndarray, vectors: np.ndarray) -> Finding:
    """Silhouette of each category: whether its items are closer to each other than to the rest."""
    unit = unit_rows(np.asarray(vectors, np.float64))
    inside = dataset.category_matrix[rows] > 0
    whole = unit.sum(axis=0)
    lines = []
    for number, name in enumerate(dataset.categories):
        own = inside[:, number]
        n = int(own.sum())
        if n < 3 or n == len(unit):
            continue
        total = unit[own].sum(axis=0)
        near = 1 - (unit[own] @ total - 1) / (n - 1)
        far = 1 - unit[own] @ (whole - total) / (len(unit) - n)
        values = (far - near) / np.maximum(np.maximum(far, near), 1e-12)
        lines.append((name, n, float(values.mean())))
    table = pd.DataFrame(lines, columns=["category", "items", "silhouette"]).sort_values(
        "silhouette", ignore_index=True
    )
    weak = int((table["silhouette"] <= 0.02).sum()) if len(table) else 0
    return Finding(
        "categories",
        "Categories that the embedding does not separate",
        weak > 0,
        {
            "categories": float(len(table)),
            "not separated": float(weak),
            "mean silhouette": float(table["silhouette"].mean()) if len(table) else float("nan"),
        },
        f"{weak} of {len(table)} categories are not told apart from the rest (silhouette up to 0.02; 1 is perfect, 0 chance).",
        "Interests named like such a category find little of it by text alone; richer texts or likes must carry it.",
        table,
    )


def biases(dataset: Dataset, texts: Sequence[str], scores: np.ndarray) -> Finding:
    """Whether longer texts or popular items get higher scores, over many people."""
    mean = np.asarray(scores, np.float64).mean(axis=0)
    length = np.array([len(text) for text in texts], float)
    by_length = rank_correlation(length, mean)
    by_popularity = rank_correlation(dataset.popularity.astype(float), mean)
    order = np.argsort(-mean, kind="stable")[:_SHOWN]
    return Finding(
        "biases",
        "Text length and popularity in the scores",
        abs(by_length) > 0.3,
        {"length": by_length, "popularity": by_popularity},
        f"Over {len(scores)} different people, an item's mean score goes with the length of its text by {by_length:+.2f} and "
        f"with its likes by {by_popularity:+.2f} (Spearman; 0 is no relation).",
        "If length matters, make texts alike in length. Popularity is meant to matter for a learned scorer; the sidebar can "
        "weigh it down.",
        table_of(dataset, order, **{"mean score": np.round(mean[order], 4), "characters": length[order].astype(int)}),
    )
