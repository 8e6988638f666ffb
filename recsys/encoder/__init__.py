"""Texts to embeddings."""

from recsys.encoder.brought import AGREES_FROM, BroughtVectors, brought, reads_text
from recsys.encoder.cache import CachedEncoder
from recsys.encoder.folder import MULTILINGUAL, Recipe
from recsys.encoder.languages import Mismatch, advice, in_words, mismatch_of, other_for_script, unread_script
from recsys.encoder.opening import encoder_for, open_encoder
from recsys.encoder.protocol import Encoder, TextCheck, TokenEmbeddings
from recsys.encoder.static import StaticEncoder
from recsys.encoder.transformer import TransformerEncoder
from recsys.encoder.universal import UniversalEncoder

__all__ = [
    "AGREES_FROM",
    "MULTILINGUAL",
    "BroughtVectors",
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
    "brought",
    "encoder_for",
    "in_words",
    "mismatch_of",
    "open_encoder",
    "other_for_script",
    "reads_text",
    "unread_script",
]
