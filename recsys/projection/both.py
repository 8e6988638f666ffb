"""Both maps of a space, flat and in three dimensions, with the users of the dataset on them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.projection.atlas import Atlas, open_or_fit_atlas, place_people
from recsys.projection.fitting import MapConfig, Progress
from recsys.projection.spaces import ItemSpace
from recsys.schema import Profile

DIMENSIONS = (2, 3)


@dataclass(frozen=True, eq=False)
class FittedMap:
    """One map.

    Attributes:
        n_people: users that were placed on it.
        seconds: that it took to open or to fit it, and to place them.
    """

    atlas: Atlas
    n_people: int
    seconds: float


def fit_maps(
    space: ItemSpace,
    people: Sequence[Profile],
    texts: Sequence[str],
    folder: Path | None,
    *,
    vectors: np.ndarray | None = None,
    seed: int = MapConfig.seed,
    progress: Progress | None = None,
) -> dict[int, FittedMap]:
    """Returns the maps by their number of dimensions; what is not kept in the folder is fitted and published first.

    Args:
        vectors: of the people, see ``vectors_of_people``.
        progress: its steps are those of ``fit_atlas`` and ``place_people`` after ``2-D map: `` or ``3-D map: ``.
    """
    found: dict[int, FittedMap] = {}
    near = None
    for n_components in DIMENSIONS:
        started = time.perf_counter()
        report = _named(f"{n_components}-D map", progress) if progress else None
        config = MapConfig(n_components=n_components, seed=seed)
        atlas = open_or_fit_atlas(space, config, texts, folder, near=near, progress=report)
        near = atlas.near
        place_people(atlas, people, texts, folder, vectors=vectors, progress=report)
        found[n_components] = FittedMap(atlas, len(people), time.perf_counter() - started)
    return found


def _named(name: str, progress: Progress) -> Progress:
    return lambda step, done, total: progress(f"{name}: {step}", done, total)
