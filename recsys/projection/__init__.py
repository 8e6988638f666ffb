"""Maps of items and people."""

from recsys.projection.atlas import (
    Atlas,
    fit_atlas,
    keep_atlas,
    open_atlas,
    open_or_fit_atlas,
    open_people,
    place_people,
)
from recsys.projection.both import FittedMap, fit_maps
from recsys.projection.clusters import Clusters, find_clusters
from recsys.projection.fitting import Map, MapConfig, fit_pca, fit_umap
from recsys.projection.people import people_of, rows_of_people, vectors_of_people
from recsys.projection.placing import Place, Placer, membership
from recsys.projection.spaces import ItemSpace, open_space, spaces_of
from recsys.projection.trust import Trust, measure_trust, nearest_items, nearest_on_map, nearest_to, unit_rows

__all__ = [
    "Atlas",
    "Clusters",
    "FittedMap",
    "ItemSpace",
    "Map",
    "MapConfig",
    "Place",
    "Placer",
    "Trust",
    "find_clusters",
    "fit_atlas",
    "fit_maps",
    "fit_pca",
    "fit_umap",
    "keep_atlas",
    "measure_trust",
    "membership",
    "nearest_items",
    "nearest_on_map",
    "nearest_to",
    "open_atlas",
    "open_or_fit_atlas",
    "open_people",
    "open_space",
    "people_of",
    "place_people",
    "rows_of_people",
    "spaces_of",
    "unit_rows",
    "vectors_of_people",
]
