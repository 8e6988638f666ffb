"""The nouns: Profile, Dataset, ItemFilter, Recommendations, and the names of their columns."""

from recsys.schema.columns import (
    AGE,
    CATEGORIES,
    DESCRIPTION,
    GENDER,
    ITEM_ID,
    ITEM_ROLES,
    LIKED_FROM,
    RATING,
    TIMESTAMP,
    TITLE,
    USER_ID,
    USER_ROLES,
    YEAR,
)
from recsys.schema.dataset import Dataset, DatasetInfo, fingerprint_of_frame
from recsys.schema.item_filter import ItemFilter
from recsys.schema.profile import PRIOR, Facet, FacetKind, Preset, Profile
from recsys.schema.recommendations import Influence, Recommendations, Scores

__all__ = [
    "AGE",
    "CATEGORIES",
    "DESCRIPTION",
    "GENDER",
    "ITEM_ID",
    "ITEM_ROLES",
    "LIKED_FROM",
    "PRIOR",
    "RATING",
    "TIMESTAMP",
    "TITLE",
    "USER_ID",
    "USER_ROLES",
    "YEAR",
    "Dataset",
    "DatasetInfo",
    "Facet",
    "FacetKind",
    "Influence",
    "ItemFilter",
    "Preset",
    "Profile",
    "Recommendations",
    "Scores",
    "fingerprint_of_frame",
]
