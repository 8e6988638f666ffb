"""Texts to embeddings."""

from recsys.encoder.brought import AGREES_FROM, BroughtVectors, brought, reads_text
from recsys.encoder.cache import CachedEncoder
from recsys.encoder.folder import Recipe
from recsys.encoder.opening import encoder_for, open_encoder
from recsys.encoder.protocol import Encoder, TextCheck, TokenEmbeddings
from recsys.encoder.static import StaticEncoder
from recsys.encoder.transformer import TransformerEncoder

__all__ = [
    "AGREES_FROM",
    "BroughtVectors",
    "CachedEncoder",
    "Encoder",
    "Recipe",
    "StaticEncoder",
    "TextCheck",
    "TokenEmbeddings",
    "TransformerEncoder",
    "brought",
    "encoder_for",
    "open_encoder",
    "reads_text",
]
