"""An atlas: everything that is drawn of one space, fitted once, kept as an artifact, frozen."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.artifact import ArtifactStore
from recsys.errors import ArtifactError
from recsys.projection.clusters import Clusters, find_clusters
from recsys.projection.fitting import Map, MapConfig, Progress, fit_umap
from recsys.projection.placing import Place, Placer
from recsys.projection.spaces import ItemSpace
from recsys.projection.trust import Trust, measure_trust, nearest_items
from recsys.schema import Profile

_KIND, _PEOPLE = "map", "people"
_VERSION = 3


@dataclass(frozen=True, eq=False)
class Atlas:
    """A fitted map of a space.

    Attributes:
        items: coordinates.
        trust: how far the map can be believed.
        clusters: groups on it, with labels.
        near: ``(n_items, 15)`` item_rows, the true neighbours of every item in the space, best first.
    """

    space: ItemSpace
    items: Map
    trust: Trust
    clusters: Clusters
    near: np.ndarray

    @cached_property
    def placer(self) -> Placer:
        """Places profiles on this map."""
        return Placer(self.space, self.items)

    def place(self, profile: Profile) -> Place:
        """Returns where a profile lies; it depends on nothing but the profile."""
        return self.placer.place(self.space.profile_vectors([profile])[0])


def map_key(space: ItemSpace, config: MapConfig, texts: Sequence[str]) -> str:
    """Returns the SHA-256 of everything that a map depends on."""
    digest = hashlib.sha256(json.dumps([_VERSION, space.name, asdict(config)]).encode())
    digest.update(np.ascontiguousarray(space.vectors, np.float32).tobytes())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()


def open_atlas(space: ItemSpace, config: MapConfig, texts: Sequence[str], folder: Path) -> Atlas:
    """Opens a kept atlas.

    Raises:
        ArtifactError: if it was never fitted, or is damaged.
    """
    path = ArtifactStore(folder / "artifacts").open(_KIND, map_key(space, config, texts)).path
    about = json.loads((path / "atlas.json").read_text("utf-8"))
    arrays = {
        name: np.load(path / f"{name}.npy", allow_pickle=False)
        for name in ("coordinates", "kept", "numbers", "centres", "near")
    }
    items = Map(arrays["coordinates"], config, about["a"], about["b"])
    trust = Trust(about["trustworthiness"], about["continuity"], arrays["kept"], about["n_sampled"], about["k"])
    clusters = Clusters(arrays["numbers"], tuple(about["labels"]), arrays["centres"])
    return Atlas(space, items, trust, clusters, arrays["near"])


def fit_atlas(
    space: ItemSpace,
    config: MapConfig,
    texts: Sequence[str],
    *,
    near: np.ndarray | None = None,
    progress: Progress | None = None,
) -> Atlas:
    """Fits a map, measures it and names its groups.

    Args:
        near: ``Atlas.near`` of another map of the same space, which saves most of the time that measuring takes.
    """
    report = progress or (lambda step, done, total: None)
    items = fit_umap(space.vectors, config, progress=progress)
    if near is None:
        near = nearest_items(space.vectors, progress=lambda done, total: report("measure", done, total))
    trust = measure_trust(space.vectors, items.coordinates, true=near)
    report("name groups", 0, 1)
    return Atlas(space, items, trust, find_clusters(items.coordinates, texts), near)


def keep_atlas(atlas: Atlas, texts: Sequence[str], folder: Path) -> None:
    """Publishes an atlas beside its dataset."""
    items, trust, clusters = atlas.items, atlas.trust, atlas.clusters
    about = {
        "a": items.a,
        "b": items.b,
        "trustworthiness": trust.trustworthiness,
        "continuity": trust.continuity,
        "n_sampled": trust.n_sampled,
        "k": trust.k,
        "labels": list(clusters.labels),
    }
    key = map_key(atlas.space, items.config, texts)
    arrays = {
        "coordinates": items.coordinates,
        "kept": trust.kept,
        "numbers": clusters.numbers,
        "centres": clusters.centres,
        "near": atlas.near.astype(np.int32),
    }
    store = ArtifactStore(folder / "artifacts")
    with store.publish(_KIND, key, about={"space": atlas.space.name, **asdict(items.config)}) as draft:
        for name, values in arrays.items():
            np.save(draft / f"{name}.npy", values, allow_pickle=False)
        (draft / "atlas.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")


def open_or_fit_atlas(
    space: ItemSpace,
    config: MapConfig,
    texts: Sequence[str],
    folder: Path | None,
    *,
    near: np.ndarray | None = None,
    progress: Progress | None = None,
) -> Atlas:
    """Returns the kept atlas, fitted and published first where there is none; ``folder`` is ``None`` for data in memory."""
    if folder is None:
        return fit_atlas(space, config, texts, near=near, progress=progress)
    try:
        return open_atlas(space, config, texts, folder)
    except ArtifactError:
        made = fit_atlas(space, config, texts, near=near, progress=progress)
        keep_atlas(made, texts, folder)
        return made


def open_people(
    atlas: Atlas,
    profiles: Sequence[Profile],
    texts: Sequence[str],
    folder: Path,
    *,
    vectors: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the kept spots of a dataset's users.

    Args:
        vectors: as for ``place_people``.

    Raises:
        ArtifactError: if they were never placed, or are damaged.
    """
    return _kept_spots(folder, _people_key(atlas, profiles, texts, vectors))


def _kept_spots(folder: Path, key: str) -> np.ndarray:
    path = ArtifactStore(folder / "artifacts").open(_PEOPLE, key).path
    found: np.ndarray = np.load(path / "spots.npy", allow_pickle=False)
    return found


def _people_key(atlas: Atlas, profiles: Sequence[Profile], texts: Sequence[str], vectors: np.ndarray | None) -> str:
    """Hashes what the spots come from, not the vectors in between: their last digits differ from one process to the next."""
    scorer = atlas.space.scorer
    digest = hashlib.sha256(map_key(atlas.space, atlas.items.config, texts).encode())
    digest.update(scorer.name.encode())
    digest.update(np.ascontiguousarray(scorer.item_vectors).tobytes())
    digest.update(json.dumps([profile.to_dict() for profile in profiles]).encode())
    if vectors is not None:
        digest.update(np.ascontiguousarray(vectors).tobytes())
    return digest.hexdigest()


def place_people(
    atlas: Atlas,
    profiles: Sequence[Profile],
    texts: Sequence[str],
    folder: Path | None,
    *,
    vectors: np.ndarray | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Returns ``(n_profiles, n_components)``, the spots of a dataset's users, kept beside the map.

    Args:
        vectors: ``(n_profiles, dim)`` in the space, where they came with the users; otherwise those of the profiles are taken.
    """
    if folder is None:
        return _placed(atlas, profiles, vectors, progress)
    key = _people_key(atlas, profiles, texts, vectors)
    try:
        return _kept_spots(folder, key)
    except ArtifactError:
        spots = _placed(atlas, profiles, vectors, progress)
    with ArtifactStore(folder / "artifacts").publish(_PEOPLE, key, about={"n_people": len(spots)}) as draft:
        np.save(draft / "spots.npy", spots, allow_pickle=False)
    return spots


def _placed(
    atlas: Atlas, profiles: Sequence[Profile], vectors: np.ndarray | None, progress: Progress | None
) -> np.ndarray:
    report = progress or (lambda step, done, total: None)
    placer = atlas.placer
    if vectors is None:
        vectors = atlas.space.profile_vectors(profiles)
    else:  # what came with a user is compared with what came with items, from no other origin
        placer = Placer(replace(atlas.space, origin=np.zeros(vectors.shape[1])), atlas.items)
    spots = np.zeros((len(vectors), atlas.items.coordinates.shape[1]))
    with threadpool_limits(limits=1, user_api="blas"):  # the products are small; threads would wait for each other
        for row, vector in enumerate(vectors):
            spots[row] = placer.place(vector).spot
            if row % 50 == 0:
                report("place people", row, len(vectors))
    return spots
