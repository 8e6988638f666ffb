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
from recsys.schema.explanation import COMPLETE, ExplainedText, Explanation, Line, Part, Word, WordMatrix
from recsys.schema.item_filter import ItemFilter
from recsys.schema.profile import PRIOR, Facet, FacetKind, Preset, Profile
from recsys.schema.recommendations import Influence, Recommendations, Scores
from recsys.schema.template import Template

__all__ = [
    "AGE",
    "CATEGORIES",
    "COMPLETE",
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
    "ExplainedText",
    "Explanation",
    "Facet",
    "FacetKind",
    "Influence",
    "ItemFilter",
    "Line",
    "Part",
    "Preset",
    "Profile",
    "Recommendations",
    "Scores",
    "Template",
    "Word",
    "WordMatrix",
    "fingerprint_of_frame",
]
