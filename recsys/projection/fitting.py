"""Maps of items: PCA at once, UMAP with progress, both the same every time."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

Progress = Callable[[str, int, int], None]
"""Called with (step, done, in all)."""
_BAR = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True)
class MapConfig:
    """How a map is made.

    Attributes:
        n_components: 2 or 3.
        n_neighbors: how many neighbours shape the place of an item.
        min_dist: how close items may lie on the map.
        seed: of everything random; UMAP runs on one thread for it.
    """

    n_components: int = 2
    n_neighbors: int = 15
    min_dist: float = 0.1
    seed: int = 42


@dataclass(frozen=True, eq=False)
class Map:
    """Fitted coordinates.

    Attributes:
        coordinates: ``(n_items, n_components)`` float32.
        a, b: the curve of UMAP, similarity on the map is ``1 / (1 + a * distance ** (2 b))``; zero for a map that was not
            made by UMAP, so that nothing goes downhill on it.
    """

    coordinates: np.ndarray
    config: MapConfig
    a: float = 0.0
    b: float = 0.0


def fit_pca(vectors: np.ndarray, n_components: int = 2) -> Map:
    """Returns the first principal components, each with the sign that makes its largest entry positive; instant."""
    wide = np.asarray(vectors, np.float64)
    if not len(wide):
        return Map(np.zeros((0, n_components), np.float32), MapConfig(n_components=n_components))
    centred = wide - wide.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    chosen = directions[:, ::-1][:, :n_components]
    chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    found = np.zeros((len(wide), n_components), np.float32)
    found[:, : chosen.shape[1]] = centred @ chosen
    return Map(found, MapConfig(n_components=n_components))


def fit_umap(vectors: np.ndarray, config: MapConfig | None = None, *, progress: Progress | None = None) -> Map:
    """Fits UMAP with the cosine as distance; the same vectors and configuration give the same coordinates.

    Fewer than six items are laid out by PCA, as UMAP cannot.

    Source: L. McInnes, J. Healy, J. Melville, UMAP, 2018.
    """
    config = config or MapConfig()
    if len(vectors) < 6:
        return Map(fit_pca(vectors, config.n_components).coordinates, config)
    from umap import UMAP

    reducer = UMAP(
        n_components=config.n_components,
        n_neighbors=min(config.n_neighbors, len(vectors) - 1),
        min_dist=config.min_dist,
        metric="cosine",
        random_state=config.seed,
        n_jobs=1,
        init="spectral" if len(vectors) > 4 * config.n_components + 10 else "random",
        verbose=progress is not None,
        tqdm_kwds={"file": _Watcher(progress), "mininterval": 0.2, "bar_format": "{n_fmt}/{total_fmt} "},
    )
    with _quiet(progress):
        made = reducer.fit(moved_from_zero(vectors))
    return Map(np.asarray(made.embedding_, np.float32), config, float(made._a), float(made._b))


def moved_from_zero(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length zero have no angle; they are all put in one direction."""
    found = np.array(vectors, np.float32)
    found[~found.any(axis=1), 0] = 1.0
    return found


class _Watcher(io.StringIO):
    """Reads UMAP's own progress bar."""

    def __init__(self, progress: Progress | None) -> None:
        super().__init__()
        self._progress = progress

    def write(self, text: str) -> int:
        found = _BAR.search(text)
        if found and self._progress:
            self._progress("lay out", int(found[1]), int(found[2]))
        return len(text)


@contextlib.contextmanager
def _quiet(progress: Progress | None) -> Iterator[None]:
    """UMAP tells its steps on standard output, where the answer of a command belongs."""
    if progress is None:
        yield
        return
    progress("find neighbours", 0, 1)
    with contextlib.redirect_stdout(_Watcher(None)):
        yield
