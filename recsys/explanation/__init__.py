"""Why an item has its score: facets, words, pairs of words."""

from recsys.explanation.contrast import Contrast, Difference, contrast
from recsys.explanation.deletion import Deletion, delete_words
from recsys.explanation.explainer import LEARNED, Explainer
from recsys.explanation.item_words import ItemWords
from recsys.explanation.page import to_html
from recsys.explanation.reason import reason
from recsys.explanation.tokens import TokenAssembly, assemble, can_assemble
from recsys.explanation.word_vectors import EXACT, EXACT_UP_TO, FIRST_LAST, WordVectors, words_of

__all__ = [
    "EXACT",
    "EXACT_UP_TO",
    "FIRST_LAST",
    "LEARNED",
    "Contrast",
    "Deletion",
    "Difference",
    "Explainer",
    "ItemWords",
    "TokenAssembly",
    "WordVectors",
    "assemble",
    "can_assemble",
    "contrast",
    "delete_words",
    "reason",
    "to_html",
    "words_of",
]
