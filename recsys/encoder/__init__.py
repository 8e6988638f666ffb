"""Texts to embeddings."""

from recsys.encoder.cache import CachedEncoder
from recsys.encoder.folder import MULTILINGUAL, Recipe
from recsys.encoder.languages import Mismatch, advice, in_words, mismatch_of, other_for_script, unread_script
from recsys.encoder.opening import open_encoder
from recsys.encoder.protocol import Encoder, TextCheck, TokenEmbeddings
from recsys.encoder.static import StaticEncoder
from recsys.encoder.transformer import TransformerEncoder
from recsys.encoder.universal import UniversalEncoder

__all__ = [
    "MULTILINGUAL",
    "CachedEncoder",
    "Encoder",
    "Mismatch",
    "Recipe",
    "StaticEncoder",
    "TextCheck",
    "TokenEmbeddings",
    "TransformerEncoder",
    "UniversalEncoder",
    "advice",
    "in_words",
    "mismatch_of",
    "open_encoder",
    "other_for_script",
    "unread_script",
]
