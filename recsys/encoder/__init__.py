"""Texts to embeddings."""

from recsys.encoder.cache import CachedEncoder
from recsys.encoder.folder import Recipe
from recsys.encoder.opening import open_encoder
from recsys.encoder.protocol import Encoder, TextCheck, TokenEmbeddings
from recsys.encoder.static import StaticEncoder
from recsys.encoder.transformer import TransformerEncoder

__all__ = [
    "CachedEncoder",
    "Encoder",
    "Recipe",
    "StaticEncoder",
    "TextCheck",
    "TokenEmbeddings",
    "TransformerEncoder",
    "open_encoder",
]
